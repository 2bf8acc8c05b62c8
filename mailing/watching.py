"""What is watched, and reported by mail to TECHNICAL_EMAIL: once when it begins, once when it is over.

The worker watches the mailer, the reading of returned mails and the disk; the mailer the worker. What was reported
is read from the outbox, so it is reported once whichever process finds it.
"""

import datetime
import logging
import shutil
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from mailing.alerts import draft_alert
from mailing.claims import claim_one, record
from mailing.heartbeats import MAILER, RETURNS, WORKER, last_heartbeat
from mailing.leases import database_now
from mailing.outbox import has_message_with_key, latest_key, write_messages
from mailing.sending import send_one
from mailing.transports import ServerHealth, make_transport

logger = logging.getLogger(__name__)

# A restart or an upgrade is no incident.
SILENT_AFTER = {
    WORKER: datetime.timedelta(minutes=5),
    MAILER: datetime.timedelta(minutes=5),
    RETURNS: datetime.timedelta(hours=2),
}
FEWEST_FREE_BYTES = 500_000_000
SAMPLE_EVERY = datetime.timedelta(hours=1)
SAMPLES_KEPT = 7 * 24
# A slope of less than that says nothing: an import is not a habit.
FEWEST_SAMPLES = 6
_SAMPLES = "mailing.watching.disk"
DAY = datetime.timedelta(days=1)
# Since when a process that never gave a sign of life is missed.
_missed: dict[str, datetime.datetime] = {}


def watch_from_worker(now: datetime.datetime) -> None:
    """Look at the mailer, at the reading of returned mails and at the disk of documents."""
    if not settings.TECHNICAL_EMAIL:
        return
    steps: list[Callable[[], object]] = [lambda: _check_mailer(now), lambda: _check_disk(now)]
    if settings.IMAP_URL:
        steps.append(lambda: _check_role(RETURNS, now))
    for step in steps:
        try:
            step()
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # an alert that cannot be written or sent keeps no other one back
            logger.exception("What is watched cannot be reported")


def watch_from_mailer(now: datetime.datetime) -> None:
    """Look at the worker."""
    if settings.TECHNICAL_EMAIL and settings.TASKS_BACKEND != "immediate":
        _check_role(WORKER, now)


def documents_disk() -> "shutil._ntuple_diskusage | None":
    """The disk that documents are kept on; None where they are not kept on a disk of ours, or it does not answer."""
    if settings.DOCUMENTS_STORAGE_URL:
        return None
    folder = Path(settings.DOCUMENTS_ROOT)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        return shutil.disk_usage(existing)
    except OSError:
        return None


def time_until_full(samples: Sequence[tuple[float, float]]) -> datetime.timedelta | None:
    """When the disk will be full by the slope of ``samples`` (Unix time, bytes free); None where it does not fill."""
    if len(samples) < FEWEST_SAMPLES:
        return None
    slope = statistics.linear_regression(*zip(*samples, strict=True)).slope
    if slope >= 0 or (seconds := samples[-1][1] / -slope) > 10 * 365 * DAY.total_seconds():
        return None
    return datetime.timedelta(seconds=seconds)


def _check_mailer(now: datetime.datetime) -> None:
    if (key := _check_role(MAILER, now)).startswith("incident:"):
        _send_now(key)  # whoever should send it is silent


def _check_role(role: str, now: datetime.datetime) -> str:
    since = _silent_since(role, now)
    titles = {
        WORKER: _("les exports et imports (manage.py run_worker)"),
        MAILER: _("l’envoi des mails (manage.py send_queued_mail --loop)"),
        RETURNS: _("la lecture des mails revenus (manage.py read_bounces)"),
    }
    remedies = {
        WORKER: "systemctl status portail-worker",
        MAILER: "systemctl status portail-mailer",
        RETURNS: "systemctl status portail-returns.timer, manage.py read_bounces",
    }
    problem = ""
    if since is not None:
        problem = _("%(what)s : plus de signe de vie depuis le %(since)s.\n\nÀ regarder : %(remedy)s") % {
            "what": titles[role],
            "since": date_format(timezone.localtime(since), "d/m/Y H:i"),
            "remedy": remedies[role],
        }
    return _write_incident(role, titles[role], problem, moment=f"{since:%Y-%m-%dT%H:%M:%S}" if since else "")


def _silent_since(role: str, now: datetime.datetime) -> datetime.datetime | None:
    heartbeat = last_heartbeat(role)
    if heartbeat is None:
        since = _missed.setdefault(role, now)
    else:
        _missed.pop(role, None)
        since = heartbeat.seen_at
    return since if now - since > SILENT_AFTER[role] else None


def _check_disk(now: datetime.datetime) -> None:
    if (disk := documents_disk()) is None:
        return
    samples: list[tuple[float, float]] = cache.get(_SAMPLES) or []
    if not samples or now.timestamp() - samples[-1][0] >= SAMPLE_EVERY.total_seconds():
        samples = [*samples, (now.timestamp(), float(disk.free))][-SAMPLES_KEPT:]
        cache.set(_SAMPLES, samples, timeout=30 * DAY.total_seconds())
    left = time_until_full(samples)
    # What began ends later than it began, or a disk at the limit would write every hour.
    is_known = _open_incident("disk") != ""
    days, fewest = settings.DISK_ALERT_DAYS * (1.5 if is_known else 1), FEWEST_FREE_BYTES * (2 if is_known else 1)
    problem = ""
    if disk.free < fewest or (left is not None and left < days * DAY):
        problem = _("Il reste %(free)d Mo sur le disque des documents (%(folder)s).") % {
            "free": disk.free // 1_000_000,
            "folder": settings.DOCUMENTS_ROOT,
        }
        if left is not None:
            problem += " " + _("Au rythme des derniers jours, il sera plein dans %(days)d jours.") % {"days": left.days}
    _write_incident("disk", _("le disque des documents se remplit"), problem, moment=f"{now:%Y-%m-%d}")


def _open_incident(kind: str) -> str:
    """The key of the incident of ``kind`` that was reported and is not over; empty where there is none."""
    last = latest_key(f"incident:{kind}:")
    return "" if not last or has_message_with_key(f"over:{last}") else last


def _write_incident(kind: str, title: str, problem: str, *, moment: str) -> str:
    """Write the mail of an incident that begins (``problem`` says what) or is over; returns its key, or "" for none."""
    is_open = _open_incident(kind)
    if problem and not is_open:
        key, subject, text = f"incident:{kind}:{moment}", _("Portail de factures : %s") % title, problem
    elif is_open and not problem:
        key, subject = f"over:{is_open}", _("Portail de factures, c’est réglé : %s") % title
        text = _("L’incident signalé est terminé.")
    else:
        return ""
    write_messages([draft_alert(key, subject, f"{text}\n\n{settings.PORTAL_URL}/gestion/\n")])
    return key


def _send_now(key: str) -> None:
    """Send the mail of ``key`` from this process; where that fails it waits in the outbox like any other."""
    held = claim_one(key, now=database_now(), worker="watch", lease=settings.MAIL_LEASE)
    if held is None:
        return
    transport = make_transport(ServerHealth())
    try:
        record(held, send_one(held.message, transport), database_now())
    finally:
        transport.close()
