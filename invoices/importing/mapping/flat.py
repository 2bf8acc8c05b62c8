"""A table with our columns at unusual places, in unusual writings or all in one, as canonical tables.

Heads and lines in one table, head cells repeated or left blank, totals given or summed from the lines, customers
beside them: each row is read once, each invoice is checked to the cent, and what is written down are tables that
:mod:`invoices.importing.tables` reads as if the ERP had given them. Rows keep their line in the user's file.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from django.utils.translation import gettext as _

from invoices.files.tables import Row, Table
from invoices.importing.mapping.amounts import Amounts
from invoices.importing.mapping.fields import CUSTOMER, LINE
from invoices.importing.mapping.flat_invoice import FlatInvoice
from invoices.importing.mapping.flat_lines import FlatCells, Unreconciled
from invoices.importing.mapping.layout import Layout
from invoices.importing.report import Rejection, SkippedRow
from invoices.importing.tables.columns import CELLS, CUSTOMERS, INVOICES, LINES, RecognisedTable, header_key
from invoices.importing.tables.converted import ConvertedTableWriter
from invoices.importing.tables.rows import is_remark, is_total_row, may_say_total, skipped_reason
from invoices.importing.tables.statuses import NO_INVOICE, find_status, places_of_statuses
from invoices.importing.values import shown

_HEADS: Final = (*INVOICES.obligatory, *INVOICES.optional)
_ALWAYS: Final = (*INVOICES.obligatory, "devise")  # a currency may be beside the amounts
_LINES: Final = (*LINES.obligatory, *(name for name in LINES.optional if name != "societe"))
_CUSTOMERS: Final = (*CUSTOMERS.obligatory, *CUSTOMERS.optional)
_MOST_REFUSALS: Final = 1000


@dataclass
class Flattened:
    """The canonical tables, and what was refused or passed over on the way to them."""

    tables: list[RecognisedTable] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    invoices: int = 0
    refused: int = 0
    unreconciled: int = 0
    amounts: Amounts = field(default_factory=Amounts)


class NotContiguous(Exception):  # noqa: N818 - not an error: the rows are brought together first
    """The rows of an invoice do not follow each other."""


class Customers(Protocol):
    """The cards that are there."""

    def is_known(self, code: str) -> bool:
        """Whether there is a card of this code."""

    def contradiction(self, code: str, given: dict[str, str]) -> tuple[str, str, str] | None:
        """The column, value and card's value of a SIREN, SIRET or VAT number that is another on the card."""

    def code_of(self, given: dict[str, str]) -> tuple[str, bool]:
        """The code for these ``client.*`` cells, and whether its card is new. Raises Unreconciled."""


def flatten(
    table: Table, layout: Layout, folder: Path, customers: Customers, *, most_rows: int | None = None
) -> Flattened:
    """Read ``table`` by ``layout`` into canonical tables in ``folder``.

    ``most_rows``: for a look at a long table; the invoice in which it stops is left out.

    Raises :class:`~invoices.files.tables.UnreadableTable` where the file breaks.
    """
    try:
        return _Flattening(table, layout, folder, customers).run(islice(table.rows(), most_rows), most_rows)
    except NotContiguous:
        with closing(_regrouped(table, layout, folder)) as database:
            return _Flattening(table, layout, folder, customers, _given_twice(database)).run(_rows_of(database))


def _regrouped(table: Table, layout: Layout, folder: Path) -> sqlite3.Connection:
    """The rows by invoice, in the order of each invoice's first row."""
    path = folder / f"rows-{len(list(folder.iterdir()))}.sqlite3"
    database = sqlite3.connect(path)
    database.execute("PRAGMA synchronous = OFF")
    database.execute("CREATE TABLE row (seq INTEGER PRIMARY KEY, key TEXT, block INTEGER, line INTEGER, cells TEXT)")
    number = layout.position("numero")

    def rows() -> Iterator[tuple[str, int, int, str]]:
        current, block = "", 0
        for row in table.rows():
            if row.line > layout.header_line and not layout.is_noise(row.cells):
                before, current = current, layout.cell(row.cells, number) or current
                block += before != current
                yield current, block, row.line, json.dumps(row.cells, ensure_ascii=False)

    database.executemany("INSERT INTO row (key, block, line, cells) VALUES (?, ?, ?, ?)", rows())
    database.execute("CREATE TABLE first AS SELECT key, min(seq) AS seq FROM row GROUP BY key")
    database.execute("CREATE INDEX row_by_key ON row (key, seq)")
    return database


