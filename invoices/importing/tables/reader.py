"""Rows of ``factures.csv`` and ``lignes.csv`` brought together: every head with its lines."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Final, NamedTuple

from invoices.importing.companies import KnownCompanies
from invoices.importing.report import ImportReport, Progress, Rejection, Telling
from invoices.importing.tables.columns import RecognisedTable
from invoices.importing.tables.customers import KnownCustomers
from invoices.importing.tables.invoice_rows import HeadParser, InvoiceRow
from invoices.importing.tables.line_rows import LineParser, ParsedLine
from invoices.importing.tables.rows import readable_rows
from invoices.importing.tables.staging import SpooledHead, StagingDatabase
from invoices.importing.values import shown

_PARTS_AT_ONCE: Final = 900
_UNIT: Final = "\x1f"

type _Part = tuple[str, list[tuple[int, ParsedLine]]]
"""Rows of an invoice that stand together in a table of lines: its key; the line of each row and what it says."""


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


class ReadInvoice(NamedTuple):
    """A head and its lines; ``file`` is the place of the head's table among those of heads, ``line`` its line there."""

    file: int
    line: int
    head: InvoiceRow
    lines: list[ParsedLine]


class StreamingImpossible(Exception):  # noqa: N818 - not an error: the way out of reading and writing at once
    """Everything is to be read before anything can be written."""


