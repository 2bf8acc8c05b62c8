"""When the outbox will be empty, and how long some more mails would take: plain values for screens."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing import breaker, slowdowns
from mailing.models import Message
from mailing.outbox import why_nothing_leaves
from mailing.pace import time_to_send
from mailing.reasons import Reason

# How far back the speed is measured where no limit is set, and by how many mails at most: a page waits for it.
SPEED_WINDOW = datetime.timedelta(minutes=10)
MOST_MEASURED = 10_000


@dataclass(frozen=True)
class SlowedForecast:
    """A destination that asked for fewer mails: how many wait for it, and when the last of them will have left."""

    slowdown: slowdowns.Slowdown
    pending: int
    end_at: datetime.datetime

    def __str__(self) -> str:
        """«Orange : 340 mails, 3 par minute, fin vers 16 h 10»."""
        words = {"name": self.slowdown.name, "mails": _mails(self.pending), "speed": self.slowdown.speed}
        if not self.pending:
            return _("%(name)s : %(speed)s") % words
        return _("%(name)s : %(mails)s, %(speed)s, %(end)s") % {**words, "end": _end(self.end_at)}


@dataclass(frozen=True)
class Forecast:
    """When the outbox will be empty: ``pending`` mails, at ``per_minute``; no end (None) where nothing leaves.

    ``per_minute`` is the limit that counts, or the speed of the last minutes, or None. ``slowed`` are the destinations
    that get their mails more slowly than that.
    """

    pending: int
    per_minute: int | None
    end_at: datetime.datetime | None
    slowed: tuple[SlowedForecast, ...] = ()
    resumption: str = ""  # «la limite passe vers 15 h 10», where our relay's limit is reached

    def __str__(self) -> str:
        """«1 000 mails à 120 par minute : fin vers 14 h 08», in local time."""
        words = _mails(self.pending)
        if self.per_minute is not None:
            words = _("%(mails)s à %(speed)s par minute") % {"mails": words, "speed": self.per_minute}
        if self.end_at is None or not self.pending:
            return words
        return _("%(mails)s : %(end)s") % {"mails": words, "end": _end(self.end_at)}


def _mails(number: int) -> str:
    count = f"{number:,}".replace(",", "\u202f")
    return (_("%(count)s mail") if number < 2 else _("%(count)s mails")) % {"count": count}


def _end(moment: datetime.datetime) -> str:
    """«fin vers 14 h 08», with the date where it is another day, in local time."""
    return _("fin %(when)s") % {"when": _towards(moment)}


def _towards(moment: datetime.datetime) -> str:
    """«vers 14 h 08», «le 27/11/2026 vers 14 h 08», in local time."""
    local = timezone.localtime(moment)
    time = f"{local:%-H\u00a0h\u00a0%M}"
    if timezone.localdate(moment) == timezone.localdate():
        return _("vers %(time)s") % {"time": time}
    return _("le %(date)s vers %(time)s") % {"date": f"{local:%d/%m/%Y}", "time": time}


def forecast(now: datetime.datetime) -> Forecast:
    """When the mails that wait at ``now`` will have left."""
    pending = Message.objects.pending().count()
    paused, rest = why_nothing_leaves()
    passing = _passing(rest, now)
    begin = passing.at if passing is not None else now
    is_halted = paused is not None or (rest is not None and passing is None)
    slowed = slowed_at(now)
    last_end = max((one.end_at for one in slowed if one.pending), default=now)
    resumption = str(passing or "")
    limited = time_to_send(pending)
    if limited is not None:
        duration, per_minute = limited
    else:
        recent = Message.objects.filter(accepted_at__gt=now - SPEED_WINDOW, accepted_at__lte=now)
        latest = recent.order_by("-accepted_at").values("accepted_at")[:MOST_MEASURED]
        measured = latest.aggregate(count=Count("accepted_at"), first=Min("accepted_at"))
        covers_all = sum(one.pending for one in slowed) >= pending > 0
        if not measured["count"] or (passing is not None and covers_all):
            is_known = not is_halted and covers_all
            return Forecast(pending, None, last_end if is_known else None, slowed, resumption)
        minutes = max((now - measured["first"]).total_seconds() / 60, 1)
        per_minute = max(round(measured["count"] / minutes), 1)
        duration = datetime.timedelta(minutes=pending / per_minute)
    end_at = None if is_halted else max(begin + duration, last_end)
    return Forecast(pending, per_minute, end_at, slowed, resumption)


@dataclass(frozen=True)
class _Passing:
    """When the limit of our relay lets mails leave again; ``is_latest`` where that is not later, and maybe earlier."""

    at: datetime.datetime
    is_latest: bool

    def __str__(self) -> str:
        words = _("l’envoi reprend %(when)s au plus tard") if self.is_latest else _("l’envoi reprend %(when)s")
        return words % {"when": _towards(self.at)}


def _passing(rest: breaker.Rest | None, now: datetime.datetime) -> _Passing | None:
    """When ``rest`` passes by itself: a limit in a sliding window, by what left within it; None for other reasons."""
    if rest is None or rest.reason is not Reason.QUOTA:
        return None
    limit = slowdowns.stated_limit(rest.reply)
    # A limit without figures is one of a day: hours would have passed before (Gmail 5.4.5, Microsoft 5.1.90).
    count, span = limit or (None, slowdowns.DAY)
    left = slowdowns.departures(rest.since - span, rest.since, count)
    opens_at = (left[-1] if left else rest.since) + span
    # Where fewer left through us than the limit allows, somebody else uses the account too: it may pass sooner.
    return _Passing(opens_at if opens_at > now else rest.trial_at, is_latest=len(left) != count)


def describe_rest_end(now: datetime.datetime) -> str:
    """«l’envoi reprend vers 15 h 10» where the limit of our relay is reached; "" otherwise."""
    return str(_passing(breaker.current_rest(), now) or "")


def slowed_at(now: datetime.datetime) -> tuple[SlowedForecast, ...]:
    """The destinations that asked for fewer mails, with what waits for each at ``now``."""
    slowdowns_in_force = slowdowns.in_force(now)
    begin = _begin(now) if slowdowns_in_force else None
    found = []
    for one in slowdowns_in_force:
        waiting = Message.objects.pending().filter(one.recipients).count()
        found.append(SlowedForecast(one, waiting, now + one.duration(waiting, now, begin)))
    return tuple(found)


def _begin(now: datetime.datetime) -> datetime.datetime | None:
    passing = _passing(breaker.current_rest(), now)
    return passing.at if passing is not None else None


def describe_sending_time(mails: int, by_destination: Mapping[str, int] | None = None) -> str:
    """«envoi en 2 h 05 à 120 par minute ; Orange ralentit : 340 mails en 1 h 53» for so many mails more.

    ``by_destination`` says how many of them go where; those that a slowed destination waits for already come first.
    Empty without mails, or where no pace is set and none is asked for.
    """
    if not mails:
        return ""
    sentences = []
    found = time_to_send(mails)
    if found is not None:
        words = {"duration": _duration(found[0]), "speed": found[1]}
        sentences.append(_("envoi en %(duration)s à %(speed)s par minute") % words)
    now = timezone.now()
    if resumption := describe_rest_end(now):
        sentences.append(
            _("la limite d’envoi de notre compte est atteinte, %(resumption)s") % {"resumption": resumption}
        )
    begin = _begin(now)
    for one in slowed_at(now) if by_destination else ():
        where = one.slowdown.destination
        number = mails if where == slowdowns.EVERYWHERE else (by_destination or {}).get(where, 0)
        if number:
            length = one.slowdown.duration(one.pending + number, now, begin)
            sentence = (
                _("notre relais prend %(speed)s : %(mails)s en %(duration)s")
                if where == slowdowns.EVERYWHERE
                else _("%(name)s ralentit : %(mails)s en %(duration)s")
            )
            sentences.append(
                sentence
                % {
                    "name": one.slowdown.name,
                    "speed": one.slowdown.speed,
                    "mails": _mails(number),
                    "duration": _duration(length),
                }
            )
    return " ; ".join(sentences)


def _duration(length: datetime.timedelta) -> str:
    """«2 h 05», «8 min»."""
    minutes = max(math.ceil(length.total_seconds() / 60), 1)
    hours, rest = divmod(minutes, 60)
    return f"{hours}\u00a0h\u00a0{rest:02}" if hours else f"{minutes}\u00a0min"
