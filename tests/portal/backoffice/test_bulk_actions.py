"""Lists of customers and accounts: their filters, and actions on many rows at once."""

import datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from customers.bulk_actions import create_bulk_action, run_bulk_action
from customers.models import Account, BulkAction, Customer
from customers.services import generate_credentials
from customers.tasks import wake_stalled_bulk_actions
from tests.support.back_office import queued_mails, sign_in_staff
from tests.support.factories import make_account, make_contact, make_customer
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db

CUSTOMERS = "/gestion/customers/customer/"
ACCOUNTS = "/gestion/customers/customeraccount/"


@pytest.fixture
def staff(client: Client) -> Account:
    return sign_in_staff(client)


def choose(client: Client, url: str, action: str, rows: Any, **more: Any) -> Any:
    """Run an action of a list on ``rows``."""
    return client.post(url, {"action": action, "_selected_action": [row.pk for row in rows], **more})


def test_flagging_d_asks_first_with_count_and_names_then_reports(client: Client, staff: Account) -> None:
    paper = [make_customer(invoice_copies="2", name=f"Papier {n}") for n in range(3)]
    already = make_customer()

    asked = choose(client, CUSTOMERS, "dematerialise", [*paper, already]).content.decode()
    assert "3 clients passeront en D" in asked
    assert "Papier 0" in asked
    assert Customer.objects.dematerialised().count() == 1

    done = choose(client, CUSTOMERS, "dematerialise", [*paper, already], confirmed_count="3")
    report = client.get(done["Location"]).content.decode()
    assert "3\u00a0clients modifiés" in report
    assert Customer.objects.dematerialised().count() == 4
    assert LogEntry.objects.count() == 3


def test_a_confirmation_of_another_count_is_shown_again(client: Client, staff: Account) -> None:
    paper = [make_customer(invoice_copies="2") for _n in range(2)]

    answer = choose(client, CUSTOMERS, "dematerialise", paper, confirmed_count="1")

    assert "La liste a changé entre-temps" in answer.content.decode()
    assert not Customer.objects.dematerialised().exists()


def test_all_rows_of_a_filtered_list_can_be_chosen(client: Client, staff: Account) -> None:
    for number in range(5):
        make_customer(invoice_copies="2", kind="individual" if number < 3 else "professional")

    answer = client.post(
        f"{CUSTOMERS}?kind__exact=individual",
        {"action": "dematerialise", "_selected_action": "0", "select_across": "1", "confirmed_count": "3"},
    )

    assert answer.status_code == 302
    assert Customer.objects.dematerialised().count() == 3
    assert not Customer.objects.filter(kind="professional").dematerialised().exists()


def test_creating_credentials_names_who_is_left_out_and_why(client: Client, staff: Account) -> None:
    ready, _addressless, has_one = make_customer(), make_customer(email="", name="Sans adresse"), make_customer()
    make_account(has_one)

    asked = choose(client, CUSTOMERS, "create_credentials", Customer.objects.all()).content.decode()

    assert "Des identifiants seront créés pour 1 client." in asked
    assert ready.email in asked
    assert "Sans adresse e-mail : laissés de côté" in asked
    assert "Sans adresse</li>" in asked
    assert "Ont déjà des identifiants" in asked


def test_a_customer_with_only_contacts_gets_credentials_at_the_main_contacts_address(
    client: Client, staff: Account
) -> None:
    customer = make_customer(email="")
    make_contact(customer, email="z@un.example", name="A")
    make_contact(customer, email="chef@un.example", name="Z", is_main=True)

    choose(client, CUSTOMERS, "create_credentials", [customer], confirmed_count="1")

    assert list(customer.accounts.values_list("login", flat=True)) == ["chef@un.example"]


def test_hundreds_of_credentials_are_made_by_a_worker_and_not_in_the_request(
    client: Client, staff: Account, settings: Any
) -> None:
    customers = [make_customer() for _number in range(200)]

    answer = client.post(
        CUSTOMERS,
        {
            "action": "create_credentials",
            "_selected_action": "0",
            "select_across": "1",
            "confirmed_count": "200",
            "also_sends": "1",
        },
    )
    assert Account.objects.of_customers().count() == 0
    waiting = client.get(answer["Location"]).content.decode()
    assert "0 sur 200 faits" in waiting
    assert "data-refresh" in waiting
    assert "Aucun processus de travail" in waiting

    bulk_action = run_bulk_action(BulkAction.objects.get())

    assert bulk_action.is_done
    assert (bulk_action.changed, bulk_action.mails, bulk_action.skipped) == (200, 200, [])
    assert Account.objects.of_customers().count() == len(customers)
    assert queued_mails() == 200
    assert "data-refresh" not in client.get(answer["Location"]).content.decode()


