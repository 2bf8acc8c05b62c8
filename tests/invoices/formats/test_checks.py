"""What our own checks find that no rule set does, each with its business term."""

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    ContactPoint,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Note,
    Party,
    PaymentInstructions,
    Period,
)
from invoices.formats.checks.own import check_content
from invoices.formats.findings import Finding, Severity
from invoices.formats.french import SellerPolicy, complete_for_france
from invoices.formats.french_parties import BuyerKind
from tests.support.invoice_examples import (
    BUYER,
    BUYER_SIREN,
    EXAMPLES,
    ISSUED,
    SELLER,
    SELLER_SIREN,
    content,
    french_vat,
    line,
    siret,
)


def complete(raw: InvoiceContent, **policy: Any) -> InvoiceContent:
    return complete_for_france(raw, policy=SellerPolicy(**policy), buyer_kind=BuyerKind.PROFESSIONAL)


GOOD = EXAMPLES["one line"].content


def check(
    invoice: InvoiceContent, kind: BuyerKind = BuyerKind.PROFESSIONAL, *, einvoice_due: bool = True
) -> tuple[Finding, ...]:
    return check_content(invoice, buyer_kind=kind, einvoice_due=einvoice_due)


@pytest.mark.parametrize("name", EXAMPLES)
def test_our_checks_find_nothing_in_an_invoice_of_each_kind(name: str) -> None:
    example = EXAMPLES[name]
    assert check(example.content, example.buyer_kind) == ()


def _line(**changes: Any) -> InvoiceContent:
    return replace(GOOD, lines=(replace(GOOD.lines[0], **changes),))


def _seller(**changes: Any) -> InvoiceContent:
    return replace(GOOD, seller=replace(GOOD.seller, **changes))


def _buyer(**changes: Any) -> InvoiceContent:
    return replace(GOOD, buyer=replace(GOOD.buyer, **changes))


def _breakdown(**changes: Any) -> InvoiceContent:
    return replace(GOOD, vat_breakdown=(replace(GOOD.vat_breakdown[0], **changes),))


def _without_note(code: str) -> InvoiceContent:
    return replace(GOOD, notes=tuple(each for each in GOOD.notes if each.subject_code != code))


def _with_head_allowance(**changes: Any) -> InvoiceContent:
    allowance = replace(
        AllowanceCharge(False, Decimal("5.00"), Decimal("100.00"), Decimal(5), "S", Decimal(20), "Remise"), **changes
    )
    return complete(content(allowances_charges=(allowance,)))


WRONG_SIREN = BUYER_SIREN[:-1] + str((int(BUYER_SIREN[-1]) + 1) % 10)
EARLIER = ISSUED - datetime.timedelta(days=1)
NOT_SO_EARLY = DocumentReference("F-2026-0000", ISSUED + datetime.timedelta(days=1))

