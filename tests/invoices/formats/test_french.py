"""What the French rules add to an invoice."""

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    Delivery,
    Identifier,
    InvoiceContent,
    Note,
    Party,
    PaymentInstructions,
    Period,
)
from invoices.en16931.units import unit_code
from invoices.formats.french import (
    LATE_PENALTY,
    NO_DISCOUNT,
    RECOVERY_FEE,
    OperationCategory,
    SellerPolicy,
    complete_for_france,
)
from invoices.formats.french_parties import BuyerKind, is_french, siren_of
from tests.support.invoice_examples import (
    AMERICAN_BUYER,
    BUYER,
    BUYER_SIREN,
    CORRECTED,
    EXAMPLES,
    GERMAN_BUYER,
    INDIVIDUAL,
    ISSUED,
    SELLER,
    SELLER_SIREN,
    TOWN_HALL,
    content,
    french_vat,
    line,
)

PROFESSIONAL = BuyerKind.PROFESSIONAL
GOODS, SERVICES, BOTH = OperationCategory.GOODS, OperationCategory.SERVICES, OperationCategory.BOTH


def complete(
    raw: InvoiceContent, buyer_kind: BuyerKind = PROFESSIONAL, *, buyer_email: str = "", **policy: Any
) -> InvoiceContent:
    return complete_for_france(raw, policy=SellerPolicy(**policy), buyer_kind=buyer_kind, buyer_email=buyer_email)


def note(invoice: InvoiceContent, code: str) -> str | None:
    """The text of the only note of a subject, or nothing."""
    found = [each.text for each in invoice.notes if each.subject_code == code]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_professional_gets_the_three_obligatory_notes_in_the_sellers_words() -> None:
    invoice = complete(content(), late_penalty="12 % l’an", discount="2 % à 8 jours", recovery_fee="40 € dus")
    assert [note(invoice, code) for code in ("PMT", "PMD", "AAB")] == ["40 € dus", "12 % l’an", "2 % à 8 jours"]


def test_where_the_seller_says_nothing_the_law_speaks() -> None:
    invoice = complete(content(), late_penalty="", discount="", recovery_fee="")
    assert [note(invoice, code) for code in ("PMT", "PMD", "AAB")] == [RECOVERY_FEE, LATE_PENALTY, NO_DISCOUNT]


def test_an_individual_is_never_asked_for_40_euros_even_where_the_erp_does() -> None:
    invoice = complete(content(buyer=INDIVIDUAL, notes=(Note("40 € de frais", "PMT"),)), BuyerKind.INDIVIDUAL)
    assert note(invoice, "PMT") == "Indemnité forfaitaire pour frais de recouvrement : sans objet pour un particulier."
    assert "40" not in " ".join(each.text for each in invoice.notes)


def test_a_note_that_the_content_has_is_kept_and_not_said_twice() -> None:
    invoice = complete(content(notes=(Note("Pénalités : 15 %", "PMD"), Note("à compter du 31e jour", "PMD"))))
    assert note(invoice, "PMD") == "Pénalités : 15 %\nà compter du 31e jour"


def test_regulatory_legal_and_general_notes_come_from_the_policy() -> None:
    invoice = complete(content(), regulatory_note="SAS au capital de 10 €", legal_note="RCS Lyon", general_note="Merci")
    assert [note(invoice, code) for code in ("REG", "ABL", "AAI")] == ["SAS au capital de 10 €", "RCS Lyon", "Merci"]


@pytest.mark.parametrize(
    ("buyer", "kind", "treatment"),
    [
        (BUYER, PROFESSIONAL, "B2B"),
        (GERMAN_BUYER, PROFESSIONAL, "B2BINT"),
        (AMERICAN_BUYER, PROFESSIONAL, "B2BINT"),
        (INDIVIDUAL, BuyerKind.INDIVIDUAL, "B2C"),
        (TOWN_HALL, BuyerKind.PUBLIC, None),
    ],
)
def test_the_treatment_follows_from_the_buyer(buyer: Party, kind: BuyerKind, treatment: str | None) -> None:
    assert note(complete(content(buyer=buyer), kind), "BAR") == treatment


