"""Searches of the lists: what they find, whichever table the words are in, and the indexes that PostgreSQL takes."""

from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client

from customers.models import Account, Customer
from invoices.models import Invoice
from mailing.models import Message
from portal.backoffice.ui.searching import search_by_keys
from tests.support.factories import make_account, make_contact, make_customer, make_invoice

pytestmark = pytest.mark.django_db

INVOICE_FIELDS = ("number", "customer__name", "customer__code")


@pytest.fixture
def durand() -> Customer:
    return make_customer(code="C77", name="Durand & fils", email="d@durand.example")


@pytest.mark.parametrize("most_keys", [200, 0])
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("2025-17", ["2025-17", "2025-170"]),
        ("durand", ["2025-17", "2025-18"]),
        ("DURAND 17", ["2025-17"]),  # one word of each table
        ("17 fils", ["2025-17"]),
        ('"durand & fils"', ["2025-17", "2025-18"]),
        ("c77 2025 durand 18", ["2025-18"]),
        ("c77 durand & fils durand", ["2025-17", "2025-18"]),  # more words than are shared out
        ("durand 170", []),
        ("introuvable", []),
        ("'", []),
        ("%", []),
    ],
)
def test_invoices_are_found_by_words_of_their_number_and_of_their_customer(
    staff_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    durand: Customer,
    typed: str,
    found: list[str],
    most_keys: int,
) -> None:
    monkeypatch.setattr("portal.backoffice.ui.searching.MOST_KEYS", most_keys)
    make_invoice(number="2025-17", customer=durand)
    make_invoice(number="2025-18", customer=durand)
    make_invoice(number="2025-170", customer=make_customer(name="Petit"))

    page: Any = staff_client.get("/gestion/invoices/invoice/", {"q": typed})

    assert sorted(invoice.number for invoice in page.context["cl"].result_list) == found


def test_a_customer_is_found_once_by_his_contacts_and_an_account_by_its_customers(
    staff_client: Client, durand: Customer
) -> None:
    make_contact(durand, email="compta@durand.example")
    make_contact(durand, email="chef@durand.example")
    account = make_account(durand, make_customer(name="Durand Nord"))
    make_customer(name="Petit")

    by_contact: Any = staff_client.get("/gestion/customers/customer/", {"q": "durand.example"})
    by_customer: Any = staff_client.get("/gestion/customers/customeraccount/", {"q": "Durand"})
    by_both: Any = staff_client.get("/gestion/customers/customer/", {"q": "C77 durand.example"})
    contacts: Any = staff_client.get("/gestion/customers/contact/", {"q": "C77 chef"})

    assert list(by_contact.context["cl"].result_list) == [durand]
    assert list(by_both.context["cl"].result_list) == [durand]
    assert [found.pk for found in by_customer.context["cl"].result_list] == [account.pk]
    assert [contact.email for contact in contacts.context["cl"].result_list] == ["chef@durand.example"]


def test_the_history_is_searched_by_object_by_words_and_by_user(
    staff_client: Client, staff: Account, durand: Customer
) -> None:
    kind = ContentType.objects.get_for_model(durand)
    for words in ("Passée en D", "Identifiants créés"):
        LogEntry.objects.create(
            user=staff, content_type=kind, object_id=str(durand.pk), object_repr=str(durand), action_flag=CHANGE,
            change_message=words,
        )  # fmt: skip

    def found(typed: str) -> int:
        page: Any = staff_client.get("/gestion/admin/logentry/", {"q": typed})
        return len(page.context["cl"].result_list)

    assert [found("durand"), found("durand créés"), found(staff.login), found("introuvable")] == [2, 1, 2, 0]


# ─── On PostgreSQL ───────────────────────────────────────────────────────────────────────────────────────────────────
def plan_of(rows: Any) -> str:
    """How the database would answer, where reading a whole table is the last thing that it does."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        # A scan of an index from end to end is no better: only what looks a part of a text up counts.
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SET LOCAL enable_indexonlyscan = off")
        return str(rows.order_by().explain())


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("rows", "index"),
    [
        (lambda: Invoice.objects.filter(search_by_keys(Invoice, INVOICE_FIELDS, "2025-17")), "invoices_invoice_number"),
        (lambda: Customer.objects.filter(name__icontains="durand"), "customers_customer_name_trgm"),
        (lambda: Customer.objects.filter(email__icontains="durand"), "customers_customer_email_trgm"),
        (lambda: Account.objects.filter(login__icontains="durand"), "customers_account_login_trgm"),
        (lambda: Message.objects.filter(subject__icontains="2025-17"), "mailing_message_subject_trgm"),
        (lambda: Message.objects.filter(recipient__iexact="A@b.example"), "outbox_by_any_recipient"),
        (lambda: LogEntry.objects.filter(change_message__icontains="créés"), "django_admin_log_change_message_trgm"),
    ],
)
def test_no_search_reads_a_long_table_from_end_to_end(durand: Customer, rows: Any, index: str) -> None:
    make_invoice(customer=durand)

    plan = plan_of(rows())

    assert "Seq Scan" not in plan
    assert index in plan


@pytest.mark.postgresql
def test_an_invoice_is_looked_up_by_its_number_or_by_the_keys_of_the_customers_found(durand: Customer) -> None:
    make_invoice(customer=durand)

    plan = plan_of(Invoice.objects.filter(search_by_keys(Invoice, INVOICE_FIELDS, "durand")))

    assert "BitmapOr" in plan
    assert "Seq Scan" not in plan
