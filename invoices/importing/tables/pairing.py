"""A head and its lines as one invoice: the sums checked, the content in its canonical form."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from invoices.importing.tables.invoice_rows import InvoiceRow, is_credit_note
from invoices.importing.tables.line_rows import ParsedLine, negated
from invoices.money import vat_amount, write_decimal

_EURO: Final = "EUR"
_FIELD: Final = "\x1f"
_RECORD: Final = "\x1e"
# What decides whether an invoice has changed; the company is its identity, and the PDF counts by its bytes.
_DELIVERY: Final = tuple(
    name for name in InvoiceRow._fields if name.startswith("delivery_") and name != "delivery_date"
)
_HASHED: Final = tuple(
    index for index, name in enumerate(InvoiceRow._fields) if name not in ("company", "pdf", *_DELIVERY)
)


@dataclass(frozen=True, slots=True)
class PairedInvoice:
    """An invoice of the tables. ``problem`` is (column, value, reason) where its sums do not hold."""

    head: InvoiceRow
    lines: list[ParsedLine]
    problem: tuple[str, str, str] | None


def pair(head: InvoiceRow, lines: list[ParsedLine]) -> PairedInvoice:
    """``head`` with its ``lines``: a credit note in positive amounts, its totals checked against the lines."""
    # To the cent, and canonical: the sum is one of whole cents.
    total = Decimal(sum([int(line.net_amount.replace(".", "")) for line in lines])).scaleb(-2)
    if is_credit_note(head):
        # Some ERPs write credit notes in negative amounts, some their lines only: type 381 has positive ones.
        if head.total_with_vat.startswith("-") or head.total_without_vat.startswith("-"):
            amounts = ("total_without_vat", "total_vat", "total_with_vat", "prepaid_amount", "vat_in_euros")
            head = head._replace(**{name: negated(getattr(head, name)) for name in amounts})
        if total and total == -Decimal(head.total_without_vat):
            total = -total
            lines = [
                line._replace(net_amount=negated(line.net_amount), quantity=negated(line.quantity)) for line in lines
            ]
    return PairedInvoice(head, lines, _problem(head, lines, total) if lines else None)


def _problem(head: InvoiceRow, lines: list[ParsedLine], total: Decimal) -> tuple[str, str, str] | None:
    if total != Decimal(head.total_without_vat):
        stated = write_decimal(Decimal(head.total_without_vat))
        reason = f"Total HT {stated}, mais la somme des lignes est {write_decimal(total)}."
        return "total_ht", stated, reason
    rates = {line.vat_rate for line in lines}
    by_rate = {lines[0].vat_rate: total} if len(rates) == 1 else _sums_by_rate(lines)
    vat = {rate: vat_amount(net, Decimal(rate)) for rate, net in by_rate.items()}
    sum_of_vat = sum(vat.values(), Decimal(0))
    if sum_of_vat != Decimal(head.total_vat):
        stated = write_decimal(Decimal(head.total_vat))
        detail = " + ".join(
            f"{write_decimal(amount)} ({write_decimal(Decimal(rate))} % de {write_decimal(by_rate[rate])})"
            for rate, amount in sorted(vat.items())
        )
        reason = f"Total TVA {stated}, mais les lignes donnent {write_decimal(sum_of_vat)} : {detail}."
        return "total_tva", stated, reason
    return None


def _sums_by_rate(lines: list[ParsedLine]) -> dict[str, Decimal]:
    by_rate: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        by_rate[line.vat_rate] += Decimal(line.net_amount)
    return by_rate


def content_hash(invoice: PairedInvoice, pdf_sha256: str) -> str:
    """SHA-256 of what the tables state of ``invoice``, and of its PDF where it came with one."""
    records = [_FIELD.join([invoice.head[index] for index in _HASHED]), pdf_sha256]
    # Without a day of its own, a line is the one that was imported before there was that column.
    records += [_FIELD.join(line if line.delivery_date else line[:-1]) for line in invoice.lines]
    place = [getattr(invoice.head, name) for name in _DELIVERY]
    if any(place):  # so that an invoice without it is the one that was imported before there were these columns
        records.append(_FIELD.join(place))
    return hashlib.sha256(_RECORD.join(records).encode()).hexdigest()


def details_of(invoice: PairedInvoice) -> dict[str, Any]:
    """What the columns do not hold, by the names of :class:`~invoices.en16931.model.InvoiceContent`, as JSON."""
    head = invoice.head
    details: dict[str, Any] = {}
    if head.business_process:
        details["business_process"] = head.business_process
    if delivery := _delivery(head):
        details["delivery"] = delivery
    if head.vat_in_euros and head.currency != _EURO:
        details["vat_currency"] = _EURO
        details["total_vat_in_vat_currency"] = head.vat_in_euros
    if head.note:
        details["notes"] = [{"text": head.note}]
    if head.corrected_number:
        reference = {"number": head.corrected_number}
        if head.corrected_date:
            reference["date"] = head.corrected_date
        details["preceding_invoices"] = [reference]
    reasons: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for line in invoice.lines:
        if line.exemption_reason:
            _, net = reasons.get((line.vat_category, line.vat_rate), ("", Decimal(0)))
            reasons[line.vat_category, line.vat_rate] = (line.exemption_reason, net + Decimal(line.net_amount))
    if reasons:
        details["vat_breakdown"] = [
            {
                "category": category,
                "rate": rate,
                "taxable_amount": str(net),
                "tax_amount": str(vat_amount(net, Decimal(rate))),
                "exemption_reason": reason,
            }
            for (category, rate), (reason, net) in reasons.items()
        ]
    return details


def _delivery(head: InvoiceRow) -> dict[str, Any]:
    """BG-13 as the row states it; an address without a country is in France, as on the customers' cards."""
    delivery: dict[str, Any] = {}
    if head.delivery_name:
        delivery["name"] = head.delivery_name
    if head.delivery_date:
        delivery["date"] = head.delivery_date
    address = {
        "line1": head.delivery_address,
        "line2": head.delivery_complement,
        "city": head.delivery_city,
        "postcode": head.delivery_postcode,
    }
    stated = {name: value for name, value in address.items() if value}
    if stated or head.delivery_country:
        delivery["address"] = {**stated, "country": head.delivery_country or "FR"}
    return delivery
