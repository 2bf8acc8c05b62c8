"""A run by the processes of this machine: one per core, the same code in each, stopped cleanly."""

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable

from django import db
from django.conf import settings

from invoices.content.from_rows import prefetch_for_content
from invoices.documents.rendering import warm_up
from invoices.exporting.counts import ExportCounts, count_items
from invoices.exporting.run.freezing import RECEIVED
from invoices.exporting.run.mails import warm_up as warm_up_mails
from invoices.exporting.run.worker import run_lines
from invoices.models import Export, ExportItem, Invoice
from invoices.store.probing import StoreUnavailableError
from invoices.workers.leases import name_worker
from invoices.workers.pool import GC_THRESHOLD, ForkedPool, stop_on_signal, stop_requested

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
# Counting the lines of a long list costs the database more than those of a short one: it is asked the more seldom.
POLL_SHARE = 20
LINES_WORTH_A_PROCESS = 12
# A process that has rendered so many documents is replaced by a fresh one: libraries keep a little of each.
LINES_PER_LIFE = 400
# One that only publishes what the ERP rendered keeps nothing of it, and a fresh process costs as much as 50 lines.
RECEIVED_LINES_PER_LIFE = 5000
# Its rows know each other (an invoice, its lines) and are all it leaves behind: with the older ones looked at so often,
# it is as large after 5,000 lines as after 1,000.
RECEIVED_GC_OLDER = (2, 2)
EXIT_RECYCLE = 75
# How long a database that is away is waited for: a restart takes some seconds.
RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
SECONDS_TO_END = 60.0

OnProgress = Callable[[ExportCounts], None]


def run_on_this_machine(
    export: Export, *, processes: int = 0, on_progress: OnProgress | None = None, every: float = POLL_SECONDS
) -> ExportCounts:
    """Do all lines of a running export with the cores of this machine, and return the figures at the end.

    ``processes`` 0 means as set, or one per core. ``on_progress`` gets the figures at the end too, and meanwhile
    ``every`` so many seconds: lines are counted only where that is wanted. Ctrl-C and SIGTERM stop after the lines
    in hand: the export stays «en cours» and running it again goes on. A process that dies leaves its lines to the
    others. Lets the error of a database through that is away for longer than half a minute, and
    StoreUnavailableError likewise.
    """
    figures = count_items(export)
    wanted = processes or settings.EXPORT_PROCESSES or os.cpu_count() or 1
    wanted = max(1, min(wanted, -(-figures.remaining // LINES_WORTH_A_PROCESS)))
    with stop_on_signal() as stopped:
        if wanted == 1:
            run_lines_with_retry(export.pk, should_stop=_with_progress(export, on_progress, stopped, every))
        else:
            _run_in_children(export, wanted, on_progress, stopped, every)
    figures = count_items(export)
    if on_progress is not None:
        on_progress(figures)
    return figures


def run_lines_with_retry(
    export_pk: int, *, should_stop: Callable[[], bool], most: int | None = None, does_render: bool = True
) -> int:
    """:func:`run_lines` on a running export, begun again where the database or the store of documents is away.

    Lets the error through where that stays away, or ``should_stop`` says so meanwhile: the lines in hand are
    then taken over by whoever runs next.
    """
    worker = name_worker()
    pauses = iter(RETRY_DELAYS)
    while True:
        try:
            export = Export.objects.filter(pk=export_pk, state=Export.State.RUNNING).first()
            if export is None:
                return 0
            return run_lines(export, worker=worker, should_stop=should_stop, most=most, does_render=does_render)
        except (db.OperationalError, db.InterfaceError, StoreUnavailableError) as error:
            pause = next(pauses, None)
            if pause is None or should_stop():
                raise
            if not isinstance(error, StoreUnavailableError):  # which was said, once for all processes
                logger.warning("The database cannot be reached (%s); trying again in %s s", error, pause)
            db.connections.close_all()
            time.sleep(pause)


def warm_up_for(export: Export) -> bool:
    """Load what rendering and announcing the lines of ``export`` need, before children are forked.

    Returns True where something is to be rendered.
    """
    warm_up_mails()
    to_render = ExportItem.objects.filter(export=export, state=ExportItem.State.READY).exclude(
        invoice__origin__in=RECEIVED
    )
    first = list(to_render.order_by("pk").values_list("invoice", flat=True)[:1])
    if first:
        warm_up(prefetch_for_content(Invoice.objects.filter(pk__in=first)))
    return bool(first)


def _with_progress(
    export: Export, on_progress: OnProgress | None, stopped: Callable[[], bool], every: float
) -> Callable[[], bool]:
    """``stopped``, which is called before each line, as a function that also reports the progress now and then."""
    if on_progress is None:
        return stopped
    next_report = time.monotonic() + every

    def should_stop() -> bool:
        nonlocal next_report
        if time.monotonic() >= next_report:
            on_progress(count_items(export))
            next_report = time.monotonic() + every
        return stopped()

    return should_stop


def _run_in_children(
    export: Export, count: int, on_progress: OnProgress | None, stopped: Callable[[], bool], every: float
) -> None:
    """Fork ``count`` children once everything is loaded, and replace those that have done their share."""
    # What is loaded already is not searched for garbage, at a tenth of a second each time, while more is loaded.
    gc.freeze()
    does_render = warm_up_for(export)
    pool = ForkedPool(lambda: _work(export.pk, does_render=does_render))
    pool.start_workers(count)
    next_report = time.monotonic() + every
    while pool.children:
        ended = pool.wait(POLL_SECONDS)
        if stopped():
            pool.request_stop()
        else:
            pool.start_workers(sum(child.exitcode == EXIT_RECYCLE for child in ended))
        if on_progress is not None and time.monotonic() >= next_report:
            pause = _report_progress(export, on_progress)
            next_report = time.monotonic() + max(pause, every)
    pool.shutdown(SECONDS_TO_END)
    if not stopped():
        # A child may have been killed with lines in its hands, or have lost the database: they are done here.
        run_lines_with_retry(export.pk, should_stop=stopped)


def _report_progress(export: Export, on_progress: OnProgress) -> float:
    """Report the progress; returns after how many seconds at least to do so again."""
    began = time.monotonic()
    try:
        on_progress(count_items(export))
    except (db.OperationalError, db.InterfaceError):
        # The children wait for it, and say so.
        db.connections.close_all()
        return max(RETRY_DELAYS)
    return POLL_SHARE * (time.monotonic() - began)


def _work(export_pk: int, *, does_render: bool) -> None:
    """The life of a child: so many lines, then it says that there is more to do."""
    most = LINES_PER_LIFE if does_render else RECEIVED_LINES_PER_LIFE
    if not does_render:
        gc.set_threshold(GC_THRESHOLD, *RECEIVED_GC_OLDER)
    with stop_on_signal((signal.SIGTERM,)) as stopped:
        try:
            done = run_lines_with_retry(
                export_pk,
                should_stop=lambda: stopped() or stop_requested(),
                most=most,
                does_render=does_render,
            )
        except db.Error:
            logger.exception("A process of export %s lost the database; its lines are taken over", export_pk)
            sys.exit(1)
        except StoreUnavailableError:
            sys.exit(1)
    if done >= most:
        sys.exit(EXIT_RECYCLE)