WRONG: dict[str, tuple[InvoiceContent, str, str]] = {
    "number with accent": (replace(GOOD, number="FÀ-1"), "OWN-NUMBER", "BT-1"),
    "number with space": (replace(GOOD, number="F 1"), "OWN-NUMBER", "BT-1"),
    "number of 36 characters": (replace(GOOD, number="1" * 36), "OWN-NUMBER", "BT-1"),
    "number with line end": (replace(GOOD, number="F-1\n"), "OWN-NUMBER", "BT-1"),
    "no number": (replace(GOOD, number=""), "OWN-NUMBER", "BT-1"),
    "number of earlier invoice": (replace(GOOD, preceding_invoices=(DocumentReference("F 0"),)), "OWN-NUMBER", "BT-25"),
    "no issue date": (replace(GOOD, issue_date=None), "OWN-ISSUE-DATE", "BT-2"),
    "due before issue": (replace(GOOD, due_date=EARLIER), "OWN-DUE-DATE", "BT-9"),
    "neither due date nor terms": (replace(GOOD, due_date=None, payment_terms=""), "OWN-DUE-DATE", "BT-9"),
    "corrects a later invoice": (replace(GOOD, preceding_invoices=(NOT_SO_EARLY,)), "OWN-PRECEDING-DATE", "BT-26"),
    "period backwards": (replace(GOOD, period=Period(ISSUED, EARLIER)), "OWN-PERIOD", "BT-74"),
    "line period backwards": (_line(period=Period(ISSUED, EARLIER)), "OWN-PERIOD", "BT-135"),
    "control character": (_line(name="Clé\x07"), "OWN-CHARACTER", "BT-153"),
    "seller without SIREN": (
        _seller(legal_identifier=None, identifiers=(), vat_identifier=""),
        "OWN-SIREN-MISSING",
        "BT-30",
    ),
    "SIREN of seller": (_seller(legal_identifier=Identifier(WRONG_SIREN, "0002")), "OWN-SIREN", "BT-30"),
    "SIREN of buyer": (_buyer(legal_identifier=Identifier(WRONG_SIREN, "0002")), "OWN-SIREN", "BT-47"),
    "buyer without SIREN": (
        _buyer(legal_identifier=None, identifiers=(), vat_identifier=""),
        "OWN-SIREN-MISSING",
        "BT-47",
    ),
    "SIRET of seller": (_seller(identifiers=(Identifier("73282932000075", "0009"),)), "OWN-SIRET", "BT-29"),
    "SIRET of another firm": (
        _buyer(identifiers=(Identifier(siret(SELLER_SIREN, "0007"), "0009"),)),
        "OWN-SIRET",
        "BT-46",
    ),
    "VAT number of seller": (_seller(vat_identifier="FR45732829320"), "OWN-VAT-NUMBER", "BT-31"),
    "VAT number of buyer": (_buyer(vat_identifier="DE136695977"), "OWN-VAT-NUMBER", "BT-48"),
    "VAT number of another firm": (_seller(vat_identifier=french_vat(BUYER_SIREN)), "OWN-VAT-NUMBER", "BT-31"),
    "IBAN": (replace(GOOD, payment=PaymentInstructions("30", iban="FR7630006000011234567890188")), "OWN-IBAN", "BT-84"),
    "line one cent too much": (_line(net_amount=Decimal("100.01")), "OWN-LINE-AMOUNT", "BT-131"),
    "line without its allowance": (
        _line(allowances_charges=(AllowanceCharge(False, Decimal("1.00"), reason="Remise"),)),
        "OWN-LINE-AMOUNT",
        "BT-131",
    ),
    "base quantity of nought": (_line(price_base_quantity=Decimal(0)), "OWN-BASE-QUANTITY", "BT-149"),
    "net price off the gross price": (
        _line(gross_price=Decimal("60.00"), price_discount=Decimal("9.00")),
        "OWN-NET-PRICE",
        "BT-146",
    ),
    "percentage of allowance": (_with_head_allowance(percentage=Decimal(6)), "OWN-PERCENTAGE", "BT-92"),
    "three decimals": (_line(net_amount=Decimal("100.001")), "OWN-DECIMALS", "BT-131"),
    "VAT base": (_breakdown(taxable_amount=Decimal("99.99")), "OWN-VAT-BASE", "BT-116"),
    "VAT one cent off": (_breakdown(tax_amount=Decimal("20.01")), "OWN-VAT-AMOUNT", "BT-117"),
    "rate without breakdown": (_line(vat_rate=Decimal(10)), "OWN-VAT-BREAKDOWN", "BG-23"),
    "rate twice": (replace(GOOD, vat_breakdown=GOOD.vat_breakdown * 2), "OWN-VAT-BREAKDOWN", "BG-23"),
    "total of lines": (replace(GOOD, line_total=Decimal("100.01")), "OWN-SUM", "BT-106"),
    "total of allowances": (replace(GOOD, allowance_total=Decimal("1.00")), "OWN-SUM", "BT-107"),
    "total of charges": (replace(GOOD, charge_total=Decimal("1.00")), "OWN-SUM", "BT-108"),
    "total without VAT": (replace(GOOD, total_without_vat=Decimal("100.01")), "OWN-SUM", "BT-109"),
    "total of VAT": (replace(GOOD, total_vat=Decimal("20.01")), "OWN-SUM", "BT-110"),
    "total with VAT": (replace(GOOD, total_with_vat=Decimal("120.01")), "OWN-SUM", "BT-112"),
    "amount due": (replace(GOOD, amount_due=Decimal("119.99")), "OWN-SUM", "BT-115"),
    "no name of seller": (_seller(name=" "), "OWN-MENTION", "BT-27"),
    "no VAT number of seller": (
        replace(complete(content((line(quantity="4"),), seller=replace(SELLER, vat_identifier="")))),
        "OWN-MENTION",
        "BT-31",
    ),
    "no legal form": (_seller(legal_information=""), "OWN-MENTION", "BT-33"),
    "no street of seller": (_seller(address=Address("", "", "", "Lyon", "69003", "", "FR")), "OWN-MENTION", "BT-35"),
    "no address of buyer": (_buyer(address=None), "OWN-MENTION", "BT-55"),
    "no town of buyer": (_buyer(address=Address("1 rue", "", "", "", "44000", "", "FR")), "OWN-MENTION", "BT-52"),
    "no postcode of buyer": (_buyer(address=Address("1 rue", "", "", "Nantes", "", "", "FR")), "OWN-MENTION", "BT-53"),
    "no name of buyer": (_buyer(name=""), "OWN-MENTION", "BT-44"),
    "reverse charge without VAT number": (
        complete(content((line(category="AE", rate="0"),), buyer=replace(BUYER, vat_identifier=""))),
        "OWN-MENTION",
        "BT-48",
    ),
    "no lines": (replace(GOOD, lines=()), "OWN-MENTION", "BG-25"),
    "no name of item": (_line(name=""), "OWN-MENTION", "BT-153"),
    "no quantity": (_line(quantity=None), "OWN-MENTION", "BT-129"),
    "no price": (_line(net_price=None), "OWN-MENTION", "BT-146"),
    "no VAT category": (_line(vat_category=""), "OWN-MENTION", "BT-151"),
    "no VAT rate": (_line(vat_rate=None), "OWN-MENTION", "BT-152"),
    "same line number twice": (replace(GOOD, lines=GOOD.lines * 2), "OWN-LINE-NUMBER", "BT-126"),
    "exempt without reason": (complete(content((line(category="E", rate="0"),))), "OWN-MENTION", "BT-120"),
    "no recovery fee": (_without_note("PMT"), "OWN-MENTION", "BT-22"),
    "no penalties": (_without_note("PMD"), "OWN-MENTION", "BT-22"),
    "no discount terms": (_without_note("AAB"), "OWN-MENTION", "BT-22"),
    "credit note of nothing": (replace(GOOD, type_code="381"), "OWN-MENTION", "BT-25"),
    "credit note of an undated invoice": (
        replace(GOOD, type_code="381", preceding_invoices=(DocumentReference("F-0"),)),
        "OWN-MENTION",
        "BT-26",
    ),
    "no VAT in euros": (replace(GOOD, currency="USD"), "OWN-VAT-IN-EUROS", "BT-111"),
    "no category of operation": (replace(GOOD, business_process=""), "OWN-OPERATION-CATEGORY", "BT-23"),
}


