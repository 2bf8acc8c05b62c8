"""The pace of sending: so many mails in any sliding minute and hour, all workers together.

A slot is a row. It is taken before a mail leaves and stamped with the moment the mail left, in the same transactions
as the mail itself; while the mail is in hand the slot counts as taken. So for any window of the limit's length, the
last mail that left in it found fewer than the limit before it, wherever the window begins.
"""

import datetime

from django.conf import settings

from mailing.models import SendingSlot

MINUTE = datetime.timedelta(minutes=1)
HOUR = datetime.timedelta(hours=1)


def limits() -> tuple[tuple[int, datetime.timedelta], ...]:
    """The limits in force: how many, within how long. Empty where mails may leave as fast as they can."""
    both = ((settings.MAIL_PER_MINUTE, MINUTE), (settings.MAIL_PER_HOUR, HOUR))
    return tuple((count, span) for count, span in both if count > 0)


def free_slots(now: datetime.datetime, wanted: int) -> tuple[int, datetime.datetime | None]:
    """How many mails, ``wanted`` at most, may leave at ``now``; where none may, when to ask again.

    The caller holds the outbox's lock until he has taken the slots, otherwise two callers get the same ones.
    """
    free, again_at = wanted, None
    for count, span in limits():
        taken = SendingSlot.objects.filter(taken_at__gt=now - span)
        here = max(count - taken.count(), 0)
        free = min(free, here)
        if not here:
            # The window opens when the oldest of the last `count` slots leaves it.
            oldest = taken.order_by("-taken_at").values_list("taken_at", flat=True)[count - 1]
            again_at = max(again_at or now, oldest + span)
    return free, again_at


def take_slots(latest: datetime.datetime, number: int) -> list[int]:
    """Take ``number`` slots for mails that leave at ``latest`` at the latest; their primary keys."""
    slots = SendingSlot.objects.bulk_create(SendingSlot(taken_at=latest) for _ in range(number))
    return [slot.pk for slot in slots]


def stamp_slot(slot: int | None, left_at: datetime.datetime) -> None:
    """The mail of ``slot`` left at this moment."""
    if slot is not None:
        SendingSlot.objects.filter(pk=slot).update(taken_at=left_at)


def give_back_slot(slot: int | None) -> None:
    """The mail of ``slot`` never reached a server."""
    if slot is not None:
        SendingSlot.objects.filter(pk=slot).delete()


def forget_old_slots(now: datetime.datetime) -> None:
    """Delete the slots that no window reaches any more."""
    SendingSlot.objects.filter(taken_at__lt=now - 2 * HOUR).delete()


def time_to_send(number: int) -> tuple[datetime.timedelta, int] | None:
    """How long ``number`` mails take under the limits, and the mails per minute this makes; None without limits."""
    if not limits():
        return None
    per_minute, per_hour = settings.MAIL_PER_MINUTE, settings.MAIL_PER_HOUR
    if not per_hour or (per_minute and per_minute * 60 <= per_hour):
        return datetime.timedelta(minutes=number / per_minute), per_minute
    # Each full hour lets its count leave, then waits; what is left of the last one goes at the minute's pace.
    full_hours = max(number - 1, 0) // per_hour
    rest = number - full_hours * per_hour
    last = datetime.timedelta(minutes=rest / per_minute) if per_minute else datetime.timedelta()
    return full_hours * HOUR + last, max(per_hour // 60, 1)
