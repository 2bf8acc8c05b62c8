"""The customer card and its credentials."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.credentials import read_provisional
from customers.models import Account, Contact, Customer
from customers.services import generate_credentials
from tests.support.back_office import queued_mails, sign_in_staff
from tests.support.factories import make_account, make_contact, make_customer

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
ACCOUNTS = "/gestion/customers/customeraccount/"


@pytest.fixture
def staff(client: Client) -> Account:
    return sign_in_staff(client)


def card(customer: Customer) -> dict[str, Any]:
    """What the card of ``customer`` sends when nothing is changed."""
    return {
        "code": customer.code,
        "name": customer.name,
        "kind": customer.kind,
        "email": customer.email,
        "phone": "",
        "address": customer.address,
        "address_complement": "",
        "postcode": customer.postcode,
        "city": customer.city,
        "country": customer.country,
        "siren": customer.siren,
        "siret": customer.siret,
        "vat_identifier": "",
        "electronic_address": "",
        "invoice_copies": customer.invoice_copies,
        "contacts-TOTAL_FORMS": "0",
        "contacts-INITIAL_FORMS": "0",
    }


def contact_rows(*contacts: Contact) -> dict[str, str]:
    """The rows of saved contacts as the card sends them."""
    data = {"contacts-TOTAL_FORMS": str(len(contacts)), "contacts-INITIAL_FORMS": str(len(contacts))}
    for index, contact in enumerate(contacts):
        data |= {
            f"contacts-{index}-id": str(contact.pk),
            f"contacts-{index}-customer": str(contact.customer_id),
            f"contacts-{index}-name": contact.name,
            f"contacts-{index}-function": contact.function,
            f"contacts-{index}-email": contact.email,
        }
        if contact.is_main:
            data[f"contacts-{index}-is_main"] = "on"
    return data


# ─── The card ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_card_takes_the_letter_d_in_any_case_and_notes_the_change(client: Client, staff: Account) -> None:
    customer = make_customer(invoice_copies="1")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "invoice_copies": "d"})

    assert answer.status_code == 302
    customer.refresh_from_db()
    assert customer.invoice_copies == "D"
    assert LogEntry.objects.get().user_id == staff.pk


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("siren", "732829321", "SIREN"),
        ("siret", "73282932000075", "SIRET"),
        ("vat_identifier", "FR00732829320", "TVA"),
        ("email", "compta chez client", "« compta chez client » n’est pas une adresse électronique."),
        ("invoice_copies", "X", "Saisissez D (démat) ou un nombre d’exemplaires papier."),
        ("country", "F1", "pays"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field_and_what_was_typed_stays(
    client: Client, staff: Account, field: str, value: str, sentence: str
) -> None:
    customer = make_customer(name="Avant")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "name": "Après", field: value})

    assert answer.status_code == 200
    errors = " ".join(answer.context["adminform"].form.errors[field])
    assert sentence in errors
    assert 'value="Après"' in answer.content.decode()
    assert Customer.objects.get().name == "Avant"


def test_an_address_with_accents_is_an_address(client: Client, staff: Account) -> None:
    customer = make_customer()

    client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), "email": "stanisław.wójcik@client.example"})

    assert Customer.objects.get().email == "stanisław.wójcik@client.example"


def test_two_main_contacts_are_refused(client: Client, staff: Account) -> None:
    customer = make_customer()
    rows = contact_rows(make_contact(customer, is_main=True), make_contact(customer))

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), **rows, "contacts-1-is_main": "on"})

    assert "Un seul contact peut être l’interlocuteur principal." in answer.content.decode()
    assert Contact.objects.filter(is_main=True).count() == 1


def test_the_main_contact_changes_hands_in_one_saving(client: Client, staff: Account) -> None:
    customer = make_customer()
    old, new = make_contact(customer, is_main=True), make_contact(customer)
    rows = contact_rows(old, new)
    del rows["contacts-0-is_main"]

    answer = client.post(f"{CUSTOMERS}{customer.pk}/change/", {**card(customer), **rows, "contacts-1-is_main": "on"})

    assert answer.status_code == 302
    assert Contact.objects.get(is_main=True) == new


def test_the_card_creates_credentials_for_the_ticked_addresses_and_sends_them(client: Client, staff: Account) -> None:
    customer = make_customer(email="compta@un.example")
    make_contact(customer, email="chef@un.example")

    client.post(
        f"{CUSTOMERS}{customer.pk}/comptes/creer/",
        {"address": ["compta@un.example", "chef@un.example"], "also_sends": "1"},
    )

    assert set(customer.accounts.values_list("login", flat=True)) == {"compta@un.example", "chef@un.example"}
    assert queued_mails() == 2
    assert "compta@un.example" in LogEntry.objects.last().get_change_message()  # type: ignore[union-attr]


def test_the_card_creates_no_login_on_an_address_that_is_not_the_customers(client: Client, staff: Account) -> None:
    customer = make_customer()

    client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {"address": "autre@ailleurs.example"})

    assert not customer.accounts.exists()


def test_a_customer_without_address_gets_a_sentence_instead_of_credentials(client: Client, staff: Account) -> None:
    customer = make_customer(email="")

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {}, follow=True)

    assert "Ce client n’a pas d’adresse e-mail" in answer.content.decode()


def test_an_address_of_staff_becomes_no_customers_login(client: Client, staff: Account) -> None:
    customer = make_customer(email=staff.login)

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/creer/", {"address": staff.login}, follow=True)

    assert "membre du personnel" in answer.content.decode()
    assert not customer.accounts.exists()


def test_the_provisional_password_hides_until_it_is_shown_and_showing_is_noted(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = generate_credentials(customer=customer, address=customer.email).account
    secret = read_provisional(account)
    assert secret is not None
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/montrer/"

    assert secret not in client.get(f"{CUSTOMERS}{customer.pk}/change/").content.decode()
    assert client.get(url).status_code == 405
    shown = client.post(url)

    assert secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = LogEntry.objects.get()
    assert "montré" in entry.get_change_message()
    assert secret not in entry.get_change_message()


def test_a_password_that_the_customer_chose_cannot_be_shown(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)

    answer = client.post(f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/montrer/", follow=True)

    assert "n’a plus de mot de passe provisoire" in answer.content.decode()


def test_the_account_is_closed_and_opened_by_its_state(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/etat/"

    client.post(url, {f"state_{account.pk}": "disabled"})
    account.refresh_from_db()
    assert not account.is_active
    client.post(url, {f"state_{account.pk}": "active"})
    account.refresh_from_db()
    assert account.is_active
    assert LogEntry.objects.count() == 2


def test_a_reset_asks_first_and_ends_the_old_password(client: Client, staff: Account) -> None:
    customer = make_customer()
    account = make_account(customer)
    before = account.password
    url = f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/reinitialiser/"

    asked = client.post(url)
    account.refresh_from_db()
    assert "cessera de fonctionner" in asked.content.decode()
    assert account.password == before

    client.post(url, {"confirmed_count": "1", "also_sends": "1"})
    account.refresh_from_db()
    assert account.password != before
    assert account.must_change_password
    assert queued_mails() == 1


def test_the_account_of_another_customer_is_not_touched_from_the_card(client: Client, staff: Account) -> None:
    customer, other = make_customer(), make_customer()
    account = make_account(other)

    answer = client.post(
        f"{CUSTOMERS}{customer.pk}/comptes/{account.pk}/etat/", {f"state_{account.pk}": "disabled"}, follow=True
    )

    assert "n’est plus rattaché à ce client" in answer.content.decode()
    account.refresh_from_db()
    assert account.is_active