def test_an_invoice_of_exempt_operations_only_is_out_of_the_reforms_scope() -> None:
    invoice = complete(
        content((line(category="E", rate="0"),)),
        exemption_reason="Exonération de TVA, article 261-4-4° du CGI",
        exemption_code="VATEX-FR-CGI261-4",
    )
    assert note(invoice, "BAR") == "OUTOFSCOPE"


@pytest.mark.parametrize(
    ("reason", "treatment"),
    [("Exonération de TVA, article 261-4-4° du CGI", "OUTOFSCOPE"), ("Article 262 du CGI", "B2B")],
)
def test_the_reason_alone_distinguishes_exempt_operations(reason: str, treatment: str) -> None:
    invoice = complete(content((line(category="E", rate="0"),)), exemption_reason=reason)
    assert note(invoice, "BAR") == treatment


def test_before_the_issuing_date_a_firm_without_siren_is_not_announced_as_b2b() -> None:
    buyer = replace(BUYER, legal_identifier=None, identifiers=(), vat_identifier="")
    before = SellerPolicy(issuing_date=ISSUED + datetime.timedelta(days=1))
    since = SellerPolicy(issuing_date=ISSUED)
    raw = content(buyer=buyer, notes=(Note("B2B", "BAR"),))
    assert note(complete_for_france(raw, policy=before, buyer_kind=PROFESSIONAL), "BAR") is None
    assert note(complete_for_france(raw, policy=since, buyer_kind=PROFESSIONAL), "BAR") == "B2B"


@pytest.mark.parametrize(
    ("changes", "category", "expected"),
    [
        ({}, SERVICES, "S1"),
        ({}, GOODS, "B1"),
        ({}, BOTH, "M1"),
        ({"prepaid_amount": Decimal("120.00"), "due_date": ISSUED}, SERVICES, "S2"),
        ({"prepaid_amount": Decimal("120.00"), "due_date": None}, SERVICES, "S1"),
        ({"prepaid_amount": Decimal("20.00"), "preceding_invoices": CORRECTED}, GOODS, "B4"),
        ({"prepaid_amount": Decimal("20.00"), "preceding_invoices": CORRECTED, "type_code": "386"}, GOODS, "B1"),
        ({"business_process": "S5"}, GOODS, "S5"),
        ({"business_process": "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"}, GOODS, "B1"),
    ],
)
def test_the_cadre_de_facturation(changes: dict[str, Any], category: OperationCategory, expected: str) -> None:
    assert complete(content(**changes), operation_category=category).business_process == expected


def test_the_day_of_payment_becomes_the_due_date_of_a_paid_invoice() -> None:
    raw = content(prepaid_amount=Decimal("120.00"))
    paid_on = ISSUED - datetime.timedelta(days=3)
    invoice = complete_for_france(raw, policy=SellerPolicy(), buyer_kind=PROFESSIONAL, paid_on=paid_on)
    assert (invoice.due_date, invoice.business_process) == (paid_on, "S2")
    unpaid = complete_for_france(content(), policy=SellerPolicy(), buyer_kind=PROFESSIONAL, paid_on=paid_on)
    assert unpaid.due_date == content().due_date


@pytest.mark.parametrize(
    ("category", "debits", "expected"),
    [(SERVICES, False, "72"), (SERVICES, True, "5"), (BOTH, True, "5"), (BOTH, False, ""), (GOODS, True, "")],
)
def test_when_vat_falls_due(category: OperationCategory, debits: bool, expected: str) -> None:
    assert complete(content(), operation_category=category, vat_on_debits=debits).vat_point_code == expected


def test_a_stated_vat_date_is_kept_and_no_code_joins_it() -> None:
    invoice = complete(content(vat_point_date=ISSUED), vat_on_debits=True)
    assert (invoice.vat_point_date, invoice.vat_point_code) == (ISSUED, "")


def test_where_no_vat_is_charged_nothing_falls_due() -> None:
    assert complete(content((line(category="AE", rate="0"),)), vat_on_debits=True).vat_point_code == ""


