"""Signs of life: each process says every few seconds that it lives, and screens say when one fell silent."""

import datetime
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from mailing.models import WorkerPulse

PULSE_LIFETIME = datetime.timedelta(days=1)
# The roles under which processes give signs of life; the reading of returned mails does when it has run.
WORKER, MAILER, RETURNS = "export", "mail", "returns"


@dataclass(frozen=True)
class Heartbeat:
    """The last sign of life of a process."""

    name: str
    role: str
    seen_at: datetime.datetime


def record_heartbeat(name: str, role: str) -> None:
    """Say that the process ``name`` (machine and number) lives and does ``role``; call it every few seconds."""
    now = timezone.now()
    WorkerPulse.objects.update_or_create(name=name, defaults={"role": role, "seen_at": now})
    WorkerPulse.objects.filter(seen_at__lt=now - PULSE_LIFETIME).delete()


def remove_heartbeat(name: str) -> None:
    """Forget the process ``name``, which ends in good order."""
    WorkerPulse.objects.filter(name=name).delete()


def last_heartbeat(role: str = "") -> Heartbeat | None:
    """The latest sign of life, of any process or of those doing ``role``; None where there was none."""
    row = WorkerPulse.objects.filter(Q(role=role) if role else Q()).first()
    return Heartbeat(row.name, row.role, row.seen_at) if row else None
