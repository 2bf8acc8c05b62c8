"""A provider that asks for fewer mails gets fewer; no one else does, and every mailer knows."""

import contextlib
import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from mailing import breaker, outbox, slowdowns
from mailing.claims import claim
from mailing.destinations import destination_of, is_large
from mailing.forecasts import describe_sending_time, forecast
from mailing.leases import database_now
from mailing.models import DestinationPace, FailedAddress, Message, OutboxControl
from mailing.outbox import Draft
from tests.support.back_office import words
from tests.support.smtp_sink import Sink
from tests.support.time_passing import let_pass

MINUTE = datetime.timedelta(minutes=1)
SLOW_DOWN = "421 4.7.0 Trop de connexions. Too many connections, slow down. OFR004_104 [104]"


def write_mails(*recipients: str) -> None:
    """A mail to each."""
    outbox.write_messages(
        Draft(f"k{count:02}", "invoice", recipient, "compta@exemple.fr", "Votre facture", "Bonjour")
        for count, recipient in enumerate(recipients)
    )


def send() -> None:
    """One run of the worker, which may complain."""
    with contextlib.suppress(CommandError):
        call_command("send_queued_mail")


@pytest.fixture
def slowed_orange(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Sink:
    """Six mails to Orange, which asked for fewer at the first one, and three to others."""
    monkeypatch.setattr("mailing.sending.WORTH_WAITING", datetime.timedelta())
    orange = [f"a{n}@{domain}" for n, domain in enumerate(["orange.fr", "wanadoo.fr", "Orange.fr"] * 2)]
    write_mails(*orange, "b@client.example", "c@free.fr", "d@gmail.com")
    for domain in ("orange.fr", "wanadoo.fr", "Orange.fr"):
        sink.replies["RCPT", domain] = SLOW_DOWN
    send()
    return sink


@pytest.mark.django_db
def test_a_limit_slows_its_destination_alone_and_what_it_takes_makes_it_faster(slowed_orange: Sink) -> None:
    assert sorted(recipient for _from, recipient, _mail in slowed_orange.mails) == [
        "b@client.example",
        "c@free.fr",
        "d@gmail.com",
    ]
    assert Message.objects.filter(attempts__gt=0).exclude(state="accepted").count() == 1
    send()  # nor does another mailer try before it is time
    assert Message.objects.filter(attempts__gt=0).exclude(state="accepted").count() == 1
    slowed_orange.replies.clear()
    for _mail in range(6):
        let_pass(MINUTE, Message, OutboxControl, DestinationPace)
        before = DestinationPace.objects.get().seconds
        send()
        assert DestinationPace.objects.get().seconds < before
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert len(slowed_orange.message_ids) == len(set(slowed_orange.message_ids)) == 9
    assert not FailedAddress.objects.exists()
    for _mail in range(9):
        slowdowns.note_taken("x@orange.fr")
    assert not DestinationPace.objects.exists()


@pytest.mark.django_db
def test_two_mailers_take_one_place_of_a_slowed_destination(slowed_orange: Sink) -> None:
    let_pass(MINUTE, Message, OutboxControl, DestinationPace)
    now = database_now()
    first, second = (claim(now=now, worker=name, wanted=5, lease=MINUTE) for name in ("a", "b"))
    assert len(first.claims) == 1
    assert not second.claims
    assert second.is_slowed
    assert second.again_at is not None
    assert second.again_at > now


@pytest.mark.django_db
def test_the_outbox_the_dashboard_and_a_dry_run_tell_what_is_slowed_and_until_when(
    slowed_orange: Sink, staff_client: Client
) -> None:
    found = forecast(database_now())
    assert str(found.slowed[0]).startswith("Orange : 6 mails, 3 par minute, fin ")
    assert found.end_at == found.slowed[0].end_at
    assert "Orange : 6 mails, 3 par minute, fin " in words(staff_client.get("/gestion/mailing/message/"))
    assert "Orange : 6 mails, 3 par minute, fin " in words(staff_client.get("/gestion/"))
    assert describe_sending_time(40, {"Orange": 30, "Gmail": 10}) == "Orange ralentit : 30 mails en 13\u00a0min"
    assert not describe_sending_time(10, {"Gmail": 10})


@pytest.mark.django_db
def test_many_slowed_destinations_are_our_relay() -> None:
    now = database_now()
    for number in range(4):
        slowdowns.note_limit(f"a@client{number}.example", "450 4.7.1 too many mails", now)
    assert next(one.name for one in slowdowns.in_force(now)) == "toutes les destinations"
    assert slowdowns.leave_out_held(Message.objects.all(), slowdowns.in_force(now), now) is None


@pytest.mark.django_db
def test_each_refusal_doubles_the_interval_and_a_day_forgets_it() -> None:
    now = database_now()
    for _refusal in range(3):
        slowdowns.note_limit("a@free.fr", "421 Too many connections", now)
        slowdowns.note_limit("b@free.fr", "421 Too many connections", now)  # of the same moment
        now += MINUTE
    assert DestinationPace.objects.get().seconds == 80
    slowdowns.forget(now + datetime.timedelta(days=2))
    assert not DestinationPace.objects.exists()


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ("450 4.7.1 limite de 200 mails par heure", 18),
        ("451 max 60 messages per minute", 1),
        ("450 500 recipients/day exceeded", 172.8),
        ("452 höchstens 100 Nachrichten pro Stunde", 36),
        ("421 4.7.0 Too many connections", 0),
        ("421 0 mails per hour", 0),
        ("450 4.7.1 Too many mails per hour", 0),
        ("550 5.1.90 You have reached your daily limit of 10,000 recipients", 8.64),
        ("451 4.7.1 limite horaire : 200", 18),
        ("452 4.7.1 200 messages in the last 60 minutes", 18),
        ("421 4.7.0 sent 300 mails in 24 hours", 288),
        ("421 4.7.0 limite de 200/h", 18),
    ],
)
def test_a_pace_that_a_server_names_is_kept(reply: str, seconds: float) -> None:
    assert slowdowns.stated_interval(reply) == pytest.approx(seconds)


