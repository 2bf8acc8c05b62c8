"""Rows of a table until it ends or breaks, without those that are its totals."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from invoices.files.tables import Row, UnreadableTable
from invoices.importing.report import ImportReport, SkippedRow
from invoices.importing.tables.columns import CUSTOMERS, RecognisedTable
from invoices.importing.values import shown

_TOTAL_WORDS: Final = re.compile(
    r"(?:sous[- ]?)?tota(?:l|ux)\b(?![ -]energies)|subtotal\b|grand total\b|cumul\b|report\b|[àa] reporter\b",
    re.IGNORECASE,
)
_FIRST_LETTERS: Final = frozenset("TtSsGgCcRrAaÀà")


def is_total_row(cells: Sequence[str], number: str = "") -> bool:
    """Whether a row is a subtotal or a total: it says so in one of its first texts, and is otherwise bare.

    A row that has the ``number`` of an invoice is none, unless the word stands there.
    """
    if number and not _TOTAL_WORDS.match(number):
        return False
    filled = [cell for cell in cells if cell]
    return any(_TOTAL_WORDS.match(cell) for cell in filled[:2]) and len(filled) * 3 <= len(cells) * 2


def is_total_line(name: str) -> bool:
    """Whether the text of a line says that its amount is the sum of others: «Sous-total lot 1»."""
    return _TOTAL_WORDS.match(name) is not None


def readable_rows(table: RecognisedTable, report: ImportReport, place: int, broken: set[int]) -> Iterator[Row]:
    """The rows of ``table``. Where the file breaks (an unclosed quote…) they end, and it is refused as a whole:
    ``place``, its own among the tables of its kind, goes into ``broken``.

    Totals, the header once more and the remarks under a report are passed over, which ``report`` says.
    """
    header_line = table.header_line
    is_of_cards = table.kind is CUSTOMERS
    number_at = table.positions.get("code" if is_of_cards else "numero", -1)
    header: list[str] = []
    try:
        for row in table.table.rows():
            if row.line > header_line:
                cells = row.cells
                number = cells[number_at] if 0 <= number_at < len(cells) else ""
                is_doubtful = not number or number[0] in _FIRST_LETTERS or " " in number or cells == header
                if number_at < 0 or not is_doubtful or (is_of_cards and not number):
                    yield row  # a card without a code is refused, whatever it says
                elif _is_skipped(cells, number, header):
                    report.skip(SkippedRow(table.name, row.line, skipped_reason(cells)))
                else:
                    yield row
            elif row.line == header_line:
                header = row.cells
    except UnreadableTable as problem:
        broken.add(place)
        report.refuse_file(table.name, problem.reason, problem.line or None)


def skipped_reason(cells: Sequence[str]) -> str:
    """Why a row of totals or titles is passed over, in French."""
    return f"Ligne de total ou de titre (« {shown(next((cell for cell in cells if cell), ''))} »)."


def _is_skipped(cells: list[str], number: str, header: list[str]) -> bool:
    if cells == header or is_total_row(cells, number):
        return True
    # «Édité le 31/01/2025» under a report: one text alone, that is no number.
    return len(cells) >= 4 and " " in number and sum(bool(cell) for cell in cells) == 1
