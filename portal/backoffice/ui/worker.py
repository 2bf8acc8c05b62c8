"""Whether the processes of the background give signs of life: asked here, and nowhere else."""

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from mailing.heartbeats import MAILER as MAILER
from mailing.heartbeats import WORKER as WORKER
from mailing.heartbeats import last_heartbeat

SILENT_AFTER = datetime.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Silence:
    """A process that gives no sign of life: since when, None where it never gave any."""

    since: datetime.datetime | None


def find_silence(role: str, now: datetime.datetime) -> Silence | None:
    """The silence at ``now`` of the processes of ``role``; None where one was seen within a minute, or none is needed.

    No worker is needed where tasks run at once, in the process that asks.
    """
    if role == WORKER and settings.TASKS_BACKEND == "immediate":
        return None
    heartbeat = last_heartbeat(role)
    if heartbeat is None:
        return Silence(None)
    return Silence(heartbeat.seen_at) if now - heartbeat.seen_at > SILENT_AFTER else None


def is_worker_silent(now: datetime.datetime | None = None) -> bool:
    """True where the work of the background waits: no worker was seen in the minute before ``now``."""
    return find_silence(WORKER, now or timezone.now()) is not None