@pytest.mark.parametrize(
    ("category", "buyer", "policy", "reason", "code"),
    [
        ("E", BUYER, {"vat_franchise": True}, "TVA non applicable, art. 293 B du CGI", "VATEX-FR-FRANCHISE"),
        ("E", BUYER, {"exemption_reason": "Article 261 C"}, "Article 261 C", ""),
        ("E", BUYER, {}, "", ""),
        ("AE", BUYER, {}, "Autoliquidation", "VATEX-FR-AE"),
        ("AE", GERMAN_BUYER, {}, "Autoliquidation, article 283-2 du CGI", "VATEX-EU-AE"),
        (
            "K",
            GERMAN_BUYER,
            {},
            "Exonération de TVA, livraison intracommunautaire, article 262 ter I du CGI",
            "VATEX-EU-IC",
        ),
        ("G", AMERICAN_BUYER, {}, "Exonération de TVA, exportation, article 262 I du CGI", "VATEX-EU-G"),
        ("O", AMERICAN_BUYER, {}, "TVA non applicable, article 259-1° du CGI", "VATEX-EU-O"),
        ("O", BUYER, {}, "Opération hors du champ d’application de la TVA", "VATEX-EU-O"),
        ("S", BUYER, {"vat_franchise": True}, "", ""),
    ],
)
def test_the_reason_why_no_vat_is_charged(
    category: str, buyer: Party, policy: dict[str, Any], reason: str, code: str
) -> None:
    rate = {"S": "20", "O": None}.get(category, "0")
    (breakdown,) = complete(content((line(category=category, rate=rate),), buyer=buyer), **policy).vat_breakdown
    assert (breakdown.exemption_reason, breakdown.exemption_code) == (reason, code)


def test_a_reason_in_the_content_is_kept() -> None:
    raw = content((line(category="AE", rate="0"),))
    raw = replace(raw, vat_breakdown=(replace(raw.vat_breakdown[0], exemption_reason="Article 283-2 nonies du CGI"),))
    (breakdown,) = complete(raw).vat_breakdown
    assert (breakdown.exemption_reason, breakdown.exemption_code) == ("Article 283-2 nonies du CGI", "")


def test_the_rate_that_a_category_implies_is_added() -> None:
    exempt = complete(content((line(category="E", rate=None),)))
    assert (exempt.lines[0].vat_rate, exempt.vat_breakdown[0].rate) == (Decimal(0), Decimal(0))
    out_of_scope = complete(content((line(category="O", rate="0"),)))
    assert (out_of_scope.lines[0].vat_rate, out_of_scope.vat_breakdown[0].rate) == (None, None)


def test_numbers_as_they_are_printed_are_brought_into_form() -> None:
    buyer = Party(
        name="Papeterie",
        legal_identifier=Identifier("552 100 554 00042"),
        vat_identifier="fr 96 552 100 554",
        address=Address(country="FR"),
    )
    completed = complete(content(buyer=buyer)).buyer
    assert completed.legal_identifier == Identifier("552100554", "0002")
    assert completed.identifiers == (Identifier("55210055400042", "0009"),)
    assert completed.vat_identifier == "FR96552100554"
    assert completed.electronic_address == Identifier("552100554", "0225")


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        (Party(legal_identifier=Identifier("552 100 554")), "552100554"),
        (Party(legal_identifier=Identifier("55210055400042", "0009")), "552100554"),
        (Party(identifiers=(Identifier("55210055400042", "0009"),)), "552100554"),
        (Party(vat_identifier="FR96552100554"), "552100554"),
        (Party(vat_identifier="FR96552100555"), ""),
        (Party(vat_identifier="DE136695976"), ""),
        (Party(legal_identifier=Identifier("HRB 1234", "0204")), ""),
        (Party(), ""),
    ],
)
def test_where_a_siren_is_stated(party: Party, expected: str) -> None:
    assert siren_of(party) == expected


def test_the_directory_decides_for_a_french_firm_and_the_mail_for_others() -> None:
    french = replace(BUYER, electronic_address=Identifier("a@b.example", "EM"))
    assert complete(content(buyer=french)).buyer.electronic_address == Identifier(BUYER_SIREN, "0225")
    with_suffix = replace(BUYER, electronic_address=Identifier(f"{BUYER_SIREN}_COMPTA", "0225"))
    assert complete(content(buyer=with_suffix)).buyer.electronic_address == with_suffix.electronic_address
    assert complete(content(buyer=GERMAN_BUYER)).buyer.electronic_address == Identifier(
        "rechnung@mueller.example", "EM"
    )
    individual = replace(INDIVIDUAL, contact=None)
    completed = complete(content(buyer=individual), BuyerKind.INDIVIDUAL, buyer_email="zoe@courriel.example")
    assert completed.buyer.electronic_address == Identifier("zoe@courriel.example", "EM")
    assert complete(content(buyer=individual), BuyerKind.INDIVIDUAL).buyer.electronic_address is None


