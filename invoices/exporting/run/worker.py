"""The export engine: lines are claimed from the database, rendered, frozen, published and announced.

Nothing but the database says what is left to do. A claim is a lease: the lines of a dead worker are taken over when it
ends, at once where the process is known to be gone. Publishing a line and writing its mail are one transaction, which
holds only while the claim does; so a line is done once, whoever does it.
"""

import datetime
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext

from django import db
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import release_invoices
from invoices.exporting.run.announcing import announce_finished_customers
from invoices.exporting.run.compression import compress_quickly
from invoices.exporting.run.freezing import (
    RECEIVED,
    PreparedLine,
    common_refusal,
    describe_refusal,
    freeze_lines,
    prepare_lines,
)
from invoices.exporting.run.publishing import commit_lines, write_drafts
from invoices.models import Export, ExportCustomer, ExportItem
from invoices.store.frozen import REFUSALS_BEFORE_STOPPING
from invoices.store.probing import StoreUnavailableError, check_store
from invoices.workers.leases import is_dead, name_worker
from invoices.workers.pool import in_turn
from mailing import leases
from mailing.trail.actions import Action
from mailing.trail.recording import record

logger = logging.getLogger(__name__)
State = ExportItem.State

# Lines are claimed by the second rather than by the number: many where a PDF came with them, few where the machine is
# slow. What is frozen is published every three seconds; asked to stop, a worker ends after the line in hand.
# The first ones are a second of rendering, which says how fast it is.
FIRST_CLAIM = 40
SMALLEST_CLAIM = 8
# A statement for many lines costs each of them less. On SQLite who publishes many keeps the other processes waiting.
LARGEST_CLAIM = 400
LARGEST_CLAIM_OF_ONE_WRITER = 200
SECONDS_PER_CLAIM = 3.0
# The last lines of a run are shared so that all workers end together, but a claim costs some hundredths of a second
# whatever is in it: two rendered documents, or fifty received ones, are the fewest that are worth one.
SECONDS_OF_LAST_CLAIM = 0.06
SECONDS_PER_COMMIT = 3.0
# Workers are also killed for reasons that no line is to blame for: several deaths in a row make a culprit, not two.
ATTEMPTS_BEFORE_GIVING_UP = 5


def run_lines(
    export: Export,
    *,
    worker: str = "",
    should_stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
    does_render: bool = True,
) -> int:
    """Claim and do lines of a running export until none is left, it is paused, ``should_stop`` or ``most`` are done.

    ``does_render`` says that documents may be rendered; where all came from the ERP, as many lines as may be are
    claimed from the first. Returns how many lines this call brought to an end. Ends the export when it was the last
    to have work. Several calls may run at once, in any number of processes and machines. Lets database errors
    through: what was claimed is then taken over by whoever runs next, or released by the next call with the same
    ``worker``. Raises StoreUnavailableError where the store refuses a few documents in a row: the export stays
    running, says why, and goes on with the next call that finds the store back.
    """
    worker = worker or name_worker()
    if export.trouble:
        end_trouble(export)
    compress_quickly()
    release_lines_of_gone_workers(export)
    release_lines(export, worker=worker)
    criteria = Criteria.from_json(export.criteria)
    # A process that has published claims its next lines in the same turn: it would wait for it again, and all rest.
    one_writer = in_turn if connection.vendor == "sqlite" else nullcontext
    first = FIRST_CLAIM if does_render else _largest_claim()
    done, pace = 0, (first, min(first, SMALLEST_CLAIM))
    refusals: deque[str] = deque(maxlen=REFUSALS_BEFORE_STOPPING)

    def may_go_on() -> bool:
        return not should_stop() and (most is None or done < most)

    def claim() -> list[ExportItem]:
        return claim_lines(export, worker=worker, count=pace[0], least=pace[1]) if may_go_on() else []

    with one_writer():
        items = claim()
    while items or (release_lines_of_gone_workers(export) and (items := claim())):
        began = time.monotonic()
        lines = prepare_lines(export, items, criteria)
        while lines and not should_stop():
            frozen = freeze_lines(lines, seconds=SECONDS_PER_COMMIT, should_stop=should_stop)
            write_drafts(export, criteria, lines[:frozen])
            with one_writer():
                done += commit_lines(export, lines[:frozen], criteria, worker=worker)
                refusals.extend(line.refusal for line in lines[:frozen] if line.refusal or _is_stored(line))
                if reason := common_refusal(list(refusals)):
                    release_lines(export, worker=worker)
                    raise note_trouble(export, reason)
                if lines := lines[frozen:]:
                    continue
                pace = _next_claim(len(items), time.monotonic() - began)
                items = claim()
        if lines:
            break
    if not may_go_on():
        release_lines(export, worker=worker)
    finish_export(export)
    return done


