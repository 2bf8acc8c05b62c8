"""Make a backup: the database at one moment, then the files that it names at that moment.

A document is never written again nor deleted, so that all that the copy of the database names can still be copied
after it, while exports run.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.models import ImportBatch
from mailing.trail.ends import FILE_NAME, End, UnreadableEndsError, find_lost_end, read_ends
from portal.backups.databases import SUFFIXES, Ask, copied_to
from portal.backups.manifest import (
    CHUNK,
    DOCUMENTS,
    BackupError,
    BackupFile,
    Manifest,
    describe,
    fingerprint,
    sum_line,
    write_whole,
)

# Written for any version of the tables: an upgrade backs up before it migrates.
_MIGRATIONS: Final = "SELECT app, name FROM django_migrations ORDER BY id"
_TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}
_WANTED: Final = "SELECT storage_name, sha256 FROM invoices_document ORDER BY id"
_LOGOS: Final = "SELECT logo FROM invoices_company WHERE logo <> ''"
_DARK_LOGOS: Final = "SELECT dark_logo FROM invoices_company WHERE dark_logo <> ''"
_DARK_LOGOS_SINCE: Final = "invoices.0029_dark_logo"  # an upgrade saves the tables of the version before
_LAST_LINK: Final = "SELECT position, sha256 FROM trail_link ORDER BY position DESC LIMIT 1"
_LINK: Final = "SELECT sha256 FROM trail_link WHERE position = {}"
_UPLOADS: Final = "SELECT state, files FROM invoices_importbatch"


@dataclass(slots=True)
class BackupReport:
    """What a backup copied, found there already, and could not copy (name and problem)."""

    folder: str
    database: str = ""
    documents: int = 0
    bytes: int = 0
    copied: int = 0
    reused: int = 0
    damaged: list[dict[str, str]] = field(default_factory=list)
    # Why the trail is not the one that an earlier backup into this folder knew; empty where it is.
    trail: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def back_up(folder: Path, *, on_progress: Callable[[int], None] = lambda done: None) -> BackupReport:
    """Back up the installation into ``folder``; files of an earlier backup that are still right are not copied again.

    Raises BackupError; the earlier backup is then still whole.
    """
    report = BackupReport(str(folder))
    try:
        _make(folder)
        with _alone_in(folder):
            _write(folder, report, on_progress)
    except OSError as error:
        raise BackupError(describe(error, folder)) from None
    return report


def _make(folder: Path) -> None:
    if not settings.DOCUMENTS_STORAGE_URL and folder.resolve().is_relative_to(Path(settings.DOCUMENTS_ROOT).resolve()):
        raise BackupError(
            _("%(folder)s est dans le dossier des documents : choisissez-en un autre.") % {"folder": folder}
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(_("Une autre sauvegarde vers %(folder)s est en cours.") % {"folder": folder}) from None
        yield


def _write(folder: Path, report: BackupReport, on_progress: Callable[[int], None]) -> None:
    now = timezone.now()
    mark = now.strftime("%Y%m%dT%H%M%S%fZ")
    database = folder / f"database-{mark}.{SUFFIXES[connection.vendor]}"
    wanted, sums = folder / f".wanted-{mark}", folder / f"documents-{mark}.sha256"
    try:
        with copied_to(database) as ask:
            migrations = [f"{app}.{name}" for app, name in ask(_MIGRATIONS)]
            tables = sorted(name for (name,) in ask(_TABLES[connection.vendor]))
            write_whole(
                wanted, (f"{sha256}\t{name}\n".encode() for name, sha256 in _named_files(ask, set(tables), migrations))
            )
            if "trail_link" in tables:
                _compare_trail(folder / FILE_NAME, ask, report)
        database.chmod(0o600)
        write_whole(sums, _copy_all(folder, wanted, report, on_progress))
        Manifest(
            created_at=now.isoformat(),
            engine=connection.vendor,
            database=BackupFile.of(database),
            documents=BackupFile.of(sums),
            document_count=report.documents,
            document_bytes=report.bytes,
            migrations=migrations,
            tables=tables,
            damaged=report.damaged,
        ).write(folder)
    except BaseException:
        for path in (database, sums):
            path.unlink(missing_ok=True)
        raise
    finally:
        wanted.unlink(missing_ok=True)
    report.database = database.name
    for pattern, kept in (("database-*", database), ("documents-*.sha256", sums)):
        for path in folder.glob(pattern):
            if path != kept:
                path.unlink()


def _compare_trail(path: Path, ask: Ask, report: BackupReport) -> None:
    """Say where the chain lacks an end that an earlier backup wrote into ``path``, then add its end of now."""

    def sha256_at(position: int) -> str:
        return next((sha256 for (sha256,) in ask(_LINK.format(position))), "")

    try:
        known = read_ends(path) if path.exists() else []
    except UnreadableEndsError as error:
        report.trail = str(error)
        return
    if lost := find_lost_end(known, sha256_at):
        report.trail = lost[1]
    for position, sha256 in ask(_LAST_LINK):
        if End(position, sha256) not in known:
            with path.open("a", encoding="utf-8") as file:
                file.write(End(position, sha256).line())


def _named_files(ask: Ask, tables: set[str], migrations: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and SHA-256 of each document; logos and files that wait for their import follow, without a fingerprint."""
    if "invoices_document" in tables:
        yield from ((name, sha256) for name, sha256 in ask(_WANTED))
    if "invoices_company" in tables:
        yield from ((name, "") for (name,) in ask(_LOGOS))
    if _DARK_LOGOS_SINCE in migrations:
        yield from ((name, "") for (name,) in ask(_DARK_LOGOS))
    if "invoices_importbatch" in tables:
        waiting = (*ImportBatch.UNDERWAY, ImportBatch.State.CHECKED)
        for state, files in ask(_UPLOADS):
            if state in waiting:
                kept = json.loads(files) if isinstance(files, str) else files
                yield from ((file["storage_name"], "-") for file in kept if file["storage_name"])


