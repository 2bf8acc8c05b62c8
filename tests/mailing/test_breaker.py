"""Where our own server is refused, the outbox rests for that reason, blames no one and goes on by itself."""

import contextlib
import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from mailing import breaker, outbox
from mailing.failed_addresses import known_bad
from mailing.models import FailedAddress, Message, OutboxControl
from mailing.outbox import Draft
from mailing.reasons import Reason
from tests.support.back_office import words
from tests.support.sending import use_smtp
from tests.support.shared_database import SharedDatabase, ended
from tests.support.smtp_sink import Sink, refuse_login, running
from tests.support.time_passing import let_pass

MINUTE = datetime.timedelta(minutes=1)

FAULTS = [
    ("RCPT", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Reason.HELO),
    ("RCPT", "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", Reason.HELO),
    ("RCPT", "550 5.7.25 The IP address sending this message does not have a PTR record setup", Reason.HELO),
    ("RCPT", "550 5.5.0 SPF: 192.0.2.1 is not allowed to send mail. LPN004_401", Reason.IDENTITY),
    ("DATA", "550 5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy", Reason.IDENTITY),
    ("DATA", "550 5.7.20 No passing DKIM signature found", Reason.IDENTITY),
    ("RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Reason.BLOCKLIST),
    ("MAIL", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", Reason.BLOCKLIST),
    ("RCPT", "554 5.7.1 <client@exemple.fr>: Relay access denied", Reason.RELAY),
    ("RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", Reason.RELAY),
    ("MAIL", "530 5.7.1 Authentication required", Reason.LOGIN),
    ("MAIL", "553 5.7.1 <compta@exemple.fr>: Sender address rejected: not owned by user u", Reason.SENDER),
    ("DATA", "550 5.1.8 Access denied, bad outbound sender AS(42004)", Reason.REPUTATION),
    ("DATA", "550 5.4.5 Daily user sending limit exceeded", Reason.QUOTA),
    ("RCPT", "452 4.7.1 Limite d'envoi de 200 mails par heure atteinte", Reason.QUOTA),
]


def write_mails(number: int) -> None:
    """So many mails in the outbox."""
    outbox.write_messages(
        Draft(f"k{count:02}", "invoice", f"client{count}@exemple.fr", "compta@exemple.fr", "Votre facture", "Bonjour")
        for count in range(number)
    )


def states() -> Counter[str]:
    """How many mails are in which state."""
    return Counter(Message.objects.values_list("state", flat=True))


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A server to which mails go."""
    server = Sink()
    with running(server) as port:
        use_smtp(settings, port)
        yield server


def wait(time: datetime.timedelta) -> None:
    """So much time passes for the outbox."""
    let_pass(time, Message, OutboxControl)


def send() -> None:
    """One run of the worker, which may complain."""
    with contextlib.suppress(CommandError):
        call_command("send_queued_mail")


@pytest.mark.django_db
@pytest.mark.parametrize(("phase", "reply", "reason"), FAULTS, ids=[reply[:40] for _phase, reply, _reason in FAULTS])
def test_a_refusal_of_our_own_server_rests_the_outbox_which_goes_on_when_it_passes(
    sink: Sink, capsys: pytest.CaptureFixture[str], phase: str, reply: str, reason: Reason
) -> None:
    write_mails(12)
    sink.replies[phase, "@"] = reply
    send()
    assert Message.objects.filter(attempts__gt=0).count() <= 5
    rest = breaker.current_rest()
    assert rest is not None
    assert rest.reason is reason
    assert reply.partition(" ")[2] in str(rest)
    tried = 1 if "200 mails" in reply else 3  # a limit that is named needs no second mail
    assert states() == {"queued": 12 - tried, "deferred": tried}
    assert "La boîte d’envoi est au repos. Notre serveur est refusé" in capsys.readouterr().out
    send()
    assert Message.objects.filter(attempts__gt=0).count() == tried  # not one mail more before it is time
    wait(MINUTE)
    send()  # one trial, refused again
    assert breaker.current_rest() is not None
    assert sum(Message.objects.values_list("attempts", flat=True)) == tried + 1
    sink.replies.clear()
    wait(5 * MINUTE)
    send()
    send()
    assert breaker.current_rest() is None
    assert states() == {"accepted": 12}
    assert len(sink.mails) == len(set(sink.message_ids)) == 12
    assert not FailedAddress.objects.exists()


@pytest.mark.django_db
def test_a_refused_login_rests_the_outbox_before_every_mail_is_deferred(settings: Any) -> None:
    write_mails(12)
    with running(Sink(), authenticator=refuse_login, auth_require_tls=False) as port:
        use_smtp(settings, port, username="compta", password="faux")
        send()
    rest = breaker.current_rest()
    assert rest is not None
    assert rest.reason is Reason.LOGIN
    assert states() == {"queued": 9, "deferred": 3}


@pytest.mark.django_db
def test_a_refusal_by_one_destination_among_others_that_take_our_mails_rests_nothing(sink: Sink) -> None:
    write_mails(12)
    for number in (1, 4, 7, 10):
        sink.replies["RCPT", f"client{number}@"] = "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org"
    send()
    assert breaker.current_rest() is None
    assert states() == {"accepted": 8, "deferred": 4}


@pytest.mark.django_db
def test_mails_are_not_given_up_while_our_server_is_refused_for_days(sink: Sink) -> None:
    write_mails(4)
    sink.replies["RCPT", "@"] = "554 5.7.1 Relay access denied"
    for _day in range(6):
        send()
        wait(datetime.timedelta(days=1))
    assert set(states()) <= {"queued", "deferred"}
    sink.replies.clear()
    send()
    send()
    assert states() == {"accepted": 4}


@pytest.mark.django_db
def test_somebody_who_says_that_the_reason_is_gone_need_not_wait(sink: Sink) -> None:
    write_mails(6)
    sink.replies["RCPT", "@"] = "554 5.7.1 Relay access denied"
    send()
    assert breaker.current_rest() is not None
    sink.replies.clear()
    outbox.resume()
    send()
    assert breaker.current_rest() is None
    assert states() == {"accepted": 6}


@pytest.mark.django_db
def test_a_trial_without_result_is_soon_followed_by_another(sink: Sink) -> None:
    write_mails(6)
    sink.replies["RCPT", "@"] = "554 5.7.1 Relay access denied"
    send()
    sink.replies.clear()
    sink.replies["RCPT", "client0@"] = "550 5.1.1 User unknown"
    for _trial in range(5):
        wait(MINUTE)
        send()
    assert states() == {"accepted": 5, "rejected": 1}
    assert known_bad([f"client{number}@exemple.fr" for number in range(6)]).keys() == {"client0@exemple.fr"}


@pytest.mark.django_db(transaction=True)
def test_several_processes_together_try_five_mails_at_most(tmp_path: Any) -> None:
    shared = SharedDatabase(tmp_path)
    write_mails(30)
    shared.lend()
    sink = Sink()
    sink.replies["RCPT", "@"] = "554 5.7.1 Relay access denied"
    with running(sink) as port:
        environment = {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "MAIL_CONNECTIONS": "4"}
        for child in [shared.start("send_queued_mail", **environment) for _process in range(3)]:
            ended(child)
    shared.take_back()
    assert Message.objects.filter(attempts__gt=0).count() <= 5
    assert breaker.current_rest() is not None
    assert not FailedAddress.objects.exists()


@pytest.mark.django_db
def test_whoever_looks_after_the_server_is_notified_once_and_first(sink: Sink, settings: Any) -> None:
    settings.TECHNICAL_EMAIL = "informatique@exemple.net"
    sink.replies["RCPT", "exemple.fr"] = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a list"
    write_mails(8)

    for _ in range(4):
        send()
        wait(datetime.timedelta(minutes=2))

    alert = Message.objects.get(kind="alert")
    assert alert.recipient == "informatique@exemple.net"
    assert "est sur une liste noire" in alert.subject
    assert "Demander le retrait de son adresse IP" in alert.text
    assert [recipient for _sender, recipient, _content in sink.mails] == ["informatique@exemple.net"]


@pytest.mark.django_db
def test_the_outbox_says_that_it_rests_and_can_be_resumed(sink: Sink, staff_client: Client) -> None:
    sink.replies["RCPT", ""] = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using a list"
    write_mails(5)
    send()

    page = staff_client.get("/gestion/mailing/message/")
    assert "Envoi au repos" in words(page)
    staff_client.post("/gestion/mailing/message/reprendre/")
    assert "Envoi au repos" not in words(staff_client.get("/gestion/mailing/message/"))
