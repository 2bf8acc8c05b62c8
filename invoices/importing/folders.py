"""A folder that an ERP writes its exports to: each file is taken when it is complete, imported once, and put aside.

What is done is in the database and in which folder each file is, never in memory: a watcher that is killed leaves its
files where they were, and an import done twice changes nothing.
"""

import errno
import fcntl
import hashlib
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.importing.companies import UnknownCompanyError
from invoices.importing.report import ImportReport
from invoices.importing.report_text import describe_report
from invoices.importing.run import ImportStoppedError, import_erp
from invoices.models import ImportBatch
from invoices.workers.trials import ENDS_UNTRIED, MOST_ENDS, Ending, try_in_child
from mailing.quarantine.tries import MOST_TRIES, OF_THE_DATABASE, Loop, count_try, forget, take_back, tries_of

logger = logging.getLogger(__name__)

DONE: Final = "traités"
REFUSED: Final = "refusés"
REPORT_SUFFIX: Final = ".rapport.txt"
_COMPLETE: Final = ".ok"
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload", _COMPLETE, REPORT_SUFFIX)
_LOCK: Final = ".verrou"
# A disk that takes nothing: no file is to blame.
_OF_EVERY_FILE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_INTERRUPTED: Final = gettext_lazy("L’import s’est interrompu avec ce fichier.")
_ALONE: Final = ":seul"
_SORTED_OUT: Final = ":trié"
_FAILED: Final = ":échec"
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


class ReaderEndedError(Exception):
    """The import of files ended the child process that tried it: by memory, time, or a fault of a library."""


def take(folder: WatchedFolder, files: list[Path], *, is_suspect: bool = False) -> ImportReport:
    """Import ``files`` together, note it, do what follows, and put them aside with their report.

    Files of which something is refused go to ``refusés/``, the others to ``traités/``. What is raised leaves the files
    where they are, to be taken again: together so many times, then each alone, and the one that still stops its import
    is refused. An end of this process blames a file far later than an exception or the end of a child, which tries
    files first where it failed, where this process ended some times, or where they are ``is_suspect``.
    """
    files = [_readable(file) for file in files]
    keys = _keys(folder, files, is_sorted_out=is_suspect)
    failures = max(tries_of(Loop.FOLDER, f"{key}{_FAILED}") for key in keys)
    ends = _count_end(keys)
    try:
        if failures < MOST_TRIES and ends <= MOST_ENDS:
            is_suspect = is_suspect or bool(failures) or ends > ENDS_UNTRIED
            if is_suspect and _try_in_child(folder, files) is Ending.DIED:
                raise ReaderEndedError(str(_INTERRUPTED))
            report = _import(folder, files)
        elif len(files) > 1:
            report = _apart(folder, files)
        else:
            report = _give_up(folder, files[0], failures or ends - 1)
    except Exception as error:
        for key in keys:
            take_back(Loop.FOLDER, key)
            if not _is_nobodys(error):
                count_try(Loop.FOLDER, f"{key}{_FAILED}", key, str(error), most=MOST_TRIES + 1)
        raise
    for file, key in zip(files, keys, strict=True):
        if file.exists():  # its own import failed, and its group is taken again where it was: with each file alone
            take_back(Loop.FOLDER, key)
        else:
            forget(Loop.FOLDER, *_all_ways(key))
    return report


def _try_in_child(folder: WatchedFolder, files: list[Path]) -> Ending:
    """How a child with bounds ends that checks ``files``: what is not the file's fault is no failure."""

    def check() -> None:
        with suppress(*OF_THE_DATABASE, OSError, ImportStoppedError, UnknownCompanyError):
            import_erp(files, dry_run=True, company=folder.company or None, create_companies=folder.create_companies)

    return try_in_child(check)


def _readable(file: Path) -> Path:
    """``file`` under a name that is text: no database takes one of bytes that are no UTF-8."""
    name = file.name.encode(errors="replace").decode()
    if name == file.name:
        return file
    for marker in _markers(file):
        marker.unlink(missing_ok=True)
    target, copies = file.with_name(name), 1
    while target.exists():
        copies += 1
        target = file.with_name(f"{copies}-{name}")
    return file.rename(target)


