"""Saved selections that run by themselves: each due run is done once, whatever is killed, and its result is reported.

A run is one transaction that holds the row of its calendar: the list, the start of the export, the mail, the note of
the run and the next moment are kept together or not at all. Of two workers, the second passes over a row that is held,
or finds that its moment has gone by. The clock is the database's. Runs that were missed are made up for by one run.
"""

import datetime
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from django import db
from django.db import transaction
from django.tasks import task
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Account
from invoices.exporting.calendar import due_until, next_due
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, last_export_day
from invoices.exporting.items import count_recipients
from invoices.exporting.reasons import select_to_fix
from invoices.exporting.run.tasks import start_export_in_workers
from invoices.exporting.schedule_mails import announce_end, announce_run
from invoices.exporting.selection import count_selection
from invoices.models import Export, SavedSelection, ScheduledRun, SelectionSchedule
from invoices.workers.waking import wake
from mailing import leases
from mailing.alignment import question_before
from mailing.leases import database_now
from mailing.quarantine.tries import Loop, Tries, count_death, forget

logger = logging.getLogger(__name__)

Outcome = ScheduledRun.Outcome

# A run that ends by an error is tried so often before it is reported; what made it fail may pass.
MOST_ATTEMPTS: Final = 3
# Workers are also stopped for reasons that no run is to blame for: several in a row make a culprit.
MOST_DEATHS: Final = 5
RETRY_AFTER: Final = datetime.timedelta(minutes=5)
ENDED: Final = (Export.State.DONE, Export.State.CANCELLED)


@transaction.atomic
def set_schedule(
    *,
    selection: SavedSelection,
    author: Account,
    day_kind: str,
    day: int,
    hour: int,
    action: str,
    addresses: Sequence[str],
) -> SelectionSchedule:
    """Give ``selection`` a calendar, or change the one it has; its first run is the next moment from now."""
    schedule = SelectionSchedule.objects.select_for_update().filter(selection=selection).first()
    schedule = schedule or SelectionSchedule(selection=selection)
    schedule.day_kind, schedule.day, schedule.hour, schedule.action = day_kind, day, hour, action
    schedule.addresses = list(addresses)
    schedule.author, schedule.author_name = author, author.get_full_name()
    schedule.next_at = _moment_after(schedule, database_now())
    schedule.attempts, schedule.retry_at = 0, None
    schedule.save()
    return schedule


@transaction.atomic
def set_paused(*, schedule: SelectionSchedule, is_paused: bool) -> SelectionSchedule:
    """Pause the calendar, or let it go on from now: moments that went by meanwhile were not missed."""
    held = SelectionSchedule.objects.select_for_update().get(pk=schedule.pk)
    held.is_paused = is_paused
    if not is_paused:
        held.next_at = _moment_after(held, database_now())
        held.attempts, held.retry_at = 0, None
    held.save(update_fields=["is_paused", "next_at", "attempts", "retry_at"])
    return held


def next_moments(schedule: SelectionSchedule, count: int) -> list[datetime.datetime]:
    """The next ``count`` runs of a calendar that is not paused."""
    moments = [schedule.next_at]
    while len(moments) < count:
        moments.append(_moment_after(schedule, moments[-1]))
    return moments


def _moment_after(schedule: SelectionSchedule, moment: datetime.datetime) -> datetime.datetime:
    is_working_day = schedule.day_kind == SelectionSchedule.DayKind.WORKING_DAY
    return next_due(moment, number=schedule.day, is_working_day=is_working_day, hour=schedule.hour)


@task
def run_schedules() -> int:
    """Do the runs that are due and report the exports that ended; returns how many runs were done."""
    done = 0
    while (ran := run_next_schedule()) is not None:
        done += ran
    tries = Tries(Loop.SCHEDULE)
    for pk in _ended_runs().values_list("pk", flat=True):
        label = _("Compte rendu du passage n° %(number)d") % {"number": pk}
        tries.attempt(f"told:{pk}", label, partial(_announce_end_once, pk))
    return done


def wake_schedules() -> int:
    """Wake a worker up where a run is due or a result is to be reported; returns how many were called."""
    is_due = SelectionSchedule.objects.due(database_now()).exists() or _ended_runs().exists()
    return int(is_due and wake("schedules", run_schedules.enqueue))


def run_next_schedule() -> bool | None:
    """Do the run that has waited longest; True where it was done, False where it failed, None where nothing is due.

    Lets the error of a database through that is away: the run stays due.
    """
    held: SelectionSchedule | None = None
    try:
        if _deadly_is_noted():
            return False
        with transaction.atomic():
            now = database_now()
            due = SelectionSchedule.objects.due(now).select_related("selection").order_by("next_at", "pk")
            held = leases.lock(due).first()
            if held is None:
                return None
            _run(held, now)
        forget(Loop.SCHEDULE, _key_of(held))
    except (db.OperationalError, db.InterfaceError):
        raise
    except Exception:
        if held is None:
            raise
        logger.exception("The run of selection %s failed", held.selection.name)
        forget(Loop.SCHEDULE, _key_of(held))
        _note_failure(held)
        return False
    return True


