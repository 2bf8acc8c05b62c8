"""A folder that an ERP writes its exports to: each file is taken when it is complete, imported once, and put aside.

What is done is in the database and in where the files stand, never in memory: a watcher that is killed leaves its
files where they were, and an import done twice changes nothing.
"""

import fcntl
import hashlib
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django import db
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.importing.companies import UnknownCompanyError
from invoices.importing.report import ImportReport
from invoices.importing.report_text import describe_report
from invoices.importing.run import ImportStoppedError, import_erp
from invoices.models import ImportBatch

logger = logging.getLogger(__name__)

DONE: Final = "traités"
REFUSED: Final = "refusés"
REPORT_SUFFIX: Final = ".rapport.txt"
_COMPLETE: Final = ".ok"
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload", _COMPLETE, REPORT_SUFFIX)
_LOCK: Final = ".verrou"
# A file that never comes to rest does not keep the others waiting for ever.
_LONGEST_WAIT: Final = 600.0

type Follow = Callable[[ImportReport], None]
"""What follows an import, in the transaction that notes it: once for each content of files."""


@dataclass(frozen=True)
class WatchedFolder:
    """A folder, and how its files are imported. A file is complete once it rested ``rest`` seconds."""

    path: Path
    rest: float = 5.0
    company: str = ""
    create_companies: bool = False
    follow: Follow | None = None


class Watch:
    """Looks at a folder again and again; remembers since when each file has been as it is."""

    def __init__(self, folder: WatchedFolder) -> None:
        self._folder = folder
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}
        self._ready_since: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether files were there that were not taken yet."""
        return bool(self._seen)

    def look(self) -> list[Path]:
        """The files to take now, in the order of their names: none while one of them is still being written."""
        now = time.monotonic()
        present: dict[Path, tuple[int, int]] = {}
        for path in sorted(self._folder.path.iterdir()):
            if path.name.startswith((".", "~$")) or path.name.lower().endswith(_UNFINISHED) or not path.is_file():
                continue
            state = path.stat()
            present[path] = (state.st_size, state.st_mtime_ns)
        self._seen = {
            path: self._seen[path] if path in self._seen and self._seen[path][0] == state else (state, now)
            for path, state in present.items()
        }
        ready = [path for path in present if _markers(path) or now - self._seen[path][1] >= self._folder.rest]
        if not ready:
            self._ready_since = None
            return []
        self._ready_since = self._ready_since if self._ready_since is not None else now
        # Tables of heads and of lines come together: whoever is early waits for the other.
        if len(ready) < len(present) and now - self._ready_since < _LONGEST_WAIT:
            return []
        self._ready_since = None
        for path in ready:
            del self._seen[path]
        return ready


def _markers(path: Path) -> list[Path]:
    """The files by which an ERP says that ``path`` is complete."""
    names = (path.with_name(f"{path.name}{_COMPLETE}"), path.with_suffix(_COMPLETE))
    return [marker for marker in names if marker.is_file()]


@contextmanager
def locked(folder: WatchedFolder) -> Iterator[bool]:
    """Whether this process alone takes files of the folder; the system unlocks it for a process that is killed."""
    with (folder.path / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def take(folder: WatchedFolder, files: list[Path]) -> ImportReport:
    """Import ``files`` together, note it, do what follows, and put them aside with their report.

    Files of which something is refused go to ``refusés/``, the others to ``traités/``. Raises ImportStoppedError
    and database errors, for which the files stay where they are.
    """
    try:
        report = import_erp(files, company=folder.company or None, create_companies=folder.create_companies)
    except (db.Error, OSError, ImportStoppedError):
        raise
    except UnknownCompanyError as problem:  # the files are not to blame
        raise ImportStoppedError(str(problem)) from problem
    except Exception:
        logger.exception("Files of %s could not be imported", folder.path)
        if len(files) > 1:
            return _one_by_one(folder, files)
        report = ImportReport()
        reason = _("Une erreur inattendue a arrêté l’import ; elle est notée dans le journal du serveur.")
        report.refuse_file(files[0].name, reason)
    batch = _note(folder, files, report)
    for file in files:
        _put_aside(folder, file, batch, report)
    ImportBatch.objects.filter(pk=batch.pk).update(options={**batch.options, "is_put_aside": True})
    return report


def _one_by_one(folder: WatchedFolder, files: list[Path]) -> ImportReport:
    report = ImportReport()
    for file in files:
        report.add(take(folder, [file]))
    return report


def _note(folder: WatchedFolder, files: list[Path], report: ImportReport) -> ImportBatch:
    """The import as it stands in the list of imports; what follows is done in the same transaction."""
    state = ImportBatch.State.IMPORTED if report.changes or report.is_clean else ImportBatch.State.REJECTED
    values = {
        "state": state,
        "author_name": _("dossier surveillé"),
        "files": [{"name": file.name, "storage_name": "", "size": file.stat().st_size} for file in files],
        "report": {
            **report.as_json(),
            "notices": report.notices,
            "rejections": report.rejections,
            "skips": report.skips,
        },
        "finished_at": timezone.now(),
    }
    with transaction.atomic():
        options = {"folder": str(folder.path)}
        batch, is_new = ImportBatch.objects.select_for_update().get_or_create(
            pk=_key(folder, files), defaults={**values, "options": options}
        )
        is_better = is_new or (batch.state == ImportBatch.State.REJECTED and state == ImportBatch.State.IMPORTED)
        if is_better and folder.follow is not None and report.first_day:
            folder.follow(report)
        if not is_new and (report.changes or batch.options.get("is_put_aside")):
            # Given once more; where only the last watcher was killed, what it did is the report.
            for name, value in values.items():
                setattr(batch, name, value)
            batch.options = options
            batch.save()
    return batch


def _key(folder: WatchedFolder, files: list[Path]) -> uuid.UUID:
    """One key for the same files with the same content."""
    digests = []
    for file in sorted(files):
        with file.open("rb") as stream:
            digests.append(f"{file.name}:{hashlib.file_digest(stream, 'sha256').hexdigest()}")
    return uuid.uuid5(uuid.NAMESPACE_URL, "\n".join([str(folder.path), *digests]))


def _put_aside(folder: WatchedFolder, file: Path, batch: ImportBatch, report: ImportReport) -> None:
    """The report first, then the file: whoever finds the file there finds its report."""
    is_refused = any(_is_of(each.file, file.name) for each in report.rejected) or report.rejections > len(
        report.rejected
    )
    target = folder.path / (REFUSED if is_refused else DONE)
    target.mkdir(exist_ok=True)
    name, copies = file.name, 1
    while (target / name).exists():
        copies += 1
        name = f"{file.stem} ({copies}){file.suffix}"
    text = "\n".join(
        [_("Import du %(day)s") % {"day": f"{timezone.localtime():%d/%m/%Y %H:%M}"}, *describe_report(batch.report)]
    )
    draft = target / f".{name}{REPORT_SUFFIX}"
    draft.write_text(f"{text}\n", encoding="utf-8")
    draft.replace(target / f"{name}{REPORT_SUFFIX}")
    for marker in _markers(file):
        marker.unlink(missing_ok=True)
    os.replace(file, target / name)


def _is_of(named: str, file: str) -> bool:
    """Whether a refusal that names ``named`` is of ``file``: of its sheets and of the files in it too."""
    return not named or named == file or named.startswith((f"{file} (", f"{file}/"))
