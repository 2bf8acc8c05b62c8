"""Tasks of the workers. A queue only wakes a worker up: what is left to do is read from the database."""

import os

from django.conf import settings
from django.db import transaction
from django.tasks import task

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
