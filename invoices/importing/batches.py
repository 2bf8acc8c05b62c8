"""Files that staff give to be imported: kept, checked (nothing is written), then imported once confirmed.

The work is done in the request where it is small and by a worker where it is large. A worker that dies loses nothing:
an import done twice changes nothing, so that another one simply does it again.
"""

import datetime
import logging
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.tasks import task
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Account
from invoices.einvoices.tasks import request_checks
from invoices.files.archives import GivenFile
from invoices.importing.companies import UnknownCompanyError
from invoices.importing.report import ImportReport
from invoices.importing.run import ImportStoppedError, import_erp
from invoices.models import ImportBatch
from invoices.money import write_count
from invoices.store.local import describe_storage_error
from invoices.workers.trials import ENDS_UNTRIED, MOST_ENDS, Ending, try_in_child
from mailing import leases
from mailing.leases import database_now
from mailing.quarantine.tries import MOST_TRIES, OF_THE_DATABASE

logger = logging.getLogger(__name__)

State = ImportBatch.State
# Longer than any import takes: what it writes about itself within its transaction is not seen from outside.
LEASE = datetime.timedelta(minutes=10)
# Workers may only be busy: one call more every minute is enough.
CALL_AGAIN_AFTER = datetime.timedelta(minutes=1)
# What a request checks or imports by itself; more goes to a worker.
REQUEST_BYTES = 200_000
PROGRESS_EVERY = datetime.timedelta(seconds=1)


class TooLateError(Exception):
    """Somebody else decided on the batch meanwhile; the message is a French sentence for people."""


class NotKeptError(Exception):
    """Uploaded files could not be stored; the message is a French sentence for people."""


def receive_files(
    *, files: Iterable["File[Any]"], author: Account, create_companies: bool = False, company: str = ""
) -> ImportBatch:
    """Keep uploaded ``files`` until somebody confirms or abandons them, and have them checked.

    ``company`` (name or SIREN) issues the rows that name no company. Raises :class:`NotKeptError` where the storage
    takes one of them not, and keeps none.
    """
    batch = ImportBatch(
        author=author,
        author_name=author.get_full_name(),
        options={"create_companies": create_companies, "company": company},
    )
    try:
        for number, file in enumerate(files):
            name = Path(file.name or f"fichier-{number}").name
            kept = default_storage.save(f"imports/{batch.pk}/{number}-{uuid.uuid4().hex}", file)
            batch.files.append({"name": name, "storage_name": kept, "size": file.size})
    except Exception as error:  # a disk, or whatever an object storage answers
        logger.exception("Files for an import could not be stored")
        _forget_files(batch)
        reason = describe_storage_error(error)
        raise NotKeptError(_("Les fichiers n’ont pas pu être gardés : %(reason)s.") % {"reason": reason}) from error
    batch.save()
    _work_on(batch)
    return batch


def confirm_batch(*, batch: ImportBatch) -> ImportBatch:
    """Import what was checked. Two people who press at once import once.

    Raises TooLateError where the batch no longer waits for a confirmation.
    """
    return _go_on(batch, State.IMPORTING)


def check_again(*, batch: ImportBatch) -> ImportBatch:
    """Check the files once more, since a person has said what the columns of one are.

    Raises TooLateError where the batch no longer waits for a confirmation.
    """
    return _go_on(batch, State.RECEIVED)


def accept_replacement(*, batch: ImportBatch, replaced: str) -> ImportBatch:
    """Let an invoice or a row of customers take the place of ``replaced``, and check the files once more.

    Raises TooLateError where the batch no longer waits for a confirmation, or refused no such thing.
    """
    if replaced not in batch.report.get("replaceable", {}).values():
        raise TooLateError(_("Ceci n’attend plus d’être remplacé."))
    batch.options = {**batch.options, "replace": sorted({*batch.options.get("replace", ()), replaced})}
    batch.save(update_fields=["options"])
    return check_again(batch=batch)


def _go_on(batch: ImportBatch, state: str) -> ImportBatch:
    checked = ImportBatch.objects.filter(pk=batch.pk, state=State.CHECKED)
    options = {name: value for name, value in batch.options.items() if name != "failures"}
    changed = leases.release(checked, state=state, progress={}, attempts=0, options=options)
    batch.refresh_from_db()
    if not changed:
        raise TooLateError(
            _("Cet import n’attend plus de confirmation : il est « %(state)s ».") % {"state": batch.get_state_display()}
        )
    _work_on(batch)
    return batch


