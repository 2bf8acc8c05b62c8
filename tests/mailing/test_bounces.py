"""Mails that come back: the right mail, the right recipient, the right word; read twice, said once."""

import mailbox
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from mailing import outbox
from mailing.bounces import Effect, take_in
from mailing.failed_addresses import known_bad
from mailing.mime import return_path
from mailing.models import FailedAddress, Message
from mailing.outbox import Draft
from mailing.reports import Nature, read_report
from tests.support import bounce_reports as reports
from tests.support.bounce_reports import About, group, rfc3464

RECIPIENT = "client@exemple.org"


@pytest.fixture
def sent(db: None, settings: Any) -> About:
    """A mail that a server accepted, and a second one to somebody else."""
    settings.BOUNCE_ADDRESS = "retours@exemple.fr"
    ids = outbox.write_messages(
        Draft(f"k{number}", "invoice", address, "compta@exemple.fr", "Votre facture", "Bonjour")
        for number, address in enumerate([RECIPIENT, "autre@exemple.org"])
    )
    now = timezone.now()
    Message.objects.update(state="accepted", accepted_at=now, next_attempt_at=None)
    message = Message.objects.get(pk=ids[0])
    return About(message.message_id, message.recipient, return_path(message))


def states() -> list[str]:
    """The state of the mail that came back, and of the other one."""
    return list(Message.objects.order_by("key").values_list("state", flat=True))


def first() -> Message:
    """The mail that came back."""
    return Message.objects.get(key="k0")


MANNERS = [
    reports.postfix,
    reports.sendmail,
    reports.exchange,
    reports.gmail,
    reports.exim,
    reports.qmail,
]


@pytest.mark.parametrize("by_token", [True, False], ids=["return path", "Message-ID"])
@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.__name__)
def test_an_unknown_user_is_understood_in_the_manner_of_each_server(
    sent: About, manner: Callable[[About], bytes], by_token: bool
) -> None:
    about = sent if by_token else About(sent.message_id, sent.recipient, "compta@exemple.fr")
    assert take_in(manner(about), timezone.now()) is Effect.HARD
    message = first()
    assert states() == ["bounced", "accepted"]
    assert (message.bounce_kind, message.bounced_at is not None) == ("hard", True)
    assert "5.1.1" in message.reason
    assert list(known_bad([RECIPIENT, "autre@exemple.org"])) == [RECIPIENT]


@pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.__name__)
def test_the_same_report_twice_counts_once(sent: About, manner: Callable[[About], bytes]) -> None:
    take_in(manner(sent), timezone.now())
    before = first().bounced_at
    assert take_in(manner(sent), timezone.now()) is Effect.KNOWN
    assert first().bounced_at == before
    assert FailedAddress.objects.get().failures == 1


def test_a_return_path_that_lost_its_case_is_known(sent: About) -> None:
    about = About("<unknown@exemple.fr>", sent.recipient, sent.return_path.upper())
    assert take_in(reports.postfix(about), timezone.now()) is Effect.HARD


@pytest.mark.parametrize(
    ("status", "diagnostic", "effect", "words"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full", Effect.FULL, "La boîte du destinataire est pleine"),
        ("5.0.0", "554 mailbox is over quota", Effect.FULL, "La boîte du destinataire est pleine"),
        ("4.2.2", "452 4.2.2 quota exceeded", Effect.FULL, "La boîte du destinataire est pleine"),
        ("4.4.1", "connect to mx[192.0.2.1]:25: Connection timed out", Effect.SOFT, "n’a pas pris le mail"),
        ("5.4.7", "delivery time expired", Effect.SOFT, "n’a pas pris le mail"),
        ("5.7.1", "554 5.7.1 message blocked as spam", Effect.POLICY, "ne veut pas de ce mail"),
        ("5.3.4", "552 5.3.4 message too big", Effect.POLICY, "Le mail est trop gros"),
        ("5.0.0", "550 5.1.1 unknown", Effect.HARD, "L’adresse est refusée"),
        ("5.1.2", "Host not found", Effect.HARD, "L’adresse est refusée"),
        ("5.4.4", "Name service error: Host not found", Effect.HARD, "L’adresse est refusée"),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied.", Effect.HARD, "L’adresse est refusée"),
    ],
)
def test_the_reason_of_a_return_decides_whether_the_address_is_to_blame(
    sent: About, status: str, diagnostic: str, effect: Effect, words: str
) -> None:
    assert take_in(rfc3464(sent, group(RECIPIENT, status, diagnostic)), timezone.now()) is effect
    message = first()
    assert states() == ["bounced", "accepted"]
    assert message.bounce_kind == effect.value
    assert words in message.reason
    assert bool(known_bad([RECIPIENT])) is (effect is Effect.HARD)


