"""What is taken away: ZIP of a year or of a selection, the list as CSV."""

import csv
import io
import re
import tracemalloc
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from customers.models import Account, Customer
from invoices.documents.zip_archive import stream_archive
from invoices.models import Consultation, Invoice
from invoices.store.local import DocumentStorage
from mailing.outbox import messages_to
from mailing.trail.actions import Action
from mailing.trail.models import Entry
from tests.support.factories import make_account, make_company, make_customer, make_published_invoice

pytestmark = pytest.mark.django_db

TECHNICIAN = "informatique@societe.example"
BACKEND = "customers.authentication.AccountBackend"


def content(response: Any) -> bytes:
    body: bytes = response.getvalue()
    return body


def files_of(response: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content(response))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def customer() -> Customer:
    return make_customer(code="000008")


@pytest.fixture
def account(client: Client, customer: Customer) -> Account:
    account = make_account(customer)
    client.force_login(account, backend=BACKEND)
    return account


def test_the_archive_of_a_year_holds_its_documents_by_their_names(
    client: Client, account: Account, customer: Customer
) -> None:
    first = make_published_invoice(b"%PDF first", customer=customer, number="18000135")
    second = make_published_invoice(b"%PDF second", customer=customer, number="18000136", kind="credit_note")
    make_published_invoice(b"%PDF old", customer=customer, issue_date=date(2024, 1, 1))

    response = client.get("/factures/archive.zip?annee=2025")

    assert response["Content-Disposition"] == 'attachment; filename="Factures-2025.zip"'
    assert response["Cache-Control"] == "private, no-store"
    assert files_of(response) == {"Facture-18000135.pdf": b"%PDF first", "Avoir-18000136.pdf": b"%PDF second"}
    assert set(Consultation.objects.values_list("invoice", "channel")) == {(first.pk, "zip"), (second.pk, "zip")}


def test_the_archive_of_a_selection_holds_what_was_ticked(client: Client, account: Account, customer: Customer) -> None:
    ticked = make_published_invoice(b"%PDF ticked", customer=customer, number="1")
    make_published_invoice(b"%PDF other", customer=customer, number="2")

    files = files_of(client.post("/factures/archive.zip", {"facture": [str(ticked.pk)]}))

    assert files == {"Facture-1.pdf": b"%PDF ticked"}


def test_without_a_tick_the_page_says_what_to_do(client: Client, account: Account) -> None:
    answer = client.post("/factures/archive.zip")

    assert answer.status_code == 400
    assert "Cochez au moins une facture" in answer.content.decode()


def test_several_customers_have_a_folder_each_and_can_be_narrowed(client: Client, customer: Customer) -> None:
    other = make_customer(code="../31")
    client.force_login(make_account(customer, other), backend=BACKEND)
    make_published_invoice(b"%PDF a", customer=customer, number="1")
    make_published_invoice(b"%PDF b", customer=other, number="2")

    assert set(files_of(client.get("/factures/archive.zip?annee=2025"))) == {
        "000008/Facture-1.pdf",
        "-31/Facture-2.pdf",
    }
    assert set(files_of(client.get("/factures/archive.zip?annee=2025&client=000008"))) == {"000008/Facture-1.pdf"}


def test_equal_names_do_not_hide_each_other(client: Client, account: Account, customer: Customer) -> None:
    make_published_invoice(b"%PDF a", customer=customer, number="A/1")
    make_published_invoice(b"%PDF b", customer=customer, number="A-1")

    files = files_of(client.get("/factures/archive.zip?annee=2025"))

    assert sorted(files) == ["Facture-A-1-2.pdf", "Facture-A-1.pdf"]
    assert sorted(files.values()) == [b"%PDF a", b"%PDF b"]


