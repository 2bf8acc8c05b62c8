"""Rows of ``factures.csv`` and ``lignes.csv`` brought together: every head with its lines."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched, chain
from pathlib import Path
from typing import Final, NamedTuple

from invoices.files.tables import Row
from invoices.importing.companies import KnownCompanies
from invoices.importing.report import ImportReport, Progress, ProgressCounter, Rejection, SkippedRow
from invoices.importing.tables.columns import RecognisedTable
from invoices.importing.tables.converted import Block, ConvertedTable, blocks_of
from invoices.importing.tables.customers import KnownCustomers
from invoices.importing.tables.invoice_rows import HeadParser, InvoiceRow
from invoices.importing.tables.line_rows import LONGEST_NUMBER, LineParser, ParsedLine
from invoices.importing.tables.rows import may_say_total, readable_rows
from invoices.importing.tables.staging import Double, SpooledHead, StagingDatabase
from invoices.importing.values import shown
from invoices.money import write_count

_PARTS_AT_ONCE: Final = 900
_MOST_REMEMBERED: Final = 8192
_UNIT: Final = "\x1f"

type _Part = tuple[str, list[tuple[int, ParsedLine]]]
"""Rows of an invoice that are together in a table of lines: its key; the line of each row and what it says."""
type _KnownCells = dict[int, tuple[list[str], ParsedLine]]
"""Cells of sound lines and what they say, by the id of the list of those, which is kept alive here."""


@dataclass
class InvoiceTables:
    """What an import of invoices needs to know. ``find_pdf`` gives the path of the file that a row names.

    ``strict``: all invoices or none; none too where rows were refused on the way to these tables, which are not
    ``is_clean`` then. ``replace``: those that staff let take the place of another, by its
    :func:`~invoices.importing.report.identity`.
    """

    heads: Sequence[RecognisedTable]
    lines: Sequence[RecognisedTable]
    customers: KnownCustomers
    companies: KnownCompanies
    find_pdf: Callable[[str, str], Path | None]
    dry_run: bool = False
    strict: bool = False
    is_clean: bool = True
    replace: Collection[str] = ()
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

    An invoice is refused with its lines where a cell of any of them is wrong; a table that breaks, as a whole. First
    :meth:`read_heads`. Then either :meth:`invoices_while_reading`, or :meth:`read_lines` and :meth:`invoices`.
    """

    def __init__(self, given: InvoiceTables, spool: StagingDatabase, report: ImportReport) -> None:
        self._given = given
        self._spool = spool
        self._report = report
        # Numbers may repeat between companies; lines say of which they are where their table has the column.
        self._lines_name_companies = bool(given.lines) and all("societe" in table.positions for table in given.lines)
        self._broken_heads: set[int] = set()  # the tables that cannot be read to their end
        self._broken_lines: set[int] = set()
        self._refused: set[str] = set()  # the keys of invoices with something wrong in their head
        self._refused_by_lines: set[str] = set()
        self._number_of_heads = 0
        self._counter = ProgressCounter(given.progress, "lecture")

    def _key(self, company: str, number: str) -> str:
        return f"{company}{_UNIT}{number}" if self._lines_name_companies else number

    def is_refused(self, head: InvoiceRow) -> bool:
        """Whether this invoice was refused while it was read: its sums say nothing."""
        key = self._key(head.company, head.number)
        return key in self._refused or key in self._refused_by_lines

    def read_heads(self) -> None:
        """All heads into the spool; what is wrong with their cells, and doubles, into the report.

        Those of a flat table, which come in one order with their lines, are left to :meth:`invoices_while_reading`.
        """
        if self._are_in_step():
            return
        for index, table in enumerate(self._given.heads):
            self._read_heads(index, table)
        self._number_of_heads = self._spool.finish_heads()
        for double in self._spool.doubles:
            self._judge_double(double)

    def _are_in_step(self) -> bool:
        """Whether heads and lines are two tables that were made of one, of whose invoices none comes twice."""
        tables = [each.table for each in (*self._given.heads, *self._given.lines)]
        origins = {each.origin if isinstance(each, ConvertedTable) else None for each in tables}
        return len(self._given.heads) == len(self._given.lines) == 1 and len(origins) == 1 and None not in origins

    def _read_heads(self, index: int, table: RecognisedTable) -> None:
        parser = HeadParser(table)
        for row in readable_rows(table, self._report, index, self._broken_heads):
            head = self._read_head(index, row, parser)
            if head.number:
                self._spool.add_head(self._key(head.company, head.number), index, row.line, head)
            self._counter.add()

    def _read_head(self, index: int, row: Row, parser: HeadParser) -> InvoiceRow:
        cells = parser.cells
        cells.take(row)
        head = parser.parse()
        if head.pdf:  # whatever becomes of the row, this file is spoken for
            self._given.find_pdf(self._given.heads[index].name, head.pdf)
        if cells.rejections:
            self._refused.add(self._key(head.company, head.number))
            self._report.refuse(*cells.rejections)
        return head

    def _judge_double(self, double: Double) -> None:
        """The same head twice is one; two that differ are refused, since nothing says which is meant."""
        number = shown(double.key.rpartition(_UNIT)[2])
        file, first_file = self._given.heads[double.file].name, self._given.heads[double.first_file].name
        where = f"ligne {double.first_line}" if file == first_file else f"ligne {double.first_line} de {first_file}"
        reason = f"La facture « {number} » figure déjà {where}."
        if double.is_same:
            self._report.skip(SkippedRow(file, double.line, reason))
            return
        if any("societe" in table.positions for table in self._given.heads) and not self._lines_name_companies:
            reason += " Si deux sociétés ont ce numéro, donnez la colonne societe aussi dans les lignes."
        mended_by = "Gardez une seule des deux lignes, ou corrigez le numéro de l’une."
        self._report.refuse(Rejection(file, double.line, "numero", number, reason, mended_by))
        if double.key not in self._refused:
            self._refused.add(double.key)
            where = f"ligne {double.line}" if file == first_file else f"ligne {double.line} de {file}"
            reason = f"La facture « {number} » figure aussi, avec un autre contenu, {where}."
            self._report.refuse(Rejection(first_file, double.first_line, "numero", number, reason, mended_by))

    def _parts(self, index: int, report: ImportReport, broken: set[int]) -> Iterator[_Part]:
        """The rows of a table of lines; what is wrong with their cells into ``report``.

        A row that is refused is not among them; its invoice is given nonetheless, without rows perhaps.
        """
        table = self._given.lines[index]
        if isinstance(table.table, ConvertedTable):
            yield from chain.from_iterable(parts for _, parts in self._parts_by_block(index, report, broken))
        else:
            yield from self._parts_of(readable_rows(table, report, index, broken), LineParser(table), report)

    def _parts_by_block(
        self, index: int, report: ImportReport, broken: set[int]
    ) -> Iterator[tuple[str, Iterable[_Part]]]:
        """The same of a rewritten table, by the number of each invoice."""
        table = self._given.lines[index]
        parser = LineParser(table)
        known: _KnownCells = {}
        for block in blocks_of(table):
            lines = _sound_lines(block, parser, known)
            if lines is not None:
                yield block.first[0], ((self._key("", block.first[0]), lines),)
            else:
                rows = readable_rows(table, report, index, broken, block.rows())
                yield block.first[0], self._parts_of(rows, parser, report)

    def _parts_of(self, given: Iterable[Row], parser: LineParser, report: ImportReport) -> Iterator[_Part]:
        cells = parser.cells
        current: str | None = None
        rows: list[tuple[int, ParsedLine]] = []
        for row in given:
            cells.take(row)
            company, number, line = parser.parse()
            key = self._key(company, number)
            if key != current:
                if current is not None:
                    yield current, rows
                current, rows = key, []
            if cells.rejections:
                report.refuse(*cells.rejections)
                self._refused_by_lines.add(key)
            else:
                rows.append((row.line, line))
        if current is not None:
            yield current, rows

    def _refuse_orphans(self, index: int, key: str, lines: Iterable[int], report: ImportReport) -> None:
        number = shown(key.rpartition(_UNIT)[2])
        reason = f"La facture « {number} » n’est pas dans les factures données."
        mended_by = "Donnez la facture de cette ligne dans le même import, ou corrigez son numéro."
        report.refuse(
            *(Rejection(self._given.lines[index].name, line, "numero", number, reason, mended_by) for line in lines)
        )

    # Everything first

    def read_lines(self) -> None:
        """All lines into the spool; what is wrong with their cells, and orphans, into the report."""
        for index in range(len(self._given.lines)):
            for key, rows in self._parts(index, self._report, self._broken_lines):
                self._spool.add_part(key, index, [(line, tuple(values)) for line, values in rows])
                self._counter.add(len(rows))
        self._spool.finish()
        lost: Counter[int] = Counter()
        for key, file, packed in self._spool.orphans():
            if self._broken_heads:
                lost[file] += len(packed)
            elif file not in self._broken_lines:
                self._refuse_orphans(file, key, (line for line, _ in packed), self._report)
        for file, number in lost.items():
            words = write_count(
                number, "ligne de cette table est d’une facture", "lignes de cette table sont de factures"
            )
            names = ", ".join(self._given.heads[index].name for index in sorted(self._broken_heads))
            reason = f"{words} absentes de {names}, qui ne se lit pas jusqu’au bout."
            self._report.refuse_file(self._given.lines[file].name, reason)

    def invoices(self) -> Iterator[ReadInvoice]:
        """The invoices in the order of their heads, without those of tables that do not read to their end."""
        lost: Counter[int] = Counter()
        for file, line, values, rows, files in self._spool.joined():
            if file in self._broken_heads:
                continue
            if self._broken_lines and (not rows or files & self._broken_lines):
                lost[file] += 1
                continue
            yield ReadInvoice(file, line, InvoiceRow._make(values), [ParsedLine._make(each) for _, each in rows])
        for file, number in lost.items():
            words = write_count(
                number, "facture de cette table a ses lignes", "factures de cette table ont leurs lignes"
            )
            names = ", ".join(self._given.lines[index].name for index in sorted(self._broken_lines))
            self._report.refuse_file(
                self._given.heads[file].name, f"{words} dans {names}, qui ne se lit pas jusqu’au bout."
            )

    # Line by line

    def can_give_invoices_while_reading(self) -> bool:
        """Whether :meth:`invoices_while_reading` is worth a try: one table of each kind, and that of heads is whole."""
        return len(self._given.heads) == 1 and len(self._given.lines) == 1 and not self._broken_heads

    def invoices_while_reading(self) -> Iterator[ReadInvoice]:
        """The invoices in the order of their lines, which are read meanwhile; in the end those without lines.

        Raises :class:`StreamingImpossible` where that cannot be: lines of an invoice do not follow each other, or the
        table breaks. Nothing of it is reported then; :meth:`read_lines` may follow, and reports all of it.
        """
        if self._are_in_step():
            yield from self._invoices_in_step()
            return
        unseen = ImportReport()
        broken: set[int] = set()
        taken = bytearray(self._number_of_heads + 1)
        try:
            for parts in batched(self._parts(0, unseen, broken), _PARTS_AT_ONCE):
                heads = self._spool.heads_of([key for key, _ in parts])
                for key, rows in parts:
                    head = heads.get(key)
                    if head is None:
                        self._refuse_orphans(0, key, (line for line, _ in rows), unseen)
                        continue
                    if taken[head.place]:
                        raise StreamingImpossible
                    taken[head.place] = True
                    yield _read_invoice(head, [line for _, line in rows])
            if broken:
                raise StreamingImpossible
        except StreamingImpossible:
            self._refused_by_lines.clear()
            raise
        self._report.add(unseen)
        if taken.count(True) < self._number_of_heads:
            for head in self._spool.heads():
                if not taken[head.place]:
                    yield _read_invoice(head, [])

    def _invoices_in_step(self) -> Iterator[ReadInvoice]:
        unseen = ImportReport()
        heads = self._heads_in_step()
        for number, parts in self._parts_by_block(0, unseen, set()):
            head = self._next_head(heads, number)
            is_given = False
            for key, rows in parts:
                if head is None or head.head.number != key:
                    self._refuse_orphans(0, key, (line for line, _ in rows), unseen)
                else:
                    is_given = True
                    yield head._replace(lines=[line for _, line in rows])
            if not is_given:
                self._keep_for_the_end(head)
        self._next_head(heads, None)
        self._report.add(unseen)
        self._spool.finish_heads()
        for each in self._spool.heads():
            yield _read_invoice(each, [])

    def _next_head(self, heads: Iterator[tuple[str, ReadInvoice | None]], number: str | None) -> ReadInvoice | None:
        """The head of the invoice ``number``, None where it has no sound one; those before it have no lines."""
        for each, head in heads:
            if each == number:
                return head
            self._keep_for_the_end(head)
        return None

    def _keep_for_the_end(self, head: ReadInvoice | None) -> None:
        if head is not None:
            self._spool.add_head(head.head.number, head.file, head.line, head.head)

    def _heads_in_step(self) -> Iterator[tuple[str, ReadInvoice | None]]:
        """The invoices of the table of heads: the number in its cell, and the head where that has a number then."""
        (table,) = self._given.heads
        parser, place = HeadParser(table), table.positions["numero"]
        for block in blocks_of(table):
            head, number = None, block.first[place]
            rows = block.rows()
            if may_say_total(number):
                rows = readable_rows(table, self._report, 0, self._broken_heads, rows)
            for row in rows:
                read = self._read_head(0, row, parser)
                head = ReadInvoice(0, row.line, read, []) if read.number else None
            yield number, head


def _sound_lines(block: Block, parser: LineParser, known: _KnownCells) -> list[tuple[int, ParsedLine]] | None:
    """The lines of an invoice, each with its row; None where one of these rows may be none, or is to be refused."""
    number = block.first[0]
    if may_say_total(number) or len(number) > LONGEST_NUMBER:
        return None
    lines = []
    for row, cells in zip(block.lines, block.others, strict=True):
        found = known.get(id(cells))
        if found is None:
            parser.cells.take(Row(row, block.first + cells))
            _company, _number, line = parser.parse()
            if parser.cells.rejections:
                return None
            if len(known) >= _MOST_REMEMBERED:
                known.clear()
            found = known[id(cells)] = cells, line
        lines.append((row, found[1]))
    return lines


def _read_invoice(head: SpooledHead, lines: list[ParsedLine]) -> ReadInvoice:
    return ReadInvoice(head.file, head.line, InvoiceRow._make(head.values), lines)
