"""Lines of a list corrected by the hundred, each kind by one press, and taken back until the list leaves."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from customers.bulk_actions import run_bulk_action
from customers.models import Account, BulkAction, Customer
from customers.services import send_credentials
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.models import Export
from portal.backoffice.exports.pasted_addresses import read_addresses
from tests.support.back_office import BACKEND, list_url, member, words
from tests.support.factories import make_account, make_customer, make_invoice, make_staff

pytestmark = pytest.mark.django_db


def _list(*, paper: int = 0, accountless: int = 0, homeless: int = 0) -> Export:
    for _number in range(paper):
        customer = make_customer(invoice_copies="2")
        make_account(customer)
        make_invoice(customer=customer)
    for _number in range(accountless):
        make_invoice(customer=make_customer())
    for _number in range(homeless):
        make_invoice(customer=make_customer(email=""))
    return create_export(criteria=Criteria(notify=True))


def _press(client: Client, export: Export, fix: str) -> Any:
    answer = client.post(list_url(export, "tout-corriger/"), {"fix": fix}, follow=True)
    for action in BulkAction.objects.exclude(state="done"):
        run_bulk_action(action)  # as a worker does
    return answer


def test_a_list_full_of_faults_is_ready_after_a_few_presses_and_one_paste(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    export = _list(paper=20, accountless=20, homeless=10)
    page = words(client.get(list_url(export)))
    for button in ("Passer les 20 clients en D", "Créer les 20 comptes", "Saisir les 10 adresses"):
        assert button in page
    clicks = 0

    _press(client, export, "dematerialise")
    clicks += 1
    rows = Customer.objects.filter(email="").values_list("code", flat=True)
    pasted = "Code\tE-mail\n" + "\n".join(f"{int(code)}\tcompta@{code}.example" for code in rows)
    client.get(list_url(export, "adresses/"))
    client.post(list_url(export, "adresses/"), {"colle": pasted})
    clicks += 2
    _press(client, export, "credentials")
    clicks += 1

    counts = count_items(export)
    assert (counts.ready, counts.left_out) == (50, {})
    assert clicks <= 12
    assert Account.objects.of_customers().count() == 50


def test_every_correction_can_be_taken_back_until_the_list_leaves(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    export = _list(paper=3, accountless=3, homeless=2)
    before = (count_items(export).left_out, list(Customer.objects.order_by("pk").values("invoice_copies", "email")))
    _press(client, export, "dematerialise")
    _press(client, export, "credentials")
    for customer in Customer.objects.filter(email=""):
        client.post(list_url(export, "adresses/"), {f"adresse_{customer.pk}": f"a@{customer.code}.example"})
    assert count_items(export).ready == 6

    for action in BulkAction.objects.order_by("created_at"):
        page = client.post(list_url(export, f"tout-corriger/{action.pk}/annuler/"), follow=True)
        assert "Annulé" in words(page)

    after = list(Customer.objects.order_by("pk").values("invoice_copies", "email"))
    assert (count_items(export).left_out, after) == before
    assert Account.objects.of_customers().count() == 3  # those that were there
    assert LogEntry.objects.filter(change_message__startswith="Action groupée annulée").count() == 8


def test_an_account_that_was_sent_stays_when_its_making_is_taken_back(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    export = _list(accountless=2)
    _press(client, export, "credentials")
    sent = Account.objects.of_customers().order_by("pk")[0]
    send_credentials(accounts=[sent])

    client.post(list_url(export, f"tout-corriger/{BulkAction.objects.get().pk}/annuler/"))

    assert list(Account.objects.of_customers()) == [sent]
    assert count_items(export).ready == 1


def test_a_list_that_has_left_takes_nothing_back(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    export = _list(paper=2)
    _press(client, export, "dematerialise")
    assert "Annuler : Passer en D" in words(client.get(list_url(export)))
    start_export(export=export)

    page = client.post(list_url(export, f"tout-corriger/{BulkAction.objects.get().pk}/annuler/"), follow=True)

    assert "cette correction ne s’annule plus" in words(page)
    assert Customer.objects.filter(invoice_copies="D").count() == 2


def test_bad_lines_are_named_and_hold_no_good_one_back(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    export = _list(homeless=3)
    first, second, third = Customer.objects.order_by("pk")
    pasted = f"{first.code};juste@client.example\n{second.code};faux@@client\nX99;a@client.example\n"

    page = client.post(list_url(export, "adresses/"), {"colle": pasted, f"adresse_{third.pk}": "pas une adresse"})

    assert page.status_code == 422
    said = words(page)
    assert "Ligne 2" in said
    assert "Ligne 3 (« X99;a@client.example ») : « X99 » n’est le code d’aucun client" in said
    assert "Ligne 1" not in said
    assert f"{second.code};faux@@client" in page.content.decode()  # kept to be put right
    assert list(Customer.objects.exclude(email="")) == [first]


def test_each_needs_the_right_of_the_correction(client: Client) -> None:
    export = _list(paper=1, accountless=1, homeless=1)
    clerk = member("Comptabilité")
    clerk.groups.clear()
    clerk.user_permissions.add(Permission.objects.get(codename="export_invoices"))
    client.force_login(clerk, backend=BACKEND)

    page = words(client.get(list_url(export)))

    assert "Corriger d’un coup" not in page
    for fix in ("dematerialise", "credentials"):
        assert client.post(list_url(export, "tout-corriger/"), {"fix": fix}).status_code == 403
    assert client.get(list_url(export, "adresses/")).status_code == 403
    assert not BulkAction.objects.exists()


def test_closed_accounts_are_opened_at_once_and_closed_again(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    for _number in range(2):
        customer = make_customer()
        make_account(customer, is_active=False)
        make_invoice(customer=customer)
    export = create_export(criteria=Criteria(notify=True))

    _press(client, export, "activate")
    assert count_items(export).ready == 2

    client.post(list_url(export, f"tout-corriger/{BulkAction.objects.get().pk}/annuler/"))
    assert count_items(export).left_out == {"account_disabled": 2}


def _customers() -> list[Customer]:
    return [Customer(pk=1, code="000008", name="Huit"), Customer(pk=2, code="C12", name="Douze")]


@pytest.mark.parametrize(
    ("pasted", "good", "bad"),
    [
        ("000008\ta@x.example", {1: "a@x.example"}, []),
        ("8;a@x.example;06 00 00 00 00", {1: "a@x.example"}, []),
        ("a@x.example,c12", {2: "a@x.example"}, []),
        ("Code client\tAdresse\n8\ta@x.example\n\n", {1: "a@x.example"}, []),
        ('"000008";"a@x.example"', {1: "a@x.example"}, []),
        ("8\ta@x.example\n8\tb@x.example", {1: "a@x.example"}, [2]),
        ("8\ta@x.example\n8\ta@x.example", {1: "a@x.example"}, []),
        ("8\n", {}, [1]),
        ("a@x.example\n", {}, [1]),
        ("8\ta@x.example\nautre", {1: "a@x.example"}, [2]),
        ("8\ta@\r\nC12\tb@x.example\r\n", {2: "b@x.example"}, [1]),
        ("\ufeff000008\ta@x.example", {1: "a@x.example"}, []),
        ("", {}, []),
    ],
)
def test_two_columns_are_read_as_spreadsheets_and_people_write_them(
    pasted: str, good: dict[int, str], bad: list[int]
) -> None:
    read = read_addresses(pasted=pasted, typed={}, customers=_customers())

    assert read.good == good
    assert [number for number, _line, _reason in read.bad_lines] == bad
