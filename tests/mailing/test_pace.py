"""The pace of sending holds in any sliding window, whoever sends; and the forecast says when it ends."""

import datetime
import heapq
import random
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from mailing import outbox, pace
from mailing.claims import claim, record
from mailing.forecasts import forecast
from mailing.models import Message, SendingSlot
from mailing.outbox import Draft
from mailing.transports import Outcome, Verdict

pytestmark = pytest.mark.django_db

START = datetime.datetime(2026, 3, 2, 13, 0, tzinfo=datetime.UTC)
LEASE = datetime.timedelta(minutes=2)
SECOND = datetime.timedelta(seconds=1)


def write_mails(number: int) -> None:
    """So many mails, written at the fake time."""
    outbox.write_messages(
        Draft(f"k{count}", "invoice", f"c{count}@exemple.fr", "a@exemple.fr", "Objet", "Texte")
        for count in range(number)
    )
    Message.objects.update(next_attempt_at=timezone.now())


def most_within(moments: list[datetime.datetime], span: datetime.timedelta) -> int:
    """The largest number of moments that any window of this length holds (its beginning not counted)."""
    ordered, best, first = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - span:
            first += 1
        best = max(best, last - first + 1)
    return best


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("per_minute", "per_hour", "mails"), [(5, 0, 23), (0, 12, 30), (4, 20, 45)])
def test_no_sliding_window_holds_more_than_the_limit_with_workers_of_any_slowness(
    settings: Any, seed: int, per_minute: int, per_hour: int, mails: int
) -> None:
    settings.MAIL_PER_MINUTE, settings.MAIL_PER_HOUR = per_minute, per_hour
    chance = random.Random(seed)
    with time_machine.travel(START, tick=False):
        write_mails(mails)
    left: list[datetime.datetime] = []
    began: list[datetime.datetime] = []
    # Three workers, each with its own clock of things to do: (when, order, worker, mail in hand).
    agenda: list[tuple[datetime.datetime, int, str, Any]] = [(START, n, f"w{n}", None) for n in range(3)]
    order = len(agenda)
    while len(left) < mails:
        now, _order, worker, held = heapq.heappop(agenda)
        assert now < START + datetime.timedelta(days=1)
        order += 1
        if held is not None:
            record(held, Outcome(Verdict.ACCEPTED, "250", 250), now)
            left.append(now)
            heapq.heappush(agenda, (now, order, worker, None))
            continue
        harvest = claim(now=now, worker=worker, wanted=1, lease=LEASE)
        if harvest.claims:
            began.append(now)
            slowness = chance.choice([0.01, 0.3, 2.0, 25.0])
            heapq.heappush(agenda, (now + datetime.timedelta(seconds=slowness), order, worker, harvest.claims[0]))
        else:
            # A slot comes free sooner than foreseen where a mail left at once: no one sleeps longer than this.
            wait = min(max((harvest.again_at or now) - now, SECOND / 20), 90 * SECOND)
            heapq.heappush(agenda, (now + wait, order, worker, None))
    for count, span in pace.limits():
        assert most_within(left, span) <= count
        assert most_within(began, span) <= count
    assert Message.objects.filter(state="accepted").count() == mails
    # And the pace is used: no more than a window and the slowness are lost on the way.
    longest = max((mails - 1) // count * span for count, span in pace.limits())
    assert max(left) - START <= longest * 1.5 + datetime.timedelta(minutes=5)


def test_a_mail_that_reached_no_server_uses_no_place(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 1
    write_mails(2)
    now = timezone.now() + SECOND
    [held] = claim(now=now, worker="w", wanted=5, lease=LEASE).claims
    assert claim(now=now, worker="w", wanted=5, lease=LEASE).claims == ()
    record(held, Outcome(Verdict.DEFERRED, "injoignable", reached_server=False), now)
    assert len(claim(now=now, worker="w", wanted=5, lease=LEASE).claims) == 1


def test_the_place_of_a_killed_worker_comes_free_with_time(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 1
    write_mails(2)
    now = timezone.now() + SECOND
    assert len(claim(now=now, worker="w", wanted=5, lease=LEASE).claims) == 1
    assert not claim(now=now + LEASE, worker="w", wanted=5, lease=LEASE).claims
    assert len(claim(now=now + LEASE + 61 * SECOND, worker="w", wanted=5, lease=LEASE).claims) == 1


def test_places_that_no_window_reaches_are_forgotten(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 10
    SendingSlot.objects.create(taken_at=START)
    SendingSlot.objects.create(taken_at=START + datetime.timedelta(hours=3))
    pace.forget_old_slots(START + datetime.timedelta(hours=3))
    assert SendingSlot.objects.count() == 1


@time_machine.travel(START, tick=False)  # 14 h 00 in Paris
@pytest.mark.parametrize(
    ("per_minute", "per_hour", "mails", "words"),
    [
        (120, 0, 1000, "1\u202f000 mails à 120 par minute : fin vers 14\u00a0h\u00a008"),
        (120, 600, 1000, "1\u202f000 mails à 10 par minute : fin vers 15\u00a0h\u00a003"),
        (0, 600, 600, "600 mails à 10 par minute : fin vers 14\u00a0h\u00a000"),
        (1, 0, 1, "1 mail à 1 par minute : fin vers 14\u00a0h\u00a001"),
        (1, 0, 1000, "1\u202f000 mails à 1 par minute : fin le 03/03/2026 vers 6\u00a0h\u00a040"),
        (0, 0, 10, "10 mails"),
        (120, 0, 0, "0 mail à 120 par minute"),
    ],
)
def test_the_forecast_says_when_the_outbox_will_be_empty(
    settings: Any, per_minute: int, per_hour: int, mails: int, words: str
) -> None:
    settings.MAIL_PER_MINUTE, settings.MAIL_PER_HOUR = per_minute, per_hour
    write_mails(mails)
    assert str(forecast(timezone.now())) == words


@time_machine.travel(START, tick=False)
def test_without_limits_the_forecast_goes_by_the_last_minutes() -> None:
    write_mails(90)
    done = list(Message.objects.values_list("pk", flat=True)[:30])
    Message.objects.filter(pk__in=done).update(
        state="accepted", next_attempt_at=None, accepted_at=START - datetime.timedelta(minutes=2)
    )
    found = forecast(START)
    assert (found.pending, found.per_minute) == (60, 15)
    assert found.end_at == START + datetime.timedelta(minutes=4)


@time_machine.travel(START, tick=False)
def test_the_speed_is_that_of_the_latest_mails_where_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailing.forecasts.MOST_MEASURED", 20)
    write_mails(60)
    for number, pk in enumerate(Message.objects.values_list("pk", flat=True)[:30]):
        left_at = START - datetime.timedelta(minutes=2 if number < 20 else 8)
        Message.objects.filter(pk=pk).update(state="accepted", next_attempt_at=None, accepted_at=left_at)
    assert forecast(START).per_minute == 10


@time_machine.travel(START, tick=False)
def test_during_a_pause_there_is_no_end_in_sight(settings: Any) -> None:
    settings.MAIL_PER_MINUTE = 60
    write_mails(10)
    outbox.pause("Anne")
    assert forecast(START).end_at is None
