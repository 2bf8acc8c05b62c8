"""The work list of addresses in error, in the back-office."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.models import Account, Customer
from customers.services import generate_credentials, send_credentials
from mailing.models import FailedAddress, Message
from tests.support.back_office import BACKEND, words
from tests.support.factories import make_account, make_company, make_contact, make_customer, make_invoice
from tests.support.refused_mail import publish, refuse

pytestmark = pytest.mark.django_db

WRONG = "/gestion/courrier/adresses-en-erreur/"


def test_the_work_list_names_customer_reason_and_invoices(staff_client: Client) -> None:
    make_company()
    customer = make_customer(name="Boulangerie Martin", email="faux@client.example")
    publish(make_invoice(customer=customer, number="F-77"))
    refuse("faux@client.example")

    page = words(staff_client.get(WRONG))

    assert "1 adresse refusée" in page
    assert "Boulangerie Martin" in page
    assert "550 boîte inconnue" in page
    assert "F-77" in page
    table = staff_client.get("/gestion/courrier/adresses-en-erreur.csv").content.decode()
    assert table.splitlines()[1].startswith(f"{customer.code};Boulangerie Martin;faux@client.example;550")


def test_a_corrected_address_is_written_everywhere_and_what_was_lost_leaves_again(staff_client: Client) -> None:
    make_company()
    customer = make_customer(email="faux@client.example")
    make_contact(customer, email="Faux@client.example")
    publish(make_invoice(customer=customer))
    refuse("faux@client.example")

    answer = staff_client.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
        follow=True,
    )

    assert "Adresse corrigée" in words(answer)
    assert "1 mail renvoyé." in words(answer)
    customer.refresh_from_db()
    assert customer.email == "vrai@client.example"
    assert customer.contacts.get().email == "vrai@client.example"
    queued = dict(Message.objects.filter(state="queued").values_list("recipient", "kind"))
    assert queued.pop("faux@client.example", "moved") == "moved"  # whoever reads it is notified
    assert list(queued) == ["vrai@client.example"]
    assert not FailedAddress.objects.filter(resolved_at=None).exists()
    assert LogEntry.objects.get().object_id == str(customer.pk)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("pas une adresse", "« pas une adresse » n’est pas une adresse électronique."),
        ("", "n’est pas une adresse électronique."),
        ("autre@client.example", "« autre@client.example » est elle-même en erreur."),
    ],
)
def test_a_wrong_correction_is_reported_beside_its_field_and_stays_in_it(
    staff_client: Client, typed: str, sentence: str
) -> None:
    customer = make_customer(email="faux@client.example")
    refuse("faux@client.example")
    refuse("autre@client.example")

    page = staff_client.post(
        f"{WRONG}corriger/", {"customer": customer.pk, "address": "faux@client.example", "new": typed}
    )

    assert page.status_code == 422
    assert sentence in words(page)
    assert f'value="{typed}"' in page.content.decode()
    assert Customer.objects.get().email == "faux@client.example"


def test_lost_credentials_leave_again_at_the_corrected_address(staff_client: Client) -> None:
    customer = make_customer(email="faux@client.example")
    send_credentials(accounts=[generate_credentials(customer=customer, address=customer.email).account])
    refuse("faux@client.example")

    staff_client.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
    )

    queued = dict(Message.objects.filter(state="queued").values_list("recipient", "kind"))
    assert queued.pop("faux@client.example", "moved") == "moved"  # whoever reads it is notified
    assert list(queued) == ["vrai@client.example"]


def test_an_address_of_no_customer_can_leave_the_list(staff_client: Client) -> None:
    refuse("parti@nulle-part.example")

    assert "plus aucun client" in words(staff_client.get(WRONG))
    staff_client.post(f"{WRONG}retirer/", {"address": "parti@nulle-part.example"})

    assert "Aucune adresse en erreur." in words(staff_client.get(WRONG))
    assert LogEntry.objects.get().object_repr == "parti@nulle-part.example"


def test_a_wrong_correction_on_the_second_page_is_reported_there(staff_client: Client) -> None:
    customer = make_customer(email="faux@client.example")
    refuse("faux@client.example")
    for number in range(50):
        refuse(f"a{number}@nulle-part.example")
    form = {"customer": customer.pk, "address": "faux@client.example"}

    page = staff_client.post(f"{WRONG}corriger/?page=2", {**form, "new": "pas une adresse"})
    right = staff_client.post(f"{WRONG}corriger/?page=2", {**form, "new": "vrai@client.example"})

    assert "« pas une adresse » n’est pas une adresse électronique." in words(page)
    assert right.headers["Location"] == f"{WRONG}?page=2"


@pytest.mark.parametrize("customer", ["", "x", "²", "999999"])
def test_a_customer_that_is_missing_is_reported(staff_client: Client, customer: str) -> None:
    typed = {"customer": customer, "address": "a@b.example", "new": "c@b.example"}
    answer = staff_client.post(f"{WRONG}corriger/", typed, follow=True)

    assert "Ce client a été supprimé entre-temps : rien n’a été fait." in words(answer)


def test_the_work_list_asks_as_often_for_forty_addresses_as_for_four(
    staff_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _number in range(40):
        refuse(make_customer().email)

    with django_assert_max_num_queries(16):
        assert staff_client.get(WRONG).context["count"] == 40


def test_who_may_correct_addresses_only_moves_no_login(client: Client) -> None:
    make_company()
    customer = make_customer(email="faux@client.example")
    account = make_account(customer)
    publish(make_invoice(customer=customer))
    refuse("faux@client.example")
    clerk = Account.objects.create_user("adresses@aquila.example", uuid4().hex, is_staff=True)
    rights = ("view_failedaddress", "change_failedaddress", "change_customer")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(clerk, backend=BACKEND)

    answer = client.post(
        f"{WRONG}corriger/",
        {"customer": customer.pk, "address": "faux@client.example", "new": "vrai@client.example"},
        follow=True,
    )

    customer.refresh_from_db()
    account.refresh_from_db()
    assert (customer.email, account.login) == ("vrai@client.example", "faux@client.example")
    assert "L’identifiant de connexion reste faux@client.example" in words(answer)
    assert not Message.objects.filter(state="queued").exists()
