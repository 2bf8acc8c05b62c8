"""The totals of the page: each row with its label broken into lines, and room for the widest amount."""

from decimal import Decimal
from typing import NamedTuple

from invoices.cldr import translate
from invoices.en16931.model import AllowanceCharge, InvoiceContent
from invoices.printing import number_format
from invoices.printing.fonts import width, wrap
from invoices.printing.layouts import POINTS_PER_MM, Layout

# Beyond these, the totals would no longer be on one page.
SHOWN_ALLOWANCES = 20
# Width of the labels, mm: usual, and where an amount needs more than what they leave.
LABEL, LABEL_WIDE = 44.0, 28.0
VAT_LABEL, VAT_LABEL_WIDE = 34.0, 22.0  # the same of the VAT table
# Size of the amount to pay, as a multiple of the text's: usual, and where an amount is wide.
DUE, DUE_WIDE = 1.5, 1.15
BETWEEN = 6.0  # points kept between a label and its amount


class Total(NamedTuple):
    """A row of the totals; ``kind`` is "", "strong" or "due"; a label of several lines holds newlines."""

    label: str
    amount: str
    kind: str


class Owed(NamedTuple):
    """What is left to pay, or, ``is_in_favour``, to get back; None where no amount is known."""

    amount: Decimal | None
    is_in_favour: bool


def owed_of(content: InvoiceContent) -> Owed:
    """The amount of the invoice as its customer reads it: an invoice below zero is a credit, which is positive."""
    amount = content.amount_due if content.amount_due is not None else content.total_with_vat
    if content.is_credit_note or amount is None or amount >= 0:
        return Owed(amount, content.is_credit_note)
    return Owed(-amount, is_in_favour=True)


def totals_of(content: InvoiceContent, layout: Layout) -> tuple[Total, ...]:
    """The rows under the lines of the invoice, from the sum of lines to the amount to pay."""
    is_large = is_wide(content, layout)
    column, least = layout.column * POINTS_PER_MM, (LABEL_WIDE if is_large else LABEL) * POINTS_PER_MM
    rows = []
    for row in _all_rows(content):
        size, bold = _type(row, layout, is_large=is_large)
        # A label may use what its amount, at the right end of the column, leaves.
        room = max(least - BETWEEN, column - width(row.amount, size, bold=bold) - BETWEEN)
        rows.append(row._replace(label="\n".join(wrap(row.label, room, size, bold=bold))))
    return tuple(rows)


def is_wide(content: InvoiceContent, layout: Layout) -> bool:
    """True where an amount is wider than the usual room for amounts."""
    room = (layout.column - LABEL) * POINTS_PER_MM
    for row in _all_rows(content):
        size, bold = _type(row, layout, is_large=False)
        if width(row.amount, size, bold=bold) > room:
            return True
    return False


def _type(row: Total, layout: Layout, *, is_large: bool) -> tuple[float, bool]:
    """Size in points, and whether it is bold."""
    if row.kind == "due":
        return layout.text * (DUE_WIDE if is_large else DUE), True
    return layout.text, row.kind == "strong"


def allowance_label(item: AllowanceCharge) -> str:
    """« Remise 10 % – fidélité », « Frais – port »."""
    label = translate("Frais") if item.is_charge else translate("Remise")
    if item.percentage is not None:
        label = f"{label} {number_format.rate(item.percentage)}"
    if item.reason.startswith(label):
        return item.reason
    return f"{label} – {item.reason}" if item.reason else label


def signed(item: AllowanceCharge) -> Decimal:
    """What the allowance or charge adds to the sum."""
    return item.amount if item.is_charge else -item.amount


def _all_rows(content: InvoiceContent) -> list[Total]:
    currency = content.currency
    rows: list[Total] = []

    def add(label: str, value: Decimal | None, kind: str = "") -> None:
        if value is not None:
            rows.append(Total(label, number_format.money(value, currency), kind))

    if content.allowances_charges or content.allowance_total or content.charge_total:
        add(translate("Total des lignes HT"), content.line_total)
        for item in content.allowances_charges[:SHOWN_ALLOWANCES]:
            label = allowance_label(item)
            if item.vat_rate:
                label = f"{label} ({translate('TVA')} {number_format.rate(item.vat_rate)})"
            add(label, signed(item))
        if others := content.allowances_charges[SHOWN_ALLOWANCES:]:
            add(
                translate("%(count)d autres remises et frais") % {"count": len(others)},
                sum(map(signed, others), Decimal(0)),
            )
        if not content.allowances_charges:
            add(translate("Remises"), -content.allowance_total if content.allowance_total else None)
            add(translate("Frais"), content.charge_total or None)
    add(translate("Total HT"), content.total_without_vat)
    add(translate("TVA"), content.total_vat)
    if content.vat_currency and content.vat_currency != currency and content.total_vat_in_vat_currency is not None:
        rows.append(
            Total(
                translate("soit TVA en %(currency)s") % {"currency": content.vat_currency},
                number_format.money(content.total_vat_in_vat_currency, content.vat_currency),
                "",
            )
        )
    add(translate("Total TTC"), content.total_with_vat, "strong")
    if content.prepaid_amount:
        add(translate("Déjà payé"), -content.prepaid_amount)
    if content.rounding_amount:
        add(translate("Arrondi"), content.rounding_amount)
    owed = owed_of(content)
    add(translate("Net en votre faveur") if owed.is_in_favour else translate("Net à payer"), owed.amount, "due")
    return rows