def abandon_batch(*, batch: ImportBatch) -> ImportBatch:
    """Forget the files without importing them.

    Raises TooLateError where the batch is being imported or has ended.
    """
    waiting = ImportBatch.objects.filter(pk=batch.pk, state__in=(State.RECEIVED, State.CHECKED))
    changed = leases.release(waiting, state=State.ABANDONED, finished_at=timezone.now())
    batch.refresh_from_db()
    if not changed:
        raise TooLateError(
            _("Cet import ne peut plus être abandonné : il est « %(state)s ».") % {"state": batch.get_state_display()}
        )
    _forget_files(batch)
    return batch


def _work_on(batch: ImportBatch) -> None:
    if batch.size <= REQUEST_BYTES:
        do_batch(batch)
    else:
        # A queue that cannot be reached loses nothing: a worker that sweeps finds the batch.
        transaction.on_commit(lambda: _call_worker(batch.pk), robust=True)


def _call_worker(batch_pk: uuid.UUID) -> None:
    ImportBatch.objects.filter(pk=batch_pk).update(called_at=database_now())
    work_on_batch.enqueue(str(batch_pk))


@task
def work_on_batch(batch_pk: str) -> str:
    """Check or import the batch, whichever it waits for; returns the state it is left in."""
    batch = ImportBatch.objects.filter(pk=batch_pk).first()
    return do_batch(batch).state if batch is not None else ""


def wake_stalled_batches() -> int:
    """Call a worker for batches without a worker: its worker died, or its call was lost. Returns how many."""
    now = database_now()
    stalled = list(
        ImportBatch.objects.claimable(now).called_before(now - CALL_AGAIN_AFTER).values_list("pk", flat=True)
    )
    for pk in stalled:
        _call_worker(pk)
    return len(stalled)


def do_batch(batch: ImportBatch) -> ImportBatch:
    """Check (received) or import (confirmed) the files of ``batch``, unless somebody else has it in hand.

    A worker that dies is not the files' fault: after some such ends a child with bounds tries them first. A batch that
    ends the child, or whose report cannot be kept, :data:`MOST_TRIES` times is given up with a sentence.
    """
    now = database_now()
    waiting = ImportBatch.objects.claimable(now).filter(pk=batch.pk)
    claimed = leases.take(waiting, now=now, length=LEASE, attempts=F("attempts") + 1)
    batch.refresh_from_db()
    if not claimed:
        return batch
    is_check = batch.state == State.RECEIVED
    is_given_up = _is_culprit(batch)
    try:
        report = _refused(_interrupted(batch)) if is_given_up else _run(batch, dry_run=is_check)
        kept = _note_end(batch, report, is_check=is_check, is_given_up=is_given_up)
    except OF_THE_DATABASE:
        raise  # somebody takes the work over once the lease has ended
    except Exception:
        failures = _failures(batch) + 1
        batch.refresh_from_db()
        batch.options = {**batch.options, "failures": failures}
        batch.save(update_fields=["options"])
        raise
    batch.refresh_from_db()
    if not is_check:
        request_checks()
    if kept and batch.state != State.CHECKED:
        _forget_files(batch)
    return batch


def _note_end(batch: ImportBatch, report: ImportReport, *, is_check: bool, is_given_up: bool) -> bool:
    """Keep the report, and what state it leaves ``batch`` in; False where the batch was abandoned meanwhile."""
    cache.delete(_progress_key(batch))
    batch.report = {
        **report.as_json(),
        "notices": report.notices,
        "rejections": report.rejections,
        "skips": report.skips,
        "replaceable": {str(at): each.replaces for at, each in enumerate(report.rejected) if each.replaces},
        "to_map": report.to_map,
        "interrupted": is_given_up,
    }
    if is_check:
        waits = batch.will_change or report.is_clean or report.to_map or batch.report["replaceable"]
        state = State.CHECKED if waits else State.REJECTED
    else:
        state = State.IMPORTED if batch.will_change or report.is_clean else State.REJECTED
    # Abandoned while it was checked: it stays so.
    return bool(
        leases.release(
            ImportBatch.objects.filter(pk=batch.pk, state=batch.state),
            state=state,
            report=batch.report,
            progress={},
            finished_at=None if state == State.CHECKED else timezone.now(),
        )
    )


def _failures(batch: ImportBatch) -> int:
    """How often the work in hand ended with an exception."""
    failures: int = batch.options.get("failures", 0)
    return failures


def _is_culprit(batch: ImportBatch) -> bool:
    """Whether the files end whatever reads them, rather than that workers were ended from outside."""
    failures = _failures(batch)
    ends = batch.attempts - 1 - failures
    if failures >= MOST_TRIES or ends > MOST_ENDS:
        return True
    return ends >= ENDS_UNTRIED and all(_try_in_child(batch) is Ending.DIED for _ in range(MOST_TRIES))


