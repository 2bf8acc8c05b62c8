"""Sending: what is written in the outbox leaves, once, and each state is true. On real sockets."""

import datetime
import hashlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from mailing import outbox
from mailing.failed_addresses import known_bad
from mailing.models import FailedAddress, Message
from mailing.outbox import Attachment
from tests.support.sending import draft, send, use_smtp
from tests.support.smtp_sink import Sink, closed_port, refuse_login, running, tls_context

pytestmark = pytest.mark.django_db


def test_an_accepted_mail_has_all_that_a_mail_needs(sink: Sink) -> None:
    url = "https://factures.exemple.fr/preferences/" + "Abc123" * 20 + "/?é=1"
    outbox.write_messages([draft(recipient_name="Łukasz “X”, Dupont", reply_to="aide@exemple.fr", unsubscribe_url=url)])
    [message] = send("accepted")
    assert message.accepted_at is not None
    assert message.reply_code == 250
    [(sender, recipient, wire)] = sink.mails
    assert sender == f"retours+{message.return_token}@exemple.fr"
    assert recipient == "client@exemple.fr"
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    [mail] = sink.parsed
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == f"<{url.replace('é', '%C3%A9')}>"
    assert mail["Reply-To"] == "aide@exemple.fr"
    assert mail["Subject"] == "Votre facture n° 18000135 – échéance"
    assert mail["From"].addresses[0].display_name == "Société Générale d’Éclairage, SAS"
    assert mail["To"].addresses[0].display_name == "Łukasz “X”, Dupont"
    assert abs(mail["Date"].datetime - timezone.now()) < datetime.timedelta(minutes=1)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Bonjour,", ".une ligne qui commence par un point", "à bientôt"]
    assert "à bientôt" in html.get_content()


def stored(content: bytes, name: str = "2026/f1.pdf") -> Attachment:
    """A file in the storage, and how a mail names it."""
    saved = default_storage.save(name, ContentFile(content))
    return Attachment(
        saved, "Facture n° 18000135.pdf", "application/pdf", len(content), hashlib.sha256(content).hexdigest()
    )


def test_the_attachment_is_the_stored_file_byte_for_byte(sink: Sink) -> None:
    content = b"%PDF-1.7\r\n.\r\n" + bytes(range(256)) * 40
    outbox.write_messages([draft(attachments=(stored(content),))])
    send("accepted")
    [attached] = sink.parsed[0].iter_attachments()
    assert attached.get_content() == content
    assert attached.get_filename() == "Facture n° 18000135.pdf"
    assert attached.get_content_type() == "application/pdf"


def test_a_file_that_was_altered_never_leaves(sink: Sink) -> None:
    attachment = stored(b"%PDF honest")
    Path(default_storage.path(attachment.storage_name)).write_bytes(b"%PDF forged")
    outbox.write_messages([draft(attachments=(attachment,))])
    [message] = send("rejected")
    assert message.reason == "fichier altéré : Facture n° 18000135.pdf"
    assert sink.mails == []
    assert not FailedAddress.objects.exists()


def test_a_file_that_cannot_be_read_now_defers_the_mail(sink: Sink) -> None:
    attachment = stored(b"%PDF")
    default_storage.delete(attachment.storage_name)
    outbox.write_messages([draft(attachments=(attachment,))])
    [message] = send("deferred")
    assert "FileNotFoundError" in message.reason
    assert f"la pièce jointe Facture n° 18000135.pdf du compte {message.recipient} manque" in message.reason
    assert sink.mails == []


REFUSALS = [
    ("MAIL", "450 4.3.2 busy", "deferred", False),
    ("MAIL", "550 5.1.8 sender unknown", "deferred", False),
    ("MAIL", "530 5.7.0 authentication required", "deferred", False),
    ("MAIL", "421 4.3.2 closing", "deferred", False),
    ("RCPT", "421 4.3.2 closing", "deferred", False),
    ("RCPT", "450 4.2.1 greylisted", "deferred", False),
    ("RCPT", "452 4.2.2 mailbox full", "deferred", False),
    ("RCPT", "550 5.1.1 user unknown", "rejected", True),
    ("RCPT", "550 no such user here", "rejected", True),
    ("RCPT", "552 5.2.2 mailbox full", "rejected", False),
    ("RCPT", "554 5.7.1 relay access denied", "deferred", False),
    ("RCPT", "535 5.7.8 login", "deferred", False),
    ("DATA", "421 4.3.2 closing", "deferred", False),
    ("DATA", "450 4.7.1 later", "deferred", False),
    ("DATA", "452 4.3.1 disk full", "deferred", False),
    ("DATA", "550 5.7.1 content refused", "rejected", False),
    ("DATA", "550 5.1.1 user unknown", "rejected", True),
    ("DATA", "552 5.3.4 too big", "rejected", False),
]


