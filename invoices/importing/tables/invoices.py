"""Invoices of ``factures.csv`` and ``lignes.csv``: checked, compared, written in batches."""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import batched
from pathlib import Path
from typing import Final, NamedTuple

from django.db import transaction

from invoices.importing.companies import UnknownCompanyError
from invoices.importing.received import MissingFileError, ReceivedFiles, read_pdf
from invoices.importing.report import ImportReport, ProgressCounter, Rejection, SkippedRow
from invoices.importing.tables.bulk import background_writer
from invoices.importing.tables.columns import stated_names
from invoices.importing.tables.customers import in_a_refused_file, refused_card
from invoices.importing.tables.invoice_rows import InvoiceRow, may_be_credit_note
from invoices.importing.tables.pairing import cells_hash, content_hash, pair
from invoices.importing.tables.reader import InvoiceTables, ReadInvoice, StreamingImpossible, TableReader
from invoices.importing.tables.staging import StagingDatabase
from invoices.importing.tables.writer import BATCH, Candidate, InvoiceWriter
from invoices.importing.values import shown
from invoices.models import Company

_KEYS_REMEMBERED: Final = 50_000
_MAX_PDF_BYTES: Final = 100 * 1024 * 1024


class _Undo(Exception):  # noqa: N818 - not an error: the way out of a transaction
    """Leave the transaction and keep nothing."""


def import_invoice_tables(given: InvoiceTables) -> ImportReport:
    """Create and update the invoices of the tables, but for those that are refused. Returns the report."""
    report = ImportReport()
    if given.heads and not given.lines and not all("pdf" in table.positions for table in given.heads):
        for table in given.heads:
            report.refuse_file(table.name, "Les lignes manquent : donnez-les dans le même import (lignes.csv).")
        return report
    if given.lines and not given.heads:
        for table in given.lines:
            report.refuse_file(table.name, "Les factures de ces lignes manquent : donnez-les ensemble (factures.csv).")
        return report
    with StagingDatabase() as spool:
        reader = TableReader(given, spool, report)
        run = _Run(given, reader, report)
        reader.read_heads()
        if not run.write_while_reading():
            reader.read_lines()
            run.write(reader.invoices())
    report.rejected.sort(key=lambda each: (each.file, each.line or 0))
    return report


class _Run:
    def __init__(self, given: InvoiceTables, reader: TableReader, report: ImportReport) -> None:
        self.given = given
        self.reader = reader
        self.report = report
        self.waiting_files: set[str] = set()
        self.known_keys: dict[str, int | None] = {}

    def write_while_reading(self) -> bool:
        """Write the invoices while their lines are read, so that the database works meanwhile.

        False, and nothing is changed, where everything is to be read before anything can be written.
        """
        if not self.reader.can_give_invoices_while_reading():
            return False
        try:
            self.write(self.reader.invoices_while_reading())
        except StreamingImpossible:
            self.waiting_files.clear()
            return False
        return True

    def write(self, invoices: Iterable[ReadInvoice]) -> None:
        """Check ``invoices`` and write the good ones, in one transaction."""
        story = ImportReport()
        received = ReceivedFiles()
        write = not self.given.dry_run
        counter = ProgressCounter(self.given.progress, "factures")
        try:
            # A check takes no transaction: on SQLite it would keep others from writing.
            with transaction.atomic() if write else nullcontext(), background_writer() as behind:
                writer = InvoiceWriter(story, received, behind, self.given.customers.contested, self.given.replace)
                for batch in batched(invoices, BATCH):
                    with behind.ahead_of_kept_rows():
                        candidates = self._candidates(batch, story)
                    writer.take(candidates, write=write)
                    counter.add(len(batch))
                if self._forbids(story):
                    raise _Undo
                if write:
                    writer.finish()
                    if not (story.changes or story.unchanged["invoices"]):
                        raise _Undo  # a company that was made for invoices that are refused after all
        except _Undo:
            if self._forbids(story):
                story.forget_counts()
            self._undo(received)
        except BaseException:
            self._undo(received)
            raise
        self.report.add(story)

    def _forbids(self, story: ImportReport) -> bool:
        """Whether nothing may be written, since all was asked for and something is refused."""
        return self.given.strict and not (self.given.is_clean and story.is_clean and self.report.is_clean)

    def _undo(self, received: ReceivedFiles) -> None:
        """What the transaction wrote is gone: so are the files beside it and the companies made in it."""
        received.forget()
        self.given.companies.reload()

    def _candidates(self, batch: Sequence[ReadInvoice], story: ImportReport) -> list[Candidate]:
        keys = self._customer_keys({each.head.customer_code for each in batch if each.head.customer_code})
        candidates = []
        for index, line, head, lines in batch:
            if self.reader.is_refused(head):
                continue
            file = self.given.heads[index].name
            place = _Place(file, line, story)
            problems = story.rejections
            company = self._company(place, head)
            is_known = self._check_customer(place, head, keys)
            if not lines and not head.pdf:
                place.refuse("numero", head.number, f"La facture « {shown(head.number)} » n’a pas de ligne.")
            invoice = pair(head, lines)
            for name in invoice.totals:
                reason = f"Facture {shown(head.number)} : ligne de total (« {shown(name)} »)."
                story.skip(SkippedRow(file, line, reason))
            if invoice.problem is not None:
                column, value, reason = invoice.problem
                place.refuse(column, value, f"Facture {head.number} : {reason}")
            pdf, fingerprint = self._pdf(place, head.pdf) if head.pdf else (None, "")
            if company is not None and is_known and story.rejections == problems:
                key = keys[head.customer_code]
                hashes = content_hash(invoice, fingerprint), cells_hash(invoice, fingerprint), fingerprint
                is_doubtful = may_be_credit_note(head) and "type" not in stated_names(head.cells)
                candidates.append(Candidate(file, line, invoice, company, key, *hashes, pdf, is_doubtful))
        return candidates

    def _customer_keys(self, codes: set[str]) -> dict[str, int | None]:
        """The keys of the customers of ``codes``; those looked up for the invoices before are remembered."""
        if len(self.known_keys) > _KEYS_REMEMBERED:
            self.known_keys.clear()
        self.known_keys |= self.given.customers.keys_of(codes - self.known_keys.keys())
        return self.known_keys

    def _company(self, place: "_Place", head: InvoiceRow) -> Company | None:
        try:
            return self.given.companies.named(head.company) if head.company else self.given.companies.default()
        except UnknownCompanyError as unknown:
            place.refuse("societe", head.company, str(unknown))
            return None

    def _check_customer(self, place: "_Place", head: InvoiceRow, keys: dict[str, int | None]) -> bool:
        code = head.customer_code
        if code in keys:
            return True
        refused = self.given.customers.refused.get(code)
        if refused is None:
            place.refuse("code_client", code, f"Le client « {shown(code)} » n’existe pas.")
        elif refused[1] is not None:
            place.refuse("code_client", code, refused_card(code, *refused))
        elif place.file not in self.waiting_files:
            # Said once: what is to be corrected is the other file.
            self.waiting_files.add(place.file)
            place.story.refuse_file(place.file, in_a_refused_file(refused[0]))
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


class _Place(NamedTuple):
    """Where a head stood, for what is refused there."""

    file: str
    line: int
    story: ImportReport

    def refuse(self, column: str, value: str, reason: str) -> None:
        self.story.refuse(Rejection(self.file, self.line, column, shown(value), reason))
