"""Tasks of the workers. A queue only wakes a worker up: what is left to do is read from the database."""

import signal
import time

from django.db import transaction
from django.tasks import task

from invoices.exporting.counts import count_items
from invoices.exporting.exports import start_export
from invoices.exporting.run.processes import LINES_WORTH_A_PROCESS, run_lines_with_retry
from invoices.exporting.run.worker import find_stalled_exports
from invoices.models import Export
from invoices.store.probing import StoreUnavailableError
from invoices.workers.pool import stop_on_signal, stop_requested

# A task does so many lines and then queues again: exports that run at once take turns, and a process that has rendered
# a few hundred documents is replaced by a fresh one (libraries keep a little of each).
LINES_PER_TASK = 200
MOST_TASKS = 16
# Workers may only be busy with another export: one call more every minute is enough.
CALL_AGAIN_AFTER_SECONDS = 60.0
_called: dict[int, float] = {}


@task
def export_lines(export_pk: int) -> int:
    """Do some lines of the export, and queue again where there are more; returns how many this task did."""
    with stop_on_signal((signal.SIGTERM,)) as stopped:
        try:
            done = run_lines_with_retry(
                export_pk, should_stop=lambda: stopped() or stop_requested(), most=LINES_PER_TASK
            )
        except StoreUnavailableError:  # noted on the export; a sweep calls again
            return 0
        if done >= LINES_PER_TASK and not stopped() and not stop_requested():
            export_lines.enqueue(export_pk)
    return done


def start_export_in_workers(*, export: Export) -> Export:
    """Start (or go on with) the export and wake the workers up, those of all machines where it is long.

    Raises NothingToDoError where it is not a list or a paused run. A queue that cannot be reached loses nothing: a
    worker that sweeps finds the export.
    """
    started = start_export(export=export)
    transaction.on_commit(lambda: _enqueue(started), robust=True)
    return started


def wake_stalled_exports() -> int:
    """Wake the workers up for running exports without a worker; returns how many were called for."""
    now = time.monotonic()
    stalled = [
        export
        for export in find_stalled_exports()
        if now - _called.get(export.pk, float("-inf")) >= CALL_AGAIN_AFTER_SECONDS
    ]
    for export in stalled:
        _called[export.pk] = now
        _enqueue(export)
    return len(stalled)


def _enqueue(export: Export) -> None:
    """One task for each process that is worth waking up; those that find nothing left end at once."""
    remaining = count_items(export).remaining
    for _number in range(min(max(-(-remaining // LINES_WORTH_A_PROCESS), 1), MOST_TASKS)):
        export_lines.enqueue(export.pk)