def _try_in_child(batch: ImportBatch) -> Ending:
    """How a child with bounds ends that checks the files; the lease is renewed meanwhile."""

    def check() -> None:
        with suppress(*OF_THE_DATABASE, OSError, ImportStoppedError, UnknownCompanyError), local_files(batch) as files:
            import_erp(files, dry_run=True, **_options(batch))

    def renew() -> None:
        leases.renew(ImportBatch.objects.filter(pk=batch.pk), now=database_now(), length=LEASE)

    return try_in_child(check, meanwhile=renew)


def _options(batch: ImportBatch) -> dict[str, Any]:
    """What people chose for the import of ``batch``."""
    return {
        "create_companies": bool(batch.options.get("create_companies")),
        "company": batch.options.get("company") or None,
        "replace": batch.options.get("replace", ()),
    }


def _run(batch: ImportBatch, *, dry_run: bool) -> ImportReport:
    last_written = timezone.now()

    def write_progress(stage: str, done: int) -> None:
        nonlocal last_written
        now = timezone.now()
        if now - last_written >= PROGRESS_EVERY:
            last_written = now
            progress = {"stage": stage, "done": done}
            # An import writes in one transaction, invisible from outside before its end: the cache holds how far it is.
            cache.set(_progress_key(batch), progress, timeout=LEASE.total_seconds())
            leases.renew(ImportBatch.objects.filter(pk=batch.pk), now=database_now(), length=LEASE, progress=progress)

    with local_files(batch) as files:
        try:
            return import_erp(
                files,
                dry_run=dry_run,
                progress=write_progress,
                **_options(batch),
            )
        except UnknownCompanyError as problem:
            return _refused(str(problem))
        except ImportStoppedError as problem:
            logger.exception("Import %s stopped", batch.pk)
            return _refused(_("L’import s’est arrêté : %(problem)s.") % {"problem": problem})
        except OF_THE_DATABASE:
            raise
        except Exception:
            # An unforeseen fault is shown to the user who waits, not repeated for ever.
            logger.exception("Import %s failed", batch.pk)
            return _refused(_("Une erreur inattendue a arrêté l’import ; elle est notée dans le journal du serveur."))


def _interrupted(batch: ImportBatch) -> str:
    """Why the batch is given up, and what is left to do, in French."""
    if batch.state == State.RECEIVED:
        return _(
            "Le contrôle a été interrompu %(count)s fois de suite : il est abandonné, et rien n’est écrit. "
            "Donnez les fichiers en plusieurs fois, ou faites lire le journal du serveur."
        ) % {"count": batch.attempts - 1}
    return _(
        "L’import a été interrompu %(count)s fois de suite : il est abandonné. Ce qui était déjà importé le reste : "
        "donnez les fichiers à nouveau, en plusieurs fois, seul ce qui manque sera importé."
    ) % {"count": batch.attempts - 1}


def _progress_key(batch: ImportBatch) -> str:
    return f"import-progress-{batch.pk}"


def describe_progress(batch: ImportBatch) -> str:
    """How far the work on ``batch`` is, in French («120 000 lignes lues»); empty where it is unknown yet."""
    progress = cache.get(_progress_key(batch)) or batch.progress
    words = {
        "lecture": (_("ligne lue"), _("lignes lues")),
        "factures": (_("facture contrôlée"), _("factures contrôlées"))
        if batch.state == State.RECEIVED
        else (_("facture écrite"), _("factures écrites")),
        "e-factures": (_("e-facture lue"), _("e-factures lues")),
    }
    if progress.get("stage") not in words:
        return ""
    return write_count(progress["done"], *words[progress["stage"]])


def _refused(reason: str) -> ImportReport:
    report = ImportReport()
    report.refuse_file("", reason)
    return report


@contextmanager
def local_files(batch: ImportBatch) -> Iterator[list[GivenFile]]:
    """The kept files as files of this machine: the store may be elsewhere."""
    with tempfile.TemporaryDirectory(prefix="upload-") as folder:
        given = []
        for number, file in enumerate(batch.files):
            path = Path(folder) / f"{number}"
            with default_storage.open(file["storage_name"], "rb") as source, path.open("wb") as target:
                for chunk in source.chunks():
                    target.write(chunk)
            given.append(GivenFile(file["name"], path))
        yield given


def _forget_files(batch: ImportBatch) -> None:
    for file in batch.files:
        default_storage.delete(file["storage_name"])
