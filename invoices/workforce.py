"""A run by the processes of this machine: one per core, the same code in each, stopped cleanly."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django import db
from django.conf import settings

from invoices.documents import warm_up
from invoices.engine import finish_export, run_lines
from invoices.figures import ExportFigures, count_items
from invoices.models import Export

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.3
LINES_WORTH_A_PROCESS = 12


def run_on_this_machine(
    export: Export, *, processes: int = 0, on_progress: Callable[[ExportFigures], None] = lambda figures: None
) -> ExportFigures:
    """Do all lines of a running export with the cores of this machine, and return the figures at the end.

    ``processes`` 0 means as set, or one per core. Ctrl-C and SIGTERM stop after the lines in hand: the export stays
    «en cours» and running it again goes on. A process that dies leaves its lines to the others.
    """
    figures = count_items(export)
    wanted = processes or settings.EXPORT_PROCESSES or os.cpu_count() or 1
    wanted = max(1, min(wanted, -(-figures.remaining // LINES_WORTH_A_PROCESS)))
    with _stop_on_signal() as stopped:
        if wanted == 1:
            run_lines(export, should_stop=_telling(export, on_progress, stopped))
        else:
            _run_in_children(export, wanted, on_progress, stopped)
    figures = count_items(export)
    on_progress(figures)
    return figures


def _telling(
    export: Export, on_progress: Callable[[ExportFigures], None], stopped: Callable[[], bool]
) -> Callable[[], bool]:
    """Asked before each claim: tells the progress on the way."""

    def should_stop() -> bool:
        on_progress(count_items(export))
        return stopped()

    return should_stop


def _run_in_children(
    export: Export, count: int, on_progress: Callable[[ExportFigures], None], stopped: Callable[[], bool]
) -> None:
    """Fork ``count`` children once everything is imported, so that they share the memory of code, fonts and styles."""
    warm_up()
    context = multiprocessing.get_context("fork")
    # A connection must not be shared by two processes: parent and children open their own.
    db.connections.close_all()
    children = [context.Process(target=_work, args=(export.pk,), daemon=True) for _number in range(count)]
    for child in children:
        child.start()
    told_to_stop = False
    while any(child.is_alive() for child in children):
        time.sleep(POLL_SECONDS)
        on_progress(count_items(export))
        if stopped() and not told_to_stop:
            told_to_stop = True
            for child in children:
                if child.pid is not None and child.is_alive():
                    os.kill(child.pid, signal.SIGTERM)
    for child in children:
        child.join()
    if stopped():
        return
    # A child may have been killed with lines in its hands: they are done here.
    run_lines(export)
    finish_export(export)


def _work(export_pk: int) -> None:
    """The life of a child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with _stop_on_signal(signals=(signal.SIGTERM,)) as stopped:
        try:
            run_lines(Export.objects.get(pk=export_pk), should_stop=stopped)
        except db.Error:
            logger.exception("A process of export %s lost the database; its lines are taken over", export_pk)
        finally:
            db.connections.close_all()


@contextmanager
def _stop_on_signal(
    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM),
) -> Iterator[Callable[[], bool]]:
    """Give a function that is true once one of ``signals`` came; outside of the main thread nothing is listened to."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    previous = {}
    try:
        for number in signals:
            previous[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: whoever runs us decides
        previous.clear()
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
