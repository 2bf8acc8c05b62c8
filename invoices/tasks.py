"""Tasks of the workers. A queue only wakes a worker up: what is left to do is read from the database."""

import os

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.tasks import task
from django.utils import timezone

from invoices.checking import check_invoices, needing_check
from invoices.engine import find_stalled_exports, run_lines
from invoices.models import Export
from invoices.services import start_export


@task
def export_lines(export_pk: int) -> int:
    """Do lines of the export until none is left; returns how many this task did."""
    export = Export.objects.filter(pk=export_pk, state=Export.State.RUNNING).first()
    return run_lines(export) if export is not None else 0


def start_export_in_workers(*, export: Export) -> Export:
    """Start (or go on with) the export and wake the workers up: one task per core that may take part.

    Raises NothingToDoError where it is not a list or a paused run.
    """
    started = start_export(export=export)
    transaction.on_commit(lambda: _enqueue(started.pk))
    return started


def wake_stalled_exports() -> int:
    """Wake the workers up for running exports on which nobody works; returns how many there are."""
    stalled = find_stalled_exports()
    for export in stalled:
        _enqueue(export.pk)
    return len(stalled)


def _enqueue(export_pk: int) -> None:
    for _number in range(settings.EXPORT_PROCESSES or os.cpu_count() or 1):
        export_lines.enqueue(export_pk)


CHECK_SECONDS_PER_TASK = 20.0
# Where everybody sees that somebody checks, and since when: two who check at once do no harm, but the work twice.
_CHECKING_KEY = "einvoices-being-checked"
_CHECKING_SECONDS = 90


@task
def check_einvoices() -> int:
    """Check e-invoices that wait for their export; returns how many. A queue that is long leaves room for exports."""
    if not cache.add(_CHECKING_KEY, True, timeout=_CHECKING_SECONDS):
        return 0
    try:
        figures = check_invoices(needing_check(timezone.now()), seconds=CHECK_SECONDS_PER_TASK)
    finally:
        cache.delete(_CHECKING_KEY)
    if figures.total and needing_check(timezone.now()).exists():
        check_einvoices.enqueue()
    return figures.total


def request_checks() -> None:
    """Have e-invoices checked once the transaction holds: called after an import, a correction, new settings."""
    transaction.on_commit(lambda: check_einvoices.enqueue())


def wake_checks() -> bool:
    """Have e-invoices checked that nobody asked for, where nobody is at it; True where there are any."""
    if cache.get(_CHECKING_KEY) or not needing_check(timezone.now()).exists():
        return False
    check_einvoices.enqueue()
    return True
