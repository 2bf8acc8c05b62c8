"""The circuit breaker of the outbox: where our own server is refused, every mail would fare the same, so none is tried.

After a few refusals in a row the outbox rests. One mail is tried now and then; the first that a server takes ends the
rest, and the mails that met the refusal leave again as if they had never been tried. What is known is in one row,
so that it holds for all processes together. Callers change this row before they change any message: in that order
no one waits for anybody who waits for him.
"""

import datetime
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from mailing import leases
from mailing.models import Message, OutboxControl
from mailing.reasons import Reason

# So many refusals of our own server in a row, no mail taken in between, make the outbox rest.
TRIP_AFTER = 3
# While no mail was taken lately, so many may be in hand or refused at once: what a refusal can reach at most.
MOST_AT_STAKE = 5
PROVEN_FOR = datetime.timedelta(minutes=10)
# A row that all senders share is not written for every mail.
PROOF_PAUSE = datetime.timedelta(minutes=1)
# Seconds until the first, second… trial mail; the last goes on.
TRIAL_SECONDS = (30, 60, 120, 300, 600, 900)
# A limit of a day passes in hours; and there are providers that count refused mails too.
TRIAL_SECONDS_OF_QUOTA = (*TRIAL_SECONDS, 1800, 3600)
# After a trial that proved nothing (its address is unknown, the server away).
NEXT_TRIAL = datetime.timedelta(seconds=15)
ASK_AGAIN = datetime.timedelta(milliseconds=300)

OURS = tuple(reason.value for reason in Reason if reason.is_ours)
_CALM = {"faults": 0, "fault": "", "fault_reply": "", "rests_since": None, "trial_at": None, "trials": 0}


@dataclass(frozen=True)
class Rest:
    """Why the outbox rests, since when, what the server said, and when the next mail is tried."""

    since: datetime.datetime
    reason: Reason
    reply: str
    trial_at: datetime.datetime

    @property
    def remedy(self) -> str:
        """What to do, in French."""
        return self.reason.remedy

    def __str__(self) -> str:
        """«Notre serveur est refusé : il est sur une liste noire : 554 5.7.1 …»."""
        return self.reply or self.reason.words


def current_rest() -> Rest | None:
    """The rest of the outbox; None while mails leave."""
    return rest_of(OutboxControl.objects.filter(pk=1, rests_since__isnull=False).first())


def rest_of(row: OutboxControl | None) -> Rest | None:
    """The rest that ``row`` describes."""
    if row is None or row.rests_since is None:
        return None
    return Rest(row.rests_since, _reason(row.fault), row.fault_reply, row.trial_at or row.rests_since)


def _reason(value: str) -> Reason:
    return Reason(value) if value in OURS else Reason.RELAY


def needs_care(control: OutboxControl | None, now: datetime.datetime) -> bool:
    """True where mails are claimed one process after the other: a rest, a refusal, or nothing taken lately."""
    if control is None or control.rests_since is not None or control.faults:
        return True
    return control.proven_at is None or control.proven_at < now - PROVEN_FOR


@dataclass(frozen=True)
class Permit:
    """How many mails may be claimed; where none, when to ask again. ``is_trial``: this one mail is tried in a rest."""

    number: int
    again_at: datetime.datetime | None = None
    is_trial: bool = False


def ask(control: OutboxControl, wanted: int, now: datetime.datetime, lease: datetime.timedelta) -> Permit:
    """What may be claimed at ``now``, by whoever holds the lock of ``control``; a trial is his alone until it ends."""
    if control.rests_since is not None:
        if control.trial_at is not None and now < control.trial_at:
            return Permit(0, control.trial_at)
        control.trial_at = now + lease
        control.trials += 1
        control.save(update_fields=["trial_at", "trials"])
        return Permit(1, is_trial=True)
    if not needs_care(control, now):
        return Permit(wanted)
    in_hand = Message.objects.filter(leases.is_held(now), state=Message.State.SENDING).count()
    number = min(wanted, max(MOST_AT_STAKE - control.faults - in_hand, 0))
    return Permit(number, None if number else now + ASK_AGAIN)


def note_success(now: datetime.datetime) -> None:
    """A server took a mail: a rest ends, and what met the refusal leaves again at once."""
    stale = Q(faults__gt=0) | Q(proven_at__isnull=True) | Q(proven_at__lt=now - PROOF_PAUSE)
    row = OutboxControl.objects.filter(stale, pk=1).first()
    if row is None:
        if not OutboxControl.objects.filter(pk=1).exists():
            OutboxControl.objects.get_or_create(pk=1, defaults={"proven_at": now})
        return
    OutboxControl.objects.filter(pk=1).update(proven_at=now, **_CALM)
    if row.rests_since is not None:
        release(now)


def note_fault(reason: Reason, reply: str, now: datetime.datetime, *, is_certain: bool = False) -> bool:
    """Our own server was refused; True where the outbox rests, before or because of it.

    ``is_certain`` where a second mail would prove nothing more: the server named its limit.
    """
    OutboxControl.objects.get_or_create(pk=1)
    control = OutboxControl.objects.select_for_update().get(pk=1)
    control.faults = min(control.faults + 1, 1000)
    control.fault, control.fault_reply = reason.value, reply[:500]
    if control.rests_since is None and (is_certain or control.faults >= TRIP_AFTER):
        control.rests_since, control.trials = now, 0
        # They are tried first: what is already refused, and not one mail more.
        Message.objects.filter(state=Message.State.DEFERRED, answer__in=OURS).update(next_attempt_at=now)
    if control.rests_since is not None:
        steps = TRIAL_SECONDS_OF_QUOTA if reason is Reason.QUOTA else TRIAL_SECONDS
        control.trial_at = now + datetime.timedelta(seconds=steps[min(control.trials, len(steps) - 1)])
    control.save()
    return control.rests_since is not None


def note_nothing(now: datetime.datetime) -> None:
    """A mail met an end that proves nothing about our server: a trial is repeated soon."""
    OutboxControl.objects.filter(pk=1, rests_since__isnull=False).update(trial_at=now + NEXT_TRIAL)


def end_rest(now: datetime.datetime) -> None:
    """Somebody says that the reason is gone: mails leave again."""
    if OutboxControl.objects.filter(pk=1, rests_since__isnull=False).update(**_CALM):
        release(now)


def release(now: datetime.datetime) -> None:
    """Let the mails that met a refusal of our own server leave as if they had never been tried."""
    Message.objects.filter(state=Message.State.DEFERRED, answer__in=OURS).update(
        state=Message.State.QUEUED,
        next_attempt_at=now,
        attempts=0,
        first_attempt_at=None,
        answer="",
        reply_code=None,
        reason=_("Remise en file : le serveur nous accepte de nouveau."),
    )
