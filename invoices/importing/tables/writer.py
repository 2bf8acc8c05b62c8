"""Invoices of tables against those of the database: created, updated, left alone or refused, in batches."""

import datetime
import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched, count
from pathlib import Path
from typing import Any, Final

from django.db import connection
from django.db.models import Count
from django.db.models.expressions import RawSQL
from django.utils import timezone

from customers.models import Customer
from invoices.en16931.units import ONE
from invoices.importing.journal import Journal
from invoices.importing.received import ReceivedFiles
from invoices.importing.report import ImportReport, Rejection, identity
from invoices.importing.tables.bulk import BackgroundWriter, RepeatingRowWriter, RowUpdater, RowWriter
from invoices.importing.tables.clashes import MENDED_BY_REPLACING, clash_sentence, published_sentence
from invoices.importing.tables.columns import LINES, read_terms
from invoices.importing.tables.identities import MENDED_BY_THE_CARD, ContestedCards
from invoices.importing.tables.invoice_rows import is_credit_note
from invoices.importing.tables.line_rows import ParsedLine
from invoices.importing.tables.pairing import PairedInvoice, corrected_numbers, details_of, has_rows_of, written_lines
from invoices.importing.values import shown
from invoices.importing.words import kept_text
from invoices.models import Company, Document, Invoice, InvoiceLine
from invoices.money import vat_amount, whole_cents

BATCH: Final = 2700
_LINES_AT_ONCE: Final = 5000
_UNIT_LENGTH: Final = 10
_INVOICE, _CREDIT_NOTE = Invoice.Kind.INVOICE.value, Invoice.Kind.CREDIT_NOTE.value
_CSV, _PDF = Invoice.Origin.CSV.value, Invoice.Origin.PDF.value

_MENDED_BY_TYPE: Final = "Ajoutez une colonne « type » (facture ou avoir), ou exportez les avoirs en montants négatifs."
_MENDED_BY_NOTE: Final = "Établissez un avoir ou une facture rectificative dans l’ERP."

_HEAD_COLUMNS: Final = (
    "id", "company_id", "customer_id", "number", "kind", "type_code", "issue_date", "due_date", "currency",
    "purchase_order_reference", "total_without_vat", "total_vat", "total_with_vat", "prepaid_amount", "amount_due",
    "origin", "details", "content_hash", "cells_hash",
)  # fmt: skip
_LINE_COLUMNS: Final = (
    "invoice_id", "position", "identifier",
    # and what _values_of gives
    "item_code", "name", "quantity", "unit", "net_price", "discount_percentage", "vat_category", "vat_rate",
    "net_amount", "details",
)  # fmt: skip


@dataclass
class Candidate:
    """An invoice on its way into the database. ``file`` and ``line`` are where its head stood."""

    file: str
    line: int
    invoice: PairedInvoice
    company: Company
    customer_id: int | None
    hash: str
    cells_hash: str
    pdf_sha256: str
    pdf: Path | None = None
    is_doubtful: bool = False
    """Whether it may be a credit note: its number seems to say so, and no column says what it is."""
    key: uuid.UUID = field(default_factory=uuid.uuid4)
    company_id: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.company_id = self.company.pk


