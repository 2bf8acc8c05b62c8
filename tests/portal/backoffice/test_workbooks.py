"""Every list of the back-office as a workbook: its columns, what it is filtered to, numbers and dates as such."""

import datetime
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.templatetags.admin_list import result_headers
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from customers.models import Account, Customer, CustomerAccount
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export
from invoices.models import Export, ImportBatch, Invoice
from invoices.platforms.lifecycle import record_status
from invoices.platforms.payments import record_payment
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message
from mailing.trail.models import Entry
from portal.backoffice.ui import downloads
from portal.backoffice.ui.workbooks import WorkbookList
from portal.sessions import OPENED
from tests.support.back_office import BACKEND, words
from tests.support.factories import (
    make_account,
    make_contact,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db

LISTS = sorted(
    (model for model, page in admin.site._registry.items() if isinstance(page, WorkbookList)),
    key=lambda model: model._meta.label,
)


def _rows(answer: Any) -> list[list[Any]]:
    """The cells of the workbook; none of them is a formula."""
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    assert sheet is not None
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def _url(model: type[Model], what: str = "xlsx") -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}")


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff(), backend=BACKEND)
    return client


def test_every_registered_list_has_a_workbook() -> None:
    # The queue of tasks is no list of ours.
    assert {model._meta.model_name for model in admin.site._registry if model not in LISTS} <= {"dbtaskresult"}


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.model_name)
def test_a_workbook_has_the_columns_and_the_rows_of_its_list(staff: Client, model: type[Model]) -> None:
    customer = make_customer(name='=SOMME(1;2) & "Fils"', email="a@fils.example")
    make_contact(customer, name="+33 1", is_main=True)
    make_account(customer, name="<b>Fils</b>")
    make_invoice(customer=customer, number="-12")
    create_export(criteria=Criteria(scope=Scope.ALL))
    page = staff.get(_url(model, "changelist"))
    headers = _shown_headers(page)

    rows = _rows(staff.get(_url(model)))

    if model is not Entry:  # which has more than a page shows, in an order of its own
        assert [header.lower() for header in rows[0][: len(headers)]] == [header.lower() for header in headers]
    assert len(rows) - 1 == page.context["cl"].result_count
    assert not [
        value for row in rows for value in row if isinstance(value, str) and re.search("</?(span|a|br|img)", value)
    ]
    if page.context["cl"].result_count:
        assert f'href="{_url(model)}' in page.content.decode()


def _shown_headers(page: Any) -> list[str]:
    """The heads of the columns that carry values, as a reader reads them."""
    return [str(head["text"]) for head in result_headers(page.context["cl"]) if "checkbox" not in str(head["text"])]


def test_amounts_are_numbers_and_dates_are_dates(staff: Client) -> None:
    make_invoice(number="F-7", total_without_vat="1234.50", issue_date=datetime.date(2025, 6, 7))

    head, row = _rows(staff.get(_url(Invoice)))
    cells = dict(zip(head, row, strict=True))

    assert (cells["Numéro"], cells["Montant TTC"], cells["Total HT"]) == ("F-7", 1481.4, 1234.5)
    assert "07/06/2025" in [f"{value:%d/%m/%Y}" for value in row if isinstance(value, datetime.datetime)]
    assert not [value for value in row if isinstance(value, Decimal)]


def test_a_workbook_has_what_the_list_is_filtered_to(staff: Client) -> None:
    make_customer(code="A", invoice_copies="D")
    make_customer(code="B", invoice_copies="2")

    rows = _rows(staff.get(_url(Customer), {"copies": "d", "p": "3"}))

    assert [row[0] for row in rows[1:]] == ["A"]


