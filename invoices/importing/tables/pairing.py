"""A head and its lines as one invoice: the sums checked, the content in its canonical form."""

import hashlib
import re
from collections import defaultdict
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, NamedTuple

from invoices.en16931.vat import category_of_words
from invoices.importing.tables.columns import EDITION, INVOICES, cells_text_of_edition, read_terms
from invoices.importing.tables.invoice_rows import InvoiceRow, is_credit_note
from invoices.importing.tables.line_rows import HASH_FIELD, ParsedLine, negated
from invoices.importing.tables.rows import is_total_line
from invoices.importing.words import kept_text
from invoices.money import CENT, HALF_CENT, vat_amount, whole_cents, write_decimal

_EURO: Final = "EUR"
_RECORD: Final = "\x1e"
_GROUP: Final = "\x1d"
# What decides whether an invoice has changed; the company is its identity, and the PDF counts by its bytes.
_DELIVERY: Final = tuple(
    name for name in InvoiceRow._fields if name.startswith("delivery_") and name != "delivery_date"
)
_delivery_of: Final = attrgetter(*_DELIVERY)
_hashed_of: Final = attrgetter(
    *(name for name in InvoiceRow._fields if name not in ("company", "pdf", "cells", "terms", *_DELIVERY))
)


class PairedInvoice(NamedTuple):
    """An invoice of the tables. ``problem`` is (column, value, reason) where its sums do not hold."""

    head: InvoiceRow
    lines: list[ParsedLine]
    rates: frozenset[str]
    """The VAT rates of the lines."""
    problem: tuple[str, str, str] | None
    totals: tuple[str, ...] = ()
    """The texts of lines that were totals of others, and are left out."""


def pair(head: InvoiceRow, lines: list[ParsedLine]) -> PairedInvoice:
    """``head`` with its ``lines``: a credit note in positive amounts, its totals checked against the lines."""
    total = sum([line.cents for line in lines])
    if is_credit_note(head):
        # Some ERPs write credit notes in negative amounts, some their lines only: type 381 has positive ones.
        if head.total_with_vat.startswith("-") or head.total_without_vat.startswith("-"):
            amounts = ("total_without_vat", "total_vat", "total_with_vat", "prepaid_amount", "vat_in_euros")
            head = head._replace(**{name: negated(getattr(head, name)) for name in amounts})
        if total and total == -whole_cents(head.total_without_vat):
            total = -total
            lines = [
                line._replace(net_amount=negated(line.net_amount), quantity=negated(line.quantity)) for line in lines
            ]
    totals: tuple[str, ...] = ()
    stated = whole_cents(head.total_without_vat)
    if total != stated:
        others = [line for line in lines if not is_total_line(line.name)]
        without = sum([line.cents for line in others])
        if others and without == stated:
            totals = tuple(line.name for line in lines if is_total_line(line.name))
            lines, total = others, without
    rates = _rates_of(lines)
    if any(rate.startswith("0.") and rate != "0.00" for rate in rates):
        lines = _with_whole_rates(head, lines)
        rates = _rates_of(lines)
    return PairedInvoice(head, lines, rates, _problem(head, lines, rates, total) if lines else None, totals)


def _rates_of(lines: list[ParsedLine]) -> frozenset[str]:
    return frozenset([line.vat_rate for line in lines])


def _with_whole_rates(head: InvoiceRow, lines: list[ParsedLine]) -> list[ParsedLine]:
    """``lines`` with rates in per cent where they are fractions of one (a spreadsheet stores 20 % as 0.2).

    The VAT that the head states decides: 0.9 is 0,9 % where that gives it.
    """
    rates = {rate for rate in _rates_of(lines) if rate.strip("0.")}
    if not rates or any(Decimal(rate) >= 1 for rate in rates) or _vat(lines) == Decimal(head.total_vat):
        return lines
    whole = [line._replace(vat_rate=str((Decimal(line.vat_rate) * 100).quantize(CENT))) for line in lines]
    return whole if _is_rounded(_vat(whole), head, whole) else lines


