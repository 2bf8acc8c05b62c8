"""The list, the search and one invoice: the same queries whatever a customer has, and each by an index."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.models import Access, Account, Customer
from invoices.models import Invoice
from portal.space.invoice_list import LINES_PER_PAGE
from tests.benchmarks.filling import fill
from tests.support.factories import make_account, make_company

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
ADDRESSES = (
    "/factures/",
    "/factures/?annee=2021",
    "/factures/?annee=2021&page=2",
    "/factures/?q=-0000000-",
    "/factures/?q=mai",
    "/factures/?q=123,60",
    "/factures/?q=CMD",
    "/factures/?q=beton+mot1",
)


def account_of(*, customers: int, each: int, first_has: int, prefix: str = "C") -> Account:
    """The account of the first of so many customers; it has ``first_has`` invoices, the others ``each``."""
    made = fill(company=make_company(), customers=customers, invoices_each=each, first_has=first_has, prefix=prefix)
    return make_account(made[0], login=f"{prefix}@a.example")


def queries_of(client: Client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    # The filled documents have no file: what is missing is known once it was asked for.
    assert response.status_code == (404 if address.endswith("/pdf/") else 200)
    return [query["sql"] for query in captured.captured_queries]


def test_the_number_of_queries_is_the_same_at_10_and_at_3000_invoices(client: Client) -> None:
    counts: dict[int, dict[str, int]] = {}
    for invoices in (10, 3000):
        account = account_of(customers=1, each=0, first_has=invoices, prefix=f"F{invoices}-")
        client.force_login(account, backend=BACKEND)
        client.get("/factures/")
        one = account.customers.get().invoices.order_by("-issue_date").values_list("pk", flat=True)[0]
        addresses = (*ADDRESSES, f"/factures/{one}/")
        counts[invoices] = {
            re.sub("[0-9a-f-]{36}", "one", address): len(queries_of(client, address)) for address in addresses
        }

    assert client.get("/factures/?q=CMD").context["count"] == 3000 // 3 > LINES_PER_PAGE
    assert counts[3000] == counts[10]
    # Session, account, company, customers, lines; and the years, which a search does not show.
    assert {counts[10][address] for address in ADDRESSES if "q=" not in address} == {6}
    assert {counts[10][address] for address in ADDRESSES if "q=" in address} == {5}
    assert counts[10]["/factures/one/"] <= 16  # two of them write into the trail


def test_the_invoices_that_credit_notes_correct_cost_one_query_for_all_of_them(client: Client) -> None:
    account = account_of(customers=1, each=0, first_has=9)
    client.force_login(account, backend=BACKEND)
    client.get("/factures/")
    invoices = list(account.customers.get().invoices.order_by("number"))
    without = len(queries_of(client, "/factures/?q=0000000-"))

    for credit_note, corrected in zip(invoices[:3], invoices[3:6], strict=True):
        Invoice.objects.filter(pk=credit_note.pk).update(kind=Invoice.Kind.CREDIT_NOTE, corrects=corrected)

    assert len(queries_of(client, "/factures/?q=0000000-")) == without + 1
    page = client.get("/factures/?q=0000000-").content.decode()
    assert (
        re.findall(r"sur la facture (\S+)</span>", page)
        == [
            each.number
            for each in sorted(invoices[3:6], key=lambda each: invoices[invoices.index(each) - 3].issue_date)
        ][::-1]
    )


@pytest.mark.parametrize("customers", [40, 300, 1200])
def test_an_account_of_many_customers_asks_and_finds_as_one_of_a_single_customer(
    client: Client, customers: int
) -> None:
    made = fill(company=make_company(), customers=customers + 1, invoices_each=1)
    account = make_account(made[0], login="many@a.example")
    Access.objects.bulk_create(Access(account=account, customer=each) for each in made[1:customers])
    client.force_login(account, backend=BACKEND)
    client.get("/factures/")

    # Each invoice has these words; «Client» is in the name of every customer. The last customer is of no account.
    for sought in ("usuel3", "usuel3 mot1", "Client", "-1"):
        address = f"/factures/?q={sought}"
        assert client.get(address).context["count"] == customers, sought
        assert len(queries_of(client, address)) == 5, sought
    assert client.get("/factures/?q=usuel3&page=2").context["count"] == customers
    assert client.get(f"/factures/?client={made[1].code}&q=usuel3").context["count"] == 1


@pytest.fixture
def filled(client: Client) -> Client:
    """50,000 invoices of 2,500 customers on PostgreSQL, seen by the account of one of them."""
    account = account_of(customers=2500, each=20, first_has=300)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client.force_login(account, backend=BACKEND)
    client.get("/factures/")
    return client


def plans_of(client: Client, address: str) -> list[str]:
    """How PostgreSQL reads the invoices for the page at ``address``, one plan for each of its queries."""
    plans = []
    for sql in queries_of(client, address):
        if not sql.startswith("SELECT") or "invoices_invoice" not in sql:
            continue
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    return plans


@pytest.mark.postgresql
def test_no_page_reads_through_the_whole_table_of_invoices(filled: Client) -> None:
    account = Account.objects.get(sessions__isnull=False)
    one = account.customers.get().invoices.order_by("-issue_date").values_list("pk", flat=True)[0]
    sequential: dict[str, list[str]] = {}
    seen = 0
    for address in (*ADDRESSES, f"/factures/{one}/", f"/factures/{one}/pdf/"):
        for plan in plans_of(filled, address):
            seen += 1
            if re.search(r"Seq Scan on invoices_(invoice|document)\b", plan):
                sequential.setdefault(address, []).append(plan)

    assert seen >= 2 * len(ADDRESSES)
    assert not sequential, sequential


def give_customers(account: Account, count: int) -> None:
    """Give ``account`` so many customers more, and the database what it knows of them."""
    more = Customer.objects.exclude(accesses__account=account).order_by("pk")[:count]
    Access.objects.bulk_create(Access(account=account, customer=each) for each in more)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.postgresql
def test_a_search_reads_the_invoices_of_the_customers_of_the_account_alone(filled: Client) -> None:
    give_customers(Account.objects.get(sessions__isnull=False), 40)
    searches = [address for address in ADDRESSES if "q=" in address]

    for address in searches:
        [search] = plans_of(filled, address)
        assert not re.search(r"Seq Scan on invoices_(invoice|invoicewords)\b", search), search

    # What a large table does to a search for what is common: an index that has the order spares the sorting.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
    for address in searches:
        [search] = plans_of(filled, address)
        assert "invoices_by_date" not in search, search


@pytest.mark.postgresql
def test_words_are_sought_by_their_index_for_an_account_of_hundreds_of_customers_too(filled: Client) -> None:
    give_customers(Account.objects.get(sessions__isnull=False), 300)

    [search] = plans_of(filled, "/factures/?q=beton+mot1")

    assert "invoices_invoicewords_index" in search
    assert "Seq Scan on invoices_invoicewords" not in search
