"""Invoices of every kind for the tests, as values: each is whole and its sums hold."""

import dataclasses
import datetime
from decimal import ROUND_HALF_UP, Decimal

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    ContactPoint,
    Delivery,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Period,
    VatBreakdown,
)

CENT = Decimal("0.01")

SELLER = Party(
    name="Atelier du Vercors SAS",
    identifiers=(Identifier("55208131700019", "0009"),),
    legal_identifier=Identifier("552081317", "0002"),
    vat_identifier="FR32552081317",
    legal_information="SAS au capital de 120 000 € – RCS Grenoble 552 081 317",
    electronic_address=Identifier("552081317", "0225"),
    address=Address(line1="12 rue des Métiers", city="Grenoble", postcode="38000", country="FR"),
    contact=ContactPoint(name="Service comptabilité", phone="04 76 00 00 00", email="compta@atelier-vercors.example"),
)
BUYER = Party(
    name="Menuiserie Lefèvre & Fils",
    legal_identifier=Identifier("732829320", "0002"),
    vat_identifier="FR44732829320",
    electronic_address=Identifier("732829320", "0225"),
    address=Address(line1="5 place du Marché", line2="Bâtiment B", city="Villeurbanne", postcode="69100", country="FR"),
)
PERSON = Party(
    name="Mme Zoé Dupont-Müller",
    identifiers=(Identifier("000008"),),
    electronic_address=Identifier("zoe@example.org", "EM"),
    address=Address(line1="3 impasse des Lilas", city="Valence", postcode="26000", country="FR"),
)
PAYMENT = PaymentInstructions(
    means_code="58", iban="FR7630006000011234567890189", bic="AGRIFRPP", account_name="Atelier du Vercors SAS"
)
NOTES = (
    Note("Pénalités de retard : trois fois le taux d’intérêt légal, exigibles sans rappel.", "PMD"),
    Note("Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €.", "PMT"),
    Note("Pas d’escompte pour paiement anticipé.", "AAB"),
    Note("B2B", "BAR"),
)
NAMES = (
    "Panneau chêne massif 27 mm, huilé",
    "Heures d’atelier",
    "Charnière invisible inox",
    "Livraison sur chantier",
    "Plan de travail hêtre sur mesure 2 400 × 650 mm, chants arrondis",
    "Quincaillerie",
    "Vernis mat à l’eau, bidon de 5 l",
    "Pose et réglage",
)


def line(
    number: int,
    name: str,
    quantity: str = "1",
    price: str = "10.00",
    rate: str = "20",
    category: str = "S",
    unit: str = "C62",
    **more: object,
) -> Line:
    """A line whose net amount is quantity × price, plus its allowances and charges."""
    allowances: tuple[AllowanceCharge, ...] = more.get("allowances_charges", ())  # type: ignore[assignment]
    net = (Decimal(quantity) * Decimal(price)).quantize(CENT, ROUND_HALF_UP)
    net += sum((item.amount if item.is_charge else -item.amount for item in allowances), Decimal(0))
    return Line(
        identifier=str(number),
        name=name,
        quantity=Decimal(quantity),
        unit=unit,
        net_price=Decimal(price),
        net_amount=net,
        vat_category=category,
        vat_rate=None if category == "O" else Decimal(rate),
        **more,  # type: ignore[arg-type]
    )


def lines(count: int) -> tuple[Line, ...]:
    """``count`` lines, varied."""
    units = ("C62", "HUR", "C62", "C62", "MTR", "SET", "LTR", "HUR")
    return tuple(
        line(
            index + 1,
            NAMES[index % 8] if index < 8 else f"{NAMES[index % 8]} – lot {index // 8}",
            quantity=str(1 + index % 7) if index % 3 else f"{1 + index % 5}.5",
            price=f"{12 + 17 * (index % 11)}.{(index * 37) % 100:02d}",
            rate=("20", "20", "5.5", "10")[index % 4],
            unit=units[index % 8],
            seller_item_identifier=f"AV-{1000 + index}" if index % 4 == 2 else "",
        )
        for index in range(count)
    )


