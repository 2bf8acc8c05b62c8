"""Returned mails, damaged at random: each is read or kept for a person, and the next one is settled."""

import random
from pathlib import Path

import pytest
from django.utils import timezone

from mailing import outbox
from mailing.bounces import take_in
from mailing.letters import read_letter
from mailing.models import Message
from mailing.outbox import Draft
from tests.fuzz.drawing import CASES
from tests.support import bounce_reports as reports
from tests.support.bounce_reports import About

BOUNCES = sorted((Path(__file__).parents[1] / "data" / "cases" / "mail" / "bounces").glob("*.eml"))
WEDGES = (
    b"\x00",
    b"\xff\xfe",
    b"\r",
    b"\n\n",
    b"=?utf-8?b?!!?=",
    b"=?x-none?q?=FF?=",
    b"\nContent-Transfer-Encoding: base64\n",
    b"\nContent-Transfer-Encoding: uuencode\n",
    b"\nContent-Type: multipart/mixed; boundary=B\n",
    b"\nContent-Type: text/plain; charset=utf-7\n",
    b"--B--",
    b"\nFinal-Recipient: rfc822; \\x{110000}@\n",
    b"\nStatus: 5.999.999\n",
    b"\nAction: exploded\n",
    "\u0130\u2028é".encode(),
)


def damaged(chance: random.Random, sound: bytes, other: bytes) -> bytes:
    """``sound`` cut, turned, doubled, or mixed with pieces of ``other``."""
    data = bytearray(sound)
    for _change in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0:
                data[at : at + chance.randint(1, 40)] = b""
            case 1:
                data[at:at] = chance.choice(WEDGES)
            case 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                data[at:at] = other[(start := chance.randrange(len(other))) : start + chance.randint(1, 400)]
            case 4:
                data[at:at] = data[at : at + 200] * chance.randint(1, 3)
            case 5:
                data = data.replace(b"\n", b"\r\n") if chance.random() < 0.5 else data.replace(b"\n", b"\r")
            case _:
                data = data[:at] if chance.random() < 0.2 else data
    return bytes(data)


@pytest.mark.django_db
def test_a_damaged_mail_stops_nothing_and_the_next_one_is_settled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chance = random.Random(CASES)
    recipient = "client@client.example"
    draft = Draft("k", "invoice", recipient, "factures@portail.example", "Votre facture", "Bonjour")
    [pk] = outbox.write_messages([draft])
    message = Message.objects.get(pk=pk)
    good = reports.postfix(About(message.message_id, recipient, f"retours+{message.return_token}@portail.example"))

    def accepted() -> None:
        Message.objects.filter(pk=pk).update(
            state="accepted", accepted_at=timezone.now(), bounced_at=None, ended_at=None, next_attempt_at=None
        )

    for number in range(CASES):
        sound, other = (path.read_bytes() for path in chance.sample(BOUNCES, 2))
        sound = sound.replace(b"TOKEN", message.return_token.encode()).replace(b"<MESSAGE-ID>", b"<1@x.example>")
        accepted()
        assert take_in(damaged(chance, sound, other), timezone.now()).value
        accepted()
        assert take_in(good, timezone.now()).value == "hard", number
        assert Message.objects.get(pk=pk).state == "bounced"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_charset_with_a_nul_in_its_name_costs_no_text() -> None:
    raw = b'From: a@client.example\nContent-Type: text/plain; charset="ut\x00f-8"\n\nCaf\xe9\n'
    assert read_letter(raw).text.strip() == "Café"
