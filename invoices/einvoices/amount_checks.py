"""Our own arithmetic over an invoice, to the cent: lines, VAT per rate, sums.

EN 16931 allows a VAT amount to be one unit off (BR-CO-17) and does not multiply price by quantity at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from invoices.einvoices.findings import Finding, own_finding
from invoices.money import CENT, to_cents, write_decimal
from invoices.semantics import AllowanceCharge, InvoiceContent, Line, VatBreakdown

_ZERO: Final = Decimal(0)


def check_amounts(content: InvoiceContent) -> Iterator[Finding]:
    """Every sum, product and number of decimals that does not hold."""
    # Lines that only gather or explain others (profile EXTENDED) count nowhere.
    content = replace(content, lines=tuple(line for line in content.lines if line.counts_in_totals))
    yield from _check_decimals(content)
    for line in content.lines:
        yield from _check_line(line)
    for allowance_charge in content.allowances_charges:
        term = "BT-99" if allowance_charge.is_charge else "BT-92"
        yield from _check_percentage(allowance_charge, term, "")
    for breakdown in content.vat_breakdown:
        yield from _check_breakdown(breakdown, content)
    yield from _check_missing_breakdowns(content)
    yield from _check_sums(content)


def _is_rounding_of(amount: Decimal, exact: Decimal) -> bool:
    """Whether ``amount`` is ``exact`` to the cent; half a cent may have been rounded either way."""
    return abs(amount - exact) <= CENT / 2


def _mismatch(code: str, term: str, what: str, stated: Decimal, expected: Decimal, place: str = "") -> Finding:
    """The finding for a number that should be another."""
    return own_finding(
        code,
        term,
        f"{what} : {write_decimal(stated)} indiqué, {write_decimal(to_cents(expected))} calculé.",
        location=place,
    )


def _check_decimals(content: InvoiceContent) -> Iterator[Finding]:
    """Amounts have two decimals at most (BR-DEC): the XML would round them without a word."""
    amounts: list[tuple[str, Decimal | None, str]] = [
        ("BT-106", content.line_total, ""),
        ("BT-107", content.allowance_total, ""),
        ("BT-108", content.charge_total, ""),
        ("BT-109", content.total_without_vat, ""),
        ("BT-110", content.total_vat, ""),
        ("BT-111", content.total_vat_in_vat_currency, ""),
        ("BT-112", content.total_with_vat, ""),
        ("BT-113", content.prepaid_amount, ""),
        ("BT-114", content.rounding_amount, ""),
        ("BT-115", content.amount_due, ""),
    ]
    for breakdown in content.vat_breakdown:
        amounts += [("BT-116", breakdown.taxable_amount, ""), ("BT-117", breakdown.tax_amount, "")]
    for allowance_charge in content.allowances_charges:
        amounts.append(("BT-99" if allowance_charge.is_charge else "BT-92", allowance_charge.amount, ""))
    for line in content.lines:
        amounts.append(("BT-131", line.net_amount, _place(line)))
        for allowance_charge in line.allowances_charges:
            term = "BT-141" if allowance_charge.is_charge else "BT-136"
            amounts.append((term, allowance_charge.amount, _place(line)))
    for term, amount, place in amounts:
        if amount is not None and amount != to_cents(amount):
            message = f"Un montant a plus de deux décimales : {write_decimal(amount)}."
            yield own_finding("OWN-DECIMALS", term, message, location=place)


def _place(line: Line) -> str:
    """How a line is called in a finding."""
    return f"ligne {line.identifier}"


def _signed(allowances_charges: Iterable[AllowanceCharge]) -> Decimal:
    """Charges less allowances."""
    return sum((each.amount if each.is_charge else -each.amount for each in allowances_charges), _ZERO)


def _check_line(line: Line) -> Iterator[Finding]:
    """Price × quantity ± allowances and charges = net amount (BT-131); gross price − discount = net price."""
    place = _place(line)
    base_quantity = line.price_base_quantity if line.price_base_quantity is not None else Decimal(1)
    if base_quantity <= 0:
        yield own_finding(
            "OWN-BASE-QUANTITY", "BT-149", "La quantité de base du prix doit être positive.", location=place
        )
    elif line.quantity is not None and line.net_price is not None:
        exact = line.quantity * line.net_price / base_quantity + _signed(line.allowances_charges)
        if not _is_rounding_of(line.net_amount, exact):
            what = "Montant net de la ligne différent du prix multiplié par la quantité"
            yield _mismatch("OWN-LINE-AMOUNT", "BT-131", what, line.net_amount, exact, place)
    if line.gross_price is not None and line.net_price is not None and line.price_discount is not None:
        expected = line.gross_price - line.price_discount
        if expected != line.net_price:
            what = f"Prix unitaire net différent du prix brut moins la remise : {write_decimal(line.net_price)} indiqué"
            message = f"{what}, {write_decimal(expected)} calculé."
            yield own_finding("OWN-NET-PRICE", "BT-146", message, location=place)
    for allowance_charge in line.allowances_charges:
        term = "BT-141" if allowance_charge.is_charge else "BT-136"
        yield from _check_percentage(allowance_charge, term, place)


def _check_percentage(allowance_charge: AllowanceCharge, term: str, place: str) -> Iterator[Finding]:
    """Base × percentage = amount, where both are stated."""
    if allowance_charge.base_amount is None or allowance_charge.percentage is None:
        return
    exact = allowance_charge.base_amount * allowance_charge.percentage / 100
    if not _is_rounding_of(allowance_charge.amount, exact):
        what = "Montant des frais" if allowance_charge.is_charge else "Montant de la remise"
        what += " différent de sa base multipliée par son pourcentage"
        yield _mismatch("OWN-PERCENTAGE", term, what, allowance_charge.amount, exact, place)


def _same_rate(category: str, rate: Decimal | None, other: VatBreakdown) -> bool:
    """Whether a category and rate belong to a breakdown; no rate is rate zero."""
    return category == other.category and (rate or _ZERO) == (other.rate or _ZERO)


def _check_breakdown(breakdown: VatBreakdown, content: InvoiceContent) -> Iterator[Finding]:
    """BT-116 is the sum of what is taxed at the rate, BT-117 that times the rate, to the cent."""
    rate = breakdown.rate or _ZERO
    place = f"TVA {breakdown.category} {write_decimal(rate.normalize())} %"
    taxed = sum(
        (line.net_amount for line in content.lines if _same_rate(line.vat_category, line.vat_rate, breakdown)), _ZERO
    ) + _signed(each for each in content.allowances_charges if _same_rate(each.vat_category, each.vat_rate, breakdown))
    if content.lines and breakdown.taxable_amount != taxed:
        what = "Base de TVA différente de la somme des lignes, remises et frais à ce taux"
        yield _mismatch("OWN-VAT-BASE", "BT-116", what, breakdown.taxable_amount, taxed, place)
    exact = breakdown.taxable_amount * rate / 100
    if not _is_rounding_of(breakdown.tax_amount, exact):
        what = "Montant de TVA différent de la base multipliée par le taux"
        yield _mismatch("OWN-VAT-AMOUNT", "BT-117", what, breakdown.tax_amount, exact, place)


def _check_missing_breakdowns(content: InvoiceContent) -> Iterator[Finding]:
    """Each category and rate in use has its breakdown, and only one."""
    used = [(line.vat_category, line.vat_rate, _place(line)) for line in content.lines if line.vat_category]
    used += [(each.vat_category, each.vat_rate, "") for each in content.allowances_charges if each.vat_category]
    reported = set()
    for category, rate, place in used:
        key = (category, rate or _ZERO)
        matching = [each for each in content.vat_breakdown if _same_rate(category, rate, each)]
        if len(matching) != 1 and key not in reported:
            reported.add(key)
            problem = "figure plusieurs fois dans" if matching else "manque dans"
            message = f"Le taux {category} {write_decimal(key[1].normalize())} % {problem} la ventilation de la TVA."
            yield own_finding("OWN-VAT-BREAKDOWN", "BG-23", message, location=place)


def _check_sums(content: InvoiceContent) -> Iterator[Finding]:
    """BT-106 to BT-115 against each other (BR-CO-10 to BR-CO-16)."""
    lines = sum((line.net_amount for line in content.lines), _ZERO)
    allowances = sum((each.amount for each in content.allowances_charges if not each.is_charge), _ZERO)
    charges = sum((each.amount for each in content.allowances_charges if each.is_charge), _ZERO)
    vat = sum((breakdown.tax_amount for breakdown in content.vat_breakdown), _ZERO)
    without_vat = content.total_without_vat
    sums: list[tuple[str, str, Decimal | None, Decimal | None]] = [
        ("BT-106", "Total des lignes", content.line_total, lines if content.lines else None),
        ("BT-107", "Total des remises de pied", content.allowance_total or _ZERO, allowances),
        ("BT-108", "Total des frais de pied", content.charge_total or _ZERO, charges),
        ("BT-109", "Total HT", without_vat, lines - allowances + charges if content.lines else None),
        ("BT-110", "Total de la TVA", content.total_vat, vat if content.vat_breakdown else None),
    ]
    if without_vat is not None:
        sums.append(("BT-112", "Total TTC", content.total_with_vat, without_vat + (content.total_vat or _ZERO)))
    if content.total_with_vat is not None:
        due = content.total_with_vat - (content.prepaid_amount or _ZERO) + (content.rounding_amount or _ZERO)
        sums.append(("BT-115", "Net à payer", content.amount_due, due))
    for term, what, stated, expected in sums:
        if stated is not None and expected is not None and stated != expected:
            yield _mismatch("OWN-SUM", term, what, stated, expected)
