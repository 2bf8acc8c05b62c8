"""A real Postfix that takes, refuses, returns and delays; a real Dovecot that holds what came back."""

import email
import email.policy
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command

from mailing import outbox
from mailing.failed_addresses import known_bad
from mailing.models import Message
from mailing.outbox import Draft
from mailing.trial_mails import TrialError, send_trial_mail, wait_for_trial_mail
from tests.support.real_mail_servers import PASSWORD, MailServers, running_mail_servers, wait_until
from tests.support.sending import use_smtp

pytestmark = [pytest.mark.django_db, pytest.mark.servers]


@pytest.fixture
def servers(settings: Any) -> Iterator[MailServers]:
    """Both servers, and the settings that lead to them."""
    with running_mail_servers() as running:
        use_smtp(settings, running.smtp_port)
        settings.MAIL_FINAL_REPLY_TIMEOUT = 30
        settings.BOUNCE_ADDRESS = "retours@exemple.test"
        login = quote("retours@exemple.test", safe="")
        settings.IMAP_URL = f"imap://{login}:{quote(PASSWORD, safe='')}@127.0.0.1:{running.imap_port}/INBOX"
        yield running


def test_what_real_servers_take_refuse_return_and_delay_is_reported_truly(
    servers: MailServers, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    addresses = [
        "client@client.test",
        "stanisław@client.test",
        "refus@client.test",
        "inconnu@client.test",
        "client@plein.test",
        "client@absent.test",
    ]
    outbox.write_messages(
        Draft(address, "invoice", address, "compta@exemple.test", "Votre facture échue", "Bonjour,\n.à bientôt")
        for address in addresses
    )

    def told() -> dict[str, str]:
        return dict(Message.objects.values_list("key", "state"))

    with pytest.raises(CommandError):
        call_command("send_queued_mail")
    accepted = dict.fromkeys(addresses, "accepted")
    assert told() == accepted | {"refus@client.test": "rejected"}

    returns = servers.mailboxes / "exemple.test" / "retours"
    wait_until(lambda: len(list((returns / "new").glob("*"))) >= 3, "three reports were expected")
    capsys.readouterr()
    call_command("read_bounces")
    assert capsys.readouterr().out.strip() == ("3 mails lus : 1 adresse refusée, 1 boîte pleine, 1 mail en attente")
    assert told() == accepted | {
        "refus@client.test": "rejected",
        "inconnu@client.test": "bounced",
        "client@plein.test": "bounced",
    }
    kinds = dict(Message.objects.exclude(bounce_kind="").values_list("key", "bounce_kind"))
    assert kinds == {"inconnu@client.test": "hard", "client@plein.test": "full", "client@absent.test": "soft"}
    assert set(known_bad(addresses)) == {"refus@client.test", "inconnu@client.test"}

    call_command("read_bounces")
    assert capsys.readouterr().out.strip() == "0 mail lu"
    settings.IMAP_URL = settings.IMAP_URL.replace(quote(PASSWORD, safe=""), "autre")
    with pytest.raises(CommandError, match=r"ne peut pas être lue : \[AUTHENTICATIONFAILED\]"):
        call_command("read_bounces")

    for address, folder in (("client@client.test", "client"), ("stanisław@client.test", "stanislaw")):
        new = servers.mailboxes / "client.test" / folder / "new"
        wait_until(lambda new=new: new.is_dir() and any(new.iterdir()), f"{address} was expected")  # type: ignore[misc]
        [path] = new.iterdir()
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        message = Message.objects.get(key=address)
        assert mail["Message-ID"] == message.message_id
        assert str(mail["To"]) == address
        assert str(mail["Return-Path"]) == f"<retours+{message.return_token}@exemple.test>"
        assert mail.get_content().split() == ["Bonjour,", ".à", "bientôt"]


def test_a_trial_mail_to_our_own_mailbox_reports_what_its_server_found(servers: MailServers, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "compta@exemple.test"
    found = wait_for_trial_mail(send_trial_mail("retours@exemple.test"), 20)
    assert str(found) == "mx.exemple.test : SPF pass, DKIM fail, DMARC pass"
    assert found.is_right
    with pytest.raises(TrialError, match="n’est pas arrivé en 0 secondes"):
        wait_for_trial_mail("<nothing@exemple.test>", 0)
    with pytest.raises(TrialError, match=r"Le mail d’essai n’est pas parti\. L’adresse est refusée"):
        send_trial_mail("refus@client.test")
