"""What a backup says of itself: ``manifest.json``, the last file written, names the others with their fingerprints.

``database-….dump`` (pg_dump) or ``database-….sqlite3``, and ``documents-….sha256``, which ``sha256sum --check`` reads.
"""

import datetime
import errno
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self

from django.utils.translation import gettext as _

from mailing.json_text import parse_json

NAME: Final = "manifest.json"
DOCUMENTS: Final = "documents"
FORMAT: Final = 1
CHUNK: Final = 1024 * 1024
_SUM: Final = re.compile(rf"([0-9a-f]{{64}})  {DOCUMENTS}/([^\0\n\ufffd]+)\n?")


class BackupError(Exception):
    """A backup that cannot be made or put back; ``str()`` is a French sentence that names what and where."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file of the backup: its name, its SHA-256, its size in bytes."""

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is on the disk now."""
        return cls(path.name, fingerprint(path), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class Manifest:
    """``damaged`` are files that the database names and that could not be copied: their names and why."""

    created_at: str
    engine: str  # "sqlite" or "postgresql"
    database: BackupFile
    documents: BackupFile  # the list of their fingerprints
    document_count: int
    document_bytes: int
    migrations: list[str]
    tables: list[str]
    damaged: list[dict[str, str]] = field(default_factory=list)
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Put it into ``folder``, whole or not at all: until then, the backup before is the one that counts."""
        content = json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"
        write_whole(folder / NAME, [content.encode()])


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in ``folder``; raises BackupError."""
    path = folder / NAME
    try:
        values: dict[str, Any] = parse_json(path.read_bytes())
        if values["format"] > FORMAT:
            raise BackupError(
                _("%(path)s est d’une version plus récente du portail : restaurez avec celle-ci.") % {"path": path}
            )
        datetime.datetime.fromisoformat(values["created_at"])
        for name in ("database", "documents"):
            values[name] = BackupFile(**values[name])
        return Manifest(**values)
    except FileNotFoundError:
        raise BackupError(
            _("%(folder)s ne contient pas de sauvegarde : %(name)s y manque.") % {"folder": folder, "name": NAME}
        ) from None
    except OSError as error:
        raise BackupError(describe(error, path)) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BackupError(_("%(path)s n’est pas lisible : ce fichier est abîmé.") % {"path": path}) from None


def check_file(folder: Path, file: BackupFile) -> Path:
    """Where ``file`` lies, once its bytes are those that were written; raises BackupError."""
    path = folder / PurePosixPath(file.name).name
    try:
        found = fingerprint(path)
    except OSError as error:
        raise BackupError(describe(error, path)) from None
    if found != file.sha256:
        raise BackupError(
            _("%(path)s a changé depuis la sauvegarde : son empreinte n’est plus la sienne.") % {"path": path}
        )
    return path


def read_sums(path: Path) -> Iterator[tuple[str, str]]:
    """Name in the store and SHA-256 of each document of the list at ``path``; raises BackupError."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            found = _SUM.fullmatch(line.decode(errors="replace"))
            if found is None or {"..", "/"} & set(PurePosixPath(found[2]).parts):
                raise BackupError(_("%(path)s, ligne %(number)s : illisible.") % {"path": path, "number": number})
            yield found[2], found[1]


def sum_line(name: str, sha256: str) -> str:
    """A line of the list of documents."""
    return f"{sha256}  {DOCUMENTS}/{name}\n"


def fingerprint(path: Path) -> str:
    """SHA-256 of a file, in memory that does not grow with it; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(target: Path, chunks: Iterable[bytes]) -> None:
    """Write ``target`` so that it is under its name only when it is whole and on the disk; raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def describe(error: OSError, path: Path) -> str:
    """The French sentence for what the system refused at ``path``."""
    words = {
        errno.ENOENT: _("n’existe pas"),
        errno.ENOTDIR: _("n’est pas un dossier"),
        errno.EEXIST: _("n’est pas un dossier"),
        errno.EISDIR: _("est un dossier, non un fichier"),
        errno.EACCES: _("est refusé à l’utilisateur de cette commande"),
        errno.EPERM: _("est refusé à l’utilisateur de cette commande"),
        errno.ENOSPC: _("ne peut être écrit : le disque est plein"),
        errno.EDQUOT: _("ne peut être écrit : l’espace accordé est épuisé"),
        errno.EROFS: _("est en lecture seule"),
        errno.EFBIG: _("ne peut être écrit : le fichier dépasse la taille permise"),
        errno.EIO: _("ne peut être lu ou écrit : le disque signale une erreur"),
    }
    reason = words.get(error.errno or 0) or _("ne peut être lu ou écrit (%(reason)s)") % {
        "reason": error.strerror or error
    }
    return f"{error.filename if isinstance(error.filename, str) else path} {reason}."
