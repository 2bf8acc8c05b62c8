"""Do the sums of an invoice hold? Its totals are kept as stated; what does not hold is said in French."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext

from invoices.money import write_decimal
from invoices.semantics import InvoiceContent, Line

_ZERO = Decimal(0)
_HALF_CENT = Decimal("0.005")
_DIGITS = 80  # enough for quantity × price without rounding


def check_sums(content: InvoiceContent) -> tuple[str, ...]:
    """French sentences about the sums that do not hold, each naming its business term; empty where all do.

    Checked: the lines (quantity × price, to the cent), BR-CO-10 to BR-CO-16, and per VAT rate the taxable amount
    and its VAT to the cent. A sum one of whose parts the document does not state is not checked.
    """
    with localcontext(prec=_DIGITS):
        return (*_lines(content), *_totals(content), *_vat(content))


def _lines(content: InvoiceContent) -> Iterator[str]:
    for line in content.lines:
        computed = _line_amount(line)
        if computed is not None and line.counts_in_totals and abs(computed - line.net_amount) > _HALF_CENT:
            yield (
                f"Ligne {line.identifier} : le montant net (BT-131) est {write_decimal(line.net_amount)}, "
                f"quantité × prix donne {_to_cents(computed)}."
            )


def _line_amount(line: Line) -> Decimal | None:
    """Quantity × price for the base quantity, less allowances, plus charges; None where a part is not stated."""
    if line.quantity is None or line.net_price is None or line.price_base_quantity == 0:
        return None
    adjustments = sum((item.amount if item.is_charge else -item.amount for item in line.allowances_charges), _ZERO)
    return line.quantity * line.net_price / (line.price_base_quantity or 1) + adjustments


def _totals(content: InvoiceContent) -> Iterator[str]:
    allowances = sum((item.amount for item in content.allowances_charges if not item.is_charge), _ZERO)
    charges = sum((item.amount for item in content.allowances_charges if item.is_charge), _ZERO)
    if content.lines and content.line_total is not None:
        lines = sum((line.net_amount for line in content.lines if line.counts_in_totals), _ZERO)
        yield from _difference("Total des lignes (BT-106)", content.line_total, "somme des lignes", lines)
    if content.allowances_charges or content.lines:
        allowance_total, charge_total = content.allowance_total or _ZERO, content.charge_total or _ZERO
        yield from _difference("Total des remises (BT-107)", allowance_total, "somme des remises", allowances)
        yield from _difference("Total des majorations (BT-108)", charge_total, "somme des majorations", charges)
    if content.line_total is not None and content.total_without_vat is not None:
        net = content.line_total - (content.allowance_total or _ZERO) + (content.charge_total or _ZERO)
        yield from _difference("Total HT (BT-109)", content.total_without_vat, "lignes − remises + majorations", net)
    if content.total_vat is not None and content.vat_breakdown:
        vat = sum((item.tax_amount for item in content.vat_breakdown), _ZERO)
        yield from _difference("Total de TVA (BT-110)", content.total_vat, "somme par taux", vat)
    if content.total_without_vat is not None and content.total_with_vat is not None:
        total = content.total_without_vat + (content.total_vat or _ZERO)
        yield from _difference("Total TTC (BT-112)", content.total_with_vat, "total HT + TVA", total)
    if content.total_with_vat is not None and content.amount_due is not None:
        due = content.total_with_vat - (content.prepaid_amount or _ZERO) + (content.rounding_amount or _ZERO)
        # The profile MINIMUM states what is due and not what was paid before.
        if content.line_total is not None:
            yield from _difference("Net à payer (BT-115)", content.amount_due, "total TTC − acomptes + arrondi", due)


def _vat(content: InvoiceContent) -> Iterator[str]:
    stated: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for item in content.vat_breakdown:
        stated[item.category, item.rate or _ZERO] += item.taxable_amount
        vat = item.taxable_amount * (item.rate or _ZERO) / 100
        if abs(vat - item.tax_amount) > _HALF_CENT:
            label = f"TVA {item.category} à {write_decimal((item.rate or _ZERO).normalize())} % (BT-117)"
            yield f"{label} : {write_decimal(item.tax_amount)} est écrit, base × taux donne {_to_cents(vat)}."
    parts = [line for line in content.lines if line.counts_in_totals]
    if not parts or not stated or any(not line.vat_category for line in parts):
        return
    computed: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    for line in parts:
        computed[line.vat_category, line.vat_rate or _ZERO] += line.net_amount
    for adjustment in content.allowances_charges:
        signed = adjustment.amount if adjustment.is_charge else -adjustment.amount
        computed[adjustment.vat_category, adjustment.vat_rate or _ZERO] += signed
    for (category, rate), taxable in sorted(stated.items()):
        label = f"Base de TVA {category} à {write_decimal(rate.normalize())} % (BT-116)"
        yield from _difference(label, taxable, "somme des lignes à ce taux", computed.get((category, rate), _ZERO))


def _difference(label: str, stated: Decimal, formula: str, computed: Decimal) -> Iterator[str]:
    """A sentence where ``stated`` is not ``computed``: sums of cents are exact."""
    if stated != computed:
        yield f"{label} : {write_decimal(stated)} est écrit, {formula} donne {write_decimal(computed)}."


def _to_cents(amount: Decimal) -> str:
    return write_decimal(amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