class InvoiceWriter:
    """Compares and writes the candidates of one transaction."""

    def __init__(
        self,
        story: ImportReport,
        received: ReceivedFiles,
        behind: BackgroundWriter,
        contested: ContestedCards,
        replace: Collection[str] = (),
    ) -> None:
        """``replace``: unpublished invoices that another of their number may take the place of.

        ``contested``: cards that nothing new comes on.
        """
        self._story = story
        self._contested = contested
        self._replace = replace
        self._received = received
        self._behind = behind
        self._heads = RowWriter(Invoice, _HEAD_COLUMNS, at_once=BATCH)
        self._lines = RepeatingRowWriter(InvoiceLine, _LINE_COLUMNS, last=_values_of, at_once=_LINES_AT_ONCE)
        self._waiting_lines: list[_LineOfInvoice] = []
        self._corrections: list[tuple[uuid.UUID, int, list[str]]] = []
        self._latest: set[str] = set()

    def take(self, candidates: list[Candidate], *, write: bool) -> None:
        """Count what is new, changed and the same, refuse what is published and changed, and write the rest."""
        candidates = list(self._without_doubles(candidates))
        existing = self._existing(candidates, lock=write)
        created, updated, seen = [], [], []
        for candidate in candidates:
            found = existing.get((candidate.company_id, candidate.invoice.head.number))
            lines = len(candidate.invoice.lines)
            if found is None and self._is_refused(candidate):
                continue
            if found is None:
                created.append(candidate)
                self._story.count("created", "invoices")
                self._story.count("created", "lines", lines)
                continue
            candidate.key, known_hash, known_cells, published_at, version, customer_id, issue_date = found
            if known_hash == candidate.hash and known_cells != candidate.cells_hash:
                seen.append((candidate.cells_hash, candidate.key.hex))
            if known_hash == candidate.hash or (
                published_at is not None and _has_same_rows(candidate, known_hash, known_cells)
            ):
                self._story.count("unchanged", "invoices")
                self._story.count("unchanged", "lines", lines)
            elif published_at is not None:
                self._refuse(candidate, published_sentence(candidate.invoice.head.number), mended_by=_MENDED_BY_NOTE)
            elif self._is_refused(candidate):
                continue
            elif (replaced := identity(candidate.company_id, candidate.invoice.head.number)) not in self._replace and (
                clash := _clash(candidate, customer_id, issue_date)
            ):
                self._refuse(candidate, clash, mended_by=MENDED_BY_REPLACING, replaces=replaced)
            else:
                updated.append((candidate, version))
        days = {candidate.invoice.head.issue_date for candidate in candidates}
        for day in (min(days), max(days)) if days else ():
            self._story.note_day(datetime.date.fromisoformat(day))
        for candidate in (*created, *(candidate for candidate, _ in updated)):
            _note_in(self._story.journal, candidate)
        if updated:
            self._count_updated([candidate for candidate, _ in updated])
        if write:
            self._insert(created)
            self._update(updated)
            RowUpdater(Invoice, ["cells_hash"]).write(seen)
            for candidate in (*created, *(candidate for candidate, _ in updated)):
                self._keep_pdf(candidate)

    def _without_doubles(self, candidates: list[Candidate]) -> Iterator[Candidate]:
        """``candidates`` without a second one of the same number, of a company that the file names in two ways."""
        seen: set[tuple[int | None, str]] = set()
        for candidate in candidates:
            number = candidate.invoice.head.number
            if candidate.company_id is not None and (candidate.company_id, number) in seen:
                self._refuse(candidate, f"La facture « {shown(number)} » de {candidate.company} figure déjà plus haut.")
                continue
            seen.add((candidate.company_id, number))
            yield candidate

    def _refuse(self, candidate: Candidate, reason: str, *, mended_by: str = "", replaces: str = "") -> None:
        number = shown(candidate.invoice.head.number)
        self._story.refuse(Rejection(candidate.file, candidate.line, "numero", number, reason, mended_by, replaces))

    def _is_refused(self, candidate: Candidate) -> bool:
        """Whether what would be written is refused: of a contested card, or perhaps a credit note."""
        if reason := self._contested.reason(candidate.customer_id):
            self._refuse(candidate, reason, mended_by=MENDED_BY_THE_CARD)
        elif candidate.is_doubtful:
            self._refuse_doubtful(candidate)
        return bool(reason) or candidate.is_doubtful

    def _refuse_doubtful(self, candidate: Candidate) -> None:
        number = shown(candidate.invoice.head.number)
        corrected = shown(candidate.invoice.head.corrected_number)
        why = f"corrige « {corrected} »" if corrected else "semble le numéro d’un avoir"
        reason = f"« {number} » {why}, son total est positif, et aucune colonne ne dit ce que c’est."
        self._refuse(candidate, reason, mended_by=_MENDED_BY_TYPE)

    def _existing(self, candidates: list[Candidate], *, lock: bool) -> dict[tuple[int | None, str], tuple[Any, ...]]:
        numbers = [candidate.invoice.head.number for candidate in candidates]
        companies = {candidate.company_id for candidate in candidates if candidate.company_id}
        # As one value on PostgreSQL: thousands take it longer to read than to look up, which it does by its index then.
        is_one_value = connection.vendor == "postgresql"
        wanted = RawSQL("SELECT unnest(%s::text[])", [numbers]) if is_one_value else numbers
        found = Invoice.objects.filter(company_id__in=companies, number__in=wanted)
        if lock:
            # An export that publishes at this moment waits, or has published already and is seen here.
            found = found.order_by("pk").select_for_update()
        names = ("pk", "content_hash", "cells_hash", "published_at", "version", "customer_id", "issue_date")
        rows = found.values_list("company_id", "number", *names)
        # The batch before is sent only now, unless it has one of these numbers: the database need not end it first.
        with self._behind.ahead_of_kept_rows() if self._latest.isdisjoint(numbers) else nullcontext():
            existing = {(company, number): tuple(rest) for company, number, *rest in rows}
        self._behind.send()
        self._latest = set(numbers)
        return existing

    def _count_updated(self, candidates: list[Candidate]) -> None:
        """Lines of a changed invoice are written again: those there were count as updated, further ones as created."""
        keys = [candidate.key for candidate in candidates]
        before = dict(
            InvoiceLine.objects.filter(invoice_id__in=keys)
            .order_by()
            .values_list("invoice_id")
            .annotate(number=Count("pk"))
        )
        for candidate in candidates:
            lines = len(candidate.invoice.lines)
            kept = min(lines, before.get(candidate.key, 0))
            self._story.count("updated", "invoices")
            self._story.count("updated", "lines", kept)
            self._story.count("created", "lines", lines - kept)

    def _insert(self, candidates: list[Candidate]) -> None:
        if candidates:
            heads = map(_head_row, candidates)
            if connection.vendor == "sqlite":
                # There the heads' constraints call Python, for which a second thread would wait at every row.
                self._behind.wait()
                self._heads.write(heads)
            else:
                self._behind.keep(self._heads, heads)
            self._write_lines(candidates)
            self._note_corrections(candidates)

    def _write_lines(self, candidates: list[Candidate]) -> None:
        rows = _rows_of_lines(candidates)
        if connection.vendor == "sqlite":
            # Whole thousands by one statement each: the second thread waits for Python's lock after each of them.
            self._waiting_lines += rows
            while len(self._waiting_lines) >= (number := self._lines.at_once):
                self._behind.write(self._lines, self._waiting_lines[:number])
                del self._waiting_lines[:number]
        else:
            self._behind.keep(self._lines, rows)

    def _update(self, updated: list[tuple[Candidate, int]]) -> None:
        if not updated:
            return
        candidates = [candidate for candidate, _ in updated]
        InvoiceLine.objects.filter(invoice_id__in=[candidate.key for candidate in candidates]).delete()
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        names = (*_HEAD_COLUMNS[1:], "corrects_id", "warnings", "version", "updated_at", "document_id")
        RowUpdater(Invoice, names).write(
            [
                (*_head_row(candidate)[1:], None, "[]", version + 1, now, None, candidate.key.hex)
                for candidate, version in updated
            ]
        )
        self._write_lines(candidates)
        self._note_corrections(candidates)

    def _note_corrections(self, candidates: list[Candidate]) -> None:
        self._corrections += [
            (candidate.key, candidate.company_id, corrected_numbers(candidate.invoice.head))
            for candidate in candidates
            if candidate.invoice.head.corrected_number and candidate.company_id is not None
        ]

    def finish(self) -> None:
        """All of the files was taken: write what is still in hand."""
        if self._waiting_lines:
            self._behind.write(self._lines, self._waiting_lines)
        self._link_corrections()

    def _link_corrections(self) -> None:
        """Credit notes point to what they correct, once all of the files is there; unknown ones are warned of."""
        for batch in batched(self._corrections, BATCH):
            numbers: dict[int, set[str]] = defaultdict(set)
            for _, company, corrected in batch:
                numbers[company].update(corrected)
            known: dict[tuple[int, str], uuid.UUID] = {}
            for company, wanted in numbers.items():
                rows = Invoice.objects.filter(company_id=company, number__in=wanted).values_list("number", "pk")
                known.update({(company, number): key for number, key in rows})
            links, warnings = [], []
            for key, company, corrected in batch:
                found = [known.get((company, number)) for number in corrected]
                one = next((each for each in found if each is not None and each != key), None)
                if one is not None:
                    links.append((one.hex, key.hex))
                unknown = [number for number, each in zip(corrected, found, strict=True) if each in (None, key)]
                if unknown:
                    sentences = [f"La facture corrigée « {shown(number)} » n’est pas connue." for number in unknown]
                    warnings.append((json.dumps(sentences, ensure_ascii=False), key.hex))
            RowUpdater(Invoice, ["corrects_id"]).write(links)
            RowUpdater(Invoice, ["warnings"]).write(warnings)

    def _keep_pdf(self, candidate: Candidate) -> None:
        if candidate.pdf is not None:
            invoice = Invoice.objects.get(pk=candidate.key)
            self._received.keep(invoice, candidate.pdf.read_bytes(), Document.Role.PDF)