def test_an_individual_gets_no_siren_from_anywhere() -> None:
    sole_trader = replace(INDIVIDUAL, vat_identifier=french_vat(BUYER_SIREN))
    completed = complete(content(buyer=sole_trader), BuyerKind.INDIVIDUAL).buyer
    assert completed.legal_identifier is None
    assert completed.electronic_address == Identifier("zoe.lefevre@courriel.example", "EM")


def test_a_seller_without_vat_number_is_registered_by_its_siren() -> None:
    seller = replace(SELLER, vat_identifier="")
    exempt = complete(content((line(category="E", rate="0"),), seller=seller), vat_franchise=True)
    assert exempt.seller.tax_registration == SELLER_SIREN
    out_of_scope = complete(content((line(category="O", rate=None),), seller=seller))
    assert out_of_scope.seller.tax_registration == ""
    assert complete(content()).seller.tax_registration == ""


@pytest.mark.parametrize(
    ("country", "french"), [("FR", True), ("MC", True), ("RE", True), ("GF", False), ("DE", False), ("", False)]
)
def test_who_is_established_in_france(country: str, french: bool) -> None:
    assert is_french(Party(address=Address(country=country))) is french


def test_a_firm_without_country_is_french_by_its_siren() -> None:
    assert is_french(replace(BUYER, address=None))


def test_a_negative_price_becomes_a_negative_quantity() -> None:
    raw = content((replace(line(1, "1", "-10.00"), gross_price=Decimal("-12.00"), price_discount=Decimal("-2.00")),))
    (completed,) = complete(raw).lines
    assert (completed.quantity, completed.net_price) == (Decimal(-1), Decimal("10.00"))
    assert (completed.gross_price, completed.price_discount) == (Decimal("12.00"), Decimal("2.00"))
    assert completed.net_amount == Decimal("-10.00")


def test_units_lines_and_reasons_are_completed() -> None:
    allowance = AllowanceCharge(False, Decimal("1.00"))
    raw = content((replace(line(unit="Heures", allowances_charges=(allowance,)), identifier=""),))
    (completed,) = complete(raw).lines
    assert (completed.identifier, completed.unit) == ("1", "HUR")
    assert completed.allowances_charges[0].reason == "Remise"


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Heures", "HUR"),
        ("m²", "MTK"),
        ("M3", "MTQ"),
        ("", "C62"),
        ("pièce", "H87"),
        ("PCE.", "H87"),
        ("KGM", "KGM"),
        ("palette", "XPX"),
        ("Années", "ANN"),
        ("bidon", "bidon"),
    ],
)
def test_a_french_unit_gives_its_code(word: str, code: str) -> None:
    assert unit_code(word) == code


def test_a_supply_to_another_member_state_says_where_and_when() -> None:
    raw = content((line(category="K", rate="0"),), buyer=GERMAN_BUYER)
    completed = complete(raw).delivery
    assert completed == Delivery(date=ISSUED, address=GERMAN_BUYER.address)
    period = Period(ISSUED, ISSUED)
    assert complete(replace(raw, period=period)).delivery == Delivery(address=GERMAN_BUYER.address)
    assert complete(content()).delivery is None


def test_vat_in_euros_is_only_known_where_it_is_nought() -> None:
    export = complete(content((line(category="G", rate="0"),), currency="USD", buyer=AMERICAN_BUYER))
    assert (export.vat_currency, export.total_vat_in_vat_currency) == ("EUR", Decimal("0.00"))
    taxed = complete(content(currency="USD"))
    assert (taxed.vat_currency, taxed.total_vat_in_vat_currency) == ("EUR", None)


def test_an_account_number_means_a_transfer() -> None:
    raw = content(payment=PaymentInstructions(iban="FR7630006000011234567890189"))
    completed = complete(raw).payment
    assert completed is not None
    assert completed.means_code == "30"


@pytest.mark.parametrize("name", EXAMPLES)
def test_completing_twice_changes_nothing(name: str) -> None:
    example = EXAMPLES[name]
    again = complete_for_france(example.content, policy=example.policy, buyer_kind=example.buyer_kind)
    assert again == example.content
