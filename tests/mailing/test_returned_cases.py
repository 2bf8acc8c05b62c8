"""Mails that came back, as people met them; and mails that once stopped the reader, or might."""

import base64
import csv
import mailbox
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailing import outbox
from mailing.bounces import take_in
from mailing.mime import return_path
from mailing.models import FailedAddress, Message, Reply
from mailing.outbox import Draft
from mailing.reports import Nature, read_report
from tests.support import bounce_reports as reports
from tests.support.bounce_reports import About

CASES = Path(__file__).parents[1] / "data" / "cases" / "mail"
HOSTILE = sorted((CASES / "hostile").iterdir())

pytestmark = pytest.mark.django_db


def rows() -> list[dict[str, str]]:
    """The cases and their right readings."""
    with (CASES / "bounces.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table, delimiter=";"))


def write(recipient: str, key: str = "k") -> Message:
    """A mail that a server accepted."""
    [pk] = outbox.write_messages(
        [Draft(key, "invoice", recipient, "factures@portail.example", "Votre facture", "Bonjour")]
    )
    Message.objects.filter(pk=pk).update(state="accepted", accepted_at=timezone.now(), next_attempt_at=None)
    return Message.objects.get(pk=pk)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["case"])
def test_each_mail_that_came_back_is_read_as_a_person_would(row: dict[str, str]) -> None:
    number = int(row["case"])
    message = write(f"b{number % 100:02}@client.example")
    raw = (CASES / "bounces" / f"{number}.eml").read_bytes()
    raw = raw.replace(b"TOKEN", message.return_token.encode()).replace(b"<MESSAGE-ID>", message.message_id.encode())
    effect = take_in(raw, timezone.now())
    right = row["right"].split("|") + (["challenge"] if row["case"] == "645" else [])
    assert effect.value in right
    assert effect.needs_a_person is (effect.value in ("other", "challenge"))
    message.refresh_from_db()
    assert message.state == ("bounced" if effect.value in ("hard", "full", "soft", "policy") else "accepted")
    if row["address_to_blame"] != "either":
        assert FailedAddress.objects.exists() is (row["address_to_blame"] == "yes")


def test_an_address_to_which_a_customer_forwards_is_named_and_not_blamed() -> None:
    message = write("b35@client.example")
    raw = (CASES / "bounces" / "635.eml").read_bytes().replace(b"TOKEN", message.return_token.encode())
    take_in(raw, timezone.now())
    message.refresh_from_db()
    assert "ancien@autre.example" in message.reason
    assert not FailedAddress.objects.exists()


TEXT_ONLY = [
    ("Non remis : Votre facture", "Échec de la remise à ces destinataires :\n\n{to}\nL’adresse est introuvable."),
    ("Unzustellbar: Votre facture", "{to}\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'"),
    ("Undeliverable: Votre facture", "Delivery has failed to these recipients:\n{to}\n550 5.1.1 user unknown"),
    ("Undelivered Mail Returned to Sender", "<{to}>: host mx said: 550 5.1.1 Utilisateur inconnu"),
]


# Sender, title and words of servers of their own manner; what they mean, and whether the address is to blame.
OWN_MANNERS = [
    (
        "Mail Delivery System <Mailer-Daemon@mx.example>",
        "Mail delivery failed: returning message to sender",
        "  {to}\n    SMTP error from remote mail server after RCPT TO:<{to}>:\n"
        "    550-Verification failed for <factures@portail.example>\n    550-No such user here\n"
        "    550 Sender verify failed\n",
        "policy",
    ),
    (
        "MAILER-DAEMON <>",
        "Mail delivery failed",
        "This is the DragonFly Mail Agent v0.13.\n\nmx.client.example did not like our RCPT TO:\n"
        "550 5.1.1 <{to}>: Recipient address rejected: User unknown\n",
        "hard",
    ),
    (
        "postmaster@client.example",
        "No se puede entregar: Votre facture",
        "Error de entrega a estos destinatarios o grupos:\n{to}\n"
        "No se encontró la dirección de correo electrónico especificada.",
        "hard",
    ),
    (
        "postmaster@client.example",
        "Non recapitabile: Votre facture",
        "Recapito non riuscito per i seguenti destinatari o gruppi:\n{to}\n"
        "La cassetta postale del destinatario è piena e non può accettare messaggi.",
        "full",
    ),
    (
        "postmaster@client.example",
        "Remise retardée : Votre facture",
        "La remise à ces destinataires ou groupes est retardée :\n{to}\n"
        "Le serveur va continuer à essayer de remettre le message pendant 2 jours.",
        "delayed",
    ),
    (
        "MAILER-DAEMON@mx.example",
        "Undelivered Mail Returned to Sender",
        "A report whose boundary stands nowhere.\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.0.0\n"
        'X-Supplementary-Info: <192.0.2.1 #5.0.0 smtp; 550 "Unknown user">\n',
        "hard",
    ),
]


