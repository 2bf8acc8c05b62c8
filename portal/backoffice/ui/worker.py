"""Whether the processes of the background give signs of life."""

from django.utils import timezone

from mailing.outbox import last_pulse

SILENT_AFTER_SECONDS = 60


def is_worker_silent() -> bool:
    """True where no process of the background has given a sign of life for a minute."""
    pulse = last_pulse("export")
    return pulse is None or (timezone.now() - pulse.seen_at).total_seconds() > SILENT_AFTER_SECONDS
