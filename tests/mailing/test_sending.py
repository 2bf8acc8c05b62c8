"""Sending: what is written in the outbox leaves, once, and each state is true. On real sockets."""

import datetime
import hashlib
import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from mailing import outbox, secrets
from mailing.claims import RETRY_MINUTES, Claim, claim, record, retry_delay
from mailing.models import FailedAddress, Message
from mailing.outbox import Attachment, Draft
from mailing.placeholders import SECRET_MASK
from mailing.transports import Outcome, Verdict
from tests.support.smtp_sink import Sink, closed_port, refuse_login, running, tls_context

pytestmark = pytest.mark.django_db

LEASE = datetime.timedelta(seconds=60)


def draft(key: str = "k", **values: Any) -> Draft:
    """A mail about nothing in particular."""
    fields: dict[str, Any] = {
        "kind": "invoice",
        "recipient": "client@exemple.fr",
        "sender": "compta@exemple.fr",
        "sender_name": "Société Générale d’Éclairage, SAS",
        "subject": "Votre facture n° 18000135 – échéance",
        "text": "Bonjour,\n.une ligne qui commence par un point\nà bientôt",
        "html": "<p>Bonjour,<br>à bientôt</p>",
    }
    return Draft(key=key, **(fields | values))


def use_smtp(settings: Any, port: int, **options: Any) -> None:
    """Send to this port, with one connection and little patience."""
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 1, **options},
        }
    }
    settings.MAIL_CONNECTIONS = 1
    settings.MAIL_FINAL_REPLY_TIMEOUT = 1


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A server that accepts everything, and to which mails go."""
    server = Sink()
    with running(server) as port:
        use_smtp(settings, port)
        settings.BOUNCE_ADDRESS = "retours@exemple.fr"
        yield server


def send(*expected_states: str, limit: int | None = None) -> list[Message]:
    """Run the worker; the messages in the order of their keys, whose states must be ``expected_states``."""
    try:
        call_command("send_queued_mail", limit=limit)
    except CommandError:
        assert set(expected_states) - {"accepted"}
    else:
        assert "rejected" not in expected_states
    messages = list(Message.objects.order_by("key"))
    assert tuple(message.state for message in messages) == expected_states
    return messages


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
    """A certificate that nobody vouches for, and its key."""
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


def test_a_certificate_that_nobody_vouches_for_gets_no_mail(settings: Any, own_certificate: tuple[str, str]) -> None:
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
    [message] = send("accepted")
    [path] = Path(settings.MAIL_ROOT).iterdir()
    content = path.read_bytes().decode()
    assert "\nTo: stanisław.wójcik@exemple.fr\n" in content
    assert content.startswith(f"Return-Path: <retours+{message.return_token}@")
    assert message.message_id.strip("<>") == path.stem
    assert path.stat().st_mode & 0o007 == 0  # it may tell a password: nobody else on the machine reads it


def test_a_mail_written_again_after_a_crash_takes_the_place_of_its_file(settings: Any) -> None:
    [pk] = outbox.write_messages([draft()])
    send("accepted")
    Message.objects.filter(pk=pk).update(
        state="sending", accepted_at=None, lease_until=timezone.now() - datetime.timedelta(seconds=1)
    )
    send("accepted")
    assert len(list(Path(settings.MAIL_ROOT).iterdir())) == 1


def test_what_is_no_address_is_rejected_and_becomes_an_address_in_error(sink: Sink) -> None:
    outbox.write_messages([draft("1", recipient="pas une adresse"), draft("2", recipient="a@b.fr\nBcc: c@d.fr")])
    first, _second = send("rejected", "rejected")
    assert first.reason == "« pas une adresse » n’est pas une adresse électronique."
    assert outbox.known_bad(["pas une adresse"])
    assert sink.mails == []


@pytest.mark.parametrize("sender", ["", "compta", "compta@exemple..fr"])
def test_a_sender_that_is_no_address_rejects_the_mail_and_blames_no_recipient(sink: Sink, sender: str) -> None:
    outbox.write_messages([draft(sender=sender)])
    [message] = send("rejected")
    assert f"« {sender} » n’est pas une adresse" in message.reason
    assert not FailedAddress.objects.exists()


def test_a_mail_to_nobody_is_rejected(sink: Sink) -> None:
    outbox.write_messages([draft(recipient=" ")])
    send("rejected")
    assert not FailedAddress.objects.exists()


# ─── Secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def provide(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str | None]], None]:
    """Registers a provider for one test."""

    def register(provider: Callable[[str], str | None]) -> None:
        monkeypatch.setattr(secrets, "_providers", [])
        secrets.register_secret_provider(provider)

    return register


SECRET_DRAFT = {
    "text": f"Mot de passe : {SECRET_MASK}",
    "html": f"<p>Mot de passe : {SECRET_MASK}</p>",
    "secret_reference": "42",
}


def everything_stored() -> str:
    """All text that the tables of this room hold."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            if table.startswith("mailing_"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows.extend(cursor.fetchall())
    return repr(rows)


def test_the_secret_stands_in_the_sent_mail_and_nowhere_else(
    sink: Sink, provide: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "mail.log")  # the server's own log
    provide({"42": "K7<w&9-sec"}.get)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    send("accepted")
    [mail] = sink.parsed
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Mot de passe : K7<w&9-sec"
    assert "K7&lt;w&amp;9-sec" in html.get_content()
    said = capsys.readouterr()
    for place in (everything_stored(), caplog.text, said.out, said.err):
        assert "K7" not in place


def test_a_server_that_quotes_the_secret_does_not_make_us_keep_it(sink: Sink, provide: Any) -> None:
    sink.replies["DATA", "client"] = "550 5.7.1 spam: K7w9-sec"
    provide({"42": "K7w9-sec"}.get)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("rejected")
    assert message.reason.endswith(f"spam: {SECRET_MASK}")


def test_an_expired_secret_is_never_sent(sink: Sink, provide: Any) -> None:
    provide(lambda reference: None)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("rejected")
    assert message.reason == "mot de passe provisoire expiré"
    assert sink.mails == []
    assert not FailedAddress.objects.exists()


def test_a_provider_that_fails_defers_and_its_words_are_not_kept(
    sink: Sink, provide: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(reference: str) -> str:
        raise RuntimeError("K7w9-sec cannot be read")

    provide(fail)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("deferred")
    assert "RuntimeError" in message.reason
    assert "K7w9" not in message.reason + caplog.text + everything_stored()
    assert sink.mails == []


def test_a_mail_that_tells_no_password_asks_for_none(sink: Sink, provide: Any) -> None:
    provide(lambda reference: None)
    outbox.write_messages([draft(secret_reference="42")])
    send("accepted")


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
def test_a_mail_in_hand_is_nobody_elses_until_its_lease_ends() -> None:
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