@pytest.mark.parametrize(("sender", "subject", "text", "right"), OWN_MANNERS, ids=[row[1] for row in OWN_MANNERS])
def test_a_server_of_its_own_manner_is_understood(sender: str, subject: str, text: str, right: str) -> None:
    message = write("b50@client.example")
    kind = 'multipart/report; boundary="elsewhere"' if "boundary" in text else "text/plain; charset=utf-8"
    raw = (
        f"Return-Path: <>\nFrom: {sender}\nTo: retours+{message.return_token}@portail.example\nSubject: {subject}\n"
        f"MIME-Version: 1.0\nContent-Type: {kind}\n\n{text.format(to=message.recipient)}\n"
    )
    assert take_in(raw.encode(), timezone.now()).value == right
    assert FailedAddress.objects.exists() is (right == "hard")


def test_a_complaint_is_for_a_person_and_blames_no_address() -> None:
    message = write("b50@client.example")
    raw = (
        f"Return-Path: <>\nAuto-Submitted: auto-generated\nFrom: <fbl@provider.example>\n"
        f"To: retours+{message.return_token}@portail.example\nSubject: complaint\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=B\n\n--B\n\nAn abuse report.\n"
        f"--B\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n--B--\n"
    )
    assert take_in(raw.encode(), timezone.now()).value == "other"
    assert Reply.objects.get().kind == Reply.Kind.UNREAD
    assert not FailedAddress.objects.exists()


@pytest.mark.parametrize(("subject", "text"), TEXT_ONLY)
@pytest.mark.parametrize("encoding", ["8bit", "base64"])
def test_a_report_in_words_alone_is_understood_in_any_encoding(subject: str, text: str, encoding: str) -> None:

    message = write("client@client.example")
    body = text.format(to=message.recipient).encode()
    raw = (
        f"Return-Path: <>\nFrom: postmaster@client.example\nTo: retours+{message.return_token}@portail.example\n"
        f"Subject: {subject}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        f"Content-Transfer-Encoding: {encoding}\n\n"
    ).encode() + (base64.encodebytes(body) if encoding == "base64" else body)
    assert take_in(raw, timezone.now()).value == "hard"


def test_a_report_whose_fields_are_in_base64_is_read() -> None:

    message = write("client@client.example")
    about = About(message.message_id, message.recipient, f"retours+{message.return_token}@portail.example")
    head, fields, rest = (
        reports.postfix(about)
        .replace(b"message/delivery-status\n\n", b"@@")
        .replace(b"--B1\nContent-Type: message/rfc822", b"@@")
        .split(b"@@")
    )
    coded = b"message/delivery-status\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(fields)
    raw = head + coded + b"--B1\nContent-Type: message/rfc822" + rest
    assert take_in(raw, timezone.now()).value == "hard"


@pytest.mark.parametrize(
    ("subject", "nature"),
    [
        ("Absence de TVA sur ma facture", Nature.OTHER),
        ("Absence de bon de commande", Nature.OTHER),
        ("Absents de la liste", Nature.OTHER),
        ("Automatique : prélèvement ?", Nature.OTHER),
        ("Re: Votre facture", Nature.OTHER),
        ("En congés payés, erreur de facture", Nature.OTHER),
        ("Lu et approuvé", Nature.OTHER),
        ("Absence", Nature.AUTO_REPLY),
        ("Absent jusqu'au 3/12", Nature.AUTO_REPLY),
        ("Absence : Votre facture", Nature.AUTO_REPLY),
        ("Re: Je suis absent du bureau", Nature.AUTO_REPLY),
        ("Message d’absence", Nature.AUTO_REPLY),
        ("En congés jusqu'au 3/12", Nature.AUTO_REPLY),
        ("Abwesenheitsnotiz", Nature.AUTO_REPLY),
        ("Automatische Antwort: Votre facture", Nature.AUTO_REPLY),
        ("Respuesta automática: Votre facture", Nature.AUTO_REPLY),
        ("Risposta automatica", Nature.AUTO_REPLY),
        ("Out of office", Nature.AUTO_REPLY),
    ],
)
def test_only_an_unmistakable_subject_makes_an_automatic_reply(subject: str, nature: Nature) -> None:
    raw = f"From: a@client.example\nTo: retours@portail.example\nSubject: {subject}\n\nBonjour\n".encode()
    assert read_report(raw).nature is nature


