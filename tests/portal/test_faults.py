"""A fault of ours is said to be ours, logged, and announced to whoever mends it: once an hour for each kind."""

import datetime
import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from invoices.models import Document
from mailing.outbox import messages_to
from mailing.trail.evidence import entries_about
from tests.support.factories import make_account, make_published_invoice

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
TECHNICIAN = "informatique@societe.example"


@pytest.fixture(autouse=True)
def technician(settings: Any) -> None:
    """Somebody to be notified."""
    settings.TECHNICAL_EMAIL = TECHNICIAN


def told() -> list[str]:
    """The texts of the mails to the technician, the oldest first."""
    return [message.text for message in reversed(messages_to([TECHNICIAN]))]


@pytest.mark.parametrize("address", ["pdf", "xml"])
def test_a_document_missing_from_the_store_is_said_to_be_our_fault_and_reported(
    client: Client, caplog: pytest.LogCaptureFixture, time_machine: Any, address: str
) -> None:
    invoice = make_published_invoice()
    Document.objects.filter(invoice=invoice).update(profile="EN 16931")
    client.force_login(make_account(invoice.customer), backend=BACKEND)
    assert invoice.document
    (Path(django_settings.DOCUMENTS_ROOT) / invoice.document.storage_name).unlink()
    now = timezone.now()
    for _again in range(3):
        answer = client.get(f"/factures/{invoice.pk}/{address}/")
        assert answer.status_code == 404
        page = answer.content.decode()
        assert "C’est de notre fait" in page
        assert "n’existe pas" not in page
    assert [record.levelno for record in caplog.records if "is missing" in record.getMessage()] == [logging.ERROR] * 3
    assert [entry.action for entry in entries_about(invoice)] == ["document-missing"]
    assert len(told()) == 1
    assert invoice.number in told()[0]
    time_machine.move_to(now.replace(minute=0) + datetime.timedelta(hours=2))
    client.force_login(make_account(invoice.customer, login="b@client.example"), backend=BACKEND)
    client.get(f"/factures/{invoice.pk}/{address}/")
    assert len(told()) == 2


def test_a_page_that_fails_is_reported_without_its_visitor(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_anything: object) -> None:
        raise RuntimeError("client.secret@client.example")

    client.raise_request_exception = False
    monkeypatch.setattr("portal.space.views.entry.account_of_token", fail)
    for _again in range(3):
        answer = client.get("/connexion/lien/MTIzOnRva2VuLW9mLWEtbGluaw/?q=secret")
        assert answer.status_code == 500
    assert len(told()) == 1
    assert "GET /connexion/lien/…/" in told()[0]
    assert "RuntimeError, " in told()[0]
    assert "secret" not in told()[0]


def test_two_kinds_of_failure_are_distinguished(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    for kind in (RuntimeError, KeyError):

        def fail(*_anything: object, kind: type[Exception] = kind) -> None:
            raise kind

        monkeypatch.setattr("portal.space.views.entry.account_of_token", fail)
        client.get("/connexion/lien/x/")
    assert len(told()) == 2


def test_without_a_recipient_no_mail_is_written(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_anything: object) -> None:
        raise RuntimeError

    settings.TECHNICAL_EMAIL = ""
    client.raise_request_exception = False
    monkeypatch.setattr("portal.space.views.entry.account_of_token", fail)
    assert client.get("/connexion/lien/x/").status_code == 500
    assert told() == []