@pytest.mark.parametrize(("phase", "reply", "state", "address_is_bad"), REFUSALS)
def test_each_refusal_ends_in_its_state_and_the_next_mail_leaves(
    sink: Sink, settings: Any, phase: str, reply: str, state: str, address_is_bad: bool
) -> None:
    settings.BOUNCE_ADDRESS = ""
    sink.replies[phase, "mauvais"] = reply
    outbox.write_messages([draft("1", recipient="mauvais@exemple.fr", sender="mauvais@exemple.fr"), draft("2")])
    message, _other = send(state, "accepted")
    assert message.reply_code == int(reply[:3])
    assert reply.partition(" ")[2] in message.reason
    assert message.accepted_at is None
    assert FailedAddress.objects.filter(address="mauvais@exemple.fr").exists() is address_is_bad
    assert [to for _from, to, _wire in sink.mails] == ["client@exemple.fr"]
    if state == "deferred":
        assert message.next_attempt_at is not None
        assert message.next_attempt_at > timezone.now()


@pytest.mark.parametrize(("phase", "reply"), [("RCPT", "hang"), ("DATA", "hang"), ("DATA", "close")])
def test_a_server_that_hangs_or_leaves_in_the_middle_defers_and_the_next_mail_leaves(
    sink: Sink, phase: str, reply: str
) -> None:
    sink.replies[phase, "mauvais"] = reply
    outbox.write_messages([draft("1", recipient="mauvais@exemple.fr"), draft("2")])
    message, _other = send("deferred", "accepted")
    assert message.reason.startswith(("Le serveur ne répond plus", "Le serveur n’a pas confirmé", "La connexion s’est"))
    assert message.reply_code is None
    assert not FailedAddress.objects.exists()


def test_a_slow_server_is_waited_for(sink: Sink, settings: Any) -> None:
    settings.MAIL_FINAL_REPLY_TIMEOUT = 10
    sink.delay = 1.5  # longer than any other reply may take
    outbox.write_messages([draft()])
    send("accepted")
    assert len(sink.mails) == 1


def test_with_the_server_down_every_mail_is_deferred_with_the_reason_and_only_those_are_retried(settings: Any) -> None:
    port = closed_port()
    use_smtp(settings, port)
    ids = outbox.write_messages([draft(str(number)) for number in range(50)])
    [done] = outbox.write_messages([draft("done")])
    Message.objects.filter(pk=done).update(state="accepted", accepted_at=timezone.now(), next_attempt_at=None)
    messages = send(*["deferred"] * 50, "accepted")
    assert {message.reason for message in messages[:50]} == {
        f"Le serveur 127.0.0.1:{port} est injoignable : [Errno 111] Connection refused"
    }
    assert outbox.retry([*ids, done], "Anne") == 50
    sink = Sink()
    with running(sink) as port:
        use_smtp(settings, port)
        send(*["accepted"] * 51)
    assert sorted(sink.message_ids) == sorted(message.message_id for message in messages[:50])


def test_a_failed_login_is_a_matter_of_the_server_and_not_of_any_address(settings: Any) -> None:
    with running(Sink(), authenticator=refuse_login, auth_require_tls=False) as port:
        use_smtp(settings, port, username="compta", password="faux")
        outbox.write_messages([draft("1"), draft("2")])
        messages = send("deferred", "deferred")
    assert [message.reply_code for message in messages] == [535, 535]
    assert "refuse nos identifiants" in messages[0].reason
    assert "faux" not in messages[0].reason
    assert not FailedAddress.objects.exists()


def test_a_server_without_starttls_gets_no_mail_in_clear(settings: Any) -> None:
    sink = Sink()
    with running(sink) as port:
        use_smtp(settings, port, use_tls=True)
        outbox.write_messages([draft()])
        [message] = send("deferred")
    assert "n’offre pas ce que les réglages demandent" in message.reason
    assert sink.mails == []


