"""An invoice between its two forms: rows of the database and :class:`~invoices.en16931.model.InvoiceContent`.

The columns hold what is searched, summed and listed; ``details`` holds what they do not hold, or not exactly, under
the names of the model. ``null`` in ``details`` says that the document does not state what its column shows.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.db.models import Prefetch, QuerySet

from invoices.content import completion
from invoices.en16931.model import AllowanceCharge, DocumentReference, InvoiceContent, Line, fields_from_json, replace
from invoices.models import Invoice, InvoiceLine
from invoices.money import HALF_CENT, to_cents

STATED_WHOLE: Final = frozenset((Invoice.Origin.CII, Invoice.Origin.UBL, Invoice.Origin.FACTURX))
"""Origins whose documents state everything themselves: nothing is added to them."""

_DISCOUNT_REASON: Final = "Remise"
_DISCOUNT_CODE: Final = "95"  # UNTDID 5189

INVOICE_COLUMNS: Final = (
    "number",
    "type_code",
    "issue_date",
    "due_date",
    "currency",
    "purchase_order_reference",
    "total_without_vat",
    "total_vat",
    "total_with_vat",
    "amount_due",
    "prepaid_amount",
)
LINE_COLUMNS: Final = {  # of Line → of InvoiceLine
    "identifier": "identifier",
    "name": "name",
    "net_amount": "net_amount",
    "quantity": "quantity",
    "unit": "unit",
    "net_price": "net_price",
    "vat_category": "vat_category",
    "vat_rate": "vat_rate",
    "seller_item_identifier": "item_code",
}


def prefetch_for_content(queryset: "QuerySet[Invoice]") -> "QuerySet[Invoice]":
    """``queryset`` with all that :func:`content_of` reads, in two statements however many invoices there are."""
    return queryset.select_related("company", "customer", "corrects").prefetch_related(lines_in_order())


def lines_in_order() -> "Prefetch[str]":
    """The lines of invoices by their position alone: their usual order reads and sorts the invoices once more."""
    return Prefetch("lines", queryset=InvoiceLine.objects.order_by("position"))


def content_of(invoice: Invoice) -> InvoiceContent:
    """The whole content of ``invoice``, for printing and for the e-invoice.

    An e-invoice gives back what it stated and nothing else. Rows of a table are completed from the customer card
    and «Paramétrage société» as they are now (:mod:`invoices.content.completion`). Without
    :func:`prefetch_for_content` this costs up to four statements.
    """
    lines = tuple(_line_of(line) for line in sorted(invoice.lines.all(), key=lambda each: each.position))
    values: dict[str, Any] = {name: getattr(invoice, name) for name in INVOICE_COLUMNS}
    if invoice.origin in STATED_WHOLE:
        return _with_details(InvoiceContent, values, invoice.details, lines=lines)
    return _completed(invoice, values, lines)


def _line_of(line: InvoiceLine) -> Line:
    values = {field: getattr(line, column) for field, column in LINE_COLUMNS.items()}
    for name, least in (("quantity", 0), ("net_price", 2), ("vat_rate", 2)):
        values[name] = _with_decimals(values[name], least)
    if line.discount_percentage and line.quantity is not None and line.net_price is not None:
        base = to_cents(line.quantity * line.net_price)
        percentage = _with_decimals(line.discount_percentage, 2)
        if abs(base * line.discount_percentage / 100 - base + line.net_amount) > HALF_CENT:
            percentage = None  # the discount was an amount, and this only near it
        values["allowances_charges"] = (
            AllowanceCharge(
                is_charge=False,
                amount=base - line.net_amount,
                base_amount=base,
                percentage=percentage,
                reason=_DISCOUNT_REASON,
                reason_code=_DISCOUNT_CODE,
            ),
        )
    return _with_details(Line, values, line.details)


def _completed(invoice: Invoice, values: dict[str, Any], lines: tuple[Line, ...]) -> InvoiceContent:
    """The content of an invoice that came as table rows."""
    stated = _with_details(InvoiceContent, values, invoice.details, lines=lines, seller=None, buyer=None)
    if invoice.corrects is not None:
        known = DocumentReference(invoice.corrects.number, invoice.corrects.issue_date)
        others = stated.preceding_invoices if len(stated.preceding_invoices) > 1 else ()
        preceding = tuple(known if each.number == known.number else each for each in others) or (known,)
        stated = replace(stated, preceding_invoices=preceding)
    return completion.completed(stated, invoice.company, invoice.customer)


def _with_details[T](kind: type[T], values: dict[str, Any], details: Mapping[str, Any], **more: Any) -> T:
    """A ``kind`` of the columns' ``values``, corrected and completed by ``details`` (JSON), then by ``more``."""
    if details:
        unstated = {name: None for name, item in details.items() if item is None}
        stated = {name: item for name, item in details.items() if item is not None}
        values = {**values, **unstated, **fields_from_json(kind, stated)}
    return kind(**{**values, **more})


@lru_cache(maxsize=5000)  # quantities, prices and rates come back from line to line
def _with_decimals(value: Decimal | None, least: int) -> Decimal | None:
    """``value`` without the zeros that the column's scale added, with ``least`` decimals at least."""
    if value is None:
        return None
    value = value.normalize()
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal(1).scaleb(-least)) if isinstance(exponent, int) and exponent > -least else value
