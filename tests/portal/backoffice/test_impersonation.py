"""Staff look at a customer's pages: read-only, with a banner, noted, never counted as consulted."""

import datetime

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from invoices.models import Consultation, Invoice
from tests.support.back_office import BACKEND, member, words
from tests.support.factories import (
    make_account,
    make_customer,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def visited(client: Client) -> Invoice:
    """A published invoice whose customer is looked at by a member of staff."""
    invoice = make_published_invoice(customer=make_customer(name="Boulangerie Martin"))
    account = make_account(invoice.customer, name="Nathalie")
    client.force_login(make_staff(), backend=BACKEND)
    answer = client.post(f"/gestion/voir-comme/{invoice.customer.pk}/{account.pk}/")
    assert answer["Location"] == "/factures/"
    return invoice


def test_staff_see_the_customers_pages_with_a_banner_and_it_is_noted(client: Client, visited: Invoice) -> None:
    page = words(client.get("/factures/"))

    assert visited.number in page
    assert "Vous voyez l’espace comme Nathalie" in page
    assert "Bienvenue Nathalie" in page
    entry = LogEntry.objects.get()
    assert "Espace vu comme" in entry.get_change_message()
    assert entry.object_id == str(visited.customer.pk)


def test_looking_is_never_counted_as_consulted(client: Client, visited: Invoice) -> None:
    for address in ("", "pdf/"):
        answer = client.get(f"/factures/{visited.pk}/{address}")
        assert answer.status_code == 200
        if answer.streaming:
            b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    b"".join(client.get("/factures/archive.zip?annee=2025").streaming_content)  # type: ignore[attr-defined]

    assert not Consultation.objects.exists()
    visited.refresh_from_db()
    assert visited.first_consulted_at is None


def test_nothing_can_be_changed_while_looking(client: Client, visited: Invoice) -> None:
    assert client.post("/factures/archive.zip", {"facture": str(visited.pk)}).status_code == 403


def test_the_account_page_stays_that_of_the_member_of_staff(client: Client, visited: Invoice) -> None:
    page = words(client.get("/compte/"))

    assert "compta@aquila.example" in page
    assert "Vous voyez l’espace comme" not in page


def test_the_visit_ends_by_its_button_and_by_itself(client: Client, visited: Invoice) -> None:
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=31)):
        assert "Vous voyez l’espace comme" not in words(client.get("/factures/"))
    account = visited.customer.accounts.get()
    client.post(f"/gestion/voir-comme/{visited.customer.pk}/{account.pk}/")
    assert "Vous voyez l’espace comme" in words(client.get("/factures/"))

    answer = client.post("/gestion/voir-comme/fin/")

    assert answer["Location"] == f"/gestion/customers/customer/{visited.customer.pk}/change/#web"
    assert "Vous voyez l’espace comme" not in words(client.get("/factures/"))


def test_a_right_taken_away_ends_the_visit(client: Client) -> None:
    customer = make_customer()
    account = make_account(customer)
    staff = member("Comptabilité")
    client.force_login(staff, backend=BACKEND)
    client.post(f"/gestion/voir-comme/{customer.pk}/{account.pk}/")
    assert "Vous voyez l’espace comme" in words(client.get("/factures/"))

    staff.groups.clear()

    assert "Vous voyez l’espace comme" not in words(client.get("/factures/"))


def test_a_visit_cannot_be_forged_or_taken_over(client: Client) -> None:
    account = make_account(make_customer())
    client.force_login(make_staff(), backend=BACKEND)
    session = client.session
    session["viewed_account"] = f'{{"account": {account.pk}}}'
    session.save()

    assert "Vous voyez l’espace comme" not in words(client.get("/factures/"))


def test_staff_are_never_looked_at(client: Client) -> None:
    customer = make_customer()
    other = make_staff("autre@aquila.example")
    client.force_login(make_staff(), backend=BACKEND)

    answer = client.post(f"/gestion/voir-comme/{customer.pk}/{other.pk}/")
    assert answer["Location"] == f"/gestion/customers/customer/{customer.pk}/change/"
