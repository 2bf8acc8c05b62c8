"""Vérifie un dossier de preuve sans le portail : Python 3.9 ou plus et openssl suffisent.

    python3 verifier.py [racines.pem]

Dans le dossier décompressé. racines.pem (facultatif) : certificats racines de l’autorité d’horodatage ; sans lui, la
signature de l’autorité n’est pas contrôlée. Code de sortie 0 si tout concorde, 1 au premier écart, qui est nommé.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any


class Mismatch(Exception):  # noqa: N818 - read by people, in a file that is alone
    """Something is not what it was."""


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def check_files(folder: Path, authority: str) -> dict[str, str]:
    """Each file against ``empreintes.json``: none changed, none missing, none added."""
    try:
        expected: dict[str, str] = json.loads((folder / "empreintes.json").read_text("utf-8"))
    except ValueError as error:
        raise Mismatch(f"empreintes.json : modifié, illisible ({error})") from None
    for name, known in expected.items():
        path = folder / name
        if not path.is_file():
            raise Mismatch(f"{name} : manquant")
        if sha256(path.read_bytes()) != known:
            raise Mismatch(f"{name} : modifié")
    ours = {folder / name for name in (*expected, "empreintes.json", "verifier.py")} | {Path(authority).resolve()}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in ours and not path.name.startswith("."):
            raise Mismatch(f"{path.relative_to(folder).as_posix()} : ajouté")
    return expected


def check_documents(folder: Path, files: dict[str, str]) -> None:
    """Documents against what the trail said when they were published, and attachments of mails against documents."""
    documents = json.loads((folder / "documents.json").read_text("utf-8"))
    known = {document["sha256"] for document in documents}
    for document in documents:
        if document["fichier"] and files.get(document["fichier"]) != document["sha256"]:
            raise Mismatch(f"{document['fichier']} : ce n’est pas le document figé")
    for entry in json.loads((folder / "piste.json").read_text("utf-8")):
        told = json.loads(entry["entree"]["details"])
        if entry["entree"]["action"] in ("published", "new-version") and told["sha256"] not in known:
            raise Mismatch(f"entrée {entry['entree']['id']} : le document publié n’est pas dans le dossier")
    for mail in json.loads((folder / "mails.json").read_text("utf-8")):
        for attached in mail["pieces_jointes"]:
            if attached["sha256"] not in known:
                raise Mismatch(f"mail {mail['message_id']} : sa pièce jointe n’est aucun des documents")


def check_entries(folder: Path) -> dict[int, dict[str, Any]]:
    """Each entry of the trail against its fingerprint and its link; the links by entry."""
    links: dict[int, dict[str, Any]] = {}
    for one in json.loads((folder / "piste.json").read_text("utf-8")):
        entry, link, number = one["entree"], one["maillon"], one["entree"]["id"]
        text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if one["personnel"] is not None and sha256(one["personnel"].encode()) != entry["personal_sha256"]:
            raise Mismatch(f"entrée {number} : valeurs personnelles modifiées")
        if link is None:
            continue
        if sha256(text.encode()) != link["entry_sha256"]:
            raise Mismatch(f"entrée {number} : modifiée")
        if follow(link["position"], link["previous"], link["entry_sha256"]) != link["sha256"]:
            raise Mismatch(f"entrée {number} : pas à sa place dans la chaîne")
        links[link["position"]] = link
    return links


def follow(position: int, previous: str, entry_sha256: str) -> str:
    """The fingerprint of the link at ``position``, behind that of the one before."""
    return sha256(f"{position}\n{previous}\n{entry_sha256}".encode())


def check_chains(folder: Path, links: dict[int, dict[str, Any]], authority: str) -> int:
    """From each entry on, link by link, to the root of a day; then its time-stamp."""
    sealed: set[int] = set()
    for chain in json.loads((folder / "chaines.json").read_text("utf-8")):
        value = chain["previous"]
        for position, entry_sha256 in enumerate(chain["entries"], chain["first"]):
            value = follow(position, value, entry_sha256)
            if position in links and links[position]["sha256"] != value:
                raise Mismatch(f"rang {position} : ne mène pas à la racine du {chain['day']}")
            sealed.add(position)
        if value != chain["root"]:
            raise Mismatch(f"racine du {chain['day']} : la chaîne n’y mène pas")
        if chain["stamp"]:
            check_stamp(folder / chain["stamp"], chain, authority)
    return len(sealed & set(links))


def check_stamp(path: Path, chain: dict[str, Any], authority: str) -> None:
    """The stamp is of this root; with ``authority``, its signature is right too."""
    text = run("openssl", "ts", "-reply", "-in", str(path), "-text")
    stamped = "".join(re.findall(r"^\s+[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)", text, re.MULTILINE))
    if re.sub(r"[ -]", "", stamped)[:64] != sha256(chain["root"].encode()):
        raise Mismatch(f"{path.name} : n’horodate pas la racine du {chain['day']}")
    if authority:
        data = path.with_suffix(".txt")
        if data.read_text() != chain["root"]:
            raise Mismatch(f"{data.name} : n’est pas la racine du {chain['day']}")
        run("openssl", "ts", "-verify", "-data", str(data), "-in", str(path), "-CAfile", authority)


def run(*command: str) -> str:
    """What OpenSSL says."""
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - openssl, without a shell
    if done.returncode:
        raise Mismatch(
            f"horodatage refusé par openssl : {' '.join(done.stderr.decode(errors='replace').split())[-300:]}"
        )
    return done.stdout.decode(errors="replace")


def main() -> int:
    """Check all; the exit code."""
    folder = Path(__file__).resolve().parent
    authority = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        files = check_files(folder, authority)
        check_documents(folder, files)
        links = check_entries(folder)
        sealed = check_chains(folder, links, authority)
    except Mismatch as mismatch:
        print(f"ÉCART – {mismatch}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"ÉCART – dossier illisible : {error}")
        return 1
    print(f"Tout concorde : {len(files)} fichiers, {len(links)} entrées chaînées, dont {sealed} sous une racine.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
