"""«Vos factures»: the list by year and the PDF."""

import datetime
import re
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from customers.models import Account
from invoices.models import Consultation, Invoice
from tests.support.factories import (
    PDF_BYTES,
    make_account,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"


def words(content: bytes) -> str:
    """What a reader reads: no tags, ordinary spaces, one at a time."""
    return re.sub(r"\s+", " ", strip_tags(content.decode()))


def bytes_of(response: Any) -> bytes:
    """The whole body; the file behind it is closed."""
    content: bytes = response.getvalue() if response.streaming else response.content
    return content


@pytest.fixture
def account() -> Account:
    return make_account(make_customer(code="000008"), name="NATHALIE1")


@pytest.fixture
def signed_in(client: Client, account: Account) -> Client:
    client.force_login(account, backend=BACKEND)
    return client


def publish(account: Account, **fields: Any) -> Invoice:
    return make_published_invoice(customer=account.customers.get(), **fields)


def test_a_year_shows_its_invoices_as_the_accounts_department_writes_them(signed_in: Client, account: Account) -> None:
    publish(account, number="18000135", issue_date=date(2022, 6, 7), total_without_vat="10.28", total_vat="2.06")

    page = words(signed_in.get("/factures/?annee=2022").content)

    assert "Facture N° 18000135 du 07/06/2022 — 000008 — 12,34 €" in page
    assert "Bienvenue NATHALIE1" in page
    assert "Se déconnecter" in page
    assert "Vos factures" in page
    assert "Juin 2022" in page


def test_invoices_stand_newest_first_and_only_those_of_the_year(signed_in: Client, account: Account) -> None:
    for number, day in (
        ("A1", date(2025, 1, 5)),
        ("A2", date(2025, 3, 5)),
        ("A3", date(2025, 3, 6)),
        ("B1", date(2024, 12, 31)),
    ):
        publish(account, number=number, issue_date=day)

    page = signed_in.get("/factures/?annee=2025").content.decode()

    assert re.findall(r"Facture N° (\w+)", page) == ["A3", "A2", "A1"]


def test_the_newest_year_opens_by_itself_and_years_tell_count_and_total(signed_in: Client, account: Account) -> None:
    publish(account, issue_date=date(2023, 1, 1), total_without_vat="1000")
    publish(account, issue_date=date(2025, 1, 1), total_without_vat="100")
    publish(account, issue_date=date(2025, 2, 1), total_without_vat="200")
    publish(account, issue_date=date(2025, 3, 1), total_without_vat="50", kind=Invoice.Kind.CREDIT_NOTE)

    page = words(signed_in.get("/factures/").content)

    assert "2025 2 factures et 1 avoir · 300,00 € 2023 1 facture · 1 200,00 €" in page
    assert "Mars 2025" in page
    assert "Janvier 2023" not in page


@pytest.mark.parametrize("year", ["", "abc", "0000", "99999", "-1", "2025.0", "²²²²"])
def test_a_year_that_is_none_shows_the_newest(signed_in: Client, account: Account, year: str) -> None:
    publish(account, number="18000135", issue_date=date(2022, 6, 7))

    page = signed_in.get("/factures/", {"annee": year})

    assert page.status_code == 200
    assert "18000135" in page.content.decode()


def test_without_invoices_the_page_says_so(signed_in: Client) -> None:
    page = signed_in.get("/factures/").content

    assert "Votre première facture arrivera ici" in words(page)
    assert b'role="search"' not in page


def test_a_long_year_comes_in_pages_of_fifty(signed_in: Client, account: Account) -> None:
    for number in range(51):
        publish(account, number=f"N{number:02}", with_line=False)

    first = signed_in.get("/factures/?annee=2025").content.decode()
    second = signed_in.get("/factures/?annee=2025&page=2").content.decode()

    assert len(re.findall(r"Facture N° N\d\d", first)) == 50
    assert re.findall(r"Facture N° (N\d\d)", second) == ["N00"]
    assert 'href="?annee=2025&amp;page=2"' in first


def test_others_and_unpublished_invoices_are_not_listed(signed_in: Client, account: Account) -> None:
    make_published_invoice(number="OTHER")
    make_invoice(number="WAITING", customer=account.customers.get())

    page = signed_in.get("/factures/?annee=2025").content.decode()

    assert "OTHER" not in page
    assert "WAITING" not in page


def test_the_pdf_opens_in_the_browser_and_downloads_on_demand(signed_in: Client, account: Account) -> None:
    invoice = publish(account, number="18000135")

    shown = signed_in.get(f"/factures/{invoice.pk}/pdf/")
    saved = signed_in.get(f"/factures/{invoice.pk}/pdf/?telecharger=1")

    assert bytes_of(shown) == bytes_of(saved) == PDF_BYTES
    assert shown["Content-Type"] == "application/pdf"
    assert shown["Content-Disposition"] == 'inline; filename="Facture-18000135.pdf"'
    assert saved["Content-Disposition"] == 'attachment; filename="Facture-18000135.pdf"'
    for answer in (shown, saved):
        assert answer["Cache-Control"] == "private, no-store"
        assert int(answer["Content-Length"]) == len(PDF_BYTES)


def test_a_web_server_can_send_the_file_itself(signed_in: Client, account: Account, settings: Any) -> None:
    settings.DOCUMENTS_SEND_HEADER = "X-Accel-Redirect"
    settings.DOCUMENTS_SEND_PREFIX = "/documents/"
    invoice = publish(account)
    assert invoice.document

    answer = signed_in.get(f"/factures/{invoice.pk}/pdf/")

    assert answer["X-Accel-Redirect"] == f"/documents/{invoice.document.storage_name}"
    assert answer.content == b""


def test_a_strangers_a_wrong_and_an_unpublished_invoice_cannot_be_distinguished(
    signed_in: Client, account: Account
) -> None:
    stranger = make_published_invoice().pk
    unpublished = make_invoice(customer=account.customers.get()).pk

    answers = [signed_in.get(f"/factures/{identifier}/pdf/") for identifier in (stranger, unpublished, uuid4())]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_consulted_is_written_by_the_customers_own_reading(signed_in: Client, account: Account) -> None:
    invoice = publish(account)

    bytes_of(signed_in.get(f"/factures/{invoice.pk}/pdf/"))

    written = Consultation.objects.get()
    assert (written.invoice, written.account, written.login, written.channel) == (
        invoice,
        account,
        account.login,
        "pdf",
    )
    invoice.refresh_from_db()
    assert invoice.first_consulted_at == written.at


def test_a_look_at_the_head_alone_is_no_consultation(signed_in: Client, account: Account) -> None:
    invoice = publish(account)

    answer = signed_in.head(f"/factures/{invoice.pk}/pdf/")

    assert (answer.status_code, bytes_of(answer)) == (200, b"")
    assert not Consultation.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_nothing_is_read_before_its_owner_asks(signed_in: Client, account: Account, headers: dict[str, str]) -> None:
    invoice = publish(account)

    for path in (f"{invoice.pk}/", f"{invoice.pk}/pdf/", f"{invoice.pk}/xml/", "archive.zip"):
        answer = signed_in.get(f"/factures/{path}", headers=headers)
        assert (answer.status_code, answer.content) == (503, b"")
    assert not Consultation.objects.exists()


def test_the_requests_of_one_visit_are_one_consultation(signed_in: Client, account: Account, time_machine: Any) -> None:
    invoice = publish(account)
    for _request in range(3):
        bytes_of(signed_in.get(f"/factures/{invoice.pk}/pdf/"))
    assert Consultation.objects.count() == 1
    time_machine.move_to(timezone.now() + datetime.timedelta(hours=1))
    bytes_of(signed_in.get(f"/factures/{invoice.pk}/pdf/"))
    assert Consultation.objects.count() == 2


@pytest.mark.parametrize("fault", ["missing", "cut short"])
def test_a_file_that_the_web_server_would_not_find_is_not_consulted(
    signed_in: Client, account: Account, settings: Any, fault: str
) -> None:
    settings.DOCUMENTS_SEND_HEADER = "X-Accel-Redirect"
    invoice = publish(account)
    assert invoice.document
    path = Path(settings.DOCUMENTS_ROOT) / invoice.document.storage_name
    if fault == "missing":
        path.unlink()
    else:
        path.chmod(0o640)
        path.write_bytes(path.read_bytes()[:-1])

    answer = signed_in.get(f"/factures/{invoice.pk}/pdf/")
    assert answer.status_code == 404
    assert "C’est de notre fait" in words(answer.content)
    assert not Consultation.objects.exists()


def test_the_head_of_a_missing_document_says_what_its_body_would(signed_in: Client, account: Account) -> None:
    invoice = publish(account)
    address = f"/factures/{invoice.pk}/pdf/"
    assert signed_in.head(address).status_code == 200
    assert invoice.document
    default_storage.delete(invoice.document.storage_name)

    assert signed_in.head(address).status_code == signed_in.get(address).status_code == 404


def test_staff_consult_nothing_even_with_an_access_of_their_own(client: Client) -> None:
    customer = make_customer()
    invoice = make_published_invoice(customer=customer)
    staff = make_staff()
    staff.customers.add(customer)
    client.force_login(staff, backend=BACKEND)

    assert bytes_of(client.get(f"/factures/{invoice.pk}/pdf/")) == PDF_BYTES
    assert not Consultation.objects.exists()


def test_a_new_invoice_is_marked_until_the_account_opens_it(signed_in: Client, account: Account) -> None:
    invoice = publish(account)
    assert "nouvelle" in words(signed_in.get("/factures/").content)

    bytes_of(signed_in.get(f"/factures/{invoice.pk}/pdf/"))

    assert "nouvelle" not in words(signed_in.get("/factures/").content)