def _vat(lines: list[ParsedLine]) -> Decimal:
    return sum(_vat_by_rate(_sums_by_rate(lines)).values(), Decimal(0))


def _is_rounded(vat: Decimal, head: InvoiceRow, lines: list[ParsedLine]) -> bool:
    """Whether the VAT that the head states is ``vat``, or differs from it by roundings: half a cent a line."""
    return abs(vat - Decimal(head.total_vat)) <= len(lines) * HALF_CENT


def _problem(
    head: InvoiceRow, lines: list[ParsedLine], rates: frozenset[str], total: int
) -> tuple[str, str, str] | None:
    if total != whole_cents(head.total_without_vat):
        stated = write_decimal(Decimal(head.total_without_vat))
        reason = f"Total HT {stated}, mais la somme des lignes est {write_decimal(_amount(total))}."
        return "total_ht", stated, reason
    by_rate = dict.fromkeys(rates, total) if len(rates) == 1 else _sums_by_rate(lines)
    vat = _vat_by_rate(by_rate)
    sum_of_vat = sum(vat.values(), Decimal(0))
    if sum_of_vat != Decimal(head.total_vat) and not _is_rounded(sum_of_vat, head, lines):
        stated = write_decimal(Decimal(head.total_vat))
        detail = " + ".join(
            f"{write_decimal(amount)} ({write_decimal(Decimal(rate))} % de {write_decimal(_amount(by_rate[rate]))})"
            for rate, amount in sorted(vat.items())
        )
        reason = f"Total TVA {stated}, mais les lignes donnent {write_decimal(sum_of_vat)} : {detail}."
        return "total_tva", stated, reason
    return None


def written_lines(invoice: PairedInvoice) -> list[ParsedLine]:
    """The lines as they are stored: with the category that a reason in words represents; texts among taxed lines.

    :func:`content_hash` is about what the tables state, and so is an invoice that was imported before.
    """
    lines = invoice.lines
    if "0.00" not in invoice.rates:
        return lines
    taxed = max((line for line in lines if line.vat_rate != "0.00"), key=_size, default=None)
    return [_written(line, taxed) if line.vat_rate == "0.00" else line for line in lines]


def _size(line: ParsedLine) -> Decimal:
    return abs(Decimal(line.net_amount))


def _written(line: ParsedLine, taxed: ParsedLine | None) -> ParsedLine:
    """An untaxed line; where ``taxed`` is beside it, a text without an amount takes that one's VAT.

    At a rate of zero it would need a reason for charging no VAT, and the e-invoice could not be made for want of one.
    """
    is_text = not line.net_amount.strip("0.") and not (line.quantity.strip("0.") and line.net_price.strip("0."))
    if is_text and not line.vat_category and not line.exemption_reason:
        line = line._replace(quantity="", unit="", net_price="", discount_percentage="")
        if taxed is not None:
            line = line._replace(vat_category=taxed.vat_category, vat_rate=taxed.vat_rate)
        return line
    if not line.vat_category and line.exemption_reason:
        category = category_of_words(line.exemption_reason)
        # Out of scope is the only category of its invoice or none (BR-O-11).
        return line._replace(vat_category="E" if category == "O" and taxed is not None else category)
    return line


def _sums_by_rate(lines: list[ParsedLine]) -> dict[str, int]:
    """Cents."""
    by_rate: dict[str, int] = defaultdict(int)
    for line in lines:
        by_rate[line.vat_rate] += line.cents
    return by_rate


