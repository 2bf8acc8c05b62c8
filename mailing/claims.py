"""Who sends which mail: a claim is a lease with an end, and what became of the mail ends it.

Several workers on several machines take from one outbox. A mail in hand is «en cours» until its lease ends; a worker
that lives renews it, the mail of a dead one is taken over. What a server accepted is recorded at once and stays so.
"""

import datetime
import random
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from mailing import breaker, leases, slowdowns
from mailing.alerts import ALERT, write_alert
from mailing.failed_addresses import TO_FORMER_ADDRESS, mark_address_failed
from mailing.models import Message, MessageQuerySet, OutboxControl
from mailing.pace import free_slots, give_back_slot, limits, stamp_slot, take_slots
from mailing.quarantine import tries
from mailing.reasons import Reason
from mailing.transports import Outcome, Verdict, uses_smtp

# Minutes before the next try, after the first, second… failure; the last goes on until the mail is given up.
RETRY_MINUTES = (1, 5, 15, 30, 60, 120, 240)
JITTER = 0.2
# Mailers are also stopped for reasons that no mail is to blame for: several in a row with it in hand make a culprit.
MOST_INTERRUPTIONS = 5


@dataclass(frozen=True)
class Claim:
    """A mail in hand: the message, the name of its lease, and its place in the pace, if the pace is limited."""

    message: Message
    lease: str
    slot: int | None
    is_taken_over: bool = False  # from a mailer that ended with it in hand


@dataclass(frozen=True)
class ClaimResult:
    """What a worker got: mails in hand; or none, and, where only the pace holds them back, when to ask again.

    ``rests`` where the outbox rests because our own server is refused; ``is_slowed`` where all that is due goes to
    destinations that asked for fewer mails.
    """

    claims: tuple[Claim, ...] = ()
    again_at: datetime.datetime | None = None
    rests: bool = False
    is_slowed: bool = False


def claim(
    *, now: datetime.datetime, worker: str, wanted: int, lease: datetime.timedelta, take_over: bool = True
) -> ClaimResult:
    """Take at most ``wanted`` mails that are due at ``now``, in a transaction of its own.

    Mails whose lease ended come first, unless ``take_over`` is False. Nothing while the outbox is paused.
    """
    waiting = Message.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    ended = Message.objects.filter(leases.has_ended(now)).order_by("lease_until")
    orphaned = take_over and ended.exists()
    if not orphaned and not waiting.exists():
        return ClaimResult()  # the usual case of an idle worker: two looks at an index, and no lock
    slowed = slowdowns.in_force(now) if uses_smtp() else []
    with transaction.atomic():
        control, is_careful = _control_in_turn(now, is_slowed=bool(slowed))
        if control is not None and control.paused_at is not None:
            return ClaimResult()
        if slowed and (control is None or control.rests_since is None):  # a rest has its own trials
            wanted, slowed = min(wanted, 1), slowdowns.in_force(now)  # as they are under the lock
            left = slowdowns.leave_out_held(waiting, slowed, now)
            if left is None or not (orphaned or left.exists()):
                return _held_by_destinations(slowed, now)
            waiting = left
        if limits():
            wanted, again_at = free_slots(now, wanted)
            if not wanted:
                return ClaimResult(again_at=again_at)
        if is_careful and control is not None:
            permit = breaker.ask(control, wanted, now, lease)
            wanted = permit.number
            if not wanted:
                return ClaimResult(again_at=permit.again_at, rests=control.rests_since is not None)
            waiting = _fit_for_trial(waiting, control) if permit.is_trial else waiting
        held = _take(ended if orphaned else ended.none(), waiting, worker=worker, wanted=wanted, now=now, lease=lease)
        for one in held if slowed else ():
            slowdowns.take_place(one.message.recipient, now)
        return ClaimResult(held)


def _control_in_turn(now: datetime.datetime, *, is_slowed: bool) -> tuple[OutboxControl | None, bool]:
    """The row of the outbox, and whether the breaker has a say; locked where claims are counted.

    The one row serialises the workers that count and take; with neither limits nor refusals none of them waits.
    """
    control = OutboxControl.objects.filter(pk=1).first()
    is_careful = uses_smtp() and breaker.needs_care(control, now)
    if limits() or is_careful or is_slowed:
        OutboxControl.objects.get_or_create(pk=1)
        control = OutboxControl.objects.select_for_update().get(pk=1)
    return control, is_careful


def _held_by_destinations(slowed: list[slowdowns.Slowdown], now: datetime.datetime) -> ClaimResult:
    """Nothing, until the first destination takes a mail again."""
    held_until = min((one.next_at for one in slowed if one.next_at > now), default=None)
    return ClaimResult(again_at=held_until, is_slowed=held_until is not None)