@pytest.fixture
def own_certificate(tmp_path: Path) -> tuple[str, str]:
    """A certificate that no one vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])


def test_a_certificate_that_no_authority_signed_gets_no_mail(settings: Any, own_certificate: tuple[str, str]) -> None:
    sink = Sink()
    with running(sink, tls_context=tls_context(*own_certificate)) as port:
        use_smtp(settings, port, use_tls=True)
        outbox.write_messages([draft("1"), draft("2")])
        messages = send("deferred", "deferred")
    assert "La connexion chiffrée avec 127.0.0.1" in messages[0].reason
    assert "certificate verify failed" in messages[1].reason
    assert sink.mails == []


def test_one_connection_carries_many_mails_and_is_renewed_from_time_to_time(sink: Sink, settings: Any) -> None:
    settings.MAIL_PER_CONNECTION = 4
    outbox.write_messages([draft(str(number)) for number in range(10)])
    send(*["accepted"] * 10)
    assert len(sink.mails) == 10
    assert len(sink.peers) == 3


def test_an_address_with_accents_leaves_where_the_server_can_carry_it(sink: Sink) -> None:
    outbox.write_messages([draft(recipient="stanisław.wójcik@société.fr")])
    send("accepted")
    assert sink.mails[0][1] == "stanisław.wójcik@xn--socit-esab.fr"
    assert str(sink.parsed[0]["To"]) == "stanisław.wójcik@xn--socit-esab.fr"


def test_an_address_with_accents_is_rejected_with_a_clear_reason_elsewhere(settings: Any) -> None:
    sink = Sink()
    with running(sink, utf8=False) as port:
        use_smtp(settings, port)
        outbox.write_messages([draft("1", recipient="stanisław.wójcik@exemple.fr"), draft("2")])
        message, _other = send("rejected", "accepted")
    assert "SMTPUTF8" in message.reason
    assert not FailedAddress.objects.exists()


def test_an_address_with_accents_is_written_to_its_file_as_it_is(settings: Any) -> None:
    outbox.write_messages([draft(recipient="stanisław.wójcik@exemple.fr")])
    [message] = send("written")
    [path] = Path(settings.MAIL_ROOT).iterdir()
    content = path.read_bytes().decode()
    assert "\nTo: stanisław.wójcik@exemple.fr\n" in content
    assert content.startswith(f"Return-Path: <retours+{message.return_token}@")
    assert message.message_id.strip("<>") == path.stem
    assert path.stat().st_mode & 0o007 == 0  # it may contain a password: no one else on the machine reads it


def test_a_mail_written_again_after_a_crash_takes_the_place_of_its_file(settings: Any) -> None:
    [pk] = outbox.write_messages([draft()])
    send("written")
    Message.objects.filter(pk=pk).update(
        state="sending", accepted_at=None, lease_until=timezone.now() - datetime.timedelta(seconds=1)
    )
    send("written")
    assert len(list(Path(settings.MAIL_ROOT).iterdir())) == 1


def test_without_a_mail_server_a_mail_is_written_in_a_file_and_called_so(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    outbox.write_messages([draft("1"), draft("2")])
    first, _second = send("written", "written")
    assert first.get_state_display() == "écrite dans un fichier"
    assert "2 mails écrits dans des fichiers, 0 différé, 0 rejeté" in capsys.readouterr().out


def test_a_mail_written_to_a_file_is_sent_on_demand_once_there_is_a_server(settings: Any) -> None:
    [pk] = outbox.write_messages([draft()])
    send("written")
    server = Sink()
    with running(server) as port:
        use_smtp(settings, port)
        assert outbox.retry([pk], by="Claire") == 1
        send("accepted")
        assert outbox.retry([pk], by="Claire") == 0
    assert len(server.mails) == 1


def test_what_is_no_address_is_rejected_and_becomes_an_address_in_error(sink: Sink) -> None:
    outbox.write_messages([draft("1", recipient="pas une adresse"), draft("2", recipient="a@b.fr\nBcc: c@d.fr")])
    first, _second = send("rejected", "rejected")
    assert first.reason == "« pas une adresse » n’est pas une adresse électronique."
    assert known_bad(["pas une adresse"])
    assert sink.mails == []


@pytest.mark.parametrize("sender", ["", "compta", "compta@exemple..fr"])
def test_a_sender_that_is_no_address_rejects_the_mail_and_blames_no_recipient(sink: Sink, sender: str) -> None:
    outbox.write_messages([draft(sender=sender)])
    [message] = send("rejected")
    assert f"« {sender} » n’est pas une adresse" in message.reason
    assert not FailedAddress.objects.exists()


def test_a_mail_without_recipient_is_rejected(sink: Sink) -> None:
    outbox.write_messages([draft(recipient=" ")])
    send("rejected")
    assert not FailedAddress.objects.exists()