def _is_stored(line: PreparedLine) -> bool:
    return line.document is not None and line.document.storage_name != "" and line.invoice.origin not in RECEIVED


def note_trouble(export: Export, reason: str) -> StoreUnavailableError:
    """Keep why ``export`` waits, and log it once, however many processes find it; returns the error to raise."""
    error = StoreUnavailableError(reason)
    if Export.objects.filter(pk=export.pk).exclude(trouble=reason).update(trouble=reason):
        logger.error("%s waits and goes on by itself: %s", export, error)
    return error


def end_trouble(export: Export) -> None:
    """Go on with an export that waited for the store: lines that the store refused meanwhile are ready again.

    Raises StoreUnavailableError where it is still away.
    """
    check_store()
    with transaction.atomic():
        Export.objects.select_for_update().get(pk=export.pk)
        refused = ExportItem.objects.filter(export=export, state=State.FAILED, error=describe_refusal(export.trouble))
        refused.update(state=State.READY, error="", finished_at=None)
        if Export.objects.filter(pk=export.pk).exclude(trouble="").update(trouble=""):
            logger.warning("%s goes on: the store is back", export)


def _next_claim(done: int, seconds: float) -> tuple[int, int]:
    """How many lines to claim next, by the speed of the last ones, and how few where few are left.

    Statements are shared by many, and few wait.
    """
    speed = done / max(seconds, 0.001)
    count = min(max(round(speed * SECONDS_PER_CLAIM), SMALLEST_CLAIM), _largest_claim())
    return count, min(max(round(speed * SECONDS_OF_LAST_CLAIM), 1), count)


def _largest_claim() -> int:
    return LARGEST_CLAIM_OF_ONE_WRITER if connection.vendor == "sqlite" else LARGEST_CLAIM


def release_lines(export: Export, *, worker: str) -> int:
    """Give back the lines that ``worker`` holds and will not do: asked to stop, or cut from the database meanwhile."""
    theirs = ExportItem.objects.filter(export=export, state=State.CLAIMED, claimed_by=worker)
    return leases.release(theirs, state=State.READY, claimed_by="", attempts=Greatest(F("attempts") - 1, 0))


def release_lines_of_gone_workers(export: Export) -> int:
    """Make the lines of processes that died on this machine ready again, without waiting for their lease to end."""
    workers = (
        ExportItem.objects.filter(export=export, state=State.CLAIMED).values_list("claimed_by", flat=True).distinct()
    )
    gone = [worker for worker in workers if is_dead(worker)]
    if not gone:
        return 0
    theirs = ExportItem.objects.filter(export=export, state=State.CLAIMED, claimed_by__in=gone)
    return leases.release(theirs, state=State.READY, claimed_by="")


