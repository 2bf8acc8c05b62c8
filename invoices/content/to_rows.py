"""The inverse of :mod:`invoices.content.from_rows`: what an e-invoice states, as columns of the database.

``content_of`` gives back exactly what went in. Columns have scales and lengths and must hold something to sort and
sum by; whatever they cannot hold as it was stated is kept in ``details``, where ``null`` means «not stated». Attached
files (BT-125) alone stay out: they are in the file that came, which is kept byte for byte.
"""

import re
from decimal import Decimal
from typing import Any, Final

from invoices.content.from_rows import INVOICE_COLUMNS, LINE_COLUMNS
from invoices.en16931.model import InvoiceContent, Line, to_json
from invoices.models import Invoice
from invoices.money import to_cents

_LARGEST: Final = Decimal(10) ** 15
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class NotStorableError(Exception):
    """The content lacks what an invoice's identity and listing need; the message is a French sentence."""


def columns_of(content: InvoiceContent) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The fields of :class:`Invoice` (without company, customer, origin) and those of each line, in order.

    Raises :class:`NotStorableError` where number, date or currency are missing or impossible, or an amount is too
    large for the database.
    """
    if not content.number or len(content.number) > 100:
        raise NotStorableError("Cette facture n’a pas de numéro, ou il dépasse 100 caractères.")
    if content.issue_date is None:
        raise NotStorableError(f"La facture {content.number} n’a pas de date.")
    if not _CURRENCY.fullmatch(content.currency):
        raise NotStorableError(f"La facture {content.number} n’a pas de devise (attendu un code à trois lettres).")
    columns: dict[str, Any] = {name: getattr(content, name) for name in INVOICE_COLUMNS}
    columns |= {name: _amount(value, content.number) for name, value in _totals(content).items()}
    columns["purchase_order_reference"] = content.purchase_order_reference[:200]
    columns["type_code"] = content.type_code[:3]
    details = to_json(content)
    details.pop("lines", None)
    for document in details.get("supporting_documents", []):
        document.pop("content", None)
    _drop_what_columns_hold(details, columns, {name: getattr(content, name) for name in INVOICE_COLUMNS})
    columns["details"] = details
    columns["kind"] = Invoice.Kind.CREDIT_NOTE if content.is_credit_note else Invoice.Kind.INVOICE
    lines = [_line_columns(line, position, content.number) for position, line in enumerate(content.lines, start=1)]
    return columns, lines


def _totals(content: InvoiceContent) -> dict[str, Decimal]:
    """Every total as a number: what the document does not state follows from what it does, or is zero."""
    with_vat, without_vat, vat = content.total_with_vat, content.total_without_vat, content.total_vat
    prepaid = content.prepaid_amount or Decimal(0)
    if with_vat is None:
        with_vat = (without_vat or Decimal(0)) + (vat or Decimal(0)) if without_vat is not None else None
    if with_vat is None:
        with_vat = (content.amount_due or Decimal(0)) + prepaid
    if without_vat is None:
        without_vat = with_vat - (vat or Decimal(0))
    return {
        "total_without_vat": without_vat,
        "total_vat": with_vat - without_vat if vat is None else vat,
        "total_with_vat": with_vat,
        "prepaid_amount": prepaid,
        "amount_due": with_vat - prepaid if content.amount_due is None else content.amount_due,
    }


def _amount(value: Decimal, number: str) -> Decimal:
    if not value.is_finite() or abs(value) >= _LARGEST:
        raise NotStorableError(f"La facture {number} porte un montant trop grand : {value}.")
    return to_cents(value)


def _line_columns(line: Line, position: int, number: str) -> dict[str, Any]:
    stated = {column: getattr(line, field) for field, column in LINE_COLUMNS.items()}
    columns = dict(stated)
    columns["net_amount"] = _amount(line.net_amount, number)
    for name, decimals, largest in (("quantity", 8, 15), ("net_price", 8, 15), ("vat_rate", 4, 3)):
        columns[name] = _fitting(stated[name], decimals, largest)
    for name, longest in (("identifier", 50), ("item_code", 200), ("unit", 10), ("vat_category", 2)):
        columns[name] = stated[name][:longest]
    details = to_json(line)
    by_column = {column: field for field, column in LINE_COLUMNS.items()}
    _drop_what_columns_hold(
        details,
        {by_column[column]: value for column, value in columns.items()},
        {by_column[column]: value for column, value in stated.items()},
    )
    return {**columns, "position": position, "details": details}


def _fitting(value: Decimal | None, decimals: int, digits: int) -> Decimal | None:
    """``value`` at the scale of its column; nothing where it is too large for it."""
    if value is None or not value.is_finite() or abs(value) >= Decimal(10) ** digits:
        return None
    return round(value, decimals)


def _drop_what_columns_hold(details: dict[str, Any], held: dict[str, Any], stated: dict[str, Any]) -> None:
    """Leave in ``details`` only what ``held`` does not say exactly; ``None`` where it says what was not stated."""
    for name, value in stated.items():
        if held[name] == value:
            details.pop(name, None)
        elif value is None:
            details[name] = None