def test_a_document_missing_from_the_store_is_named_and_the_others_come(
    client: Client, account: Account, customer: Customer
) -> None:
    make_company()
    lost = make_published_invoice(customer=customer, number="1", total_with_vat="1234.50")
    kept = make_published_invoice(b"%PDF kept", customer=customer, number="2")
    assert lost.document
    default_storage.delete(lost.document.storage_name)

    files = files_of(client.get("/factures/archive.zip?annee=2025"))
    note = files["A-LIRE.txt"].decode("utf-8-sig")

    assert files["Facture-2.pdf"] == b"%PDF kept"
    assert "1\u202f234,50\xa0€ (Facture-1.pdf)" in note
    assert "C’est de notre fait" in note
    assert "compta@aquila.example" in note
    assert set(Consultation.objects.values_list("invoice", flat=True)) == {kept.pk}


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_archive_without_a_document_is_said_on_the_next_page_once_and_told_to_who_mends_it(
    client: Client, account: Account, customer: Customer, settings: Any, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    settings.TECHNICAL_EMAIL = TECHNICIAN
    lost = [make_published_invoice(customer=customer, number=number) for number in ("L1", "L2")]
    for invoice in lost:
        assert invoice.document
        default_storage.delete(invoice.document.storage_name)

    data = {"annee": "2025"} if method == "get" else {"facture": [str(invoice.pk) for invoice in lost]}
    files_of(getattr(client, method)("/factures/archive.zip", data))
    page = client.get("/factures/").content.decode()

    assert re.search(r"il manque Facture N° L., Facture N° L.\W*: nous ne parvenons pas à les relire", page)
    assert "c’est de notre fait" in page
    assert "il manque" not in client.get("/factures/").content.decode()
    assert len([record for record in caplog.records if "is missing" in record.getMessage()]) == 2
    [mail] = messages_to([TECHNICIAN])
    assert all(f"Facture : {invoice.number}\n" in mail.text for invoice in lost)


@pytest.mark.parametrize(("change", "is_inside"), [(b"%PDF cut", False), (b"%PDF frozeX", True)])
def test_a_document_that_is_not_what_was_frozen_is_named_too(
    client: Client, account: Account, customer: Customer, change: bytes, is_inside: bool
) -> None:
    altered = make_published_invoice(b"%PDF frozen", customer=customer, number="1")
    make_published_invoice(b"%PDF kept", customer=customer, number="2")
    assert altered.document
    Path(default_storage.path(altered.document.storage_name)).write_bytes(change)

    files = files_of(client.get("/factures/archive.zip?annee=2025"))
    note = files["A-LIRE.txt"].decode("utf-8-sig")

    assert files["Facture-2.pdf"] == b"%PDF kept"
    assert ("Facture-1.pdf" in files) is is_inside
    assert ("Facture-1.pdf est abîmé, ne vous y fiez pas" in note) is is_inside
    assert "Facture-1.pdf" in note
    assert not Consultation.objects.filter(invoice=altered).exists()


def test_a_store_that_refuses_to_open_a_document_costs_no_other(
    client: Client, account: Account, customer: Customer
) -> None:
    refused = make_published_invoice(b"%PDF refused", customer=customer, number="1")
    make_published_invoice(b"%PDF kept", customer=customer, number="2")
    assert refused.document
    path = Path(default_storage.path(refused.document.storage_name))
    path.unlink()
    path.mkdir()  # IsADirectoryError, whoever runs the tests

    files = files_of(client.get("/factures/archive.zip?annee=2025"))

    assert set(files) == {"Facture-2.pdf", "A-LIRE.txt"}


def test_an_empty_year_is_an_empty_archive(client: Client, account: Account) -> None:
    assert files_of(client.get("/factures/archive.zip?annee=1999")) == {}


def test_looking_at_the_head_of_an_archive_consults_nothing(
    client: Client, account: Account, customer: Customer
) -> None:
    make_published_invoice(customer=customer)

    assert client.head("/factures/archive.zip?annee=2025").status_code == 200
    assert not Consultation.objects.exists()


def test_an_archive_takes_the_same_memory_whatever_it_holds(account: Account, customer: Customer) -> None:
    for number in range(12):
        make_published_invoice(b"%PDF" + bytes(2_000_000), customer=customer, number=str(number), with_line=False)

    tracemalloc.start()
    size = sum(
        len(chunk)
        for chunk in stream_archive(
            identifiers=Invoice.objects.values_list("pk", flat=True),
            visible=lambda: Invoice.objects.visible_to(account),
            by_customer=False,
            consulted=lambda _identifiers: None,
            unavailable=lambda _documents: None,
            remedy="",
        )
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert size > 24_000_000
    assert peak < 3_000_000


def test_the_list_is_a_csv_that_a_french_spreadsheet_opens(
    client: Client, account: Account, customer: Customer
) -> None:
    make_published_invoice(
        customer=customer,
        number="18000135",
        issue_date=date(2022, 6, 7),
        due_date=None,
        total_without_vat="1028.75",
        purchase_order_reference="=cmd|'/c calc'!A0",
    )
    make_published_invoice(customer=customer, number="A1", kind="credit_note", issue_date=date(2022, 6, 8))

    response = client.get("/factures/liste.csv?annee=2022")
    text = content(response).decode("utf-8")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))

    assert text.startswith("\ufeff")
    assert response["Content-Disposition"] == 'attachment; filename="Factures-2022.csv"'
    assert rows[0][:4] == ["Numéro", "Nature", "Date", "Échéance"]
    assert [row[0] for row in rows[1:]] == ["A1", "18000135"]
    assert rows[1][9] == "-120,00"
    assert rows[2] == [
        "18000135",
        "facture",
        "07/06/2022",
        "",
        "000008",
        customer.name,
        "'=cmd|'/c calc'!A0",
        "1028,75",
        "205,75",
        "1234,50",
        "1234,50",
        "EUR",
    ]


def test_archives_leave_threads_to_pages_and_their_places_come_back(
    client: Client, account: Account, customer: Customer, settings: Any
) -> None:
    settings.ARCHIVES_AT_ONCE = 1
    make_published_invoice(b"%PDF first", customer=customer)
    first = client.get("/factures/archive.zip")

    refused = client.get("/factures/archive.zip")
    assert (refused.status_code, refused["Retry-After"], refused["Refresh"]) == (503, "5", "5")
    assert "Beaucoup d’archives se préparent en même temps" in refused.content.decode()
    assert client.get("/factures/").status_code == 200

    assert len(files_of(first)) == 1
    assert len(files_of(client.get("/factures/archive.zip"))) == 1
    assert client.get("/societe.zip").status_code == 404
    assert len(files_of(client.get("/factures/archive.zip"))) == 1


def test_a_store_that_is_away_ends_the_archive_instead_of_being_asked_for_each_document(
    client: Client, account: Account, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        make_published_invoice(customer=customer, number=f"A{number}")
    asked = []

    def refuse(_storage: DocumentStorage, name: str, mode: str = "rb") -> None:
        asked.append(name)
        raise OSError("le stockage ne répond pas")

    monkeypatch.setattr(DocumentStorage, "_open", refuse)

    with pytest.raises(OSError, match="ne répond pas"):
        files_of(client.get("/factures/archive.zip?annee=2025"))
    assert len(asked) == 3
    assert not Entry.objects.filter(action=Action.DOCUMENT_MISSING).exists()
