"""Provisional passwords between two keys of the installation."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from customers.credentials import read_provisional
from customers.models import Account, Customer
from customers.services import generate_credentials, send_credentials
from mailing import outbox
from mailing.sending import Sender

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    """A customer's account whose credentials wait in the outbox."""
    customer = Customer.objects.create(code="C1", name="Dupont", email="client@exemple.fr")
    made = generate_credentials(customer=customer, address="client@exemple.fr").account
    send_credentials(accounts=[made])
    return made


def sent_texts() -> list[str]:
    """The text of each mail written to a file, as happens where no server is set."""
    found = []
    for path in sorted(Path(settings.MAIL_ROOT).glob("*")):
        body = message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
        assert body is not None
        found.append(body.get_content())
    return found


def test_a_password_that_another_key_encrypted_waits_for_that_key(account: Account) -> None:
    secret = read_provisional(account)
    old_key = settings.SECRET_KEY

    with override_settings(SECRET_KEY="an entirely different key of another installation"):
        assert Sender().run().deferred == 1
        [waiting] = outbox.messages_to([account.login])
        state = outbox.states_of([waiting.pk])[waiting.pk]
        assert state.state == "deferred"
        assert "SECRET_KEY_FALLBACKS" in state.reason
        assert sent_texts() == []

        with override_settings(SECRET_KEY_FALLBACKS=[old_key]):
            outbox.retry([waiting.pk], by="Claire")
            assert Sender().run().accepted == 1

    [text] = sent_texts()
    assert f"Mot de passe : {secret}\n" in text
    assert "expiré" not in text