@pytest.mark.parametrize("name", WRONG)
def test_our_checks_find_it_and_name_the_business_term(name: str) -> None:
    invoice, code, term = WRONG[name]
    findings = check(invoice)
    assert (code, term) in {(each.code, each.business_term) for each in findings}
    assert all(each.message_fr.endswith(".") for each in findings)


def test_a_wrong_amount_says_what_is_stated_and_what_is_right() -> None:
    (finding,) = [each for each in check(_line(net_amount=Decimal("1234.56"))) if each.code == "OWN-LINE-AMOUNT"]
    assert finding.location == "ligne 1"
    assert finding.message_fr == (
        "Montant net de la ligne différent du prix multiplié par la quantité : 1\u202f234,56 indiqué, 100,00 calculé."
    )


@pytest.mark.parametrize("net_amount", ["0.12", "0.13"])
def test_half_a_cent_may_be_rounded_either_way(net_amount: str) -> None:
    invoice = _line(quantity=Decimal("0.5"), net_price=Decimal("0.25"), net_amount=Decimal(net_amount))
    assert "OWN-LINE-AMOUNT" not in {each.code for each in check(invoice)}


def test_an_individual_must_not_be_asked_for_40_euros() -> None:
    invoice = replace(EXAMPLES["individual"].content, notes=(Note("Indemnité de 40 €", "PMT"),))
    assert [(each.code, each.business_term) for each in check(invoice, BuyerKind.INDIVIDUAL)] == [
        ("OWN-RECOVERY-FEE", "BT-22")
    ]


def test_an_individual_needs_neither_siren_nor_terms() -> None:
    invoice = replace(EXAMPLES["individual"].content, notes=(), business_process="")
    assert check(invoice, BuyerKind.INDIVIDUAL) == ()


def test_before_the_issuing_date_a_missing_siren_is_a_warning_and_the_category_may_lack() -> None:
    invoice = replace(WRONG["buyer without SIREN"][0], business_process="")
    (finding,) = check(invoice, einvoice_due=False)
    assert (finding.code, finding.severity) == ("OWN-SIREN-MISSING", Severity.WARNING)


def test_nothing_is_due_on_a_credit_note_or_a_paid_invoice() -> None:
    credit_note = replace(EXAMPLES["credit note"].content, due_date=None, payment_terms="")
    assert check(credit_note) == ()
    paid = replace(EXAMPLES["already paid"].content, payment_terms="", due_date=None, business_process="S1")
    assert check(paid) == ()


def test_a_down_payment_and_a_paid_invoice_may_be_due_before_issue() -> None:
    assert check(replace(EXAMPLES["down payment"].content, due_date=EARLIER)) == ()
    assert check(replace(EXAMPLES["already paid"].content, due_date=EARLIER)) == ()


def test_a_small_invoice_needs_no_vat_number() -> None:
    raw = content((line(quantity="3"),), seller=replace(SELLER, vat_identifier=""))
    assert check(complete(raw)) == ()


def test_a_foreign_party_is_not_judged_by_french_rules() -> None:
    buyer = Party(
        name="Acme",
        legal_identifier=Identifier("123", "0199"),
        vat_identifier="CHE-123.456.788 TVA",
        address=Address("1 Rue", "", "", "Genève", "", "", "CH"),
        contact=ContactPoint(email="ap@acme.example"),
    )
    assert check(complete(content((line(category="O", rate=None),), buyer=buyer))) == ()


def test_absurd_numbers_are_findings_and_not_errors() -> None:
    findings = check(_line(quantity=Decimal("9e30"), net_price=Decimal("9.000001"), net_amount=Decimal("1e40")))
    assert ("OWN-LINE-AMOUNT", "BT-131") in {(each.code, each.business_term) for each in findings}