def test_a_mail_that_only_waits_stays_accepted_and_says_why(sent: About) -> None:
    raw = rfc3464(sent, group(RECIPIENT, "4.4.1", "connect: Connection refused", action="delayed"))
    assert take_in(raw, timezone.now()) is Effect.DELAYED
    assert take_in(raw, timezone.now()) is Effect.KNOWN
    message = first()
    assert states() == ["accepted", "accepted"]
    assert message.bounce_kind == "soft"
    assert message.reason.startswith("Le serveur du destinataire fait attendre le mail : 4.4.1 connect")
    assert not FailedAddress.objects.exists()
    assert take_in(reports.postfix(sent), timezone.now()) is Effect.HARD


def test_of_several_recipients_only_ours_counts(sent: About) -> None:
    others = group("autre@exemple.org", "5.1.1", "550 5.1.1 unknown")
    delivered = group(RECIPIENT, "2.0.0", "250 ok", action="delivered")
    assert take_in(rfc3464(sent, f"{others}\n{delivered}"), timezone.now()) is Effect.DELIVERED
    assert states() == ["accepted", "accepted"]
    failed = group(RECIPIENT, "5.2.2", "552 5.2.2 full")
    assert take_in(rfc3464(sent, f"{others}\n{failed}"), timezone.now()) is Effect.FULL
    assert states() == ["bounced", "accepted"]
    assert not FailedAddress.objects.exists()


def test_a_mail_forwarded_to_two_mailboxes_came_back_only_if_both_did(sent: About) -> None:
    one, two = (group(f"boite{number}@ailleurs.example", "5.1.1", "550 5.1.1 unknown") for number in (1, 2))
    relayed = two.replace("failed", "relayed")
    assert take_in(rfc3464(sent, f"{one}\n{relayed}"), timezone.now()) is Effect.DELIVERED
    assert take_in(rfc3464(sent, f"{one}\n{two}"), timezone.now()) is Effect.SOFT
    assert first().reason.startswith("Le client fait suivre ses mails à boite1@ailleurs.example.")
    assert not FailedAddress.objects.exists()


def test_the_original_recipient_identifies_ours_after_a_forwarding(sent: About) -> None:
    fields = group("boite@ailleurs.example", "5.1.1", "550 5.1.1 unknown", original=RECIPIENT.upper())
    assert take_in(rfc3464(sent, fields), timezone.now()) is Effect.SOFT
    assert "boite@ailleurs.example" in Message.objects.get(message_id=sent.message_id).reason
    assert not known_bad([RECIPIENT])


def test_an_alias_at_the_domain_of_the_recipient_is_his_own_address(sent: About) -> None:
    own = f"boite@interne.{RECIPIENT.partition('@')[2]}"
    fields = group(own, "5.1.1", "550 5.1.1 unknown", original=RECIPIENT)
    assert take_in(rfc3464(sent, fields), timezone.now()) is Effect.HARD


def test_an_address_in_another_alphabet_is_known_from_its_report(sent: About) -> None:
    Message.objects.filter(key="k0").update(recipient="stanisław@société.example")
    raw = rfc3464(sent, "@@").replace(b"message/delivery-status", b"message/global-delivery-status")
    fields = (
        "Final-Recipient: utf-8; stanis\\x{142}aw@soci\u00e9t\u00e9.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown\n"
    )
    assert take_in(raw.replace(b"@@", fields.encode()), timezone.now()) is Effect.HARD
    assert known_bad(["stanisław@société.example"])


AWAY = (
    "Return-Path: <>\nFrom: Client <client@exemple.org>\nTo: {to}\nSubject: {subject}\n{more}"
    "In-Reply-To: {message_id}\n\nJe suis absent jusqu'au 3. 550 5.1.1 user unknown, vraiment.\n{message_id}\n"
)


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("Absent du bureau", ""),
        ("=?utf-8?q?R=C3=A9ponse_automatique_=3A_Votre_facture?=", "X-Auto-Response-Suppress: All\n"),
        ("Out of Office: Votre facture", ""),
        ("Re: Votre facture", "Auto-Submitted: auto-replied\n"),
        ("Votre facture", "X-Autoreply: yes\n"),
        ("Votre facture", "Precedence: auto_reply\n"),
    ],
)
def test_an_out_of_office_reply_is_no_return(sent: About, subject: str, more: str) -> None:
    raw = AWAY.format(to=sent.return_path, subject=subject, more=more, message_id=sent.message_id).encode()
    assert take_in(raw, timezone.now()) is Effect.AUTO_REPLY
    assert states() == ["accepted", "accepted"]
    assert first().reason == ""


def test_somebody_who_writes_to_the_return_address_is_left_for_a_person(sent: About) -> None:
    raw = AWAY.format(to=sent.return_path, subject="Ma facture", more="", message_id=sent.message_id).encode()
    assert take_in(raw, timezone.now()) is Effect.OTHER
    assert states() == ["accepted", "accepted"]


def test_a_read_receipt_is_no_return(sent: About) -> None:
    raw = rfc3464(sent, "Disposition: manual-action/MDN-sent-manually; displayed\n").replace(
        b"delivery-status", b"disposition-notification"
    )
    assert take_in(raw, timezone.now()) is Effect.AUTO_REPLY
    assert states() == ["accepted", "accepted"]