@transaction.atomic
def claim_lines(export: Export, *, worker: str, count: int = FIRST_CLAIM, least: int = 1) -> list[ExportItem]:
    """Take the next lines for ``worker``, at most ``count``; none where the export is not running or has none left.

    PostgreSQL hands out different rows at the same time (SKIP LOCKED); on SQLite the one writer at a time does. Where
    few lines are left, half of them stay for the other workers, so that all end at about the same time; ``least`` are
    taken all the same.
    """
    now = leases.database_now()
    claimable = ExportItem.objects.claimable(now).filter(export=export, export__state=Export.State.RUNNING)
    candidates = leases.lock(claimable.only("export", "invoice", "attempts"))
    # Counted without a lock: who locked what it leaves would hide it from the others, and they would end.
    left = claimable.filter(attempts=0)[: 2 * count].count()
    items = list(candidates.filter(attempts=0).order_by("pk")[: min(count, max(least, -(-left // 2)))])
    # One line kills its worker, those claimed with it only suffer: after a death each is taken alone, and last; the
    # one that has seen the fewest deaths first, so that a run whose workers are killed does not fall on the same line.
    while not items and (tried := candidates.exclude(attempts=0).order_by("attempts", "pk").first()):
        if tried.attempts < ATTEMPTS_BEFORE_GIVING_UP:
            items = [tried]
        else:
            _give_up(claimable, now)
    if items:
        leases.take(
            ExportItem.objects.filter(pk__in=[item.pk for item in items]),
            now=now,
            length=datetime.timedelta(seconds=settings.EXPORT_LEASE_SECONDS),
            state=State.CLAIMED,
            claimed_by=worker,
            attempts=F("attempts") + 1,
        )
    return items


def _give_up(lines: QuerySet[ExportItem], now: datetime.datetime) -> None:
    """End the lines whose workers died again and again, with the reason: they would stop the run for ever."""
    leases.release(
        lines.filter(attempts__gte=ATTEMPTS_BEFORE_GIVING_UP),
        state=State.FAILED,
        claimed_by="",
        finished_at=now,
        error=_("Le traitement de cette facture s’est interrompu %(count)d fois de suite.")
        % {"count": ATTEMPTS_BEFORE_GIVING_UP},
    )


def finish_export(export: Export) -> bool:
    """End the export where no line is left: write the mails per customer still missing, then say «terminée».

    True where the export has ended, by this call or before.
    """
    if ExportItem.objects.filter(export=export, state__in=(State.READY, State.CLAIMED)).exists():
        return False
    criteria = Criteria.from_json(export.criteria)
    if criteria.notify and criteria.one_mail_per_customer:
        customers = ExportCustomer.objects.filter(export=export, reason="").values_list("customer", flat=True)
        for start in range(0, len(customers), 100):
            _announce(export, criteria, list(customers[start : start + 100]))
    with transaction.atomic():
        # Somebody who has the failures tried again at this moment comes before, or after the end; not in between.
        Export.objects.select_for_update().get(pk=export.pk)
        waiting = ExportItem.objects.filter(export=export, state__in=(State.READY, State.CLAIMED))
        # A run that was paused after its last lines were claimed has nothing left to go on with.
        has_ended = (
            Export.objects.filter(pk=export.pk, state__in=Export.UNDER_WAY)
            .exclude(Exists(waiting))
            .update(state=Export.State.DONE, finished_at=timezone.now())
        )
        if not has_ended and waiting.exists():
            return False
        if has_ended:
            record(Action.EXPORT_ENDED, export, details={"number": export.number})
    release_invoices(export=export)
    return True


def _announce(export: Export, criteria: Criteria, customers: list[int]) -> None:
    """Write the mails still missing; where one cannot be written, its lines say so and the others are written."""
    try:
        with transaction.atomic():
            announce_finished_customers(export, criteria, customers)
    except (db.OperationalError, db.InterfaceError):
        raise
    except Exception as error:
        if len(customers) > 1:
            for customer in customers:
                _announce(export, criteria, [customer])
            return
        logger.exception("%s: the mail to customer %s cannot be written", export, customers[0])
        unannounced = ExportItem.objects.filter(
            export=export, invoice__customer=customers[0], state=State.PUBLISHED, deliveries__isnull=True
        )
        kind = str(error) if isinstance(error, ValueError | LookupError) else type(error).__name__
        unannounced.update(note=_("Publiée, mais son mail n’a pas pu être écrit : %(error)s") % {"error": kind})


def find_stalled_exports() -> list[Export]:
    """Running exports without a worker: no line is in living hands, whatever a queue remembers of its tasks."""
    running = list(Export.objects.filter(state=Export.State.RUNNING).order_by("number"))
    for export in running:
        release_lines_of_gone_workers(export)
    held = ExportItem.objects.filter(
        leases.is_held(leases.database_now()), export__in=running, state=State.CLAIMED
    ).values_list("export", flat=True)
    busy = set(held.distinct())
    return [export for export in running if export.pk not in busy]
