"""Put a backup back: every fingerprint first, then the documents, then the database in one transaction."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.utils.translation import gettext as _

from customers.models import Account, Customer
from invoices.models import Document, Invoice
from mailing import outbox
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.backups.databases import load_from
from portal.backups.manifest import (
    CHUNK,
    DOCUMENTS,
    BackupError,
    Manifest,
    check_file,
    describe,
    fingerprint,
    read_manifest,
    read_sums,
)
from portal.start import find_missing_migrations, find_unknown_migrations

_PROBLEMS_SHOWN = 5


@dataclass(slots=True)
class RestoreReport:
    """What was put back; ``missing_migrations`` are left to ``manage.py upgrade``."""

    folder: str
    created_at: str
    documents: int = 0
    copied: int = 0
    reused: int = 0
    damaged: list[dict[str, str]] = field(default_factory=list)
    missing_migrations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def restore(
    folder: Path,
    *,
    force: bool = False,
    accept_damaged: bool = False,
    on_progress: Callable[[int], None] = lambda done: None,
) -> RestoreReport:
    """Make this installation what the backup in ``folder`` holds, sending of mails paused.

    ``force`` overwrites what is there, ``accept_damaged`` leaves out documents of the backup that are no longer what
    they were. Raises BackupError before anything was overwritten, or for a store or database that refuses.
    """
    manifest = read_manifest(folder)
    _check_versions(folder, manifest)
    database, sums = (check_file(folder, file) for file in (manifest.database, manifest.documents))
    if not force:
        _check_is_empty()
    report = RestoreReport(str(folder), manifest.created_at, damaged=list(manifest.damaged))
    damaged = _find_damaged(folder, sums)
    if damaged and not accept_damaged:
        shown = ", ".join(f"{each['file']} ({each['problem']})" for each in damaged[:_PROBLEMS_SHOWN])
        raise BackupError(
            _(
                "%(count)s documents de %(folder)s ne sont plus ceux de la sauvegarde : %(shown)s. Rien n’a été "
                "restauré ; --accept-damaged restaure le reste."
            )
            % {"count": len(damaged), "folder": folder / DOCUMENTS, "shown": shown}
        )
    report.damaged += damaged
    _put_documents_back(folder, sums, report, {each["file"] for each in damaged}, force=force, on_progress=on_progress)
    load_from(database, tables=manifest.tables)
    if "mailing_outboxcontrol" in manifest.tables:
        # Mails that left after the backup still wait in it: a person looks before they leave again.
        outbox.pause("restore")
    if "trail_entry" in manifest.tables:
        record(Action.RESTORED, details={"backup": manifest.created_at, "documents": report.documents})
    report.missing_migrations = find_missing_migrations()
    return report


def _check_versions(folder: Path, manifest: Manifest) -> None:
    if manifest.engine != connection.vendor:
        raise BackupError(
            _("%(folder)s est la sauvegarde d’une base %(backup)s, et DATABASE_URL désigne une base %(here)s.")
            % {"folder": folder, "backup": manifest.engine, "here": connection.vendor}
        )
    applied = [tuple(each.split(".", 1)) for each in manifest.migrations]
    if unknown := find_unknown_migrations([(app, name) for app, name in applied]):
        raise BackupError(
            _("%(folder)s vient d’une version plus récente du portail (%(migration)s) : installez-la d’abord.")
            % {"folder": folder, "migration": unknown[-1]}
        )


def _check_is_empty() -> None:
    tables = set(connection.introspection.table_names())
    counts = {
        model: model._default_manager.count()
        for model in (Invoice, Customer, Account, Document)
        if model._meta.db_table in tables
    }
    if any(counts.values()):
        found = ", ".join(f"{model._meta.verbose_name_plural} : {count}" for model, count in counts.items() if count)
        raise BackupError(
            _(
                "Cette installation n’est pas vide (%(found)s ; base %(name)s) : --force remplace tout ce qu’elle "
                "contient."
            )
            % {"found": found, "name": connection.settings_dict["NAME"]}
        )


def _find_damaged(folder: Path, sums: Path) -> list[dict[str, str]]:
    damaged = []
    for name, sha256 in read_sums(sums):
        try:
            problem = "" if fingerprint(folder / DOCUMENTS / name) == sha256 else "altered"
        except FileNotFoundError:
            problem = "missing"
        except OSError:
            problem = "unreadable"
        if problem:
            damaged.append({"file": name, "problem": problem})
    return damaged


def _put_documents_back(
    folder: Path,
    sums: Path,
    report: RestoreReport,
    left_out: set[str],
    *,
    force: bool,
    on_progress: Callable[[int], None],
) -> None:
    where = Path(settings.DOCUMENTS_ROOT) if not settings.DOCUMENTS_STORAGE_URL else Path(folder)
    try:
        for done, (name, sha256) in enumerate(read_sums(sums), 1):
            if name in left_out:
                continue
            if _is_there(name, sha256, force=force):
                report.reused += 1
            else:
                with (folder / DOCUMENTS / name).open("rb") as file:
                    saved = default_storage.save(name, File(file))
                if saved != name:
                    default_storage.delete(saved)
                    raise BackupError(_("Le stockage refuse le nom %(name)s.") % {"name": name})
                report.copied += 1
            report.documents += 1
            on_progress(done)
    except OSError as error:
        raise BackupError(describe(error, where)) from None


def _is_there(name: str, sha256: str, *, force: bool) -> bool:
    """True where the store has these bytes; other bytes of that name go with ``force``."""
    if not default_storage.exists(name):
        return False
    with default_storage.open(name) as file:
        digest = hashlib.sha256()
        for chunk in file.chunks(CHUNK):
            digest.update(chunk)
        if digest.hexdigest() == sha256:
            return True
    if not force:
        raise BackupError(
            _("Le dossier des documents contient un autre fichier %(name)s : --force le remplace.") % {"name": name}
        )
    default_storage.delete(name)
    return False