def test_a_return_of_somebody_elses_mail_changes_nothing(sent: About) -> None:
    about = About("<20261124101530." + "0" * 32 + "@exemple.fr>", RECIPIENT, "retours+" + "0" * 24 + "@exemple.fr")
    assert take_in(reports.postfix(about), timezone.now()) is Effect.FOREIGN
    assert states() == ["accepted", "accepted"]
    assert not FailedAddress.objects.exists()


def test_a_return_that_is_faster_than_our_record_is_not_lost(sent: About) -> None:
    Message.objects.filter(key="k0").update(state="sending", accepted_at=None, lease_until=timezone.now())
    assert take_in(reports.postfix(sent), timezone.now()) is Effect.HARD
    assert states() == ["bounced", "accepted"]


@pytest.mark.parametrize("state", ["queued", "cancelled"])
def test_a_late_return_does_not_touch_a_mail_that_was_queued_again_or_given_up(sent: About, state: str) -> None:
    values: dict[str, Any] = {"state": state}
    if state == "queued":
        values["next_attempt_at"] = timezone.now()
    Message.objects.filter(key="k0").update(**values)
    assert take_in(reports.postfix(sent), timezone.now()) is Effect.KNOWN
    assert states() == [state, "accepted"]


def test_a_daemon_that_names_no_address_is_believed_about_the_mail_whose_return_path_it_used(sent: About) -> None:
    raw = (
        f"Return-Path: <>\nFrom: postmaster@petit.example\nTo: {sent.return_path}\nSubject: Erreur\n\n"
        "Votre message n'a pas été remis : 550 boîte inconnue\n"
    ).encode()
    assert take_in(raw, timezone.now()) is Effect.HARD
    assert states() == ["bounced", "accepted"]


def test_a_daemon_that_says_nothing_of_a_failure_is_left_for_a_person(sent: About) -> None:
    raw = f"Return-Path: <>\nFrom: postmaster@petit.example\nTo: {sent.return_path}\nSubject: Info\n\nBonjour\n"
    assert take_in(raw.encode(), timezone.now()) is Effect.OTHER
    assert states() == ["accepted", "accepted"]


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(noise: bytes) -> None:
    assert read_report(noise).nature in Nature
    assert read_report(b"From: MAILER-DAEMON@x\nSubject: =?nope?q?x?=\n" + noise).nature in Nature
    assert read_report(b"From: a@b\nSubject: =?nope?q?x?=\n\n" + noise).nature in Nature
    start = b"From: a@b\nContent-Type: multipart/report; boundary=B\n\n--B\nContent-Type: message/delivery-status\n\n"
    assert read_report(start + noise).nature in Nature


# ─── The mailbox ─────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def maildir(sent: About, tmp_path: Path) -> Path:
    """A maildir with a return, an out-of-office reply, a foreign return and a letter."""
    box = mailbox.Maildir(tmp_path / "retours")
    foreign = About("<x@y>", "z@exemple.org", "retours@exemple.fr")
    letter = AWAY.format(to="retours@exemple.fr", subject="Question", more="", message_id="<a@b>").encode()
    away = AWAY.format(to=sent.return_path, subject="Absent", more="", message_id=sent.message_id).encode()
    for raw in (reports.postfix(sent), away, reports.postfix(foreign), letter):
        box.add(mailbox.MaildirMessage(raw))
    return tmp_path / "retours"


def test_a_maildir_is_read_once_and_letters_stay_for_a_person(
    maildir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("read_bounces", maildir=maildir)
    assert capsys.readouterr().out.strip() == (
        "4 mails lus : 1 adresse refusée, 1 réponse automatique, 1 retour d’un mail inconnu,"
        " 1 mail à lire par une personne"
    )
    assert states() == ["bounced", "accepted"]
    box = mailbox.Maildir(maildir)
    [left] = box
    assert left["Subject"] == "Question"
    assert left.get_flags() == "F"
    assert len(box.get_folder("Traites")) == 3
    call_command("read_bounces", maildir=maildir)
    assert capsys.readouterr().out.strip() == "0 mail lu"
    assert FailedAddress.objects.get().failures == 1


def test_a_folder_that_is_no_maildir_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"absent.* n’est pas un dossier maildir"):
        call_command("read_bounces", maildir=tmp_path / "absent")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Indiquer IMAP_URL"),
        ("pop3://a:secret@127.0.0.1/", "doit s’écrire imaps://"),
        ("imap://a:secret@127.0.0.1:1/INBOX", "ne peut pas être lue : .*refused"),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_one_sentence_without_its_password(
    settings: Any, url: str, words: str
) -> None:
    settings.IMAP_URL = url
    with pytest.raises(CommandError, match=words) as caught:
        call_command("read_bounces")
    assert "secret" not in str(caught.value)
