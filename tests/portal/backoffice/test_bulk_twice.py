"""A bulk action that is under way: shown so wherever it is offered, and not done twice."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.bulk_actions import REQUEST_BUDGET, SMALL_COST, create_bulk_action, run_bulk_action
from customers.bulk_undo import undo_bulk_action
from customers.models import Account, BulkAction, Customer
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export
from invoices.models import Export
from mailing.models import Message
from mailing.trail.models import Entry
from tests.support.back_office import BACKEND, list_url, words
from tests.support.factories import make_account, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db

ACCOUNTS = "/gestion/customers/customeraccount/"
CUSTOMERS = "/gestion/customers/customer/"
Kind = BulkAction.Kind


@pytest.fixture
def staff(client: Client) -> Account:
    """A member of staff with every right, signed in."""
    staff = make_staff()
    client.force_login(staff, backend=BACKEND)
    return staff


def _list_without_accounts(count: int) -> Export:
    for _number in range(count):
        make_invoice(customer=make_customer())
    return create_export(criteria=Criteria(notify=True))


def _ask(client: Client, export: Export, fix: str) -> str:
    return words(client.post(list_url(export, "tout-corriger/"), {"fix": fix}, follow=True))


def test_a_correction_under_way_is_shown_so_and_asked_again_it_is_one(client: Client, staff: Account) -> None:
    export = _list_without_accounts(20)
    assert "Créer les identifiants : commencé, 20 en tout" in _ask(client, export, "credentials")

    page = client.get(list_url(export))
    assert "Créer les 20 comptes : en cours" in words(page)
    assert not page.context["bulk_offers"][0].has_page
    assert f'action="{list_url(export, "tout-corriger/")}"' not in page.content.decode()
    assert "Créer les identifiants : déjà en cours, 0 sur 20." in _ask(client, export, "credentials")

    run_bulk_action(BulkAction.objects.get())
    assert Account.objects.of_customers().count() == 20
    assert "en cours" not in words(client.get(list_url(export)))


def test_another_list_over_the_same_customers_shows_it_under_way_too(client: Client, staff: Account) -> None:
    first = _list_without_accounts(20)
    _ask(client, first, "credentials")
    for customer in Customer.objects.all():
        make_invoice(customer=customer)
    newcomer = make_invoice(customer=make_customer()).customer
    second = create_export(criteria=Criteria(notify=True))

    # Of its 21 customers, one is in no bulk action yet.
    assert "Créer le compte" in words(client.get(list_url(second)))
    _ask(client, second, "credentials")

    assert [action.targets for action in BulkAction.objects.filter(origin=f"export:{second.pk}")] == [[newcomer.pk]]


def test_addresses_that_are_being_written_are_not_asked_for(client: Client, staff: Account) -> None:
    waiting, being_written = make_customer(email=""), make_customer(email="")
    for customer in (waiting, being_written):
        make_invoice(customer=customer)
    export = create_export(criteria=Criteria(notify=True))
    create_bulk_action(kind=Kind.ADDRESS, targets=[being_written.pk], author=staff, given={being_written.pk: "a@x.fr"})

    page = client.get(list_url(export, "adresses/")).content.decode()

    assert f'name="adresse_{waiting.pk}"' in page
    assert f'name="adresse_{being_written.pk}"' not in page


def test_rows_of_an_action_under_way_are_left_to_it_and_the_page_leads_there(client: Client, staff: Account) -> None:
    accounts = [make_account(make_customer()) for _number in range(3)]
    running = create_bulk_action(kind=Kind.SEND, targets=[accounts[0].pk, accounts[1].pk], author=staff)
    chosen = {"action": "send_credentials", "_selected_action": [account.pk for account in accounts]}

    asked = client.post(ACCOUNTS, chosen)
    assert "1 mail d’identifiants sera écrit." in words(asked)
    assert "Cette action est déjà en cours" in words(asked)
    assert f"/gestion/customers/bulkaction/{running.pk}/change/" in asked.content.decode()

    client.post(ACCOUNTS, {**chosen, "confirmed_count": "1"})
    run_bulk_action(running)
    assert Message.objects.count() == 3


def test_it_is_said_of_customers_too_whose_accounts_it_is_about(client: Client, staff: Account) -> None:
    account = make_account(make_customer())
    create_bulk_action(kind=Kind.DEACTIVATE, targets=[account.pk], author=staff)

    asked = client.post(CUSTOMERS, {"action": "deactivate", "_selected_action": [Customer.objects.get().pk]})

    assert "Cette action est déjà en cours" in words(asked)
    assert "Déjà en cours : laissés à l’action groupée qui les traite (1)" in words(asked)
    assert 'type="submit">Désactiver<' not in asked.content.decode()


def test_two_who_confirm_the_same_at_once_start_it_once(staff: Account) -> None:
    targets = [make_account(make_customer()).pk for _number in range(2)]
    first = create_bulk_action(kind=Kind.SEND, targets=targets, author=staff)

    # The second has read the page before the first pressed its button.
    assert create_bulk_action(kind=Kind.SEND, targets=targets, author=staff) == first
    assert create_bulk_action(kind=Kind.RELAUNCH, targets=targets, author=staff) != first
    run_bulk_action(first)
    assert create_bulk_action(kind=Kind.SEND, targets=targets, author=staff) != first  # asked for again, later


def test_more_customers_than_a_second_allows_pass_into_d_in_the_queue(client: Client, staff: Account) -> None:
    first = make_invoice(customer=make_customer(invoice_copies="2"))
    make_account(first.customer)
    few = REQUEST_BUDGET // SMALL_COST
    Customer.objects.bulk_create(
        Customer(code=f"K{number}", name="K", email=f"k{number}@x.fr", invoice_copies="2") for number in range(few)
    )
    for customer in Customer.objects.filter(code__startswith="K"):
        first.pk, first.number, first.customer = None, customer.code, customer
        first._state.adding = True
        first.id = type(first)._meta.pk.get_default()
        first.save()
    export = create_export(criteria=Criteria(notify=True))

    with CaptureQueriesContext(connection) as asked:
        page = _ask(client, export, "dematerialise")

    assert f"commencé, {few + 1} en tout" in page
    assert len(asked) <= 60  # the answer and the list that follows, whatever their number
    run_bulk_action(BulkAction.objects.get())
    assert Customer.objects.filter(invoice_copies="D").count() == few + 1


def _statements(staff: Account, kind: str, count: int) -> tuple[int, int]:
    """How often the database is asked to do ``kind`` to ``count`` customers, and to take it back."""
    rows = [make_customer(invoice_copies="2", email="") for _number in range(count)]
    action = create_bulk_action(
        kind=kind, targets=[row.pk for row in rows], author=staff, given={row.pk: "a@x.fr" for row in rows}
    )
    entries = Entry.objects.count()
    with CaptureQueriesContext(connection) as done:
        run_bulk_action(action)
    with CaptureQueriesContext(connection) as undone:
        assert undo_bulk_action(bulk_action=action, by=staff) == count
    assert Entry.objects.count() - entries >= 2 * count  # each customer, there and back
    return len(done), len(undone)


def test_a_step_of_many_customers_asks_the_database_as_often_as_one_of_few(staff: Account) -> None:
    assert _statements(staff, Kind.DEMATERIALISE, 2) == _statements(staff, Kind.DEMATERIALISE, 40)
    # The history of an address names it: a sentence of its own for each, when it is done.
    assert _statements(staff, Kind.ADDRESS, 2)[1] == _statements(staff, Kind.ADDRESS, 40)[1]