def _copy_all(folder: Path, wanted: Path, report: BackupReport, on_progress: Callable[[int], None]) -> Iterator[bytes]:
    with wanted.open() as lines:
        for done, line in enumerate(lines, 1):
            sha256, _tab, name = line.removesuffix("\n").partition("\t")
            target = folder / DOCUMENTS / name
            if len(sha256) == 64 and target.is_file() and fingerprint(target) == sha256:
                report.reused += 1
            elif problem := _copy(name, target, sha256 if len(sha256) == 64 else ""):
                # A file that waited for its import goes once it is imported.
                if sha256 != "-" or problem != "missing":
                    report.damaged.append({"file": name, "problem": problem})
                continue
            else:
                report.copied += 1
            report.documents += 1
            report.bytes += target.stat().st_size
            on_progress(done)
            yield sum_line(name, sha256 if len(sha256) == 64 else fingerprint(target)).encode()


def _copy(name: str, target: Path, sha256: str) -> str:
    """Copy a stored file; what is wrong with it («missing», «unreadable», «altered»), or nothing."""
    try:
        file = default_storage.open(name)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    with file:
        try:
            write_whole(target, _read(file.chunks(CHUNK), sha256))
        except _WrongBytesError as error:
            return str(error)
    return ""


class _WrongBytesError(Exception):
    """The bytes of a stored file cannot be read, or are not those that were frozen."""


def _read(chunks: Iterator[bytes], sha256: str) -> Iterator[bytes]:
    digest = hashlib.sha256()
    while True:
        try:
            chunk = next(chunks, b"")
        except OSError:
            raise _WrongBytesError("unreadable") from None
        if not chunk:
            break
        digest.update(chunk)
        yield chunk
    if sha256 and digest.hexdigest() != sha256:
        raise _WrongBytesError("altered")
