"""An invoice of the database as the content that is printed and written as XML."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from invoices.content.from_rows import content_of, prefetch_for_content
from invoices.en16931.model import Address, DocumentReference, Identifier, to_json
from invoices.en16931.vat import VatTreatment, derive_treatment
from invoices.formats.cii.writer import write_cii
from invoices.models import Company, Invoice, InvoiceLine
from tests.support.factories import make_company, make_customer, make_invoice

pytestmark = pytest.mark.django_db


def add_line(invoice: Invoice, net: str, rate: str, **fields: Any) -> InvoiceLine:
    defaults: dict[str, Any] = {
        "position": invoice.lines.count() + 1,
        "name": "Article",
        "quantity": Decimal(1),
        "unit": "C62",
        "net_price": Decimal(net),
        "vat_rate": Decimal(rate),
        "net_amount": Decimal(net),
    }
    return InvoiceLine.objects.create(invoice=invoice, **{**defaults, **fields})


def notes_by_code(invoice: Invoice) -> dict[str, str]:
    return {note.subject_code: note.text for note in content_of(invoice).notes}


def test_parties_come_from_the_settings_and_the_customer_card() -> None:
    customer = make_customer(code="000042", name="Ma boutique", siren="732829320", siret="73282932000074")
    content = content_of(make_invoice(customer=customer))
    assert content.seller.name == "Aquila Test SAS"
    assert content.seller.legal_identifier == Identifier("732829320", "0002")
    assert content.seller.identifiers == (Identifier("73282932000074", "0009"),)
    assert content.seller.electronic_address == Identifier("732829320", "0225")
    assert content.seller.legal_information == "SAS au capital de 10 000 € – RCS Lyon 732 829 320"
    assert content.buyer.name == "Ma boutique"
    assert content.buyer.legal_identifier == Identifier("732829320", "0002")
    assert content.buyer.electronic_address == Identifier("732829320", "0225")
    assert content.buyer.address == Address(line1="1 place du Marché", city="Paris", postcode="75001", country="FR")


def test_an_individual_has_no_siren_and_a_mail_address() -> None:
    customer = make_customer(code="7", kind=Customer.Kind.INDIVIDUAL, siren="732829320", email="a@b.example")
    buyer = content_of(make_invoice(customer=customer)).buyer
    assert buyer.legal_identifier is None
    assert buyer.identifiers == (Identifier("7"),)
    assert buyer.electronic_address == Identifier("a@b.example", "EM")


def test_the_recovery_fee_is_never_written_to_an_individual() -> None:
    professional = notes_by_code(make_invoice())
    individual = notes_by_code(make_invoice(customer=make_customer(kind=Customer.Kind.INDIVIDUAL)))
    assert "40 €" in professional["PMT"]
    assert "PMT" not in individual
    assert "40 €" not in " ".join(individual.values())


def test_vat_is_summed_by_category_and_rate() -> None:
    invoice = make_invoice(with_line=False, total_without_vat="31.50", total_vat="4.55")
    add_line(invoice, "10.25", "20")
    add_line(invoice, "10.25", "20")
    add_line(invoice, "11.00", "5.5")
    breakdown = content_of(invoice).vat_breakdown
    assert [(each.category, each.rate, each.taxable_amount, each.tax_amount) for each in breakdown] == [
        ("S", Decimal("20"), Decimal("20.50"), Decimal("4.10")),
        ("S", Decimal("5.5"), Decimal("11.00"), Decimal("0.61")),  # 0.605 is rounded half up
    ]


GOODS_IN_EU = VatTreatment(
    "K", "Exonération de TVA, livraison intracommunautaire, article 262 ter I du CGI", "VATEX-EU-IC"
)


@pytest.mark.parametrize(
    ("rate", "country", "is_professional", "has_vat_identifier", "services_only", "exemption", "category", "code"),
    [
        ("20", "FR", True, True, False, "", "S", ""),
        ("20", "DE", True, True, False, "", "S", ""),
        ("0", "DE", True, True, False, "", "K", "VATEX-EU-IC"),
        ("0", "DE", True, True, True, "", "AE", "VATEX-EU-AE"),
        ("0", "DE", True, False, False, "", "E", ""),
        ("0", "DE", False, True, False, "", "E", ""),
        ("0", "FR", True, True, False, "", "E", ""),
        ("0", "MC", True, True, False, "", "E", ""),
        ("0", "US", True, False, False, "", "G", "VATEX-EU-G"),
        ("0", "US", False, False, True, "", "G", "VATEX-EU-G"),
        ("0", "GB", True, True, True, "", "O", "VATEX-EU-O"),
        ("0", "FR", False, False, False, "TVA non applicable, art. 293 B du CGI", "E", "VATEX-FR-FRANCHISE"),
        ("0", "US", True, False, False, "TVA non applicable, art. 293 B du CGI", "E", "VATEX-FR-FRANCHISE"),
    ],
)
def test_the_vat_category_follows_rate_and_customer(
    rate: str,
    country: str,
    is_professional: bool,
    has_vat_identifier: bool,
    services_only: bool,
    exemption: str,
    category: str,
    code: str,
) -> None:
    treatment = derive_treatment(
        Decimal(rate),
        country=country,
        is_professional=is_professional,
        has_vat_identifier=has_vat_identifier,
        services_only=services_only,
        company_exemption=exemption,
    )
    assert (treatment.category, treatment.exemption_code) == (category, code)


def test_an_intra_community_supply_says_when_and_where() -> None:
    customer = make_customer(country="DE", vat_identifier="DE136695976", city="Berlin")
    invoice = make_invoice(customer=customer, with_line=False, total_vat="0.00")
    add_line(invoice, "100.00", "0")
    content = content_of(invoice)
    assert [line.vat_category for line in content.lines] == ["K"]
    assert content.delivery is not None
    assert content.delivery.date == date(2025, 6, 7)
    assert content.delivery.address == Address(country="DE")


def test_services_outside_the_union_beside_taxed_lines_are_not_out_of_scope() -> None:
    make_company(operations=Company.Operations.SERVICES)
    invoice = make_invoice(customer=make_customer(country="CH"), with_line=False, total_vat="2.00")
    add_line(invoice, "10.00", "20")
    add_line(invoice, "90.00", "0")
    assert [each.category for each in content_of(invoice).vat_breakdown] == ["S", "E"]


def test_a_stated_reason_wins_over_the_usual_one() -> None:
    reason = "Exonération, article 261-4-4° du CGI"
    invoice = make_invoice(
        with_line=False,
        total_vat="0.00",
        details={
            "vat_breakdown": [
                {
                    "category": "",
                    "rate": "0.00",
                    "taxable_amount": "100.00",
                    "tax_amount": "0.00",
                    "exemption_reason": reason,
                }
            ]
        },
    )
    add_line(invoice, "100.00", "0")
    (group,) = content_of(invoice).vat_breakdown
    assert (group.category, group.exemption_reason) == ("E", reason)


def test_a_discount_is_an_allowance_of_its_line() -> None:
    invoice = make_invoice(with_line=False, total_without_vat="26.97", total_vat="5.39")
    add_line(invoice, "26.97", "20", quantity=Decimal(3), net_price=Decimal("9.99"), discount_percentage=Decimal("10"))
    (line,) = content_of(invoice).lines
    (allowance,) = line.allowances_charges
    assert (line.net_price, line.net_amount) == (Decimal("9.99"), Decimal("26.97"))
    assert (allowance.base_amount, allowance.amount, allowance.percentage) == (
        Decimal("29.97"),
        Decimal("3.00"),
        Decimal("10"),
    )
    assert line.net_price is not None
    assert line.quantity is not None
    assert line.net_amount == line.quantity * line.net_price - allowance.amount


def test_digits_of_a_column_are_not_digits_of_the_document() -> None:
    invoice = make_invoice(with_line=False)
    add_line(invoice, "100.00", "20", quantity=Decimal("10"), net_price=Decimal("0.125"))
    invoice = Invoice.objects.get(pk=invoice.pk)
    line = to_json(content_of(invoice))["lines"][0]
    assert (line["quantity"], line["net_price"], line["vat_rate"]) == ("10", "0.125", "20.00")


def test_a_missing_due_date_follows_the_company_s_delay() -> None:
    company = make_company(payment_delay_days=30)
    assert content_of(make_invoice(due_date=None)).due_date == date(2025, 7, 7)
    company.payment_delay_days = None
    company.save()
    assert content_of(make_invoice(due_date=None)).due_date is None


def test_a_credit_note_asks_for_no_payment_and_names_what_it_corrects() -> None:
    corrected = make_invoice(number="F1", issue_date=date(2025, 1, 31))
    note = make_invoice(kind=Invoice.Kind.CREDIT_NOTE, type_code="381", corrects=corrected, due_date=None)
    content = content_of(note)
    assert content.is_credit_note
    assert content.payment is None
    assert content.due_date is None
    assert content.preceding_invoices == (DocumentReference("F1", date(2025, 1, 31)),)


def test_an_invoice_paid_in_advance_says_so() -> None:
    invoice = make_invoice(prepaid_amount=Decimal("120.00"), amount_due=Decimal("0.00"), due_date=None)
    content = content_of(invoice)
    assert content.business_process == "M2"
    assert content.due_date == invoice.issue_date
    assert content.payment is None
    assert content.prepaid_amount == Decimal("120.00")


def test_the_content_is_written_as_xml() -> None:
    invoice = make_invoice(number="18000135")
    assert b">18000135<" in write_cii(content_of(invoice))


def test_many_invoices_cost_as_many_statements_as_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(5):
        make_invoice()
    with django_assert_num_queries(2) as context:
        contents = [content_of(invoice) for invoice in prefetch_for_content(Invoice.objects.all())]
    assert isinstance(context, CaptureQueriesContext)
    assert len(contents) == 5


def test_domestic_reverse_charge_has_its_own_reason_and_no_vat_falls_due() -> None:
    company = make_company()
    company.operations = "S"
    company.save()
    invoice = make_invoice(company=company, total_vat="0.00")
    invoice.lines.update(vat_category="AE", vat_rate=0)
    content = content_of(invoice)
    (group,) = content.vat_breakdown
    assert (group.exemption_reason, group.exemption_code) == ("Autoliquidation", "VATEX-FR-AE")
    assert content.vat_point_code == ""