def _key_of(schedule: SelectionSchedule) -> str:
    return f"run:{schedule.pk}:{schedule.next_at.isoformat()}"


def _deadly_is_noted() -> bool:
    """Count the try of the next run before it is made; True where the run ended its workers again and again, and is
    noted as failed: the database forgets the transaction of a process that ends, and with it any count in it.
    """
    with transaction.atomic():
        due = SelectionSchedule.objects.due(database_now()).select_related("selection").order_by("next_at", "pk")
        schedule = leases.lock(due).first()  # none that another worker is at
        is_deadly = schedule is not None and count_death(
            Loop.SCHEDULE, _key_of(schedule), str(schedule), most=MOST_DEATHS
        )
    if schedule is None or not is_deadly:
        return False
    logger.error("The run of selection %s ended its workers", schedule.selection.name)
    forget(Loop.SCHEDULE, _key_of(schedule))
    _note_failure(schedule, is_last=True)
    return True


def _run(schedule: SelectionSchedule, now: datetime.datetime) -> None:
    is_working_day = schedule.day_kind == SelectionSchedule.DayKind.WORKING_DAY
    dues = due_until(schedule.next_at, now, number=schedule.day, is_working_day=is_working_day, hour=schedule.hour)
    criteria = _criteria_of(schedule, dues)
    count = count_selection(criteria)
    to_fix = sum(select_to_fix(count.left_out).values())
    outcome, export, doubt = Outcome.NOTHING, None, ""
    if count.ready or to_fix:
        export = create_export(
            criteria=criteria,
            author_name=f"calendrier ({schedule.author_name})" if schedule.author_name else "calendrier",
            selection=schedule.selection,
        )
        figures = count_items(export)
        outcome = Outcome.PREPARED
        if schedule.action == SelectionSchedule.Action.EXPORT and figures.ready and not figures.to_fix:
            doubt = question_before(partial(count_recipients, export))
            if not doubt:  # otherwise somebody confirms on the list
                start_export_in_workers(export=export)
                outcome = Outcome.STARTED
    run = _note(schedule, dues, now, outcome, export)
    if outcome != Outcome.STARTED:
        announce_run(run, dues, doubt)


def _criteria_of(schedule: SelectionSchedule, dues: Sequence[datetime.datetime]) -> Criteria:
    """The choices with the dates they have at the moment of the run, from those of the first run that was missed."""
    kept, last_export = Criteria.from_json(schedule.selection.criteria), last_export_day()
    first, last = (kept.resolve_period(due.date(), last_export) for due in _local([dues[0], dues[-1]]))
    return replace(last, start=first.start)


def _local(moments: Sequence[datetime.datetime]) -> list[datetime.datetime]:
    return [timezone.localtime(moment) for moment in moments]


def _note(
    schedule: SelectionSchedule,
    dues: Sequence[datetime.datetime],
    now: datetime.datetime,
    outcome: ScheduledRun.Outcome,
    export: Export | None = None,
) -> ScheduledRun:
    run = ScheduledRun.objects.create(
        schedule=schedule,
        due_at=dues[-1],
        covers=len(dues),
        ran_at=now,
        outcome=outcome,
        export=export,
        told_at=None if outcome == Outcome.STARTED else now,
    )
    SelectionSchedule.objects.filter(pk=schedule.pk).update(
        next_at=_moment_after(schedule, dues[-1]), attempts=0, retry_at=None
    )
    return run


@transaction.atomic
def _note_failure(schedule: SelectionSchedule, *, is_last: bool = False) -> None:
    """Let the run rest; after the last try, note and report that it failed, and go on to the next moment."""
    held = SelectionSchedule.objects.select_for_update().filter(pk=schedule.pk, next_at=schedule.next_at).first()
    if held is None:  # changed or taken away meanwhile
        return
    now = database_now()
    if held.attempts + 1 < MOST_ATTEMPTS and not is_last:
        SelectionSchedule.objects.filter(pk=held.pk).update(attempts=held.attempts + 1, retry_at=now + RETRY_AFTER)
        return
    run = _note(held, [held.next_at], now, Outcome.FAILED)
    try:
        with transaction.atomic():
            announce_run(run, [held.next_at])
    except Exception:  # the run is noted all the same, and the calendar goes on
        logger.exception("The failure of the run of selection %s cannot be reported", held.selection_id)


def _ended_runs() -> "db.models.QuerySet[ScheduledRun]":
    return ScheduledRun.objects.filter(outcome=Outcome.STARTED, told_at=None, export__state__in=ENDED).order_by("pk")


@transaction.atomic
def _announce_end_once(pk: int) -> None:
    run = leases.lock(_ended_runs().filter(pk=pk)).first()
    if run is not None:
        announce_end(run)
        ScheduledRun.objects.filter(pk=pk).update(told_at=database_now())