def _fit_for_trial(waiting: MessageQuerySet, control: OutboxControl) -> MessageQuerySet:
    """The mails of ``waiting`` that a rest is tried with: a new alert first."""
    alerts = waiting.filter(kind=ALERT, attempts=0)
    if alerts.exists():
        return alerts
    if control.trials % 2:
        # Every second trial is a mail that was refused before; the others are new, for it may be the reason.
        refused = waiting.filter(answer__in=breaker.OURS)
        return refused if refused.exists() else waiting
    return waiting


def _take(
    ended: QuerySet[Message],
    waiting: QuerySet[Message],
    *,
    worker: str,
    wanted: int,
    now: datetime.datetime,
    lease: datetime.timedelta,
) -> tuple[Claim, ...]:
    """At most ``wanted`` mails, those of dead workers first, each with its place in the pace."""
    name = f"{worker[:60]}/{uuid.uuid4().hex}"
    _reject_deadly(ended, wanted, now)
    messages = _lease(ended, wanted, name, now, lease)
    taken_over = {message.pk for message in messages}
    if len(messages) < wanted:
        messages += _lease(waiting, wanted - len(messages), name, now, lease)
    slots = take_slots(now + lease, len(messages)) if limits() else [None] * len(messages)
    pairs = zip(messages, slots, strict=True)
    return tuple(Claim(message, name, slot, message.pk in taken_over) for message, slot in pairs)


def _reject_deadly(ended: QuerySet[Message], wanted: int, now: datetime.datetime) -> None:
    """Count that a mailer ended with these mails in hand, and reject those with which several did: no mail may stop
    the mailer for good. Staff find them in the outbox and may have them sent again.
    """
    for message in list(leases.lock(ended.only("pk"))[:wanted]):
        label = _("Mail n° %(number)s") % {"number": message.pk}
        if tries.count_death(tries.Loop.MAILER, message.pk, label, most=MOST_INTERRUPTIONS):
            reason = _(
                "L’envoi s’est interrompu %(count)d fois de suite avec ce mail en main : il est peut-être parti. "
                "Vérifiez auprès du destinataire avant de l’envoyer à nouveau."
            )
            leases.release(
                Message.objects.filter(pk=message.pk, state=Message.State.SENDING),
                state=Message.State.REJECTED,
                reason=reason % {"count": MOST_INTERRUPTIONS},
                leased_by="",
                next_attempt_at=None,
                ended_at=now,
            )
            tries.forget(tries.Loop.MAILER, message.pk)


@transaction.atomic
def claim_one(key: str, *, now: datetime.datetime, worker: str, lease: datetime.timedelta) -> Claim | None:
    """Take the mail that was written under ``key``, whatever else waits; None where it is not due any more."""
    name = f"{worker[:60]}/{uuid.uuid4().hex}"
    messages = _lease(Message.objects.filter(key=key, next_attempt_at__lte=now), 1, name, now, lease)
    return Claim(messages[0], name, None) if messages else None


def _lease(
    queryset: QuerySet[Message], wanted: int, name: str, now: datetime.datetime, lease: datetime.timedelta
) -> list[Message]:
    """Lease the first ``wanted`` rows of ``queryset`` that no other worker takes at this moment."""
    ids = list(leases.lock(queryset).values_list("pk", flat=True)[:wanted])
    # The condition is asked again: without row locks (SQLite) only the rows that are still due are ours.
    leases.take(
        Message.objects.due(now).filter(pk__in=ids),
        now=now,
        length=lease,
        state=Message.State.SENDING,
        leased_by=name,
        next_attempt_at=None,
        attempts=F("attempts") + 1,
        first_attempt_at=Coalesce("first_attempt_at", now),
    )
    return list(Message.objects.filter(pk__in=ids, leased_by=name).prefetch_related("attachments"))


def renew(claims: Iterable[Claim], now: datetime.datetime, lease: datetime.timedelta) -> None:
    """Say that these mails are still in living hands."""
    for held in claims:
        mine = Message.objects.filter(pk=held.message.pk, leased_by=held.lease, state=Message.State.SENDING)
        leases.renew(mine, now=now, length=lease)
        if held.slot is not None:
            stamp_slot(held.slot, now + lease)


