"""Signs of life: each process says every few seconds that it lives, and screens say when one fell silent."""

import datetime
import logging
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from mailing.leases import database_now
from mailing.models import WorkerPulse

PULSE_LIFETIME = datetime.timedelta(days=1)
# A container that is made again has another name: the one before it gives no sign any more.
LIVING = datetime.timedelta(minutes=5)
# The roles under which processes give signs of life; the reading of returned mails does when it has run.
WORKER, MAILER, RETURNS = "export", "mail", "returns"
# Clocks that are kept by NTP differ by less; a certificate, a code of a telephone and a token still hold.
MOST_CLOCK_OFFSET = datetime.timedelta(seconds=30)
_warned: set[str] = set()
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Heartbeat:
    """The last sign of life of a process."""

    name: str
    role: str
    seen_at: datetime.datetime


def record_heartbeat(name: str, role: str) -> None:
    """Say that the process ``name`` (machine and number) lives and does ``role``; call it every few seconds.

    The moment is of the database's clock: a machine whose clock is late is not silent.
    """
    offset = measure_clock_offset()
    now = timezone.now() - offset
    _warn_of_clock(name, offset)
    said = {"clock_offset": offset.total_seconds(), "time_zone": settings.TIME_ZONE}
    WorkerPulse.objects.update_or_create(name=name, defaults={"role": role, "seen_at": now, **said})
    WorkerPulse.objects.filter(seen_at__lt=now - PULSE_LIFETIME).delete()


def remove_heartbeat(name: str) -> None:
    """Forget the process ``name``, which ends in good order."""
    WorkerPulse.objects.filter(name=name).delete()


def last_heartbeat(role: str = "") -> Heartbeat | None:
    """The latest sign of life, of any process or of those doing ``role``; None where there was none."""
    row = WorkerPulse.objects.filter(Q(role=role) if role else Q()).first()
    return Heartbeat(row.name, row.role, row.seen_at) if row else None


def _warn_of_clock(name: str, offset: datetime.timedelta) -> None:
    """Log that the clock of this machine is off, once until it is right again."""
    is_off = abs(offset) > MOST_CLOCK_OFFSET
    if is_off and name not in _warned:
        logger.warning("%s: this clock is %.0f s ahead of the database's", name, offset.total_seconds())
        _warned.add(name)
    elif not is_off:
        _warned.discard(name)


def measure_clock_offset() -> datetime.timedelta:
    """How far the clock of this machine is ahead of the database's; what the question took counts for neither."""
    before = timezone.now()
    theirs = database_now()
    after = timezone.now()
    return before + (after - before) / 2 - theirs


def living_machines() -> list[str]:
    """The names of the machines whose processes gave a sign of life within :data:`LIVING`, sorted."""
    living = WorkerPulse.objects.filter(seen_at__gte=timezone.now() - LIVING)
    return sorted({name.partition(":")[0] for name in living.values_list("name", flat=True)})


def find_wrong_clocks(now: datetime.datetime) -> dict[str, datetime.timedelta]:
    """How far each machine that lives at ``now`` (of the database) and whose clock is off is ahead of it, by name."""
    living = WorkerPulse.objects.filter(seen_at__gte=now - LIVING).values_list("name", "clock_offset")
    offsets = {name.partition(":")[0]: datetime.timedelta(seconds=offset or 0) for name, offset in living}
    return {name: offset for name, offset in sorted(offsets.items()) if abs(offset) > MOST_CLOCK_OFFSET}


def find_disagreeing_machines() -> dict[str, tuple[datetime.timedelta, str]]:
    """The machines whose clock is off, or whose time zone is not ours: how far ahead, and their zone, by name."""
    rows = WorkerPulse.objects.exclude(clock_offset=None).values_list("name", "clock_offset", "time_zone")
    return {
        name.partition(":")[0]: (datetime.timedelta(seconds=offset or 0), zone)
        for name, offset, zone in rows
        if abs(offset or 0) > MOST_CLOCK_OFFSET.total_seconds() or zone != settings.TIME_ZONE
    }