def test_a_destination_is_a_large_provider_or_a_domain() -> None:
    found: list[Any] = [destination_of(a) for a in ("A@Wanadoo.FR", "b@hotmail.com", "c@Client.Example")]
    assert found == ["Orange", "Microsoft", "client.example"]
    assert [is_large(one) for one in found] == [True, True, False]


OUR_LIMIT = "452 4.7.1 Limite d'envoi de 3 mails par heure atteinte"


@pytest.fixture
def limited_relay(sink: Sink) -> Sink:
    """Three mails left 50, 40 and 30 minutes ago; our relay, which takes three an hour, refused the fourth of eight."""
    write_mails(*(f"a{n}@client{n}.example" for n in range(8)))
    for _minutes in range(3):
        call_command("send_queued_mail", limit=1)
        let_pass(10 * MINUTE, Message, OutboxControl)
    let_pass(20 * MINUTE, Message, OutboxControl)
    sink.replies["RCPT", "@"] = OUR_LIMIT
    send()
    return sink


@pytest.mark.django_db
def test_a_limit_that_our_relay_names_is_shown_with_the_hour_it_passes_and_the_end(
    limited_relay: Sink, staff_client: Client
) -> None:
    found = forecast(database_now())
    assert breaker.current_rest() is not None
    assert Message.objects.filter(attempts__gt=0).exclude(state="accepted").count() == 1
    # Five wait: three take the places of those that left, an hour after each; the next two an hour later.
    second = Message.objects.order_by("accepted_at").exclude(accepted_at=None)[1].accepted_at
    assert second is not None
    assert found.end_at == second + datetime.timedelta(hours=2)
    for page in ("/gestion/mailing/message/", "/gestion/"):
        text = words(staff_client.get(page))
        assert "l’envoi reprend" in text
        assert "toutes les destinations : 5 mails, 3 par heure, fin " in text
    sentence = describe_sending_time(2, {"client.example": 2})
    assert "la limite d’envoi de notre compte est atteinte, l’envoi reprend" in sentence
    assert "notre relais prend 3 par heure : 2 mails en" in sentence


@pytest.mark.django_db
def test_after_the_rest_no_hour_holds_more_mails_than_our_relay_takes(limited_relay: Sink) -> None:
    limited_relay.replies.clear()
    for count in (4, 5, 6, 6):
        let_pass(10 * MINUTE, Message, OutboxControl, DestinationPace)
        send()
        assert len(limited_relay.mails) == count
    assert breaker.current_rest() is None


@pytest.mark.django_db
def test_a_limit_of_a_day_without_figures_passes_a_day_after_the_first_mail_at_the_latest(
    sink: Sink, staff_client: Client
) -> None:
    write_mails(*(f"a{n}@client{n}.example" for n in range(8)))
    call_command("send_queued_mail", limit=2)
    let_pass(10 * MINUTE, Message, OutboxControl)
    sink.replies["DATA", "@"] = "550 5.4.5 Daily user sending limit exceeded"
    send()
    first = Message.objects.order_by("accepted_at").exclude(accepted_at=None)[0].accepted_at
    assert first is not None
    assert "au plus tard" in forecast(database_now()).resumption
    assert f"{timezone.localtime(first) + datetime.timedelta(days=1):%d/%m/%Y}" in words(staff_client.get("/gestion/"))
    assert not DestinationPace.objects.exists()