def invoice(given: tuple[Line, ...], **more: object) -> InvoiceContent:
    """An invoice of these lines with its VAT and its totals computed; ``more`` replaces any field."""
    allowances: tuple[AllowanceCharge, ...] = more.get("allowances_charges", ())  # type: ignore[assignment]
    reasons: dict[str, tuple[str, str]] = more.pop("reasons", {})  # type: ignore[assignment]
    prepaid: Decimal = more.pop("prepaid", Decimal(0))  # type: ignore[assignment]
    bases: dict[tuple[str, Decimal | None], Decimal] = {}
    for item in given:
        key = (item.vat_category, item.vat_rate)
        bases[key] = bases.get(key, Decimal(0)) + item.net_amount
    for allowance in allowances:
        key = (allowance.vat_category, allowance.vat_rate)
        bases[key] = bases.get(key, Decimal(0)) + (allowance.amount if allowance.is_charge else -allowance.amount)
    breakdown = tuple(
        VatBreakdown(
            category=category,
            rate=rate,
            taxable_amount=base,
            tax_amount=(base * (rate or 0) / 100).quantize(CENT, ROUND_HALF_UP),
            exemption_reason=reasons.get(category, ("", ""))[0],
            exemption_code=reasons.get(category, ("", ""))[1],
        )
        for (category, rate), base in bases.items()
    )
    line_total = sum((item.net_amount for item in given), Decimal(0))
    allowance_total = sum((item.amount for item in allowances if not item.is_charge), Decimal(0))
    charge_total = sum((item.amount for item in allowances if item.is_charge), Decimal(0))
    without_vat = line_total - allowance_total + charge_total
    vat = sum((item.tax_amount for item in breakdown), Decimal(0))
    values: dict[str, object] = {
        "number": "18000135",
        "issue_date": datetime.date(2022, 6, 7),
        "due_date": datetime.date(2022, 7, 7),
        "type_code": "380",
        "currency": "EUR",
        "seller": SELLER,
        "buyer": BUYER,
        "lines": given,
        "vat_breakdown": breakdown,
        "line_total": line_total,
        "allowance_total": allowance_total or None,
        "charge_total": charge_total or None,
        "total_without_vat": without_vat,
        "total_vat": vat,
        "total_with_vat": without_vat + vat,
        "prepaid_amount": prepaid or None,
        "amount_due": without_vat + vat - prepaid,
        "business_process": "M1",
        "profile": "urn:cen.eu:en16931:2017",
        "notes": NOTES,
        "payment": PAYMENT,
        "purchase_order_reference": "BC-2022-0417",
        "delivery": Delivery(date=datetime.date(2022, 6, 3)),
    }
    return InvoiceContent(**(values | more))  # type: ignore[arg-type]


def plain(count: int = 8) -> InvoiceContent:
    """An ordinary domestic invoice between companies."""
    return invoice(lines(count))


def credit_note() -> InvoiceContent:
    """A credit note with positive amounts and the invoice it corrects."""
    return invoice(
        lines(2),
        number="A22-0007",
        type_code="381",
        due_date=None,
        payment=None,
        preceding_invoices=(DocumentReference("18000135", datetime.date(2022, 6, 7)),),
    )


def individual() -> InvoiceContent:
    """An invoice to a private person."""
    return invoice(lines(3), buyer=PERSON, notes=(), purchase_order_reference="", business_process="B1")


CATEGORY_REASONS = {
    "E": ("Exonération de TVA, article 261 du CGI", "VATEX-EU-132"),
    "AE": ("Autoliquidation", "VATEX-EU-AE"),
    "K": ("Exonération de TVA, article 262 ter, I du CGI", "VATEX-EU-IC"),
    "G": ("Exonération de TVA, article 262, I du CGI", "VATEX-EU-G"),
    "O": ("TVA non applicable, article 293 B du CGI", "VATEX-EU-O"),
}


