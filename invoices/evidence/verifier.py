"""Vérifie un dossier de preuve sans le portail : Python 3.9 ou plus et openssl suffisent.

    python3 verifier.py [racines.pem]

Dans le dossier décompressé. racines.pem (facultatif) : certificats racines de l’autorité d’horodatage ; sans lui, la
signature de l’autorité n’est pas contrôlée. Code de sortie 0 si tout concorde, 1 au premier écart, qui est nommé.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent


def check(is_right: bool, sentence: str) -> None:
    """Go on where something is what it was; otherwise end with ``sentence``, which names it."""
    if not is_right:
        sys.exit(f"ÉCART – {sentence}")


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def follow(position: int, previous: str, entry_sha256: str) -> str:
    """The fingerprint of the link at ``position``, behind that of the one before."""
    return sha256(f"{position}\n{previous}\n{entry_sha256}".encode())


def read(name: str) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads((FOLDER / name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"ÉCART – {name} : illisible ({error})")


def check_files(authority: str) -> dict[str, str]:
    """Each file against ``empreintes.json``, by name: none changed, none missing, none added."""
    expected: dict[str, str] = read("empreintes.json")
    table = json.dumps(expected, ensure_ascii=False, indent=1).encode()
    check(table == (FOLDER / "empreintes.json").read_bytes(), "empreintes.json : modifié")
    for name, known in expected.items():
        check((FOLDER / name).is_file(), f"{name} : manquant")
        check(sha256((FOLDER / name).read_bytes()) == known, f"{name} : modifié")
    ours = {FOLDER / name for name in (*expected, "empreintes.json", "verifier.py")} | {Path(authority).resolve()}
    for path in sorted(FOLDER.rglob("*")):
        is_known = path in ours or not path.is_file() or path.name.startswith(".")
        check(is_known, f"{path.relative_to(FOLDER).as_posix()} : ajouté")
    return expected


def check_documents(files: dict[str, str]) -> None:
    """Documents against what the trail said when they were published, and attachments of mails against documents."""
    documents = read("documents.json")
    known = {document["sha256"] for document in documents}
    for document in documents:
        is_frozen = not document["fichier"] or files.get(document["fichier"]) == document["sha256"]
        check(is_frozen, f"{document['fichier']} : ce n’est pas le document figé")
    for entry in (one["entree"] for one in read("piste.json")):
        is_here = entry["action"] not in ("published", "new-version") or json.loads(entry["details"])["sha256"] in known
        check(is_here, f"entrée {entry['id']} : le document publié n’est pas dans le dossier")
    for mail in read("mails.json"):
        is_ours = {attached["sha256"] for attached in mail["pieces_jointes"]} <= known
        check(is_ours, f"mail {mail['message_id']} : sa pièce jointe n’est aucun des documents")


def check_entries() -> dict[int, str]:
    """Each entry of the trail against its fingerprint and its link; the fingerprints of the links, by position."""
    links: dict[int, str] = {}
    for one in read("piste.json"):
        entry, link, personal = one["entree"], one["maillon"], one["personnel"]
        is_kept = personal is None or sha256(personal.encode()) == entry["personal_sha256"]
        check(is_kept, f"entrée {entry['id']} : valeurs personnelles modifiées")
        if link is not None:
            text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            check(sha256(text.encode()) == link["entry_sha256"], f"entrée {entry['id']} : modifiée")
            links[link["position"]] = follow(link["position"], link["previous"], link["entry_sha256"])
            check(links[link["position"]] == link["sha256"], f"entrée {entry['id']} : pas à sa place dans la chaîne")
    return links


def check_chains(links: dict[int, str], authority: str) -> int:
    """From each entry on, link by link, to the root of a day, and its time-stamp; how many entries are under a root."""
    sealed: set[int] = set()
    for chain in read("chaines.json"):
        value = chain["previous"]
        for position, entry_sha256 in enumerate(chain["entries"], chain["first"]):
            value = follow(position, value, entry_sha256)
            check(links.get(position, value) == value, f"rang {position} : ne mène pas à la racine du {chain['day']}")
            sealed.add(position)
        check(value == chain["root"], f"racine du {chain['day']} : la chaîne n’y mène pas")
        if chain["stamp"]:
            check_stamp(FOLDER / chain["stamp"], chain["root"], authority)
    return len(sealed & set(links))


def check_stamp(path: Path, root: str, authority: str) -> None:
    """The stamp is of ``root``; with ``authority``, its signature is right too."""
    data = path.with_suffix(".txt")
    check(data.read_text() == root, f"{data.name} : n’est pas la racine du jour")
    text = ask_openssl("-reply", "-text", "-in", str(path))
    stamped = "".join(re.findall(r"^\s+[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)", text, re.MULTILINE))
    check(re.sub(r"[ -]", "", stamped)[:64] == sha256(root.encode()), f"{path.name} : n’horodate pas la racine du jour")
    if authority:
        ask_openssl("-verify", "-data", str(data), "-in", str(path), "-CAfile", authority)


def ask_openssl(*arguments: str) -> str:
    """What OpenSSL says of a time-stamp."""
    done = subprocess.run(["openssl", "ts", *arguments], capture_output=True, check=False)  # noqa: S603, S607
    said = " ".join(done.stderr.decode(errors="replace").split())
    check(done.returncode == 0, f"horodatage refusé par openssl : {said[-300:]}")
    return done.stdout.decode(errors="replace")


if __name__ == "__main__":
    authority = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        files = check_files(authority)
        check_documents(files)
        links = check_entries()
        sealed = check_chains(links, authority)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"ÉCART – dossier illisible : {error!r}")
    print(f"Tout concorde : {len(files)} fichiers, {len(links)} entrées chaînées, dont {sealed} sous une racine.")
