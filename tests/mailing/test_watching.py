"""TECHNICAL_EMAIL is notified once when something falls silent or fills up, and once when it is over."""

import datetime
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from mailing import watching
from mailing.heartbeats import MAILER, RETURNS, WORKER, record_heartbeat
from mailing.models import Message, WorkerPulse
from mailing.watching import DAY, time_until_full, watch_from_mailer, watch_from_worker
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def installation(settings: Any, tmp_path: Path) -> None:
    """Somebody is named; mails are files; nothing was missed or measured yet."""
    settings.TECHNICAL_EMAIL = "informatique@exemple.fr"
    settings.TASKS_BACKEND = "database"
    settings.MAILERS = {"default": {"BACKEND": "mailing.files.EmlFileBackend", "OPTIONS": {"directory": str(tmp_path)}}}
    watching._missed.clear()
    cache.delete(watching._SAMPLES)


def subjects() -> list[str]:
    """Of the mails written, in their order."""
    return list(Message.objects.order_by("created_at").values_list("subject", flat=True))


def test_a_silent_worker_is_reported_once_and_its_return_once() -> None:
    record_heartbeat("worker-1", WORKER)
    let_pass(61 * MINUTE, WorkerPulse)
    start = timezone.now() - 61 * MINUTE
    watch_from_mailer(start + 4 * MINUTE)
    assert subjects() == []
    for minutes in (6, 7, 60):
        watch_from_mailer(start + minutes * MINUTE)
    assert len(subjects()) == 1
    assert "run_worker" in subjects()[0]

    record_heartbeat("worker-1", WORKER)
    for _look in range(2):
        watch_from_mailer(start + 61 * MINUTE)
    assert len(subjects()) == 2
    assert "c’est réglé" in subjects()[1]

    watch_from_mailer(start + 90 * MINUTE)
    assert len(subjects()) == 3


def test_the_mail_about_a_silent_mailer_leaves_by_the_worker(tmp_path: Path) -> None:
    start = timezone.now()
    record_heartbeat("mailer-1", MAILER)
    watch_from_worker(start + 6 * MINUTE)
    [message] = Message.objects.all()
    assert message.state == Message.State.WRITTEN
    assert "send_queued_mail" in next(tmp_path.glob("*.eml")).read_bytes().decode("utf-8", "replace")


def test_a_mailer_that_never_was_is_missed_after_a_while() -> None:
    start = timezone.now()
    watch_from_worker(start)
    assert subjects() == []
    watch_from_worker(start + 6 * MINUTE)
    assert len(subjects()) == 1


def test_unread_returned_mails_are_reported_where_a_mailbox_is_named(settings: Any) -> None:
    start = timezone.now()
    record_heartbeat("returns", RETURNS)
    for now in (start + 3 * 60 * MINUTE, start + 4 * 60 * MINUTE):
        record_heartbeat("mailer-1", MAILER)
        watch_from_worker(now)
    assert not any("read_bounces" in subject for subject in subjects())
    settings.IMAP_URL = "imaps://retours@imap.exemple.fr/INBOX"
    watch_from_worker(start + 4 * 60 * MINUTE)
    assert any("read_bounces" in subject for subject in subjects())


@pytest.mark.parametrize(
    ("free_by_day", "days"),
    [
        ([100 - 10 * day for day in range(6)], 5.0),
        ([100.0] * 6, None),
        ([100 + day for day in range(6)], None),
        ([100 - 10 * day for day in range(5)], None),  # too few to show a habit
    ],
)
def test_a_slope_predicts_when_the_disk_is_full(free_by_day: list[float], days: float | None) -> None:
    left = time_until_full([(day * DAY.total_seconds(), free) for day, free in enumerate(free_by_day)])
    assert (None if left is None else left / DAY) == pytest.approx(days)


def test_a_disk_that_fills_is_reported_once_and_its_end_once(monkeypatch: pytest.MonkeyPatch) -> None:
    start, free = timezone.now(), 50_000_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**11, 10**11 - free, free))
    for hour in range(10):
        record_heartbeat("mailer-1", MAILER)
        free -= 200_000_000
        watching._check_disk(start + hour * 60 * MINUTE)
    [subject] = subjects()
    assert "disque" in subject
    assert "sera plein dans" in Message.objects.get().text
    for hour in range(10, 200):
        free = 90_000_000_000
        watching._check_disk(start + hour * 60 * MINUTE)
    assert ["c’est réglé" in subject for subject in subjects()] == [False, True]


def test_where_no_address_is_named_nothing_is_written(settings: Any) -> None:
    settings.TECHNICAL_EMAIL = ""
    record_heartbeat("mailer-1", MAILER)
    watch_from_worker(timezone.now() + 60 * MINUTE)
    assert subjects() == []