class TableReader:
    """Reads the tables into ``spool``, and what is wrong with them into ``report``.

    First :meth:`read_heads`. Then either :meth:`invoices_while_reading`, or :meth:`read_lines` and, for each of
    :meth:`groups`, :meth:`invoices`.
    """

    def __init__(self, given: InvoiceTables, spool: StagingDatabase, report: ImportReport) -> None:
        self._given = given
        self._spool = spool
        self._report = report
        # Numbers may repeat between companies; lines say of which they are where their table has the column.
        self._lines_name_companies = bool(given.lines) and all("societe" in table.positions for table in given.lines)
        self.refused: set[int] = set()
        """The tables of heads of which nothing will be written."""
        self._refused_lines: set[int] = set()
        self._broken_keys: set[str] = set()
        self._number_of_heads = 0
        self._telling = Telling(given.progress, "lecture")

    def _key(self, company: str, number: str) -> str:
        return f"{company}{_UNIT}{number}" if self._lines_name_companies else number

    def is_broken(self, head: InvoiceRow) -> bool:
        """Whether cells of this invoice were refused: its sums say nothing."""
        return self._key(head.company, head.number) in self._broken_keys

    def read_heads(self) -> None:
        """All heads into the spool; what is wrong with their cells, and doubles, into the report."""
        for index, table in enumerate(self._given.heads):
            before = self._report.rejections
            self._read_heads(index, table)
            if self._report.rejections > before:
                self.refused.add(index)
        self._number_of_heads = self._spool.finish_heads()
        for file, line, first, values in self._spool.doubles:
            self._refuse_double(file, line, first, InvoiceRow._make(values))

    def _read_heads(self, index: int, table: RecognisedTable) -> None:
        parser = HeadParser(table)
        cells = parser.cells
        for row in readable_rows(table, self._report):
            cells.take(row)
            head = parser.parse()
            key = self._key(head.company, head.number)
            if cells.rejections:
                self._broken_keys.add(key)
            if head.pdf:
                self._given.find_pdf(table.name, head.pdf)  # whatever becomes of the row, this file is spoken for
            if head.number:
                self._spool.add_head(key, index, row.line, head)
            if cells.rejections:
                self._report.refuse(*cells.rejections)
            self._telling.add()

    def _refuse_double(self, file: int, line: int, first: int, head: InvoiceRow) -> None:
        self.refused.add(file)
        reason = f"La facture « {shown(head.number)} » figure déjà ligne {first}."
        if head.company and not self._lines_name_companies:
            reason += " Si deux sociétés ont ce numéro, donnez la colonne societe aussi dans les lignes."
        self._report.refuse(Rejection(self._given.heads[file].name, line, "numero", shown(head.number), reason))

    def _parts(self, table: RecognisedTable, report: ImportReport) -> Iterator[_Part]:
        """The rows of ``table``; what is wrong with their cells into ``report``."""
        parser = LineParser(table)
        cells = parser.cells
        current = ""
        rows: list[tuple[int, ParsedLine]] = []
        for row in readable_rows(table, report):
            cells.take(row)
            company, number, line = parser.parse()
            key = self._key(company, number)
            if cells.rejections:
                report.refuse(*cells.rejections)
                self._broken_keys.add(key)
            if key != current:
                if rows:
                    yield current, rows
                current, rows = key, []
            rows.append((row.line, line))
        if rows:
            yield current, rows

    # Everything first

    def read_lines(self) -> None:
        """All lines into the spool; what is wrong with their cells, and orphans, into the report."""
        for index, table in enumerate(self._given.lines):
            before = self._report.rejections
            for key, rows in self._parts(table, self._report):
                self._spool.add_part(key, index, [(line, tuple(values)) for line, values in rows])
                self._telling.add(len(rows))
            if self._report.rejections > before:
                self._refused_lines.add(index)
        self._spool.finish()
        for key, file, packed in self._spool.orphans():
            number = key.rpartition(_UNIT)[2]
            if number:
                self._refused_lines.add(file)
                reason = f"La facture « {shown(number)} » n’est pas dans les factures données."
                name, line = self._given.lines[file].name, packed[0][0]
                self._report.refuse(Rejection(name, line, "numero", shown(number), reason))

    def groups(self) -> Iterable[set[int]]:
        """The tables of heads that stand and fall together, because a table of lines serves them both."""
        groups: list[tuple[set[int], set[int]]] = [({index}, set()) for index in range(len(self._given.heads))]
        for head, part in self._spool.links():
            touched = [group for group in groups if head in group[0] or part in group[1]]
            groups = [group for group in groups if group not in touched]
            groups.append(
                (
                    set().union({head}, *(group[0] for group in touched)),
                    set().union({part}, *(group[1] for group in touched)),
                )
            )
        for heads, parts in groups:
            if parts & self._refused_lines or heads & self.refused:
                self.refused |= heads
            yield heads

    def invoices(self, files: set[int]) -> Iterator[ReadInvoice]:
        """The invoices whose heads stand in ``files``, in their order."""
        for file, line, values, rows in self._spool.joined():
            if file in files:
                yield ReadInvoice(file, line, InvoiceRow._make(values), [ParsedLine._make(each) for _, each in rows])

    # Line by line

    def can_give_invoices_while_reading(self) -> bool:
        """Whether :meth:`invoices_while_reading` is worth a try: one table of each kind, and all heads are right."""
        return len(self._given.heads) == 1 and len(self._given.lines) == 1 and self._report.is_clean

    def invoices_while_reading(self) -> Iterator[ReadInvoice]:
        """The invoices in the order of their lines, which are read meanwhile; in the end those without lines.

        Raises :class:`StreamingImpossible` where that cannot be: cells are wrong, lines of an invoice do not stand
        together, or belong to none. Nothing of it is told; :meth:`read_lines` may follow, and tells all of it.
        """
        (table,) = self._given.lines
        unseen = ImportReport()
        taken = bytearray(self._number_of_heads + 1)
        try:
            for parts in batched(self._parts(table, unseen), _PARTS_AT_ONCE):
                heads = self._spool.heads_of([key for key, _ in parts])
                for key, rows in parts:
                    head = heads.get(key)
                    if head is None or taken[head.place] or unseen.rejections:
                        raise StreamingImpossible
                    taken[head.place] = True
                    yield _read_invoice(head, [line for _, line in rows])
            if unseen.rejections:
                raise StreamingImpossible
        except StreamingImpossible:
            self._broken_keys.clear()
            raise
        self._report.notices += unseen.notices
        if taken.count(True) < self._number_of_heads:
            for head in self._spool.heads():
                if not taken[head.place]:
                    yield _read_invoice(head, [])


def _read_invoice(head: SpooledHead, lines: list[ParsedLine]) -> ReadInvoice:
    return ReadInvoice(head.file, head.line, InvoiceRow._make(head.values), lines)
