"""Invoices of ``factures.csv`` and ``lignes.csv``: brought together, checked, compared, written in batches."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from invoices.bulk_rows import writing_behind
from invoices.erp.companies import KnownCompanies, UnknownCompanyError
from invoices.erp.customers import KnownCustomers
from invoices.erp.headers import RecognisedTable
from invoices.erp.heads import HeadParser, ParsedHead
from invoices.erp.invoice_writing import BATCH, Candidate, InvoiceWriter
from invoices.erp.lines import LineParser, ParsedLine
from invoices.erp.pairing import content_hash, pair
from invoices.erp.reading import readable_rows
from invoices.erp.received import MissingFileError, ReceivedFiles, read_pdf
from invoices.erp.report import ImportReport, Progress, Rejection
from invoices.erp.spool import Spool
from invoices.field_values import shown
from invoices.models import Company

_KEYS_REMEMBERED: Final = 50_000
_MAX_PDF_BYTES: Final = 100 * 1024 * 1024


class _Undo(Exception):  # noqa: N818 - not an error: the way out of a transaction
    """Leave the transaction and keep nothing."""


@dataclass
class InvoiceTables:
    """What an import of invoices needs to know. ``find_pdf`` gives the path of the file that a row names."""

    heads: Sequence[RecognisedTable]
    lines: Sequence[RecognisedTable]
    customers: KnownCustomers
    companies: KnownCompanies
    find_pdf: Callable[[str, str], Path | None]
    dry_run: bool = False
    progress: Progress | None = None


def import_invoice_tables(given: InvoiceTables) -> ImportReport:
    """Create and update the invoices of the tables. Returns their story.

    Files that share an invoice stand and fall together: a refused row refuses its file and those linked with it.
    """
    report = ImportReport()
    if given.heads and not given.lines and not all("pdf" in table.positions for table in given.heads):
        for table in given.heads:
            report.refuse_file(table.name, "Les lignes manquent : donnez-les dans le même import (lignes.csv).")
        return report
    if given.lines and not given.heads:
        for table in given.lines:
            report.refuse_file(table.name, "Les factures de ces lignes manquent : donnez-les ensemble (factures.csv).")
        return report
    with Spool() as spool:
        run = _Run(given, spool, report)
        run.read()
        for group in run.groups():
            run.write(group)
    report.rejected.sort(key=lambda each: (each.file, each.line or 0))
    return report


class _Run:
    def __init__(self, given: InvoiceTables, spool: Spool, report: ImportReport) -> None:
        self.given = given
        self.spool = spool
        self.report = report
        # Numbers may repeat between companies; lines say of which they are where their table has the column.
        self.lines_name_companies = bool(given.lines) and all("societe" in table.positions for table in given.lines)
        self.refused_heads: set[int] = set()
        self.refused_lines: set[int] = set()
        self.broken_keys: set[str] = set()
        self.waiting_files: set[str] = set()
        self.known_keys: dict[str, int | None] = {}
        self.done = 0

    def key(self, company: str, number: str) -> str:
        return f"{company}\x1f{number}" if self.lines_name_companies else number

    # Reading

    def read(self) -> None:
        """All rows into the spool; what is wrong with cells, doubles and orphans into the report."""
        for index, head_table in enumerate(self.given.heads):
            before = self.report.rejections
            self._read_heads(index, head_table)
            if self.report.rejections > before:
                self.refused_heads.add(index)
        for index, line_table in enumerate(self.given.lines):
            before = self.report.rejections
            self._read_lines(index, line_table)
            if self.report.rejections > before:
                self.refused_lines.add(index)
        self.spool.finish()
        for file, line, first, values in self.spool.doubles:
            self._refuse_double(file, line, first, ParsedHead._make(values))
        for key, file, rows in self.spool.orphans():
            number = key.rpartition("\x1f")[2]
            if number:
                self.refused_lines.add(file)
                reason = f"La facture « {shown(number)} » n’est pas dans les factures données."
                self.report.refuse(Rejection(self.given.lines[file].name, rows[0][0], "numero", shown(number), reason))

    def _read_heads(self, index: int, table: RecognisedTable) -> None:
        parser = HeadParser(table)
        cells = parser.cells
        for row in readable_rows(table, self.report):
            cells.take(row)
            head = parser.parse()
            key = self.key(head.company, head.number)
            if cells.rejections:
                self.broken_keys.add(key)
            if head.pdf:
                self.given.find_pdf(table.name, head.pdf)  # whatever becomes of the row, this file is spoken for
            if head.number:
                self.spool.add_head(key, index, row.line, head)
            if cells.rejections:
                self.report.refuse(*cells.rejections)
            self._tell("lecture")

    def _refuse_double(self, file: int, line: int, first: int, head: ParsedHead) -> None:
        self.refused_heads.add(file)
        reason = f"La facture « {shown(head.number)} » figure déjà ligne {first}."
        if head.company and not self.lines_name_companies:
            reason += " Si deux sociétés ont ce numéro, donnez la colonne societe aussi dans les lignes."
        self.report.refuse(Rejection(self.given.heads[file].name, line, "numero", shown(head.number), reason))

    def _read_lines(self, index: int, table: RecognisedTable) -> None:
        parser = LineParser(table)
        cells = parser.cells
        for row in readable_rows(table, self.report):
            cells.take(row)
            company, number, line = parser.parse()
            key = self.key(company, number)
            if cells.rejections:
                self.report.refuse(*cells.rejections)
                self.broken_keys.add(key)
            self.spool.add_part(key, index, row.line, line)
            self._tell("lecture")

    def _tell(self, stage: str, number: int = 1) -> None:
        self.done += number
        if self.given.progress is not None and (number > 1 or self.done % 1000 == 0):
            self.given.progress(stage, self.done)

    def groups(self) -> Iterable[set[int]]:
        """The files of heads that stand and fall together, because a file of lines serves them both."""
        groups: list[tuple[set[int], set[int]]] = [({index}, set()) for index in range(len(self.given.heads))]
        for head, part in self.spool.links():
            touched = [group for group in groups if head in group[0] or part in group[1]]
            groups = [group for group in groups if group not in touched]
            groups.append(
                (
                    set().union({head}, *(group[0] for group in touched)),
                    set().union({part}, *(group[1] for group in touched)),
                )
            )
        for heads, parts in groups:
            if parts & self.refused_lines or heads & self.refused_heads:
                self.refused_heads |= heads
            yield heads

    # Writing

    def write(self, files: set[int]) -> None:
        """Check the invoices of ``files`` and write them, all or none, in one transaction."""
        story = ImportReport()
        received = ReceivedFiles()
        write = not self.given.dry_run and not files & self.refused_heads
        self.done = 0
        self.given.companies.saves = write
        try:
            # A check takes no transaction: on SQLite it would keep others from writing.
            with transaction.atomic() if write else nullcontext(), writing_behind() as behind:
                writer = InvoiceWriter(story, received, behind)
                mine = (each for each in self.spool.joined() if each[0] in files)
                for batch in batched(mine, BATCH):
                    candidates = self._candidates(batch, story)
                    writer.take(candidates, write=write and story.is_clean)
                    self._tell("factures", len(batch))
                if not story.is_clean or files & self.refused_heads:
                    raise _Undo
                if write:
                    writer.finish()
        except _Undo:
            story.forget_counts()
            self._undo(received)
        except BaseException:
            self._undo(received)
            raise
        finally:
            self.given.companies.saves = not self.given.dry_run
        self.report.add(story)

    def _undo(self, received: ReceivedFiles) -> None:
        """What the transaction wrote is gone: so are the files beside it and the companies made in it."""
        received.forget()
        self.given.companies.reload()

    def _candidates(self, batch: Sequence[Any], story: ImportReport) -> list[Candidate]:
        heads = [
            (self.given.heads[file].name, line, ParsedHead._make(values), rows) for file, line, values, rows in batch
        ]
        keys = self._customer_keys({head.customer_code for _, _, head, _ in heads if head.customer_code})
        candidates = []
        for file, line, head, rows in heads:
            if self.key(head.company, head.number) in self.broken_keys:
                continue  # its cells were refused: its sums say nothing
            place = _Place(file, line, story)
            problems = story.rejections
            company = self._company(place, head)
            is_known = self._check_customer(place, head, keys)
            if not rows and not head.pdf:
                place.refuse("numero", head.number, f"La facture « {shown(head.number)} » n’a pas de ligne.")
            invoice = pair(head, [ParsedLine._make(values) for _, values in rows])
            if invoice.problem is not None:
                column, value, reason = invoice.problem
                place.refuse(column, value, f"Facture {head.number} : {reason}")
            pdf, fingerprint = self._pdf(place, head.pdf) if head.pdf else (None, "")
            if company is not None and is_known and story.rejections == problems:
                key = keys[head.customer_code]
                candidates.append(Candidate(file, line, invoice, company, key, content_hash(invoice, fingerprint), pdf))
        return candidates

    def _customer_keys(self, codes: set[str]) -> dict[str, int | None]:
        """The keys of the customers of ``codes``; those looked up for the invoices before are remembered."""
        if len(self.known_keys) > _KEYS_REMEMBERED:
            self.known_keys.clear()
        self.known_keys |= self.given.customers.keys_of(codes - self.known_keys.keys())
        return self.known_keys

    def _company(self, place: "_Place", head: ParsedHead) -> Company | None:
        try:
            return self.given.companies.named(head.company) if head.company else self.given.companies.default()
        except UnknownCompanyError as unknown:
            place.refuse("societe", head.company, str(unknown))
            return None

    def _check_customer(self, place: "_Place", head: ParsedHead, keys: dict[str, int | None]) -> bool:
        code = head.customer_code
        if code in keys:
            return True
        refused = self.given.customers.refused.get(code)
        if refused is None:
            place.refuse("code_client", code, f"Le client « {shown(code)} » n’existe pas.")
        elif place.file not in self.waiting_files:
            # Said once: what is to be corrected is the other file.
            self.waiting_files.add(place.file)
            place.story.refuse_file(place.file, f"Des clients de cette table sont dans {refused}, qui est refusé.")
        return False

    def _pdf(self, place: "_Place", name: str) -> tuple[Path | None, str]:
        """The file that a row names, and its fingerprint."""
        path = self.given.find_pdf(place.file, name)
        try:
            if path is None:
                raise MissingFileError(f"Le fichier « {shown(name)} » n’est pas parmi les fichiers donnés.")
            return path, hashlib.sha256(read_pdf(path, shown(name), _MAX_PDF_BYTES)).hexdigest()
        except MissingFileError as missing:
            place.refuse("pdf", name, str(missing))
            return None, ""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a head stood, for what is refused there."""

    file: str
    line: int
    story: ImportReport

    def refuse(self, column: str, value: str, reason: str) -> None:
        self.story.refuse(Rejection(self.file, self.line, column, shown(value), reason))
