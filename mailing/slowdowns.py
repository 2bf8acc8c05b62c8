"""A provider that says «too many» gets less: a pace of its own, which no other destination feels.

The first refusal holds the destination back and lets one mail leave per interval; each further one doubles the
interval, each mail that is taken shortens it, until nothing is left of it. What a server tells («200 par heure») holds
for a day. What is known stands in one row per destination, so that several mailers agree; callers hold the lock of the
outbox while they take a place.
"""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from mailing.destinations import destination_of, domains_of
from mailing.models import DestinationPace, Message

EVERYWHERE = ""  # the relay itself: all destinations together
FIRST_SECONDS, LEAST_SECONDS, MOST_SECONDS = 20.0, 2.0, 3600.0
FIRST_PAUSE = datetime.timedelta(seconds=30)
SLOWER, FASTER = 2.0, 0.8
# Connections that are refused at one moment are one refusal.
ONE_REFUSAL = datetime.timedelta(seconds=5)
FORGOTTEN_AFTER = datetime.timedelta(days=1)
# So many destinations slowed within this time: it is our relay that is asked too much of.
RELAY_AFTER, RELAY_WITHIN = 4, datetime.timedelta(minutes=10)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UNIT = (
    r"(?:(?P<s>s(?:ec\w*)?)|(?P<m>min\w*)|(?P<h>h(?:ours?|eures?)?|stunden?|horas?|or[ae])"
    r"|(?P<d>days?|jours?|tage?|d[ií]as?|giorn[oi]))\b"
)
_RATE = re.compile(
    r"(?P<count>\d{1,6})[^\d.;]{0,30}?(?:/|\b(?:per|par|pro|por|al|all|each|every)\b) ?(?:l['’])?" + _UNIT,
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:again|retry|r[eé]essay\w*|wait|attend\w*|warten|erneut|espere|attendere)\D{0,30}(?P<count>\d{1,5}) ?" + _UNIT,
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Slowdown:
    """A destination that gets mails one by one: every ``seconds``, the next at ``next_at``; what its server said."""

    destination: str
    seconds: float
    next_at: datetime.datetime
    reply: str

    @property
    def name(self) -> str:
        """«Orange», «client.example», or all of them."""
        return self.destination or _("toutes les destinations")

    @property
    def speed(self) -> str:
        """«3 par minute», «12 par heure»."""
        if self.seconds <= 60:
            return _("%(count)d par minute") % {"count": max(round(60 / self.seconds), 1)}
        return _("%(count)d par heure") % {"count": max(round(3600 / self.seconds), 1)}

    @property
    def recipients(self) -> Q:
        """The mails that go there."""
        if self.destination == EVERYWHERE:
            return Q()
        return Q(*(("recipient__iendswith", f"@{domain}") for domain in domains_of(self.destination)), _connector=Q.OR)

    def duration(self, mails: int, now: datetime.datetime) -> datetime.timedelta:
        """How long so many mails take from ``now`` on."""
        if not mails:
            return datetime.timedelta()
        wait = max(self.next_at - now, datetime.timedelta())
        return wait + datetime.timedelta(seconds=self.seconds) * (mails - 1)


def in_force(now: datetime.datetime) -> list[Slowdown]:
    """The destinations that are slowed at ``now``, by name."""
    rows = DestinationPace.objects.filter(slowed_at__gt=now - FORGOTTEN_AFTER).order_by("destination")
    return [Slowdown(row.destination, row.seconds, row.next_at, row.reply) for row in rows]


def leave_out_held[M: QuerySet[Message]](messages: M, slowed: Iterable[Slowdown], now: datetime.datetime) -> M | None:
    """``messages`` whose destination may have one at ``now``; None where none may."""
    held = [one for one in slowed if one.next_at > now]
    if any(one.destination == EVERYWHERE for one in held):
        return None
    for one in held:
        messages = messages.exclude(one.recipients)
    return messages


def take_place(recipient: str, now: datetime.datetime) -> None:
    """A mail to ``recipient`` leaves: the next one to its destination waits its interval."""
    for row in _rows_of(recipient):
        row.next_at = now + datetime.timedelta(seconds=row.seconds)
        row.save(update_fields=["next_at"])


def note_taken(recipient: str) -> None:
    """A server took a mail to ``recipient``: its destination gets them faster, down to what its server told."""
    rows = _rows_of(recipient)
    if not rows.exists():
        return
    rows.filter(told_seconds=0, seconds__lt=LEAST_SECONDS / FASTER).delete()
    rows.filter(seconds__gt=F("told_seconds")).update(seconds=F("seconds") * FASTER)
    rows.filter(seconds__lt=F("told_seconds")).update(seconds=F("told_seconds"))


def note_limit(recipient: str, reply: str, now: datetime.datetime) -> None:
    """The server of ``recipient`` asked for fewer mails with ``reply``."""
    destination = destination_of(recipient)
    _slow(destination, reply, now)
    others = DestinationPace.objects.filter(slowed_at__gt=now - RELAY_WITHIN).exclude(destination=EVERYWHERE)
    if others.count() >= RELAY_AFTER:
        _slow(EVERYWHERE, reply, now)


def forget(now: datetime.datetime) -> None:
    """Delete what is no longer in force."""
    DestinationPace.objects.filter(slowed_at__lte=now - FORGOTTEN_AFTER).delete()


def told_interval(reply: str) -> float:
    """The seconds between two mails that a reply asks for («200 par heure»: 18); 0 where it tells none."""
    found = _RATE.search(reply)
    if found is None or not int(found["count"]):
        return 0.0
    return _seconds(found) / int(found["count"])


def _told_pause(reply: str) -> datetime.timedelta:
    found = _WAIT.search(reply)
    if found is None:
        return FIRST_PAUSE
    return datetime.timedelta(seconds=min(int(found["count"]) * _seconds(found), MOST_SECONDS))


def _seconds(found: re.Match[str]) -> int:
    return next(seconds for unit, seconds in _UNITS.items() if found[unit])


def _rows_of(recipient: str) -> QuerySet[DestinationPace]:
    return DestinationPace.objects.filter(destination__in=(EVERYWHERE, destination_of(recipient)))


def _slow(destination: str, reply: str, now: datetime.datetime) -> None:
    told = told_interval(reply)
    seconds = max(told, LEAST_SECONDS) if told else FIRST_SECONDS
    first = {
        "seconds": seconds,
        "told_seconds": told,
        "slowed_at": now,
        "next_at": now + _told_pause(reply),
        "reply": reply[:500],
    }
    row, is_new = DestinationPace.objects.select_for_update().get_or_create(destination=destination, defaults=first)
    if is_new:
        return
    if row.slowed_at < now - FORGOTTEN_AFTER:
        row.seconds, row.told_seconds = seconds, told
    elif row.slowed_at < now - ONE_REFUSAL:
        row.seconds = min(max(row.seconds * SLOWER, told), MOST_SECONDS)
        row.told_seconds = max(row.told_seconds, told)
    row.slowed_at, row.reply = now, reply[:500]
    row.next_at = now + max(datetime.timedelta(seconds=row.seconds), _told_pause(reply))
    row.save()