# ─── Poison ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("poison", HOSTILE, ids=lambda path: path.stem)
def test_a_mail_that_cannot_be_read_is_kept_for_a_person_and_the_next_is_settled(
    poison: Path, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.BOUNCE_ADDRESS = "retours@portail.example"
    message = write("client@client.example")
    box = tmp_path / "retours"
    for folder in ("new", "cur", "tmp"):
        (box / folder).mkdir(parents=True)
    (box / "new" / "1.poison").write_bytes(poison.read_bytes())
    good = reports.postfix(About(message.message_id, message.recipient, return_path(message)))
    (box / "new" / "2.good").write_bytes(good)
    call_command("read_bounces", maildir=box)
    assert capsys.readouterr().out.startswith("2 mails lus : ")
    message.refresh_from_db()
    assert message.state == "bounced"
    assert not list((box / "new").iterdir())
    kept = [path.read_bytes() for path in [*(box / "cur").iterdir(), *(box / ".Traites" / "cur").iterdir()]]
    assert sorted(kept) == sorted([poison.read_bytes(), good])
    assert len(mailbox.Maildir(box)) + len(mailbox.Maildir(box / ".Traites")) == 2


NAMES = st.sampled_from(
    [
        "From",
        "To",
        "Subject",
        "Content-Type",
        "Content-Transfer-Encoding",
        "X-Failed-Recipients",
        "Auto-Submitted",
        "Delivered-To",
        "Return-Path",
        "In-Reply-To",
        "Precedence",
        "MIME-Version",
        "Contente",
    ]
)
VALUES = st.sampled_from(
    [
        b"MAILER-DAEMON@x.example",
        b"postmaster@x",
        b"=?utf-\xe2?q?a?=",
        b"=?nope?b?QQ?=",
        b"=?utf-8?b?!?=",
        b"base64",
        b"uuencode",
        b"x-nope",
        b"text/plain; charset=nope",
        b'text/plain; charset="utf-\xff"',
        b"text/html; charset=hex",
        b"multipart/report; boundary=b",
        b"multipart/mixed",
        b"message/rfc822",
        b"message/global-delivery-status",
        b"message/delivery-status",
        b"Undeliverable: x",
        b"<>",
        b"a\x00b",
        b"\xed\xa0\x80",
        b"@",
        b"<a@b",
        b'"',
        b"auto-replied",
    ]
)
LINES = st.sampled_from(
    [
        b"--b",
        b"--b--",
        b"",
        b"Final-Recipient: utf-8; \\x{FFFFFF}@b",
        b"Final-Recipient: rfc822; x@y.example",
        b"Action: failed",
        b"Status: 5.1.1",
        b"Status: 9.9.9",
        b"Diagnostic-Code: smtp; 550 5.1.1 \x00 unknown",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: base64",
        b"550 5.1.1 user unknown",
        b"begin 644 x",
        b"QUJD",
        b"\xff\xfe",
        b"=?utf-\x80?q?x?=",
        b"Message-ID: <\x00>",
    ]
)
MAILS = st.builds(
    lambda headers, lines, noise: b"\n".join(
        [*(name.encode() + b": " + value for name, value in headers), b"", *lines, noise]
    ),
    st.lists(st.tuples(NAMES, VALUES | st.binary(max_size=30)), max_size=8),
    st.lists(LINES, max_size=14),
    st.binary(max_size=60),
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(poison=MAILS)
def test_hundreds_of_hostile_mails_stop_nothing(poison: bytes) -> None:
    message = Message.objects.filter(key="k").first() or write("client@client.example")
    Message.objects.filter(pk=message.pk).update(state="accepted", bounced_at=None, ended_at=None)
    token = f"To: retours+{message.return_token}@portail.example\n".encode()
    assert take_in(poison, timezone.now()).value
    take_in(token + poison, timezone.now())
    Message.objects.filter(pk=message.pk).update(state="accepted", bounced_at=None, ended_at=None)
    about = About(message.message_id, message.recipient, f"retours+{message.return_token}@portail.example")
    assert take_in(reports.postfix(about), timezone.now()).value == "hard"
