"""When a mail is tried again, and whose it is meanwhile."""

import datetime
import uuid

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mailing import outbox
from mailing.claims import RETRY_MINUTES, Claim, claim, record, retry_delay
from mailing.models import FailedAddress, Message
from mailing.transports import Outcome, Verdict
from tests.support.sending import draft, send
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.django_db

LEASE = datetime.timedelta(seconds=60)


# ─── When to try again ───────────────────────────────────────────────────────────────────────────────────────────────
def claim_all(now: datetime.datetime) -> list[Claim]:
    """All mails that are due."""
    return list(claim(now=now, worker="essai:1", wanted=100, lease=LEASE).claims)


def test_the_delay_grows_and_the_mail_is_given_up_after_three_days() -> None:
    start = timezone.now()
    outbox.write_messages([draft()])
    now, tries = start + datetime.timedelta(seconds=1), 0
    while True:
        [held] = claim_all(now)
        tries += 1
        verdict = record(held, Outcome(Verdict.DEFERRED, "450 plus tard", 450), now)
        message = Message.objects.get()
        if verdict is Verdict.REJECTED:
            break
        assert message.state == "deferred"
        assert message.next_attempt_at is not None
        minutes = (message.next_attempt_at - now).total_seconds() / 60
        wanted = RETRY_MINUTES[min(tries, len(RETRY_MINUTES)) - 1]
        assert minutes <= wanted * 1.2
        now = message.next_attempt_at
    assert message.state == "rejected"
    assert message.reason == "Abandonné après 72 heures d’essais. 450 plus tard"
    assert now - start >= datetime.timedelta(hours=72)
    assert 15 < tries < 40
    assert not FailedAddress.objects.exists()


@pytest.mark.parametrize("attempts", range(1, 9))
def test_a_delay_is_never_the_same_for_all_mails(attempts: int) -> None:
    delays = {retry_delay(attempts) for _ in range(20)}
    minutes = RETRY_MINUTES[min(attempts, len(RETRY_MINUTES)) - 1]
    assert len(delays) > 10
    assert min(delays) >= datetime.timedelta(minutes=minutes * 0.8)
    assert max(delays) <= datetime.timedelta(minutes=minutes * 1.2)


def test_days_of_pause_do_not_count_as_tries() -> None:
    outbox.write_messages([draft()])
    later = timezone.now() + datetime.timedelta(days=9)
    [held] = claim_all(later)
    assert record(held, Outcome(Verdict.DEFERRED, "450", 450), later) is Verdict.DEFERRED


# ─── Claims ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_a_mail_in_hand_is_claimed_by_no_other_until_its_lease_ends() -> None:
    now = timezone.now()
    [pk] = outbox.write_messages([draft()])
    [held] = claim_all(now + datetime.timedelta(seconds=1))
    assert outbox.states_of([pk])[pk].label == "en cours d’envoi"
    assert claim_all(now + LEASE) == []
    [taken_over] = claim_all(now + 2 * LEASE)
    assert taken_over.message.message_id == held.message.message_id
    assert Message.objects.get().attempts == 2


def test_the_worker_that_lost_its_lease_can_only_tell_an_acceptance() -> None:
    now = timezone.now()
    outbox.write_messages([draft()])
    [late] = claim_all(now + datetime.timedelta(seconds=1))
    [held] = claim_all(now + 2 * LEASE)
    record(late, Outcome(Verdict.DEFERRED, "450", 450), now + 2 * LEASE)
    assert Message.objects.get().state == "sending"
    record(late, Outcome(Verdict.ACCEPTED, "250", 250), now + 2 * LEASE)
    assert Message.objects.get().state == "accepted"
    record(held, Outcome(Verdict.REJECTED, "550", 550, address_is_bad=True), now + 2 * LEASE)
    assert Message.objects.get().state == "accepted"
    assert not FailedAddress.objects.exists()


def test_an_acceptance_recorded_twice_is_one_acceptance_and_a_return_in_between_stays() -> None:
    now = timezone.now()
    outbox.write_messages([draft()])
    [held] = claim_all(now + datetime.timedelta(seconds=1))
    Message.objects.update(state="bounced", lease_until=None, bounced_at=now)
    record(held, Outcome(Verdict.ACCEPTED, "250", 250), now)
    record(held, Outcome(Verdict.ACCEPTED, "250", 250), now + LEASE)
    message = Message.objects.get()
    assert (message.state, message.accepted_at) == ("bounced", now)


@pytest.mark.django_db(transaction=True)
def test_a_failure_of_our_own_records_never_sends_twice(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from mailing import sending

    failures = iter([OperationalError("server closed the connection"), OperationalError("again")])

    def failing_record(held: Claim, outcome: Outcome, now: datetime.datetime) -> Verdict:
        for failure in failures:
            raise failure
        return record(held, outcome, now)

    monkeypatch.setattr(sending, "record", failing_record)
    outbox.write_messages([draft()])
    send("accepted")
    assert len(sink.mails) == 1


def test_nothing_leaves_during_a_pause(sink: Sink, capsys: pytest.CaptureFixture[str]) -> None:
    outbox.write_messages([draft()])
    outbox.pause("Anne")
    send("queued")
    assert "suspendue" in capsys.readouterr().out
    outbox.resume()
    send("accepted")
    assert len(sink.mails) == 1


def test_a_limit_sends_so_many_and_leaves_the_rest(sink: Sink) -> None:
    outbox.write_messages([draft(str(number)) for number in range(5)])
    call_command("send_queued_mail", limit=3)
    assert outbox.summary(timezone.now())["accepted"] == 3
    assert len(sink.mails) == 3
    call_command("send_queued_mail")
    assert len(sink.mails) == 5


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_is_none_is_refused(limit: int) -> None:
    with pytest.raises(CommandError, match="au moins 1"):
        call_command("send_queued_mail", limit=limit)


def test_the_report_counts_in_french_and_the_command_fails_when_mails_did(
    sink: Sink, capsys: pytest.CaptureFixture[str]
) -> None:
    sink.replies["RCPT", "mauvais"] = "550 5.1.1 inconnu"
    outbox.write_messages([draft("1"), draft("2"), draft("3", recipient="mauvais@exemple.fr")])
    with pytest.raises(CommandError) as caught:
        call_command("send_queued_mail")
    assert caught.value.returncode == 1
    said = capsys.readouterr()
    assert "2 mails envoyés, 0 différé, 1 rejeté" in said.out
    assert "1 × L’adresse est refusée : 550 5.1.1 inconnu" in said.err


def test_an_empty_outbox_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("send_queued_mail")
    assert "0 mail envoyé, 0 différé, 0 rejeté" in capsys.readouterr().out


def test_ids_that_are_none_change_nothing() -> None:
    assert outbox.retry([uuid.uuid4()], "Anne") == outbox.cancel([uuid.uuid4()], "Anne") == 0