def _given_twice(database: sqlite3.Connection) -> frozenset[str]:
    """The numbers whose rows come twice, the same ones, at two places of the table: one invoice, or twice its lines."""
    query = (
        "SELECT DISTINCT key FROM (SELECT key, group_concat(cells, char(30)) AS rows FROM row GROUP BY key, block) "
        "GROUP BY key, rows HAVING count(*) > 1"
    )
    return frozenset(key for (key,) in database.execute(query))


def _rows_of(database: sqlite3.Connection) -> Iterator[Row]:
    query = "SELECT row.line, row.cells FROM first JOIN row ON row.key = first.key ORDER BY first.seq, row.seq"
    for line, cells in database.execute(query):
        yield Row(line, json.loads(cells))


class _Flattening:
    def __init__(
        self,
        table: Table,
        layout: Layout,
        folder: Path,
        customers: Customers,
        given_twice: frozenset[str] = frozenset(),
    ) -> None:
        self.given_twice = given_twice
        self.table = table
        self.layout = layout
        self.cells = FlatCells(layout)
        self.cards = customers
        self.result = Flattened()
        self.seen: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        prefix = f"flat-{len(list(folder.iterdir()))}"
        held = layout.holds
        heads = (*(name for name in _HEADS if name in _ALWAYS or name in layout.fields), CELLS)
        lines = (*(name for name in _LINES if name in LINES.obligatory or f"{LINE}{name}" in layout.fields), CELLS)
        cards = tuple(
            name for name in _CUSTOMERS if name in CUSTOMERS.obligatory or f"{CUSTOMER}{name}" in layout.fields
        )
        self.heads = ConvertedTableWriter(folder / f"{prefix}.heads", INVOICES, heads) if "factures" in held else None
        self.columns = tuple(name for name in lines if name != "numero")
        self.lines = ConvertedTableWriter(folder / f"{prefix}.lines", LINES, ("numero", *self.columns))
        self.customers = ConvertedTableWriter(folder / f"{prefix}.customers", CUSTOMERS, cards)

    def run(self, rows: Iterator[Row], most_rows: int | None = None) -> Flattened:
        """Read all rows, which end after ``most_rows``. Raises NotContiguous."""
        try:
            return self._read(rows, most_rows)
        finally:
            for writer in (self.customers, self.heads, self.lines):
                if writer is not None:
                    writer.stop()

    def _read(self, rows: Iterator[Row], most_rows: int | None) -> Flattened:
        layout = self.layout
        number_at = layout.position("numero")
        invoice: FlatInvoice | None = None
        used = {at for places in layout.fields.values() for at in places}
        statuses_at = places_of_statuses(list(map(header_key, layout.header)), used)
        header_number = layout.cell(layout.header, number_at)
        plain: str | None = None  # a number that a row of totals, a remark or the header once more does not have
        header_line, read = layout.header_line, 0
        for line, cells in rows:
            read += 1
            if line <= header_line:
                continue
            number = cells[number_at] if 0 <= number_at < len(cells) else ""
            if number != plain:
                is_plain = number != header_number and not may_say_total(number)
                if not is_plain and self._is_none(cells, number):
                    self._skip(line, cells)
                    continue
                plain = number if is_plain else None
            if invoice is None or (number and number != invoice.number):
                if invoice is not None:
                    self._finish(invoice)
                if not number:
                    self._refuse(line, "numero", "", _("Cette ligne ne dit pas de quelle facture elle est."))
                    invoice = None
                    continue
                if number in self.seen:
                    raise NotContiguous
                self.seen.add(number)
                invoice = FlatInvoice(self.cells, number, line)
            try:
                if statuses_at:
                    _check_status(partial(layout.cell, cells), statuses_at)
                invoice.add(line, cells)
            except Unreconciled as problem:
                invoice.problem = invoice.problem or problem
                problem.line = problem.line or line
        if invoice is not None and read != most_rows:
            self._finish(invoice)
        return self._end()

    def _is_none(self, cells: list[str], number: str) -> bool:
        """Whether a row is none of an invoice: the header once more, a total, a remark."""
        layout = self.layout
        return layout.is_noise(cells) or is_total_row(cells, number) or is_remark(cells, number, len(layout.header))

    def _finish(self, invoice: FlatInvoice) -> None:
        self.result.invoices += 1
        try:
            if invoice.problem is not None:
                raise invoice.problem
            if self.heads is None:
                lines = invoice.lines_alone(self.columns)
            else:
                if invoice.number in self.given_twice and not invoice.states_total:
                    reason = _(
                        "ses lignes sont deux fois dans la table, et aucun total ne dit si elles comptent deux fois."
                    )
                    raise Unreconciled("numero", invoice.number, reason)
                head, lines = invoice.reconciled(self.columns)
                head["code_client"] = self._customer(invoice, head)
        except Unreconciled as problem:
            self.result.refused += 1
            self.result.unreconciled += problem.is_misread
            self._refuse(
                problem.line or invoice.line,
                problem.column,
                problem.value,
                _("Facture %(number)s : %(reason)s") % {"number": shown(invoice.number), "reason": problem.reason},
            )
            return
        for row, text in invoice.left_out:
            self._skip(row, [text])
        if self.heads is not None:
            self.heads.add_values(invoice.line, head)
            self.result.amounts.add(head)
        self.lines.add([invoice.number], invoice.rows, lines)

    def _customer(self, invoice: FlatInvoice, head: dict[str, str]) -> str:
        """The code of the invoice's customer; a card of the table that is new is written down."""
        given = invoice.customer
        code = head.get("code_client") or given.get("code", "")
        is_new = False
        if not code:
            code, is_new = self.cards.code_of(given)
        known = self.codes.get(code)
        if known is None:
            is_new = is_new or not self.cards.is_known(code)
            if not is_new and (other := self.cards.contradiction(code, given)):
                name, stated, own = other
                reason = _("la fiche %(code)s a le numéro %(own)s, cette table %(stated)s : c’est un autre client.")
                raise Unreconciled(f"client.{name}", stated, reason % {"code": code, "own": own, "stated": stated})
            self.codes[code] = given
            if is_new and given.get("raison_sociale"):
                self.customers.add_values(invoice.line, {**given, "code": code})
        else:
            for name in ("siren", "siret", "tva_intracom"):
                if known.get(name) and given.get(name) and known[name] != given[name]:
                    raise Unreconciled(
                        f"client.{name}", given[name], _("le client %(code)s a deux numéros.") % {"code": shown(code)}
                    )
        return code

    def _skip(self, line: int, cells: list[str]) -> None:
        if len(self.result.skipped) < _MOST_REFUSALS:
            self.result.skipped.append(SkippedRow(self.table.name, line, skipped_reason(cells)))

    def _refuse(self, line: int, column: str, value: str, reason: str) -> None:
        if len(self.result.rejections) < _MOST_REFUSALS:
            self.result.rejections.append(Rejection(self.table.name, line, column, shown(value), reason))

    def _end(self) -> Flattened:
        result, name = self.result, self.table.name
        for writer in (self.customers, self.heads, self.lines):
            if writer is not None:
                made = writer.close(name)
                if writer.written:
                    result.tables.append(made)
        return result


def _check_status(cell_at: Callable[[int], str], places: Sequence[tuple[int, str]]) -> None:
    """Raises Unreconciled where a cell at one of ``places`` says that the row is no invoice, or none yet."""
    if status := find_status(cell_at, places):
        raise Unreconciled("statut", status, NO_INVOICE % {"status": shown(status)})
