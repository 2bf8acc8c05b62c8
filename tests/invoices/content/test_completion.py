"""What an invoice of table rows says of its process, as its exported XML states it."""

from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from customers.models import Customer
from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.vat import printed_reason
from invoices.formats.cii.elements import NAMESPACES
from invoices.models import Company, Invoice
from tests.support.factories import make_company, make_customer, make_invoice

pytestmark = pytest.mark.django_db

DOWN_PAYMENT = {"number": "A1", "date": "2025-05-02"}
FINAL: dict[str, Any] = {"prepaid_amount": Decimal("20.00"), "amount_due": Decimal("100.00")}
PAID: dict[str, Any] = {"prepaid_amount": Decimal("120.00"), "amount_due": Decimal("0.00"), "due_date": None}


def exported(invoice: Invoice, path: str) -> list[str]:
    """The texts at ``path`` of the XML that the PDF of ``invoice`` carries."""
    xml = einvoice_of(Invoice.objects.get(pk=invoice.pk)).xml
    assert xml is not None
    return [element.text or "" for element in etree.fromstring(xml).iterfind(path, NAMESPACES)]


def exported_process(invoice: Invoice) -> list[str]:
    return exported(invoice, ".//ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID")


@pytest.mark.parametrize("operations", Company.Operations)
def test_a_final_invoice_after_a_down_payment_says_4(operations: Company.Operations) -> None:
    make_company(operations=operations)
    invoice = make_invoice(details={"preceding_invoices": [DOWN_PAYMENT]}, **FINAL)
    assert exported_process(invoice) == [f"{operations}4"]


@pytest.mark.parametrize("operations", Company.Operations)
def test_an_invoice_paid_before_says_2(operations: Company.Operations) -> None:
    make_company(operations=operations)
    assert exported_process(make_invoice(**PAID)) == [f"{operations}2"]
    after_down_payment = make_invoice(number="F2", details={"preceding_invoices": [DOWN_PAYMENT]}, **PAID)
    assert exported_process(after_down_payment) == [f"{operations}2"]


def test_a_category_that_the_row_states_wins_over_the_company_s() -> None:
    make_company(operations=Company.Operations.GOODS)
    invoice = make_invoice(details={"business_process": "S", "preceding_invoices": [DOWN_PAYMENT]}, **FINAL)
    assert exported_process(invoice) == ["S4"]
    assert exported(invoice, ".//ram:ApplicableTradeTax/ram:DueDateTypeCode") == ["72"]


def test_a_whole_cadre_that_the_row_states_is_kept() -> None:
    invoice = make_invoice(details={"business_process": "B7", "preceding_invoices": [DOWN_PAYMENT]}, **FINAL)
    assert exported_process(invoice) == ["B7"]


def test_a_part_paid_without_reference_and_a_down_payment_itself_are_ordinary() -> None:
    assert exported_process(make_invoice(**FINAL)) == ["M1"]
    down_payment = make_invoice(number="A2", type_code="386", details={"preceding_invoices": [DOWN_PAYMENT]}, **FINAL)
    assert exported_process(down_payment) == ["M1"]


@pytest.mark.parametrize(
    ("category", "country", "reason"),
    [
        ("O", "FR", "Opération hors du champ d’application de la TVA"),
        ("O", "US", "TVA non applicable, article 259-1° du CGI"),
        ("AE", "RE", "Autoliquidation"),
        ("AE", "DE", "Autoliquidation, article 283-2 du CGI"),
    ],
)
def test_the_reason_for_no_vat_depends_on_where_the_customer_is(category: str, country: str, reason: str) -> None:
    customer = make_customer(country=country, vat_identifier="DE136695976" if country == "DE" else "")
    invoice = make_invoice(customer=customer, total_vat="0.00")
    invoice.lines.update(vat_category=category, vat_rate=0)
    (group,) = einvoice_of(Invoice.objects.get(pk=invoice.pk)).content.vat_breakdown
    assert group.exemption_reason == reason


def test_a_page_gives_the_words_of_the_same_table_where_a_document_gives_none() -> None:
    assert printed_reason("K") == "Exonération de TVA, livraison intracommunautaire, article 262 ter I du CGI"
    assert printed_reason("AE") == "Autoliquidation"
    assert printed_reason("E") == "Exonération de TVA"
    assert printed_reason("S") == ""


def test_an_individual_s_page_has_the_mentions_but_the_fee() -> None:
    invoice = make_invoice(customer=make_customer(kind=Customer.Kind.INDIVIDUAL))
    codes = {note.subject_code for note in einvoice_of(invoice).content.notes}
    assert "PMT" not in codes
    assert {"PMD", "REG", "ABL"} <= codes