def test_an_action_whose_worker_died_goes_on_where_it_stood(staff: Account) -> None:
    customers = [make_customer(invoice_copies="1") for _number in range(3)]
    bulk_action = create_bulk_action(
        kind=BulkAction.Kind.CREATE, targets=[customer.pk for customer in customers], author=staff
    )
    steps = iter([False, True])
    run_bulk_action(bulk_action, should_stop=lambda: next(steps))
    assert Account.objects.of_customers().count() == 1
    run_bulk_action(BulkAction.objects.get())  # in the hands of the dead worker for a minute
    assert Account.objects.of_customers().count() == 1

    let_pass(datetime.timedelta(minutes=2), BulkAction)
    assert wake_stalled_bulk_actions() == 1
    done = run_bulk_action(BulkAction.objects.get())

    assert done.is_done
    assert done.changed == 3
    assert Account.objects.of_customers().count() == 3


def test_relaunching_draws_a_new_provisional_password_and_leaves_chosen_ones_alone(
    client: Client, staff: Account
) -> None:
    waiting = generate_credentials(customer=make_customer(), address="attend@un.example").account
    chosen = make_account(make_customer(), last_login=timezone.now())
    closed = generate_credentials(customer=make_customer(), address="ferme@un.example").account
    Account.objects.filter(pk=closed.pk).update(is_active=False)
    before = dict(Account.objects.values_list("pk", "password"))

    asked = choose(client, ACCOUNTS, "relaunch", [waiting, chosen, closed]).content.decode()
    assert "1 compte recevra un nouveau mot de passe provisoire" in asked
    choose(client, ACCOUNTS, "relaunch", [waiting, chosen, closed], confirmed_count="1")

    after = dict(Account.objects.values_list("pk", "password"))
    assert {pk for pk in before if before[pk] != after[pk]} == {waiting.pk}
    assert queued_mails() == 1


def test_the_filters_of_accounts_find_who_needs_an_action(client: Client, staff: Account) -> None:
    make_account(make_customer(email="venu@un.example"), last_login=timezone.now())
    make_account(make_customer(email="jamais@un.example"))
    make_account(make_customer(email="ferme@un.example"), is_active=False, last_login=timezone.now())
    expired = generate_credentials(customer=make_customer(), address="expire@un.example").account
    Account.objects.filter(pk=expired.pk).update(
        provisional_expires_at=timezone.now() - datetime.timedelta(days=1), last_login=timezone.now()
    )

    def listed(state: str) -> set[str]:
        page = client.get(f"{ACCOUNTS}?etat={state}")
        return {account.login for account in page.context["cl"].result_list}

    assert listed("jamais") == {"jamais@un.example"}
    assert listed("expire") == {"expire@un.example"}
    assert listed("desactive") == {"ferme@un.example"}


def test_the_filters_of_customers_find_those_without_address_or_credentials(client: Client, staff: Account) -> None:
    with_contact = make_customer(email="")
    make_contact(with_contact)
    bare = make_customer(email="", invoice_copies="D")
    having = make_customer(invoice_copies="1")
    make_account(having)

    def listed(query: str) -> set[int]:
        return {customer.pk for customer in client.get(f"{CUSTOMERS}?{query}").context["cl"].result_list}

    assert listed("copies=d&adresse=sans") == {bare.pk}
    assert listed("adresse=avec") == {with_contact.pk, having.pk}
    assert listed("identifiants=avec") == {having.pk}
    assert listed("copies=papier") == {having.pk}


@pytest.mark.parametrize(
    "name", ["customers_customer", "customers_contact", "customers_customeraccount", "customers_bulkaction"]
)
def test_a_list_asks_the_database_as_often_for_200_rows_as_for_10(client: Client, staff: Account, name: str) -> None:
    def fill(count: int) -> None:
        for _number in range(count):
            customer = make_customer()
            make_contact(customer)
            Account.objects.bulk_create([Account(login=customer.email)])
            BulkAction.objects.create(kind="send", author=staff)

    url = reverse(f"admin:{name}_changelist")
    fill(10)
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(f"{url}?all=")
    fill(190)
    with CaptureQueriesContext(connection) as many:
        assert client.get(f"{url}?all=").status_code == 200

    assert len(many) == len(few)
    assert len(many) <= 12