def _count_end(keys: list[str]) -> int:
    """Count an end of this process before it happens: how many there are with it, of the file that has most."""
    for key in keys:
        count_try(Loop.FOLDER, key, key, str(_INTERRUPTED), most=MOST_ENDS + 2)
    return max(tries_of(Loop.FOLDER, key) for key in keys)


def _keys(folder: WatchedFolder, files: list[Path], *, is_sorted_out: bool) -> list[str]:
    """What tries are counted by: a file as it is, with all others, without those that fail, or alone."""
    way = _ALONE if len(files) == 1 else _SORTED_OUT if is_sorted_out else ""
    digest = hashlib.sha256(str(folder.path).encode()).hexdigest()[:8]
    states = [file.stat() for file in files]
    return [
        f"{file.name[-120:]}:{state.st_size}:{state.st_mtime_ns}:{digest}{way}"
        for file, state in zip(files, states, strict=True)
    ]


def _all_ways(key: str) -> list[str]:
    """Each key of the file that has ``key``: how it was taken before, and how it failed."""
    alone = key.removesuffix(_ALONE).removesuffix(_SORTED_OUT)
    return [f"{alone}{way}{failed}" for way in ("", _ALONE, _SORTED_OUT) for failed in ("", _FAILED)]


def _is_nobodys(error: Exception) -> bool:
    """True where no file is to blame: the database is away, a disk is full, or the settings name no known company."""
    cause = error.__cause__ or error
    if isinstance(cause, OSError):
        return cause.errno in _OF_EVERY_FILE
    is_full = isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL
    return is_full or isinstance(cause, UnknownCompanyError) or isinstance(error, OF_THE_DATABASE)


def _give_up(folder: WatchedFolder, file: Path, times: int) -> ImportReport:
    """Refuse a file that stopped every import of it, though the database or its report fail."""
    report = ImportReport()
    reason = _("L’import de ce fichier s’est interrompu %(count)d fois de suite ; voyez le journal du serveur.")
    report.refuse_file(file.name, reason % {"count": times})
    try:
        _settle(folder, [file], report)
    except OF_THE_DATABASE:
        raise
    except Exception:
        logger.exception("%s is put aside without its report", file)
        target = folder.path / REFUSED
        target.mkdir(exist_ok=True)
        os.replace(file, target / f"{uuid.uuid4().hex[:8]}-{file.name[-100:]}")
    return report


def _import(folder: WatchedFolder, files: list[Path]) -> ImportReport:
    try:
        report = import_erp(files, company=folder.company or None, create_companies=folder.create_companies)
    except (*OF_THE_DATABASE, OSError, ImportStoppedError):
        raise
    except UnknownCompanyError as problem:  # the files are not to blame
        raise ImportStoppedError(str(problem)) from problem
    except Exception:
        logger.exception("Files of %s could not be imported", folder.path)
        if len(files) > 1:
            return _apart(folder, files)
        report = ImportReport()
        reason = _("Une erreur inattendue a arrêté l’import ; elle est notée dans le journal du serveur.")
        report.refuse_file(files[0].name, reason)
    _settle(folder, files, report)
    return report


def _settle(folder: WatchedFolder, files: list[Path], report: ImportReport) -> None:
    """Note the import, and put its files aside."""
    batch = _note(folder, files, report)
    for file in files:
        _put_aside(folder, file, batch, report)
    ImportBatch.objects.filter(pk=batch.pk).update(options={**batch.options, "is_put_aside": True})


def _apart(folder: WatchedFolder, files: list[Path]) -> ImportReport:
    """Those that fail by themselves each alone, the others together: heads need their lines. Else each alone."""
    innocent = [file for file in files if _try_in_child(folder, [file]) is Ending.DONE]
    groups = [[file] for file in files if file not in innocent]
    groups = [innocent, *groups] if innocent and groups else [[file] for file in files]
    report = ImportReport()
    for group in groups:
        try:
            report.add(take(folder, group, is_suspect=True))
        except Exception as error:
            if _is_nobodys(error):
                raise
            logger.exception("%s stopped their import; the others go on", ", ".join(file.name for file in group))
            for file in group:
                report.refuse_file(file.name, _("L’import de ce fichier s’est interrompu ; il sera repris."))
    return report


def _note(folder: WatchedFolder, files: list[Path], report: ImportReport) -> ImportBatch:
    """The import as it is in the list of imports; what follows is done in the same transaction."""
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
