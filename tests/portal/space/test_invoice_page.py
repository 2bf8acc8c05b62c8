"""The page of one invoice."""

import re
from datetime import date
from decimal import Decimal
from urllib.parse import unquote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

from customers.models import Account
from invoices.models import Consultation, Document, Invoice
from invoices.printing import print_page
from portal.space.transfers import transfer_shown
from tests.support.code_reading import read_code
from tests.support.factories import freeze, make_account, make_company, make_customer, make_published_invoice

pytestmark = pytest.mark.django_db


def words(content: bytes) -> str:
    """What a reader reads, cell by cell."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content.decode()))


@pytest.fixture
def account(client: Client) -> Account:
    account = make_account(make_customer(code="000008", name="Boulangerie Martin"))
    client.force_login(account, backend="customers.authentication.AccountBackend")
    return account


def publish(account: Account, **fields: object) -> Invoice:
    return make_published_invoice(customer=account.customers.get(), **fields)  # type: ignore[arg-type]


def test_the_page_shows_amount_due_date_parties_lines_and_totals(client: Client, account: Account) -> None:
    invoice = publish(account, number="18000135", issue_date=date(2022, 6, 7), total_without_vat="1028.75")

    page = words(client.get(f"/factures/{invoice.pk}/").content)

    assert "Facture N° 18000135" in page
    assert "du 07/06/2022" in page
    assert "À payer au plus tard le 07/07/2025" in page
    assert "Aquila Test SAS" in page
    assert "Boulangerie Martin" in page
    assert "Prestation de service" in page
    assert "20 % 1 028,75 € 205,75 €" in page
    assert "Net à payer 1 234,50 €" in page
    assert Consultation.objects.get().channel == "page"


def test_the_page_says_in_words_why_no_vat_is_due_where_the_document_states_a_code(
    client: Client, account: Account
) -> None:
    group = {"category": "E", "rate": "0", "taxable_amount": "100.00", "tax_amount": "0.00"}
    stated = {"vat_breakdown": [group | {"exemption_code": "VATEX-FR-CGI261-4"}]}
    invoice = publish(account, total_vat="0.00", details=stated)
    invoice.lines.update(vat_category="E", vat_rate=0)

    page = words(client.get(f"/factures/{invoice.pk}/").content)

    assert "0 % Exonération de TVA, article 261-4 du CGI" in page


def test_an_invoice_below_zero_is_in_the_customers_favour_as_on_its_pdf(client: Client, account: Account) -> None:
    invoice = publish(account, total_without_vat="-401.71", amount_due=Decimal("-482.05"))

    page = words(client.get(f"/factures/{invoice.pk}/").content)

    assert page.count("En votre faveur") == 2
    assert "En votre faveur 482,05 €" in page
    assert "Net à payer" not in page
    assert "Rien à payer" not in page


def test_what_was_paid_before_is_taken_off(client: Client, account: Account) -> None:
    invoice = publish(account, prepaid_amount=Decimal(20), amount_due=Decimal(100))

    page = words(client.get(f"/factures/{invoice.pk}/").content)

    assert "Reste à payer 100,00 €" in page
    assert "Déjà payé 20,00 €" in page


def test_a_credit_note_and_its_invoice_lead_to_each_other(client: Client, account: Account) -> None:
    invoice = publish(account, number="1")
    note = publish(account, number="A1", kind=Invoice.Kind.CREDIT_NOTE, type_code="381", corrects=invoice)

    of_invoice = client.get(f"/factures/{invoice.pk}/").content.decode()
    of_note = client.get(f"/factures/{note.pk}/").content.decode()
    the_list = client.get("/factures/?annee=2025").content.decode()

    assert f'href="/factures/{note.pk}/">Avoir N° A1</a>' in of_invoice
    assert f'href="/factures/{invoice.pk}/">Facture N° 1</a>' in of_note
    assert "Avoir N° A1" in the_list
    assert "sur la facture 1" in words(the_list.encode())
    assert "Payer par virement" not in of_note


def test_a_correction_of_somebody_else_is_not_shown(client: Client, account: Account) -> None:
    foreign = make_published_invoice(number="SECRET-1")
    note = publish(account, kind=Invoice.Kind.CREDIT_NOTE, corrects=foreign)

    for address in (f"/factures/{note.pk}/", "/factures/?annee=2025"):
        page = client.get(address).content.decode()
        assert f'href="/factures/{foreign.pk}/"' not in page


def test_earlier_versions_and_the_xml_stand_on_the_page_and_open(client: Client, account: Account) -> None:
    invoice = publish(account, number="18000135")
    freeze(invoice, b"%PDF corrected")
    Document.objects.create(
        invoice=invoice,
        role=Document.Role.XML,
        storage_name=default_storage.save("tests/one.xml", ContentFile(b"<Invoice/>")),
        sha256="0" * 64,
        size=10,
    )

    page = client.get(f"/factures/{invoice.pk}/").content.decode()
    old = client.get(f"/factures/{invoice.pk}/versions/1/pdf/")
    xml = client.get(f"/factures/{invoice.pk}/xml/")

    assert f"/factures/{invoice.pk}/versions/1/pdf/" in page
    assert f"/factures/{invoice.pk}/versions/2/pdf/" not in page
    assert old["Content-Disposition"] == 'inline; filename="Facture-18000135-v1.pdf"'
    assert xml["Content-Disposition"] == 'attachment; filename="Facture-18000135.xml"'
    assert xml.getvalue() == b"<Invoice/>"
    old.getvalue()
    assert set(Consultation.objects.values_list("channel", flat=True)) == {"page", "pdf", "xml"}


def test_a_credit_note_says_nothing_of_paying_late(client: Client, account: Account) -> None:
    make_company(payment_terms="Paiement à 30 jours.")
    pages = [
        client.get(f"/factures/{publish(account, number=number, kind=kind, type_code=code).pk}/").content.decode()
        for number, kind, code in (("1", "invoice", "380"), ("2", "credit_note", "381"))
    ]
    for words in ("Paiement à 30 jours.", "En cas de retard", "Indemnité forfaitaire", "Pas d’escompte"):
        assert [words in page for page in pages] == [True, False], words


def test_the_iban_is_copied_without_a_blank_of_any_kind(client: Client, account: Account) -> None:
    page = client.get(f"/factures/{publish(account, number='18000135').pk}/").content.decode()
    assert 'data-copy="FR7630006000011234567890189"' in page


def test_the_transfer_code_says_what_the_standard_asks_for() -> None:
    """EPC069-12, version 002, written out here line by line, and read from the picture by a reader of codes."""
    transfer = transfer_shown(
        holder="Société Aquila",
        iban="FR7630006000011234567890189",
        bic="AGRIFRPP",
        amount=Decimal("1234.50"),
        currency="EUR",
        text="18000135",
    )

    assert transfer is not None
    assert transfer.iban == "FR76 3000 6000 0112 3456 7890 189"
    picture = unquote(transfer.picture.removeprefix("data:image/svg+xml,"))
    code = read_code(print_page(f"<html><body>{picture}</body></html>", "svg { width: 6cm; height: 6cm }"))
    assert code.bytes.decode().split("\n") == [
        *("BCD", "002", "1", "SCT", "AGRIFRPP", "Société Aquila", "FR7630006000011234567890189", "EUR1234.50"),
        *("", "", "18000135"),
    ]
    assert code.ec_level == "M"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iban": ""}, "no account was given"),
        ({"amount": Decimal(0)}, "nothing is due"),
        ({"amount": Decimal(-5)}, "money is owed to the customer"),
        ({"amount": Decimal("1000000000.00")}, "the standard ends before"),
        ({"currency": "USD"}, "the standard knows euros only"),
        ({"holder": ""}, "nobody would be paid"),
    ],
)
def test_there_is_no_transfer_code_where_it_would_be_wrong(changed: dict[str, object], why: str) -> None:
    stated = {
        "holder": "Aquila",
        "iban": "FR7630006000011234567890189",
        "bic": "",
        "amount": Decimal(1),
        "currency": "EUR",
        "text": "1",
        **changed,
    }
    assert transfer_shown(**stated) is None, why  # type: ignore[arg-type]


def test_an_invoice_takes_the_same_queries_whatever_it_holds(
    client: Client, account: Account, django_assert_max_num_queries: object
) -> None:
    invoice = publish(account)
    for number in range(5):
        publish(account, number=f"A{number}", kind=Invoice.Kind.CREDIT_NOTE, corrects=invoice)
    client.get("/factures/")

    # Two of them write into the trail.
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        client.get(f"/factures/{invoice.pk}/")