def _has_same_rows(candidate: Candidate, known: str, known_cells: str) -> bool:
    """A published invoice whose rows are as they were is the same, however they are read today."""
    return has_rows_of(known, known_cells, candidate.invoice, candidate.pdf_sha256)


def _note_in(journal: Journal, candidate: Candidate) -> None:
    """The invoice by its rates; what the lines leave to the stated VAT is of their largest rate."""
    head, lines = candidate.invoice.head, candidate.invoice.lines
    journal.note(candidate.company_id, head.number, head.issue_date)
    sign = -1 if is_credit_note(head) else 1
    net, vat = sign * whole_cents(head.total_without_vat), sign * whole_cents(head.total_vat)
    rates = candidate.invoice.rates
    if len(rates) <= 1:
        journal.add_amounts(head.currency, next(iter(rates), ""), net, vat)
        return
    sums = {rate: sign * sum(line.cents for line in lines if line.vat_rate == rate) for rate in rates}
    taxes = {rate: whole_cents(str(vat_amount(Decimal(of).scaleb(-2), Decimal(rate)))) for rate, of in sums.items()}
    largest = max(taxes, key=lambda rate: abs(sums[rate]))
    taxes[largest] += vat - sum(taxes.values())
    for rate, of in sums.items():
        journal.add_amounts(head.currency, rate, of, taxes[rate])