def _vat_by_rate(sums: dict[str, int]) -> dict[str, Decimal]:
    return {rate: vat_amount(_amount(cents), Decimal(rate)) for rate, cents in sums.items()}


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def content_hash(invoice: PairedInvoice, pdf_sha256: str, edition: int = EDITION) -> str:
    """SHA-256 of the values that the tables give ``invoice``, and of its PDF where it came with one.

    The same values from other writings («1 234,50», «1234.5») have the same hash. Stored ones must stay comparable: a
    column that comes with a later edition enters by its name, and only where it says something and is of ``edition``.
    """
    head, lines = invoice.head, invoice.lines
    records = [HASH_FIELD.join(_hashed_of(head)), pdf_sha256]
    records += [line.hashed for line in lines] if edition == EDITION else [line.hashed_in(edition) for line in lines]
    place = _delivery_of(head)
    if any(place):  # so that an invoice without it is the one that was imported before there were these columns
        records.append(HASH_FIELD.join(place))
    records += [HASH_FIELD.join(term) for term in read_terms(head.terms, edition)]
    return hashlib.sha256(_RECORD.join(records).encode()).hexdigest()


def cells_hash(invoice: PairedInvoice, pdf_sha256: str, edition: int = EDITION) -> str:
    """SHA-256 of the non-empty cells of ``invoice`` as they stood, by name, and of its PDF; after the edition.

    ``edition``: of our columns, those of it alone. So neither a new column nor a value that is read better than before
    makes another invoice of the same rows.
    """
    records = [pdf_sha256, invoice.head.cells, *(line.cells for line in invoice.lines)]
    if edition < EDITION:
        records[1:] = [cells_text_of_edition(text, edition) for text in records[1:]]
    return f"{edition}:{hashlib.sha256(_GROUP.join(records).encode()).hexdigest()}"


def has_rows_of(known: str, known_cells: str, invoice: PairedInvoice, pdf_sha256: str) -> bool:
    """True where the hashes kept of an invoice are of the rows of ``invoice``, seen with the columns there were then.

    ``known`` is its :func:`content_hash`; ``known_cells`` its :func:`cells_hash`, empty from before there were any.
    """
    stated = known_cells.partition(":")[0] or "1"
    if not stated.isdigit() or int(stated) > EDITION:
        return False
    edition = int(stated)
    return known_cells == cells_hash(invoice, pdf_sha256, edition) or (
        edition < EDITION and known == content_hash(invoice, pdf_sha256, edition)
    )


def details_of(invoice: PairedInvoice) -> dict[str, Any]:
    """What the columns do not hold, by the names of :class:`~invoices.en16931.model.InvoiceContent`, as JSON."""
    head = invoice.head
    details: dict[str, Any] = {}
    for column, text in read_terms(head.terms):
        details[INVOICES.terms[column]] = text
    if head.business_process:
        details["business_process"] = head.business_process
    if delivery := _delivery(head):
        details["delivery"] = delivery
    if head.vat_in_euros and head.currency != _EURO:
        details["vat_currency"] = _EURO
        details["total_vat_in_vat_currency"] = head.vat_in_euros
    if head.note:
        details["notes"] = [{"text": kept_text(head.note)}]
    if head.corrected_number:
        date = {"date": head.corrected_date} if head.corrected_date else {}
        details["preceding_invoices"] = [{"number": number, **date} for number in corrected_numbers(head)]
    reasons: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for line in written_lines(invoice):
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


_BETWEEN_NUMBERS: Final = re.compile(r"\s*[,;&\n]\s*|\s+(?:et|and)\s+|\s*\+\s*", re.IGNORECASE)


def corrected_numbers(head: InvoiceRow) -> list[str]:
    """The numbers of the invoices that ``head`` corrects: «F1, F2» is two."""
    return [number for number in _BETWEEN_NUMBERS.split(head.corrected_number) if number]


def _delivery(head: InvoiceRow) -> dict[str, Any]:
    """BG-13 as the row states it; an address without a country is in France, as on the customers' cards."""
    delivery: dict[str, Any] = {}
    if head.delivery_name:
        delivery["name"] = kept_text(head.delivery_name)
    if head.delivery_date:
        delivery["date"] = head.delivery_date
    address = {
        "line1": head.delivery_address,
        "line2": head.delivery_complement,
        "city": head.delivery_city,
        "postcode": head.delivery_postcode,
    }
    stated = {name: kept_text(value) for name, value in address.items() if value}
    if stated or head.delivery_country:
        delivery["address"] = {**stated, "country": head.delivery_country or "FR"}
    return delivery