def of_category(category: str) -> InvoiceContent:
    """An invoice whose lines are all of one VAT category (S, Z, E, AE, K, G or O)."""
    rate = "20" if category == "S" else "0"
    abroad = dataclasses.replace(
        BUYER,
        name="Holzbau Meier GmbH",
        vat_identifier="DE123456788",
        legal_identifier=None,
        address=Address(line1="Hauptstraße 7", city="München", postcode="80331", country="DE"),
    )
    given = (line(1, "Prestation", "2", "150.00", rate, category), line(2, "Fournitures", "3", "19.90", rate, category))
    return invoice(
        given,
        buyer=abroad if category in ("K", "G") else BUYER,
        reasons=CATEGORY_REASONS,
        delivery=Delivery(date=datetime.date(2022, 6, 3), address=abroad.address) if category in ("K", "G") else None,
    )


def foreign_currency() -> InvoiceContent:
    """An invoice in dollars with its VAT in euros."""
    content = invoice(lines(4), currency="USD", number="18000136")
    assert content.total_vat is not None
    euros = (content.total_vat * Decimal("0.93")).quantize(CENT, ROUND_HALF_UP)
    return dataclasses.replace(content, vat_currency="EUR", total_vat_in_vat_currency=euros)


def with_allowances() -> InvoiceContent:
    """Allowances and charges on lines and on the whole, a deposit already paid, a delivery elsewhere, a period."""
    own = (
        AllowanceCharge(False, Decimal("12.50"), Decimal("125.00"), Decimal("10"), reason="Fin de série"),
        AllowanceCharge(True, Decimal("4.00"), reason="Emballage"),
    )
    given = (
        line(1, "Buffet noyer", "1", "125.00", allowances_charges=own),
        line(2, "Chaises", "6", "74.90", gross_price=Decimal("84.90"), price_discount=Decimal("10.00")),
        line(3, "Visserie", "250", "0.0415", price_base_quantity=Decimal(1), description="Acier zingué, 4 × 40 mm"),
    )
    return invoice(
        given,
        allowances_charges=(
            AllowanceCharge(False, Decimal("30.00"), None, None, "S", Decimal(20), "Remise de fidélité", "95"),
            AllowanceCharge(True, Decimal("45.00"), None, None, "S", Decimal(20), "Port", "FC"),
        ),
        prepaid=Decimal("200.00"),
        delivery=Delivery(
            name="Chantier des Écouges",
            date=datetime.date(2022, 6, 3),
            address=Address(line1="Route du Col", city="Saint-Gervais", postcode="38470", country="FR"),
        ),
        period=Period(datetime.date(2022, 5, 1), datetime.date(2022, 5, 31)),
        contract_reference="C-77",
        vat_point_code="5",
    )


def named(name: str) -> InvoiceContent:
    """An invoice to a customer of this name, which also begins the first line."""
    return invoice((line(1, f"{name} – table"),), buyer=dataclasses.replace(BUYER, name=name))


def every_kind() -> dict[str, InvoiceContent]:
    """One invoice of each kind by its name; the large ones are left to :func:`plain`."""
    return {
        "one line": plain(1),
        "eight lines": plain(8),
        "two pages": plain(45),
        "credit note": credit_note(),
        "individual": individual(),
        **{f"category {category}": of_category(category) for category in ("S", "Z", "E", "AE", "K", "G", "O")},
        "foreign currency": foreign_currency(),
        "allowances": with_allowances(),
        "chinese name": named("株式会社山田製作所 北京分公司"),
        "korean name": named("주식회사 한글"),
        "arabic name": named("شركة النور للتجارة"),
        "hebrew name": named("חברת האור בע״מ"),
        "greek and cyrillic name": named("Ελληνική Εταιρεία ООО Ромашка"),
    }