@transaction.atomic
def record(held: Claim, outcome: Outcome, now: datetime.datetime) -> Verdict:
    """Write down what became of a mail in hand, in one short transaction; recording it twice changes nothing.

    Returns what the mail has become: a mail deferred for too long is rejected.
    """
    verdict = outcome.verdict
    if held.is_taken_over:
        tries.forget(tries.Loop.MAILER, held.message.pk)
    rests = _notify_breaker(held.message, outcome, now) if uses_smtp() else False
    if verdict is Verdict.ACCEPTED:
        _record_accepted(held, outcome, now)
    else:
        first = held.message.first_attempt_at or now
        if verdict is Verdict.DEFERRED and now - first >= settings.MAIL_GIVE_UP_AFTER and not rests:
            verdict = Verdict.REJECTED
            outcome = Outcome(
                verdict,
                _("Abandonné après %(hours)s heures d’essais. %(reason)s")
                % {"hours": round((now - first).total_seconds() / 3600), "reason": outcome.reason},
                outcome.code,
                reached_server=outcome.reached_server,
            )
        _record_failure(held, outcome, now, at_once=rests)
    if outcome.reached_server:
        stamp_slot(held.slot, now)
    else:
        give_back_slot(held.slot)
    return verdict


def _notify_breaker(message: Message, outcome: Outcome, now: datetime.datetime) -> bool:
    """Notify the breaker of an attempt; True where it was a refusal of our own server, and the outbox rests."""
    if outcome.verdict is Verdict.ACCEPTED and message.kind == ALERT:
        breaker.note_nothing(now)  # our own people's server takes it: that proves nothing about the customers' ones
    elif outcome.verdict is Verdict.ACCEPTED:
        breaker.note_success(now)
        slowdowns.note_taken(message.recipient)
    elif outcome.answer is not None and outcome.answer.is_ours:
        is_stated = outcome.answer is Reason.QUOTA and slowdowns.stated_limit(outcome.reason) is not None
        rests = breaker.note_fault(outcome.answer, outcome.reason, now, is_certain=is_stated)
        if is_stated:
            slowdowns.note_relay_limit(outcome.reason, now)
        if rests:
            write_alert(now)
        return rests
    else:
        # The row of the outbox first, as whoever claims does: in that order no one waits for anybody who waits for him.
        breaker.note_nothing(now)
        if outcome.answer is Reason.PACE and outcome.reached_server:
            slowdowns.note_limit(message.recipient, outcome.reason, now)
    return False


def _record_accepted(held: Claim, outcome: Outcome, now: datetime.datetime) -> None:
    # A fact, whoever holds the lease by now: if it had ended and another worker took the mail, it was accepted all the
    # same. Only a report of non-delivery, which may be faster than this record, says something newer.
    changed = leases.release(
        Message.objects.filter(pk=held.message.pk, state__in=Message.PENDING_STATES),
        leased_by="",
        state=Message.State.WRITTEN if outcome.is_written else Message.State.ACCEPTED,
        reason="",
        answer="",
        reply_code=outcome.code,
        next_attempt_at=None,
        accepted_at=now,
        ended_at=now,
    )
    if not changed:
        Message.objects.filter(pk=held.message.pk, accepted_at__isnull=True).update(accepted_at=now)


def _record_failure(held: Claim, outcome: Outcome, now: datetime.datetime, *, at_once: bool) -> None:
    message = held.message
    values = {
        "reason": outcome.reason,
        "answer": outcome.answer.value if outcome.answer else "",
        "reply_code": outcome.code,
        "leased_by": "",
    }
    # Only while the lease is ours: another worker may have had better luck.
    mine = Message.objects.filter(pk=message.pk, state=Message.State.SENDING, leased_by=held.lease)
    if outcome.verdict is Verdict.DEFERRED:
        give_up_at = (message.first_attempt_at or now) + settings.MAIL_GIVE_UP_AFTER
        # While the outbox rests, the mail waits with the others for a trial.
        next_at = now if at_once else min(now + retry_delay(message.attempts), max(give_up_at, now))
        leases.release(mine, state=Message.State.DEFERRED, next_attempt_at=next_at, **values)
        return
    changed = leases.release(mine, state=Message.State.REJECTED, next_attempt_at=None, ended_at=now, **values)
    if changed and outcome.address_is_bad and not message.diverted_to and message.kind != TO_FORMER_ADDRESS:
        mark_address_failed(message.recipient, outcome.reason, message.pk, now)


def retry_delay(attempts: int) -> datetime.timedelta:
    """How long to wait after the ``attempts``-th failure: longer each time, and never all mails at one moment."""
    minutes = RETRY_MINUTES[min(max(attempts, 1), len(RETRY_MINUTES)) - 1]
    return datetime.timedelta(minutes=minutes * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - not a secret