def test_a_list_that_is_too_long_says_what_to_do(staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    make_customer()
    make_customer()

    page = staff.get(_url(Customer), {"copies": "d"}, follow=True)

    assert page.redirect_chain == [(f"{_url(Customer, 'changelist')}?copies=d", 302)]
    assert "plus de 1 ligne : filtrez-la" in words(page)


def test_a_workbook_of_what_no_list_can_show_leads_to_the_list(staff: Client) -> None:
    answer = staff.get(_url(Invoice), {"customer__id__exact": "personne"})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"{_url(Invoice, 'changelist')}?e=1")


def test_the_workbook_of_imports_reads_no_report(staff: Client) -> None:
    ImportBatch.objects.create(state="checked", report={"rejected": ["x"] * 1000})

    with CaptureQueriesContext(connection) as asked:
        assert len(_rows(staff.get(_url(ImportBatch)))) == 2

    assert not [query["sql"] for query in asked if '"invoices_importbatch"."report"' in query["sql"]]


@pytest.mark.parametrize("model", [Customer, CustomerAccount, Invoice, Export, Message, LogEntry])
def test_more_rows_ask_the_database_no_more(staff: Client, model: type[Model]) -> None:
    _add_rows(3)
    _rows(staff.get(_url(model)))  # what a process reads once
    with CaptureQueriesContext(connection) as few:
        _rows(staff.get(_url(model)))
    _add_rows(9)
    with CaptureQueriesContext(connection) as many:
        _rows(staff.get(_url(model)))

    assert len(many) == len(few)


def _add_rows(count: int) -> None:
    for _number in range(count):
        customer = make_customer()
        make_account(customer)
        make_invoice(customer=customer)
        create_export(criteria=Criteria(scope=Scope.ALL))
        key = customer.code
        Message.objects.create(key=key, message_id=f"<{key}@x>", recipient="a@b.example", return_token=key)


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.model_name)
def test_who_may_not_see_the_list_gets_no_workbook(client: Client, model: type[Model]) -> None:
    nobody = Account.objects.create_user("rien@aquila.example", "x", is_staff=True)
    client.force_login(nobody, backend=BACKEND)

    assert client.get(_url(model)).status_code == 403
    assert client.post(_url(model)).status_code in (403, 405)


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.model_name)
def test_a_workbook_asks_once_more_who_is_there(staff: Client, model: type[Model]) -> None:
    session = staff.session
    session[OPENED] = (timezone.now() - datetime.timedelta(hours=1)).isoformat()
    session.save()

    assert staff.get(_url(model)).headers["Location"].startswith(reverse("prove"))


def test_the_time_of_a_refusal_is_a_date(staff: Client) -> None:
    customer = make_customer(email="faux@client.example")
    at = timezone.now()
    mark_address_failed("faux@client.example", "550", None, at)

    _head, row = _rows(staff.get("/gestion/courrier/adresses-en-erreur.xlsx"))

    assert row[0] == customer.code
    assert timezone.localtime(at).replace(tzinfo=None, microsecond=0) in [
        value.replace(microsecond=0) for value in row if isinstance(value, datetime.datetime)
    ]


