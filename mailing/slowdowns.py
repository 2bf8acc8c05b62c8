"""A provider that says «too many» gets less: a pace of its own, which no other destination feels.

The first refusal holds the destination back and lets one mail leave per interval; each further one doubles the
interval, each mail that is taken shortens it, until nothing is left of it. What a server states («200 par heure») holds
for a day. What is known is in one row per destination, so that several mailers agree; callers hold the lock of the
outbox while they take a place.
"""

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from mailing import leases
from mailing.destinations import destination_of, domains_of
from mailing.models import DestinationPace, Message

EVERYWHERE = ""  # the relay itself: all destinations together
FIRST_SECONDS, LEAST_SECONDS, MOST_SECONDS = 20.0, 2.0, 3600.0
FIRST_PAUSE = datetime.timedelta(seconds=30)
SLOWER, FASTER = 2.0, 0.8
# Connections that are refused at one moment are one refusal.
ONE_REFUSAL = datetime.timedelta(seconds=5)
HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
FORGOTTEN_AFTER = DAY
# So many destinations slowed within this time: it is our relay that is asked too much of.
RELAY_AFTER, RELAY_WITHIN = 4, datetime.timedelta(minutes=10)

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_UNIT = (
    r"(?:(?P<s>s(?:ec\w*)?)|(?P<m>min\w*)|(?P<h>h(?:ours?|eures?|rs?)?|stunden?|horas?|or[ae])"
    r"|(?P<d>days?|jours?|tage?|d[ií]as?|giorn[oi]))\b"
)
# The codes of a reply are no counts: «450 Too many mails per hour».
_CODES = re.compile(r"(?:^|(?<= : ))[245]\d\d(?=[ -])|(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_COUNT = r"(?<![\d.,])(?P<count>\d{1,3}(?:[ ,.\u00a0\u202f'’]\d{3})+|\d{1,6})(?![\d%])"
_RATE = re.compile(
    _COUNT + r"[^\d.;,]{0,30}?(?:/|\b(?:per|par|pro|por|al|all|each|every|in|within|over|en|dans|innerhalb|je)\b) ?"
    r"(?:(?:l['’]|la|les?|the|an?|one|una?|der|last|past|derni[eè]re?s?|letzten|[uú]ltim[ao]s?) ?){0,2}"
    r"(?P<span>\d{1,3})? ?" + _UNIT,
    re.IGNORECASE,
)
# «Hourly limit of 200», «limite horaire : 200».
_PERIODIC = re.compile(
    r"\b(?:(?P<m>minutely)|(?P<h>hourly|horaire|st[uü]ndlich\w*|orari[oa]|por hora|per hour|par heure)"
    r"|(?P<d>daily|journali\w+|quotidien\w*|t[aä]glich\w*|diari[oa]|giornalier[oa]|per day|par jour))\b"
    r"(?P<s>)[^\d.;]{0,40}?" + _COUNT,
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:again|retry|r[eé]essay\w*|wait|attend\w*|warten|erneut|espere|attendere)\D{0,30}(?P<count>\d{1,5}) ?" + _UNIT,
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Slowdown:
    """A destination that gets mails one by one: every ``seconds``, the next at ``next_at``; what its server said.

    ``window`` is what our own relay takes of all destinations together: so many mails within so long.
    """

    destination: str
    seconds: float
    next_at: datetime.datetime
    reply: str
    window: tuple[int, datetime.timedelta] | None = None

    @property
    def name(self) -> str:
        """«Orange», «client.example», or all of them."""
        return self.destination or _("toutes les destinations")

    @property
    def speed(self) -> str:
        """«3 par minute», «12 par heure», «2 000 par jour»."""
        if self.window is not None and self.window[1] >= DAY:
            return _("%(count)d par jour") % {"count": round(self.window[0] * (DAY / self.window[1]))}
        if self.window is not None and self.window[1] >= HOUR:
            return _("%(count)d par heure") % {"count": round(self.window[0] * (HOUR / self.window[1]))}
        if self.seconds <= 60:
            return _("%(count)d par minute") % {"count": max(round(60 / self.seconds), 1)}
        return _("%(count)d par heure") % {"count": max(round(3600 / self.seconds), 1)}

    @property
    def recipients(self) -> Q:
        """The mails that go there."""
        if self.destination == EVERYWHERE:
            return Q()
        return Q(*(("recipient__iendswith", f"@{domain}") for domain in domains_of(self.destination)), _connector=Q.OR)

    def duration(
        self, mails: int, now: datetime.datetime, not_before: datetime.datetime | None = None
    ) -> datetime.timedelta:
        """How long so many mails take from ``now`` on, where none leaves before ``not_before``."""
        if not mails:
            return datetime.timedelta()
        begin = max(now, not_before or now)
        if self.window is not None:
            return max(begin, _last_departure(self.window, mails, now)) - now
        wait = max(self.next_at, begin) - now
        return wait + datetime.timedelta(seconds=self.seconds) * (mails - 1)


def in_force(now: datetime.datetime) -> list[Slowdown]:
    """The destinations that are slowed at ``now``, by name."""
    rows = DestinationPace.objects.filter(slowed_at__gt=now - FORGOTTEN_AFTER).order_by("destination")
    return [Slowdown(row.destination, row.seconds, row.next_at, row.reply, _window_of(row)) for row in rows]


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
        window = _window_of(row)
        row.next_at = now + datetime.timedelta(seconds=row.seconds) if window is None else _opens_at(window, now)
        row.save(update_fields=["next_at"])


def note_taken(recipient: str) -> None:
    """A server took a mail to ``recipient``: its destination gets them faster, down to what its server stated."""
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


def note_relay_limit(reply: str, now: datetime.datetime) -> None:
    """Our own relay stated its limit with ``reply``: all mails together keep to it, once the outbox rests no more."""
    stated = stated_interval(reply)
    values = {"seconds": stated, "told_seconds": stated, "slowed_at": now, "next_at": now, "reply": reply[:500]}
    DestinationPace.objects.update_or_create(destination=EVERYWHERE, defaults=values)


def _window_of(row: DestinationPace) -> tuple[int, datetime.timedelta] | None:
    """What our relay takes within how long, where it stated a limit and nothing has made the pace slower since."""
    is_stated = row.destination == EVERYWHERE and row.told_seconds > 0 and row.seconds == row.told_seconds
    return stated_limit(row.reply) if is_stated else None


def _opens_at(window: tuple[int, datetime.timedelta], now: datetime.datetime) -> datetime.datetime:
    """When one mail more may leave, with those in hand, so that no ``window`` holds too many."""
    count, span = window
    in_hand = Message.objects.filter(leases.is_held(now), state=Message.State.SENDING).count()
    if in_hand >= count:
        return now + span / count
    left = departures(now - span, now, count - in_hand)
    return left[-1] + span if len(left) == count - in_hand else now


def _last_departure(window: tuple[int, datetime.timedelta], mails: int, now: datetime.datetime) -> datetime.datetime:
    """When the last of so many ``mails`` leaves: each takes the place of one that leaves the window."""
    count, span = window
    left = departures(now - span, now, count)
    free = count - len(left)
    if mails <= free:
        return now
    turns, place = divmod(mails - free - 1, count)
    return (*reversed(left), *[now] * free)[place] + span * (turns + 1)


def departures(since: datetime.datetime, until: datetime.datetime, most: int | None = None) -> list[datetime.datetime]:
    """When servers took mails, after ``since`` until ``until``: the last first, and ``most`` of them."""
    rows = Message.objects.filter(accepted_at__gt=since, accepted_at__lte=until).order_by("-accepted_at")
    return [moment for moment in rows.values_list("accepted_at", flat=True)[:most] if moment is not None]


def forget(now: datetime.datetime) -> None:
    """Delete what is no longer in force."""
    DestinationPace.objects.filter(slowed_at__lte=now - FORGOTTEN_AFTER).delete()


def stated_limit(reply: str) -> tuple[int, datetime.timedelta] | None:
    """How many mails within how long a reply allows («200 par heure»); None where it does not say."""
    plain = _CODES.sub(" ", reply)
    found = _RATE.search(plain) or _PERIODIC.search(plain)
    count = int(re.sub(r"\D", "", found["count"])) if found else 0
    if found is None or not count:
        return None
    periods = int(found["span"] or 1) if "span" in found.re.groupindex else 1
    return count, datetime.timedelta(seconds=_seconds(found) * max(periods, 1))


def stated_interval(reply: str) -> float:
    """The seconds between two mails that a reply asks for («200 par heure»: 18); 0 where it states none."""
    limit = stated_limit(reply)
    return limit[1].total_seconds() / limit[0] if limit else 0.0


def _stated_pause(reply: str) -> datetime.timedelta:
    found = _WAIT.search(reply)
    if found is None:
        return FIRST_PAUSE
    return datetime.timedelta(seconds=min(int(found["count"]) * _seconds(found), MOST_SECONDS))


def _seconds(found: re.Match[str]) -> int:
    return next(seconds for unit, seconds in _UNITS.items() if found[unit])


def _rows_of(recipient: str) -> QuerySet[DestinationPace]:
    return DestinationPace.objects.filter(destination__in=(EVERYWHERE, destination_of(recipient)))


def _slow(destination: str, reply: str, now: datetime.datetime) -> None:
    stated = stated_interval(reply)
    seconds = max(stated, LEAST_SECONDS) if stated else FIRST_SECONDS
    first = {
        "seconds": seconds,
        "told_seconds": stated,
        "slowed_at": now,
        "next_at": now + _stated_pause(reply),
        "reply": reply[:500],
    }
    row, is_new = DestinationPace.objects.select_for_update().get_or_create(destination=destination, defaults=first)
    if is_new:
        return
    if row.slowed_at < now - FORGOTTEN_AFTER:
        row.seconds, row.told_seconds = seconds, stated
    elif row.slowed_at < now - ONE_REFUSAL:
        row.seconds = min(max(row.seconds * SLOWER, stated), MOST_SECONDS)
        row.told_seconds = max(row.told_seconds, stated)
    row.slowed_at, row.reply = now, reply[:500]
    row.next_at = now + max(datetime.timedelta(seconds=row.seconds), _stated_pause(reply))
    row.save()
