"""Mails are signed (DKIM) where a key is set up, and the signature holds on the other side."""

import base64
import re
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import CommandError, call_command

from mailing import outbox
from mailing.models import Message
from mailing.outbox import Draft
from tests.support.sending import use_smtp
from tests.support.smtp_sink import Sink, running

pytestmark = pytest.mark.django_db


@pytest.fixture
def public_key(settings: Any, tmp_path: Path) -> bytes:
    """Signing is set up; the DNS record that contains the key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "dkim.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    settings.DKIM_DOMAIN, settings.DKIM_SELECTOR, settings.DKIM_PRIVATE_KEY = "exemple.fr", "portail", str(path)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def write_mail(recipient: str = "client@exemple.fr") -> None:
    """One mail with accents, a line that begins with a point and a long line."""
    text = "Échéance\n.point\n" + "x" * 1200
    html = "<p>Échéance</p>"
    outbox.write_messages([Draft("k", "invoice", recipient, "compta@exemple.fr", "Échéance", text, html)])


def verify(wire: bytes, record: bytes) -> bool:
    """What a receiving server thinks of the signature."""

    def dns(name: bytes, timeout: float = 5) -> bytes:
        assert name == b"portail._domainkey.exemple.fr."
        return record

    return bool(dkim.verify(wire, dnsfunc=dns))


@pytest.mark.parametrize("recipient", ["client@exemple.fr", "stanisław.wójcik@exemple.fr"])
def test_the_signature_of_a_sent_mail_holds(settings: Any, public_key: bytes, recipient: str) -> None:
    sink = Sink()
    write_mail(recipient)
    with running(sink) as port:
        use_smtp(settings, port)
        call_command("send_queued_mail")
    [(_from, _to, wire)] = sink.mails
    assert verify(wire, public_key)
    signed = re.search(rb"h=([^;]+);", wire)
    assert signed is not None
    assert {b"from", b"to", b"subject", b"date", b"message-id"} <= set(
        re.sub(rb"\s", b"", signed[1]).lower().split(b":")
    )
    assert not verify(wire.replace(b"Message-ID: <2", b"Message-ID: <3"), public_key)


def test_a_key_that_cannot_be_read_defers_and_sends_nothing_unsigned(settings: Any, public_key: bytes) -> None:
    settings.DKIM_PRIVATE_KEY += ".absent"
    sink = Sink()
    write_mail()
    with running(sink) as port:
        use_smtp(settings, port)
        with pytest.raises(CommandError):
            call_command("send_queued_mail")
    assert sink.mails == []
    assert (Message.objects.get().state, Message.objects.get().reason) == (
        "deferred",
        "Préparation impossible (FileNotFoundError).",
    )
