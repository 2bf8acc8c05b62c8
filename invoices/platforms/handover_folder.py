"""A hand-over written into a folder: whole files only, taken up where a killed run stopped, never over others' files.

While it runs, a journal in the folder says what is meant to be there; at the end the manifests take its place.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import batched
from pathlib import Path
from typing import IO, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from invoices.models import Export, Invoice
from invoices.platforms.handover import (
    BATCH,
    MANIFEST_CSV,
    MANIFEST_JSON,
    Entry,
    Format,
    entry_of,
    file_of,
    manifest_csv,
    manifest_json,
    mark_handed_over,
    with_parties,
)
from mailing.json_text import parse_json

_JOURNAL: Final = ".remise-en-cours.jsonl"
_PARTIAL: Final = ".partiel-"


class ForeignFilesError(Exception):
    """The folder holds files that are not ours, or not as we wrote them; the message is a French sentence."""


@dataclass(slots=True)
class HandoverFigures:
    """Files written, and invoices newly marked as handed over."""

    written: int = 0
    marked: int = 0


def write_handover(
    folder: Path,
    invoices: "QuerySet[Invoice]",
    *,
    form: Format,
    export: Export | None = None,
    platform: str = "",
    author_name: str = "",
    on_progress: Callable[[int], None] = lambda done: None,
) -> HandoverFigures:
    """Write the e-invoices of ``invoices`` and the manifests into ``folder``, marking each as handed over.

    What an earlier run wrote into the same folder stays and remains in the manifests. Raises
    :class:`ForeignFilesError` before anything is written, ``OSError`` where the disk does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = _entries_there(folder)
    _refuse_foreign_files(folder, entries)
    keys = list(invoices.values_list("pk", flat=True))
    figures = HandoverFigures()
    if not keys and not (folder / _JOURNAL).exists():
        return figures
    with (folder / _JOURNAL).open("a", encoding="utf-8") as journal:
        for batch in batched(keys, BATCH):
            found = with_parties().in_bulk(batch)
            handed = []
            for key in batch:
                name, content = file_of(found[key], form)
                entry = entry_of(found[key], form, name, content)
                _note(journal, entry)
                figures.written += _write_whole(folder, name, content)
                entries[name] = entry
                handed.append((found[key], name))
            figures.marked += mark_handed_over(handed, export=export, platform=platform, author_name=author_name)
            on_progress(len(handed))
    there = [entry for name, entry in entries.items() if (folder / name).exists()]
    _write_whole(folder, MANIFEST_CSV, manifest_csv(there))
    _write_whole(folder, MANIFEST_JSON, manifest_json(there, platform=platform).encode())
    (folder / _JOURNAL).unlink()
    return figures


def _entries_there(folder: Path) -> dict[str, Entry]:
    """What the manifest and the journal of a killed run say of the folder, by file name."""
    entries: dict[str, Entry] = {}
    try:
        manifest = folder / MANIFEST_JSON
        if manifest.exists():
            for values in parse_json(manifest.read_bytes())["files"]:
                entries[values["file"]] = Entry(**values)
    except (ValueError, KeyError, TypeError) as error:
        raise ForeignFilesError(
            _("Le fichier « %(name)s » de ce dossier n’est pas le nôtre.") % {"name": MANIFEST_JSON}
        ) from error
    journal = folder / _JOURNAL
    if journal.exists():
        for line in journal.read_text(encoding="utf-8").splitlines():
            try:
                entry = Entry(**json.loads(line))
            except (ValueError, TypeError):  # the line in hand when the run was killed
                continue
            entries[entry.file] = entry
    return entries


def _refuse_foreign_files(folder: Path, entries: dict[str, Entry]) -> None:
    """Nothing may be in the folder but what we wrote, as we wrote it."""
    ours = {MANIFEST_JSON, MANIFEST_CSV, _JOURNAL}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(_PARTIAL):
            path.unlink()
        elif path.name in ours:
            continue
        elif path.name not in entries or not path.is_file():
            raise ForeignFilesError(
                _("Le dossier contient déjà « %(name)s », qui n’est pas d’une remise : choisissez un dossier vide.")
                % {"name": path.name}
            )
        elif _sha256_of(path) != entries[path.name].sha256:
            raise ForeignFilesError(_("Le fichier « %(name)s » a été modifié depuis sa remise.") % {"name": path.name})


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note(journal: IO[str], entry: Entry) -> None:
    journal.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
    journal.flush()


def _write_whole(folder: Path, name: str, content: bytes) -> bool:
    """A file under its name only once it is whole; False where these very bytes are there already."""
    final = folder / name
    if final.exists() and final.read_bytes() == content:
        return False
    partial = folder / f"{_PARTIAL}{name}"
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(final)
    return True
