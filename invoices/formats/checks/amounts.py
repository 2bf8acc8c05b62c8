"""Our own arithmetic over an invoice, to the cent: lines, VAT per rate, sums.

EN 16931 allows a VAT amount to be one unit off (BR-CO-17) and does not multiply price by quantity at all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Final

from invoices.en16931.model import AllowanceCharge, InvoiceContent, Line
from invoices.formats.findings import Finding, own_finding
from invoices.money import HALF_CENT, to_cents, write_decimal

_ZERO: Final = Decimal(0)

type _CategoryAndRate = tuple[str, Decimal]


def check_amounts(content: InvoiceContent) -> Iterator[Finding]:
    """Every sum, product and number of decimals that does not hold."""
    content = _with_counting_lines(content)
    yield from _check_decimals(content)
    for line in content.lines:
        yield from _check_prices(line)
    for allowance_charge in content.allowances_charges:
        yield from _check_percentage(allowance_charge, "BT-99" if allowance_charge.is_charge else "BT-92", "")
    yield from _check_breakdowns(content)
    yield from _check_sums(content)


def sentences_about_sums(content: InvoiceContent) -> tuple[str, ...]:
    """French sentences about the sums that do not hold, each naming its business term; empty where all do.

    For invoices of others, whose totals are kept as they state them.
    """
    with localcontext(prec=80):  # enough for any quantity times any price without rounding
        findings = tuple(_check_sums(_with_counting_lines(content)))
    sentences = []
    for finding in findings:
        place = f"{finding.location[:1].upper()}{finding.location[1:]} – " if finding.location else ""
        sentences.append(f"{place}{finding.message_fr.removesuffix('.')} ({finding.business_term}).")
    return tuple(sentences)


def _check_sums(content: InvoiceContent) -> Iterator[Finding]:
    """Lines, VAT and totals."""
    for line in content.lines:
        yield from _check_line(line)
    yield from _check_vat(content)
    yield from _check_totals(content)


def _with_counting_lines(content: InvoiceContent) -> InvoiceContent:
    """Without the lines that only gather or explain others (profile EXTENDED): they count nowhere."""
    return replace(content, lines=tuple(line for line in content.lines if line.counts_in_totals))


def _is_rounding_of(amount: Decimal, exact: Decimal, roundings: int = 1) -> bool:
    """Whether ``amount`` is ``exact`` after so many ``roundings`` to the cent; each moves it by half a cent at most."""
    return abs(amount - exact) <= HALF_CENT * roundings


def _mismatch(code: str, term: str, what: str, stated: Decimal, expected: Decimal, place: str = "") -> Finding:
    """The finding for a number that should be another; to the cent, or further where cents do not distinguish them."""
    shown = to_cents(expected) if to_cents(expected) != stated else expected.normalize()
    return own_finding(
        code,
        term,
        f"{what} : {write_decimal(stated)} indiqué, {write_decimal(shown)} calculé.",
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
    """Price × quantity ± allowances and charges = net amount (BT-131)."""
    if line.quantity is None or line.net_price is None or line.price_base_quantity == 0:
        return
    exact = line.quantity * line.net_price / (line.price_base_quantity or 1) + _signed(line.allowances_charges)
    if not _is_rounding_of(line.net_amount, exact):
        what = "Montant net de la ligne différent du prix multiplié par la quantité"
        yield _mismatch("OWN-LINE-AMOUNT", "BT-131", what, line.net_amount, exact, _place(line))


def _check_prices(line: Line) -> Iterator[Finding]:
    """Gross price − discount = net price, a base quantity that divides, and the percentages of the line."""
    place = _place(line)
    if line.price_base_quantity is not None and line.price_base_quantity <= 0:
        message = "La quantité de base du prix doit être positive."
        yield own_finding("OWN-BASE-QUANTITY", "BT-149", message, location=place)
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


def _check_vat(content: InvoiceContent) -> Iterator[Finding]:
    """BT-116 is the sum of what is taxed at the rate, BT-117 that times the rate, to the cent.

    ERPs that round the VAT line by line sum up their roundings, which BR-CO-17 allows.
    """
    lines_at = Counter((line.vat_category, line.vat_rate or _ZERO) for line in content.lines)
    stated: defaultdict[_CategoryAndRate, Decimal] = defaultdict(Decimal)
    for breakdown in content.vat_breakdown:
        rate = breakdown.rate or _ZERO
        stated[breakdown.category, rate] += breakdown.taxable_amount
        exact = breakdown.taxable_amount * rate / 100
        lines = lines_at[breakdown.category, rate]
        if not _is_rounding_of(breakdown.tax_amount, exact, lines + 1 if lines > 1 else 1):
            what = "Montant de TVA différent de la base multipliée par le taux"
            place = _vat_place(breakdown.category, rate)
            yield _mismatch("OWN-VAT-AMOUNT", "BT-117", what, breakdown.tax_amount, exact, place)
    if not content.lines or not all(line.vat_category for line in content.lines):
        return
    taxed: defaultdict[_CategoryAndRate, Decimal] = defaultdict(Decimal)
    for line in content.lines:
        taxed[line.vat_category, line.vat_rate or _ZERO] += line.net_amount
    for each in content.allowances_charges:
        taxed[each.vat_category, each.vat_rate or _ZERO] += _signed([each])
    for (category, rate), taxable in stated.items():
        if taxable != taxed[category, rate]:
            what = "Base de TVA différente de la somme des lignes, remises et frais à ce taux"
            yield _mismatch("OWN-VAT-BASE", "BT-116", what, taxable, taxed[category, rate], _vat_place(category, rate))


def _vat_place(category: str, rate: Decimal) -> str:
    """How a part of the VAT breakdown is called in a finding."""
    return f"TVA {category} à {write_decimal(rate.normalize())} %"


def _check_breakdowns(content: InvoiceContent) -> Iterator[Finding]:
    """Each category and rate in use has its breakdown, and only one."""
    breakdowns = Counter((each.category, each.rate or _ZERO) for each in content.vat_breakdown)
    used = {(line.vat_category, line.vat_rate or _ZERO): _place(line) for line in reversed(content.lines)}
    used |= {(each.vat_category, each.vat_rate or _ZERO): "" for each in content.allowances_charges}
    for (category, rate), place in used.items():
        if category and breakdowns[category, rate] != 1:
            problem = "figure plusieurs fois dans" if breakdowns[category, rate] else "manque dans"
            message = f"Le taux {category} {write_decimal(rate.normalize())} % {problem} la ventilation de la TVA."
            yield own_finding("OWN-VAT-BREAKDOWN", "BG-23", message, location=place)


def _check_totals(content: InvoiceContent) -> Iterator[Finding]:
    """BT-106 to BT-115 against each other (BR-CO-10 to BR-CO-16); what is not stated is not checked."""
    lines = sum((line.net_amount for line in content.lines), _ZERO)
    allowances = -_signed(each for each in content.allowances_charges if not each.is_charge)
    charges = _signed(each for each in content.allowances_charges if each.is_charge)
    vat = sum((breakdown.tax_amount for breakdown in content.vat_breakdown), _ZERO)
    line_total, without_vat, with_vat = content.line_total, content.total_without_vat, content.total_with_vat
    if content.lines:
        yield from _check_total("BT-106", "Total des lignes", line_total, lines)
    if content.lines or content.allowances_charges:
        yield from _check_total("BT-107", "Total des remises de pied", content.allowance_total or _ZERO, allowances)
        yield from _check_total("BT-108", "Total des frais de pied", content.charge_total or _ZERO, charges)
    if line_total is not None:
        net = line_total - (content.allowance_total or _ZERO) + (content.charge_total or _ZERO)
        yield from _check_total("BT-109", "Total HT", without_vat, net)
    if content.vat_breakdown:
        yield from _check_total("BT-110", "Total de la TVA", content.total_vat, vat)
    if without_vat is not None:
        yield from _check_total("BT-112", "Total TTC", with_vat, without_vat + (content.total_vat or _ZERO))
    # The profile MINIMUM states neither lines nor what was paid before.
    if with_vat is not None and line_total is not None:
        due = with_vat - (content.prepaid_amount or _ZERO) + (content.rounding_amount or _ZERO)
        yield from _check_total("BT-115", "Net à payer", content.amount_due, due)


def _check_total(term: str, what: str, stated: Decimal | None, expected: Decimal) -> Iterator[Finding]:
    """A finding where a stated total is not what it should be: sums of cents are exact."""
    if stated is not None and stated != expected:
        yield _mismatch("OWN-SUM", term, what, stated, expected)
