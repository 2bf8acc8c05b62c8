"""Invoices for tests, made by hand, one of each kind.

All are consistent: the sums are worked out here, independently of the product, and all are completed for France.
Used by the tests of the XML, of the rules and of the PDF.
"""

import base64
import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from stdnum import luhn

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    Attribute,
    Classification,
    ContactPoint,
    CreditAccount,
    Delivery,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Period,
    SupportingDocument,
    VatBreakdown,
)
from invoices.formats.french import OperationCategory, SellerPolicy, complete_for_france
from invoices.formats.french_parties import BuyerKind

ISSUED = datetime.date(2026, 10, 5)
DUE = datetime.date(2026, 11, 4)


@dataclass(frozen=True)
class Example:
    """An invoice with what is known beside its content."""

    content: InvoiceContent
    buyer_kind: BuyerKind = BuyerKind.PROFESSIONAL
    policy: SellerPolicy = field(default_factory=SellerPolicy)


def siren(stem: str) -> str:
    """A SIREN with the right check digit, from eight digits."""
    return stem + luhn.calc_check_digit(stem)


def siret(siren_number: str, establishment: str) -> str:
    """A SIRET with the right check digit, from a SIREN and four digits."""
    stem = siren_number + establishment
    return stem + luhn.calc_check_digit(stem)


def french_vat(siren_number: str) -> str:
    """The French VAT number of a SIREN (CGI ann. II art. 286 ter: key = (12 + 3 × SIREN mod 97) mod 97)."""
    return f"FR{(12 + 3 * (int(siren_number) % 97)) % 97:02d}{siren_number}"


