"""«Télécharger mes données»: what is the account's own, and no one else's."""

import io
import json
import zipfile

import pytest
from django.test import Client

from tests.support.factories import make_account, make_contact, make_customer

pytestmark = pytest.mark.django_db


def test_ones_own_contact_rows_come_along_and_those_of_colleagues_do_not(client: Client) -> None:
    customer, stranger = make_customer(code="000008"), make_customer()
    make_contact(customer, name="Anne Martin", email="A@a.example", function="Comptable")
    make_contact(customer, name="Paul Collègue", email="paul@a.example")
    make_contact(stranger, name="Anne ailleurs", email="a@a.example")
    client.force_login(make_account(customer, login="a@a.example"), backend="customers.authentication.AccountBackend")

    response = client.get("/compte/donnees.zip")
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        contacts = json.loads(archive.read("donnees.json"))["contacts"]
    response.close()

    assert [(each["customer__code"], each["name"], each["function"]) for each in contacts] == [
        ("000008", "Anne Martin", "Comptable")
    ]
