"""Who has what in hand, by the one clock that all machines share."""

import datetime

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from mailing import leases, outbox
from mailing.claims import claim
from mailing.models import Message
from mailing.outbox import Draft
from tests.support.smtp_sink import Sink
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db

LEASE = datetime.timedelta(minutes=2)


def write_mails(number: int) -> None:
    """So many mails in the outbox."""
    outbox.write_messages(
        Draft(f"k{count}", "invoice", f"c{count}@exemple.fr", "a@exemple.fr", "Objet", "Texte")
        for count in range(number)
    )


def test_the_time_is_that_of_now() -> None:
    assert abs(leases.database_now() - timezone.now()) < datetime.timedelta(minutes=1)


@pytest.mark.postgresql
def test_the_time_is_that_of_the_server_whatever_this_machine_says() -> None:
    before = leases.database_now()
    with time_machine.travel(timezone.now() + datetime.timedelta(days=1)):
        assert datetime.timedelta() < leases.database_now() - before < datetime.timedelta(minutes=1)


@pytest.mark.postgresql
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_mailer_whose_clock_is_wrong_sends_nothing_that_another_has_in_hand(sink: Sink, minutes: int) -> None:
    write_mails(8)
    theirs = claim(now=leases.database_now(), worker="right", wanted=4, lease=LEASE).claims
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=minutes)):
        call_command("send_queued_mail")
    assert len(sink.mails) == 4
    assert not {held.message.message_id for held in theirs} & set(sink.message_ids)


@pytest.mark.postgresql
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_mail_is_due_at_once_whatever_the_clock_of_the_one_who_writes_it(sink: Sink, minutes: int) -> None:
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=minutes)):
        write_mails(2)
    call_command("send_queued_mail")
    assert len(sink.mails) == 2


def test_a_lease_that_is_not_renewed_ends_and_one_that_is_goes_on() -> None:
    write_mails(2)
    first, second = (claim(now=leases.database_now(), worker=name, wanted=1, lease=LEASE).claims[0] for name in "ab")
    let_pass(LEASE + datetime.timedelta(seconds=1), Message)
    leases.renew(Message.objects.filter(pk=second.message.pk), now=leases.database_now(), length=LEASE)
    ended = Message.objects.filter(leases.has_ended(leases.database_now()))
    held = Message.objects.filter(leases.is_held(leases.database_now()))
    assert [message.pk for message in ended] == [first.message.pk]
    assert [message.pk for message in held] == [second.message.pk]


def test_a_lease_that_was_ended_is_free() -> None:
    write_mails(1)
    claim(now=leases.database_now(), worker="a", wanted=1, lease=LEASE)
    assert not Message.objects.filter(leases.is_free(leases.database_now())).exists()
    mine = Message.objects.all()
    assert leases.release(mine, leased_by="", state=Message.State.QUEUED, next_attempt_at=leases.database_now()) == 1
    assert Message.objects.filter(leases.is_free(leases.database_now())).exists()