def test_the_lines_of_a_list_are_those_that_its_page_is_filtered_to(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoices.exporting.items.CHUNK", 2)
    for number in range(3):
        customer = make_customer(code=f"D{number}", name="Durand", email=f"a{number}@durand.example")
        make_invoice(customer=customer, number=f"F-{number}")
    make_invoice(customer=make_customer(name="Roy", invoice_copies="2"), number="F-9", total_without_vat="1000.00")
    export = create_export(criteria=Criteria(generate_credentials=True))
    url = reverse("admin:export_web_list_xlsx", args=[export.number])

    head, *rows = _rows(staff.get(url))
    ready, paper = (dict(zip(head, row, strict=True)) for row in (rows[0], rows[-1]))
    assert [row[0] for row in rows] == ["F-0", "F-1", "F-2", "F-9"]
    assert (ready["État"], ready["Destinataires"]) == ("prête", "a0@durand.example (compte à créer)")
    assert (paper["État"], paper["Motif"], paper["Montant TTC"]) == ("écartée", "pas en D (démat)", 1200)
    assert [row[0] for row in _rows(staff.get(url, {"etat": "ready", "q": "D1"}))[1:]] == ["F-1"]
    page = staff.get(reverse("admin:export_web_list", args=[export.number])).content.decode()
    assert f'href="{url}?etat=ready"' in page


def test_an_export_that_is_too_long_for_a_workbook_says_what_to_take(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)
    for number in range(2):
        make_invoice(customer=make_customer(code=f"D{number}"), number=f"F-{number}")
    export = create_export(criteria=Criteria(generate_credentials=True))

    lines = staff.get(reverse("admin:export_web_list_xlsx", args=[export.number]), {"etat": "ready"}, follow=True)
    report = staff.get(reverse("admin:export_web_bordereau_xlsx", args=[export.number]), follow=True)

    page = reverse("admin:export_web_list", args=[export.number])
    assert lines.redirect_chain == [(f"{page}?etat=ready", 302)]
    assert "filtrez-la" in words(lines)
    assert "en CSV" in words(report)


def test_a_workbook_of_addresses_in_error_that_is_too_long_says_what_to_take(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        mark_address_failed(f"perdue{number}@client.example", "inconnue", None, timezone.now())
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    page = staff.get(reverse("admin:failed_addresses_xlsx"), follow=True)

    assert page.redirect_chain == [(reverse("admin:failed_addresses"), 302)]
    assert "en CSV" in words(page)


def test_workbooks_of_the_follow_up_that_are_too_long_say_what_to_do(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, year in enumerate((2024, 2025)):
        invoice = make_published_invoice(number=f"F-{number}")
        record_payment(invoice=invoice, date=datetime.date(year, 7, 1), amount=Decimal("20.00"), source="relevé")
        record_status(invoice=invoice, code="210", reason="montant faux")
    monkeypatch.setattr(downloads, "MOST_ROWS", 1)

    payments = staff.get(reverse("admin:platform_payments_xlsx"), follow=True)
    work = staff.get(reverse("admin:platform_follow_up_xlsx"), follow=True)

    assert "?annee=" in words(payments)
    assert [row[0] for row in _rows(staff.get(reverse("admin:platform_payments_xlsx"), {"annee": "2024"}))[1:]] == [
        "F-0"
    ]
    assert "traitez d’abord" in words(work)
    assert payments.redirect_chain == work.redirect_chain == [(reverse("admin:platform_follow_up"), 302)]


def test_every_payment_is_in_a_workbook_with_what_the_platform_was_sent(staff: Client) -> None:
    invoice = make_published_invoice(number="F-7")
    record_payment(invoice=invoice, date=datetime.date(2025, 7, 1), amount=Decimal("20.00"), source="relevé")

    head, row = _rows(staff.get(reverse("admin:platform_payments_xlsx")))
    cells = dict(zip(head, row, strict=True))

    assert (cells["Facture"], cells["Montant"], cells["Statut 212"], cells["Origine"]) == ("F-7", 20, None, "relevé")
    assert f"{cells['Encaissé le']:%d/%m/%Y}" == "01/07/2025"


def test_what_the_follow_up_of_platforms_lists_is_in_a_workbook_whole(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.backoffice.platforms.follow_up.SHOWN", 1)
    for number in range(3):
        invoice = make_published_invoice(number=f"F-{number}")
        record_status(invoice=invoice, code="210", reason="montant faux")
    record_status(invoice=make_published_invoice(number="F-9"), code="205")

    head, *rows = _rows(staff.get(reverse("admin:platform_follow_up_xlsx")))
    found = [dict(zip(head, row, strict=True)) for row in rows]

    assert sorted(row["Facture"] for row in found) == ["F-0", "F-1", "F-2"]
    assert {(row["Quoi"], row["Statut"], row["Motif"]) for row in found} == {
        ("Facture à reprendre", "210 Refusée", "montant faux")
    }
    assert all("avoir" in row["À faire"] for row in found)
