"""A list that waits follows what is corrected on the card, on its WEB tab, on a contact, in a list of customers."""

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Account, BulkAction, Customer
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.models import Export
from tests.support.back_office import sign_in_staff
from tests.support.factories import make_account, make_contact, make_customer, make_invoice

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with every right, signed in."""
    return sign_in_staff(client)


def _list_of(customer: Customer, criteria: Criteria | None = None) -> Export:
    make_invoice(customer=customer)
    return create_export(criteria=criteria or Criteria(notify=True))


def _card(client: Client, customer: Customer, **changes: str) -> None:
    address = f"{CUSTOMERS}{customer.pk}/change/"
    form = client.get(address).context["adminform"].form
    sent = {name: form[name].value() or "" for name in form.fields}
    formsets = {
        f"contacts-{name}": value
        for name, value in {
            "TOTAL_FORMS": "0",
            "INITIAL_FORMS": "0",
            "MIN_NUM_FORMS": "0",
            "MAX_NUM_FORMS": "1000",
        }.items()
    }
    answer = client.post(address, {**sent, **formsets, **changes})
    assert answer.status_code == 302, answer.context["errors"]


def test_an_address_given_on_the_card_makes_its_lines_ready(client: Client, staff: Account) -> None:
    customer = make_customer(email="")
    export = _list_of(customer, Criteria(notify=True, generate_credentials=True))
    assert count_items(export).left_out == {"no_address": 1}

    _card(client, customer, email="compta@client.example")

    assert count_items(export).ready == 1


def test_a_customer_flagged_d_on_the_card_leaves_what_is_set_aside(client: Client, staff: Account) -> None:
    customer = make_customer(invoice_copies="2")
    make_account(customer)
    export = _list_of(customer)
    assert count_items(export).left_out == {"not_dematerialised": 1}

    _card(client, customer, invoice_copies="D")

    assert count_items(export).ready == 1


def test_credentials_made_and_accounts_closed_on_the_web_tab_count_at_once(client: Client, staff: Account) -> None:
    customer = make_customer()
    export = _list_of(customer)
    assert count_items(export).left_out == {"no_credentials": 1}

    client.post(reverse("admin:customers_customer_create_account", args=[customer.pk]), {"address": customer.email})
    assert count_items(export).ready == 1

    account = customer.accounts.get()
    state = reverse("admin:customers_customer_account_state", args=[customer.pk, account.pk])
    client.post(state, {f"state_{account.pk}": "disabled"})
    assert count_items(export).left_out == {"account_disabled": 1}


def test_a_contact_added_on_its_own_page_counts_at_once(client: Client, staff: Account) -> None:
    customer = make_customer(email="")
    other = make_contact(make_customer(), name="Reste")
    rules = Criteria.from_json({"contacts": {"use_contacts": True}, "notify": True, "generate_credentials": True})
    export = _list_of(customer, rules)
    assert count_items(export).ready == 0

    sent = {"customer": customer.pk, "name": "Luc", "function": "", "email": "luc@client.example"}
    assert client.post("/gestion/customers/contact/add/", sent).status_code == 302

    assert count_items(export).ready == 1
    assert other.customer.contacts.count() == 1


def test_a_bulk_action_of_the_list_of_customers_reaches_every_list_that_waits(client: Client, staff: Account) -> None:
    customers = [make_customer() for _number in range(2)]
    exports = [_list_of(customers[0]), _list_of(customers[1])]
    left = create_export(criteria=Criteria(notify=True))
    start_export(export=left)
    chosen = {"action": "create_credentials", "_selected_action": [customer.pk for customer in customers]}

    client.post(CUSTOMERS, {**chosen, "confirmed_count": "2"})

    assert BulkAction.objects.get().changed == 2
    assert [count_items(export).ready for export in exports] == [1, 2]
    assert count_items(left).ready == 0  # it has left as it was
