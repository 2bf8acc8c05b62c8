"""What people do is in the trail, with who, what, on what and from where."""

import json
from typing import Any

import pytest
from django.test import Client

from customers.models import Account, Customer
from customers.services import generate_credentials, send_credentials, set_active
from invoices.documents.consultations import record_consultations
from invoices.models import Consultation
from mailing.trail.models import Entry
from tests.support.factories import make_account, make_customer, make_invoice

pytestmark = pytest.mark.django_db


def last_entry(action: str) -> dict[str, Any]:
    """The last entry of ``action``: its columns, details and personal values as plain values."""
    entry = Entry.objects.filter(action=action).order_by("-pk").select_related("personal").first()
    assert entry is not None, f"no entry of {action}"
    return {
        "object": (entry.object_type, entry.object_id),
        "account": entry.account,
        "way": entry.way,
        "details": json.loads(entry.details),
        "personal": json.loads(entry.personal.values) if entry.personal_sha256 else {},
    }


def test_a_sign_in_and_one_that_is_refused(client: Client) -> None:
    account = make_account(make_customer(), password="Quatre mots sans rapport 7")
    client.post("/connexion/", {"username": account.login, "password": "faux"}, REMOTE_ADDR="192.0.2.9")
    refused = last_entry("sign-in-refused")
    assert refused["personal"]["login"] == account.login
    assert refused["personal"]["from"] == "192.0.2.9"
    assert (refused["account"], refused["way"]) == (None, "web")
    client.post("/connexion/", {"username": account.login, "password": "Quatre mots sans rapport 7"})
    assert last_entry("signed-in")["account"] == account.pk
    client.post("/deconnexion/")
    assert last_entry("signed-out")["account"] == account.pk


def test_a_card_that_changes_says_what_was_there_before(staff_client: Client, staff: Account) -> None:
    customer = make_customer(invoice_copies="2", email="avant@client.example")
    staff_client.post(
        f"/gestion/customers/customer/{customer.pk}/change/",
        {
            "code": customer.code,
            "name": customer.name,
            "kind": customer.kind,
            "email": "apres@client.example",
            "country": "FR",
            "invoice_copies": "D",
            "contacts-TOTAL_FORMS": "0",
            "contacts-INITIAL_FORMS": "0",
        },
        REMOTE_ADDR="192.0.2.8",
    )
    assert Customer.objects.get(pk=customer.pk).invoice_copies == "D"
    copies, address, changed = (last_entry(action) for action in ("copies-changed", "address-changed", "changed"))
    assert copies["object"] == ("customers.customer", str(customer.pk))
    assert copies["details"] == {"former": "2", "now": "D"}
    assert copies["account"] == staff.pk
    assert address["details"] == {}
    assert address["personal"]["former"] == "avant@client.example"
    assert address["personal"]["from"] == "192.0.2.8"
    assert "changed" in changed["details"]["changes"][0]
    assert customer.name not in json.dumps(changed["details"])


def test_credentials_made_sent_and_closed(predefined_messages: None) -> None:
    account = generate_credentials(customer=make_customer(code="C7"), address="neuf@client.example").account
    assert last_entry("credentials-made")["details"] == {"customer": "C7"}
    send_credentials(accounts=[account])
    assert last_entry("credentials-sent")["object"] == ("customers.account", str(account.pk))
    set_active(accounts=[account], is_active=False)
    assert last_entry("account-closed")["personal"]["login"] == "neuf@client.example"


def test_a_consultation_is_its_readers() -> None:
    customer = make_customer()
    account = make_account(customer)
    invoice = make_invoice(customer=customer)
    record_consultations(invoice_ids=[invoice.pk], account=account, channel=Consultation.Channel.PDF)
    entry = last_entry("consulted")
    assert entry["object"] == ("invoices.invoice", str(invoice.pk))
    assert entry["account"] == account.pk
    assert entry["details"] == {"channel": "pdf"}