def _clash(candidate: Candidate, customer_id: int, issue_date: datetime.date) -> str:
    """Why ``candidate`` is another invoice than the unpublished one of its number; empty where it corrects that one."""
    head = candidate.invoice.head
    year = int(head.issue_date[:4])
    if (candidate.customer_id, year) == (customer_id, issue_date.year):
        return ""
    names = dict(Customer.objects.filter(pk__in=[customer_id, candidate.customer_id]).values_list("pk", "name"))
    return clash_sentence(
        head.number,
        (customer_id, names[customer_id], issue_date.year),
        (candidate.customer_id, names.get(candidate.customer_id or 0, head.customer_code), year),
    )


def _head_row(candidate: Candidate) -> tuple[Any, ...]:
    head = candidate.invoice.head
    prepaid = head.prepaid_amount or "0.00"
    due = str(Decimal(head.total_with_vat) - Decimal(prepaid)) if head.prepaid_amount else head.total_with_vat
    details = details_of(candidate.invoice)
    return (
        candidate.key.hex,
        candidate.company_id,
        candidate.customer_id,
        head.number,
        _CREDIT_NOTE if is_credit_note(head) else _INVOICE,
        head.type_code,
        head.issue_date,
        head.due_date or None,
        head.currency,
        kept_text(head.reference),
        head.total_without_vat,
        head.total_vat,
        head.total_with_vat,
        prepaid,
        due,
        _PDF if candidate.pdf else _CSV,
        json.dumps(details, ensure_ascii=False) if details else "{}",
        candidate.hash,
        candidate.cells_hash,
    )


type _LineOfInvoice = tuple[tuple[str, str, str], ParsedLine]
"""The key of the invoice and the line's position, twice, then the line."""


def _rows_of_lines(candidates: Iterable[Candidate]) -> Iterator[_LineOfInvoice]:
    for candidate in candidates:
        key = candidate.key.hex
        for position, line in zip(map(str, count(1)), written_lines(candidate.invoice), strict=False):
            yield (key, position, position), line


def _values_of(line: ParsedLine) -> tuple[str | None, ...]:
    return (
        line.item_code,
        kept_text(line.name),
        line.quantity or None,
        line.unit if len(line.unit) <= _UNIT_LENGTH else ONE,
        line.net_price or None,
        line.discount_percentage or None,
        line.vat_category,
        line.vat_rate or None,
        line.net_amount,
        _line_details(line) if line.delivery_date or line.terms or len(line.unit) > _UNIT_LENGTH else "{}",
    )


def _line_details(line: ParsedLine) -> str:
    """What the columns of a line do not hold: a long word of a unit, and the day of its delivery.

    That is its period (BG-26): EN 16931 has no other place for it.
    """
    details: dict[str, Any] = {"unit": line.unit} if len(line.unit) > _UNIT_LENGTH else {}
    details |= {LINES.terms[column]: text for column, text in read_terms(line.terms)}
    if line.delivery_date:
        details["period"] = {"start": line.delivery_date, "end": line.delivery_date}
    return json.dumps(details, ensure_ascii=False)
