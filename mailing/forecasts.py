"""When the outbox will be empty, and how long some more mails would take: plain values for screens."""

import datetime
import math
from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing import breaker
from mailing.models import Message
from mailing.outbox import is_paused
from mailing.pace import time_to_send

# How far back the speed is measured where no limit is set.
SPEED_WINDOW = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class Forecast:
    """When the outbox will be empty: ``pending`` mails, at ``per_minute``; no end (None) where nothing leaves.

    ``per_minute`` is the limit that counts, or the speed of the last minutes, or None.
    """

    pending: int
    per_minute: int | None
    end_at: datetime.datetime | None

    def __str__(self) -> str:
        """«1 000 mails à 120 par minute : fin vers 14 h 08», in local time."""
        count = f"{self.pending:,}".replace(",", "\u202f")
        words = (_("%(count)s mail") if self.pending < 2 else _("%(count)s mails")) % {"count": count}
        if self.per_minute is not None:
            words = _("%(mails)s à %(speed)s par minute") % {"mails": words, "speed": self.per_minute}
        if self.end_at is None or not self.pending:
            return words
        end = timezone.localtime(self.end_at)
        if timezone.localdate(self.end_at) == timezone.localdate():
            return _("%(mails)s : fin vers %(time)s") % {"mails": words, "time": f"{end:%-H\u00a0h\u00a0%M}"}
        return _("%(mails)s : fin le %(date)s vers %(time)s") % {
            "mails": words,
            "date": f"{end:%d/%m/%Y}",
            "time": f"{end:%-H\u00a0h\u00a0%M}",
        }


def forecast(now: datetime.datetime) -> Forecast:
    """When the mails that wait at ``now`` will have left."""
    pending = Message.objects.pending().count()
    paused = is_paused() or breaker.current_rest() is not None
    limited = time_to_send(pending)
    if limited is not None:
        duration, per_minute = limited
    else:
        recent = Message.objects.filter(accepted_at__gt=now - SPEED_WINDOW, accepted_at__lte=now).aggregate(
            count=Count("pk"), first=Min("accepted_at")
        )
        if not recent["count"]:
            return Forecast(pending, None, None)
        minutes = max((now - recent["first"]).total_seconds() / 60, 1)
        per_minute = max(round(recent["count"] / minutes), 1)
        duration = datetime.timedelta(minutes=pending / per_minute)
    return Forecast(pending, per_minute, None if paused else now + duration)


def describe_sending_time(mails: int) -> str:
    """«envoi en 2 h 05 à 120 par minute» for so many mails; empty without mails, or where no pace is set."""
    found = time_to_send(mails) if mails else None
    if found is None:
        return ""
    minutes = max(math.ceil(found[0].total_seconds() / 60), 1)
    hours, rest = divmod(minutes, 60)
    duration = f"{hours}\u00a0h\u00a0{rest:02}" if hours else f"{minutes}\u00a0min"
    return _("envoi en %(duration)s à %(speed)s par minute") % {"duration": duration, "speed": found[1]}