def cents(amount: Decimal) -> Decimal:
    """Half up to the cent."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


SELLER_SIREN = siren("73282932")
BUYER_SIREN = siren("55210055")
SELLER = Party(
    name="Atelier des Érables SAS",
    trading_name="Les Érables",
    identifiers=(Identifier(siret(SELLER_SIREN, "0007"), "0009"),),
    legal_identifier=Identifier(SELLER_SIREN, "0002"),
    vat_identifier=french_vat(SELLER_SIREN),
    legal_information="SAS au capital de 50 000 €, RCS Lyon",
    address=Address("12 rue des Érables", "Bâtiment B", "", "Lyon", "69003", "", "FR"),
    contact=ContactPoint("Camille Petit", "+33 4 72 00 00 00", "compta@erables.example"),
)
BUYER = Party(
    name="Papeterie du Château & Fils",
    legal_identifier=Identifier(BUYER_SIREN, "0002"),
    identifiers=(Identifier(siret(BUYER_SIREN, "0042"), "0009"),),
    vat_identifier=french_vat(BUYER_SIREN),
    address=Address("3 place de l’Hôtel-de-Ville", "", "", "Nantes", "44000", "", "FR"),
    contact=ContactPoint("Jean Dupont", "", "achats@papeterie.example"),
)
GERMAN_BUYER = Party(
    name="Müller Maschinenbau GmbH",
    vat_identifier="DE136695976",
    address=Address("Hauptstraße 5", "", "", "Berlin", "10115", "", "DE"),
    contact=ContactPoint("", "", "rechnung@mueller.example"),
)
AMERICAN_BUYER = Party(
    name="Maple Street Goods, Inc.",
    address=Address("500 Market St", "Suite 12", "", "San Francisco", "94105", "CA", "US"),
    contact=ContactPoint("", "", "ap@maplestreet.example"),
)
INDIVIDUAL = Party(
    name="Zoé Lefèvre",
    address=Address("8 impasse du Moulin", "", "", "Quimper", "29000", "", "FR"),
    contact=ContactPoint("", "", "zoe.lefevre@courriel.example"),
)
TOWN_HALL = Party(
    name="Commune de Saint-Malo",
    legal_identifier=Identifier(siren("21350288"), "0002"),
    address=Address("Place Chateaubriand", "", "", "Saint-Malo", "35400", "", "FR"),
)
TRANSFER = PaymentInstructions(
    means_code="30",
    means_text="Virement",
    remittance_information="F-2026-0001",
    iban="FR7630006000011234567890189",
    account_name="Atelier des Érables",
    bic="AGRIFRPP",
)


def line(
    number: int = 1,
    quantity: str = "2",
    price: str = "50.00",
    category: str = "S",
    rate: str | None = "20",
    allowances_charges: tuple[AllowanceCharge, ...] = (),
    **more: Any,
) -> Line:
    """A line whose net amount is price × quantity ÷ base quantity, plus charges, less allowances."""
    base_quantity = more.get("price_base_quantity") or Decimal(1)
    exact = Decimal(quantity) * Decimal(price) / base_quantity + signed(allowances_charges)
    return Line(
        identifier=str(number),
        name=more.pop("name", f"Prestation {number}"),
        net_amount=cents(exact),
        quantity=Decimal(quantity),
        unit=more.pop("unit", "HUR"),
        net_price=Decimal(price),
        vat_category=category,
        vat_rate=None if rate is None else Decimal(rate),
        allowances_charges=allowances_charges,
        **more,
    )


def signed(allowances_charges: Iterable[AllowanceCharge]) -> Decimal:
    """Charges less allowances."""
    return sum((each.amount if each.is_charge else -each.amount for each in allowances_charges), Decimal(0))


def content(
    lines: tuple[Line, ...] = (), allowances_charges: tuple[AllowanceCharge, ...] = (), **overrides: Any
) -> InvoiceContent:
    """An invoice whose totals follow from its lines, allowances and charges. ``overrides`` replace any field."""
    lines = lines or (line(),)
    bases: dict[tuple[str, Decimal | None], Decimal] = {}
    for each in lines:
        key = (each.vat_category, each.vat_rate)
        bases[key] = bases.get(key, Decimal(0)) + each.net_amount
    for allowance_charge in allowances_charges:
        key = (allowance_charge.vat_category, allowance_charge.vat_rate)
        bases[key] = bases.get(key, Decimal(0)) + signed([allowance_charge])
    breakdown = tuple(
        VatBreakdown(category, rate, base, cents(base * (rate or Decimal(0)) / 100))
        for (category, rate), base in bases.items()
    )
    line_total = sum((each.net_amount for each in lines), Decimal(0))
    allowances = [each for each in allowances_charges if not each.is_charge]
    charges = [each for each in allowances_charges if each.is_charge]
    without_vat = line_total + signed(allowances_charges)
    vat = sum((each.tax_amount for each in breakdown), Decimal(0))
    fields: dict[str, Any] = {
        "number": "F-2026-0001",
        "issue_date": ISSUED,
        "type_code": "380",
        "currency": "EUR",
        "seller": SELLER,
        "buyer": BUYER,
        "lines": lines,
        "vat_breakdown": breakdown,
        "line_total": line_total,
        "allowance_total": -signed(allowances) if allowances else None,
        "charge_total": signed(charges) if charges else None,
        "total_without_vat": without_vat,
        "total_vat": vat,
        "total_with_vat": without_vat + vat,
        "amount_due": without_vat + vat - overrides.get("prepaid_amount", Decimal(0)),
        "due_date": DUE,
        "payment_terms": "30 jours nets",
        "payment": TRANSFER,
        "allowances_charges": allowances_charges,
    }
    return InvoiceContent(**(fields | overrides))


def completed(
    raw: InvoiceContent, buyer_kind: BuyerKind = BuyerKind.PROFESSIONAL, policy: SellerPolicy | None = None
) -> Example:
    """The example of a content, completed for France."""
    policy = policy or SellerPolicy()
    return Example(complete_for_france(raw, policy=policy, buyer_kind=buyer_kind), buyer_kind, policy)


def _allowance(amount: str, category: str = "", rate: str | None = None, **more: Any) -> AllowanceCharge:
    return AllowanceCharge(
        False, Decimal(amount), vat_category=category, vat_rate=None if rate is None else Decimal(rate), **more
    )


def _charge(amount: str, category: str = "", rate: str | None = None, **more: Any) -> AllowanceCharge:
    return AllowanceCharge(
        True, Decimal(amount), vat_category=category, vat_rate=None if rate is None else Decimal(rate), **more
    )


CORRECTED = (DocumentReference("F-2026-0000", datetime.date(2026, 9, 1)),)

GOODS = SellerPolicy(operation_category=OperationCategory.GOODS)

EXAMPLES: dict[str, Example] = {
    "one line": completed(content()),
    "300 lines": completed(
        content(tuple(line(number, str(number % 7 + 1), f"{number}.35") for number in range(1, 301)))
    ),
    "credit note": completed(content(type_code="381", number="A-2026-0001", preceding_invoices=CORRECTED)),
    "corrected invoice": completed(content(type_code="384", preceding_invoices=CORRECTED)),
    "down payment": completed(content(type_code="386")),
    "several rates": completed(
        content((line(1), line(2, "3", "12.345", rate="5.5"), line(3, "1.5", "100", rate="10"), line(4, rate="2.1")))
    ),
    "zero rate": completed(content((line(category="Z", rate="0"),))),
    "exempt": completed(
        content((line(category="E", rate="0"),)),
        policy=SellerPolicy(
            exemption_reason="Exonération de TVA, article 261-4-4° du CGI", exemption_code="VATEX-FR-CGI261-4"
        ),
    ),
    "franchise": completed(
        content((line(category="E", rate="0"),), seller=replace(SELLER, vat_identifier="")),
        policy=SellerPolicy(vat_franchise=True),
    ),
    "domestic reverse charge": completed(content((line(category="AE", rate="0"),))),
    "services to another member state": completed(
        content((line(category="AE", rate="0"),), buyer=GERMAN_BUYER),
    ),
    "goods to another member state": completed(
        content((line(category="K", rate="0", unit="H87"),), buyer=GERMAN_BUYER), policy=GOODS
    ),
    "export": completed(content((line(category="G", rate="0", unit="KGM"),), buyer=AMERICAN_BUYER), policy=GOODS),
    "out of scope": completed(content((line(category="O", rate=None),), buyer=AMERICAN_BUYER)),
    "taxed and exempt": completed(
        content((line(1), line(2, category="E", rate="0"))),
        policy=SellerPolicy(exemption_reason="Exonération de TVA, article 261 C du CGI"),
    ),
    "foreign currency": completed(
        content(currency="USD", total_vat_in_vat_currency=Decimal("18.52")),
    ),
    "foreign currency without VAT": completed(
        content((line(category="G", rate="0"),), currency="USD", buyer=AMERICAN_BUYER), policy=GOODS
    ),
    "allowances and charges": completed(
        content(
            (
                line(
                    1,
                    "10",
                    "9.90",
                    allowances_charges=(
                        _allowance("9.90", base_amount=Decimal("99.00"), percentage=Decimal("10"), reason="Fidélité"),
                        _charge("2.50", reason="Emballage", reason_code="ABL"),
                    ),
                ),
                line(2, "4", "7.50", gross_price=Decimal("8.00"), price_discount=Decimal("0.50")),
                line(3, "2500", "12.50", price_base_quantity=Decimal(1000), unit="H87"),
            ),
            (
                _allowance("5.00", "S", "20", reason="Remise exceptionnelle", reason_code="95"),
                _charge("15.00", "S", "20", reason="Frais de port", reason_code="FC"),
            ),
        ),
        policy=SellerPolicy(operation_category=OperationCategory.BOTH),
    ),
    "free line": completed(content((line(1), line(2, "1", "0.00", name="Échantillon offert")))),
    "whole discount": completed(
        content(
            (
                line(
                    1,
                    "1",
                    "40.00",
                    allowances_charges=(
                        _allowance(
                            "40.00", base_amount=Decimal("40.00"), percentage=Decimal("100.00"), reason="Offert"
                        ),
                    ),
                ),
                line(2),
            )
        )
    ),
    "returned goods on an invoice": completed(content((line(1), line(2, "-1", "10.00")))),
    "already paid": completed(content(prepaid_amount=Decimal("120.00"), due_date=ISSUED)),
    "final after down payment": completed(
        content(prepaid_amount=Decimal("36.00"), preceding_invoices=CORRECTED),
    ),
    "VAT on debits": completed(content(), policy=SellerPolicy(vat_on_debits=True)),
    "individual": completed(content(buyer=INDIVIDUAL), BuyerKind.INDIVIDUAL),
    "public body": completed(
        content(buyer=TOWN_HALL, buyer_reference="SERVICE-12", purchase_order_reference="EJ2026-77"), BuyerKind.PUBLIC
    ),
    "CJK and Arabic names": completed(
        content(
            (line(name="設計サービス <東京> & مكتب"),),
            buyer=replace(BUYER, name="株式会社さくら", trading_name="شركة النور"),
        )
    ),
    "card and two accounts": completed(
        content(
            payment=replace(
                TRANSFER,
                means_code="48",
                card_number="1234",
                card_holder="Jean Dupont",
                other_accounts=(CreditAccount("FR7610107001011234567890129", "Les Érables", "BREDFRPP"),),
            )
        )
    ),
    "everything": completed(
        content(
            (
                line(
                    1,
                    description="Sur trois jours,\navec déplacement",
                    note="Voir le rapport",
                    seller_item_identifier="REF-1",
                    buyer_item_identifier="ART-9",
                    standard_item_identifier=Identifier("3660000000004", "0160"),
                    classifications=(Classification("43211503", "STI", "23.0501"), Classification("84713000", "HS")),
                    origin_country="DE",
                    attributes=(Attribute("Couleur", "Bleu nuit"), Attribute("Largeur", "27 mm")),
                    object_identifier=Identifier("COMPTEUR-8", "ABT"),
                    order_line_reference="10",
                    accounting_reference="606110",
                    price_base_quantity=Decimal(1),
                    price_base_unit="C62",
                    period=Period(datetime.date(2026, 9, 1), datetime.date(2026, 9, 30)),
                ),
            ),
            buyer_reference="SERVICE-12",
            project_reference="CHANTIER-7",
            contract_reference="C-2025-04",
            purchase_order_reference="BC-778",
            sales_order_reference="CMD-12",
            despatch_advice_reference="BL-31",
            receiving_advice_reference="REC-31",
            tender_reference="LOT-2",
            invoiced_object=Identifier("CONTRAT-EAU-55", "AWT"),
            supporting_documents=(
                SupportingDocument(
                    "BL-31",
                    "BON_LIVRAISON",
                    filename="bl-31.pdf",
                    mime_type="application/pdf",
                    content=base64.b64encode(b"%PDF-1.7 bon de livraison").decode(),
                ),
                SupportingDocument("PLAN-3", location="https://erables.example/plans/3"),
            ),
            buyer_accounting_reference="606100",
            notes=(Note("Merci de votre confiance."), Note("Première ligne\nDeuxième ligne", "AAI")),
            preceding_invoices=CORRECTED,
            payee=Party(
                name="Affactor SA",
                identifiers=(Identifier(siret(siren("40483304"), "0001"), "0009"),),
                legal_identifier=Identifier(siren("40483304"), "0002"),
            ),
            tax_representative=Party(
                name="Représentation Fiscale SARL",
                vat_identifier=french_vat(siren("33801284")),
                address=Address("1 rue Haute", "", "", "Lille", "59000", "", "FR"),
            ),
            delivery=Delivery(
                "Entrepôt sud",
                Identifier(siret(BUYER_SIREN, "0059"), "0009"),
                datetime.date(2026, 10, 1),
                Address("Quai 4", "", "", "Marseille", "13002", "", "FR"),
            ),
            period=Period(datetime.date(2026, 9, 1), datetime.date(2026, 9, 30)),
            payment=PaymentInstructions(
                means_code="59",
                means_text="Prélèvement SEPA",
                remittance_information="F-2026-0001",
                mandate_reference="RUM-44",
                creditor_identifier="FR72ZZZ123456",
                debited_iban="FR1420041010050500013M02606",
            ),
            rounding_amount=Decimal("-0.01"),
            amount_due=Decimal("119.99"),
        ),
        policy=SellerPolicy(
            operation_category=OperationCategory.BOTH,
            vat_on_debits=True,
            regulatory_note="SAS au capital de 50 000 €",
            legal_note="RCS Lyon 732 829 320",
            general_note="Ce texte n’est pas ajouté : la facture a déjà le sien.",
        ),
    ),
}
"""One invoice of each kind; no rule and no check of ours finds an error in any of them."""
