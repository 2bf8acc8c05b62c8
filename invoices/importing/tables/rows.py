"""Rows of a table until it ends or breaks, without those that are its totals."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from invoices.files.tables import Row, UnreadableTable
from invoices.importing.report import ImportReport, SkippedRow
from invoices.importing.tables.columns import CUSTOMERS, INVOICES, RecognisedTable
from invoices.importing.values import shown

_TOTAL_WORDS: Final = re.compile(
    r"(?:sous[- ]?)?tota(?:l|ux)\b(?![ -]energies)|subtotal\b|grand total\b|cumul\b|report\b|somme\b|[àa] reporter\b",
    re.IGNORECASE,
)
_PART_WORDS: Final = re.compile(
    r"\W*(?:dont|y compris|davon|incl(?:us|uding)?|di cui|(?:pour|p\.) ?m[ée]moire|en option)\b", re.IGNORECASE
)
_TOTAL_ALONE: Final = re.compile(
    r"(?:sous[- ]?)?tota(?:l|ux)(?: g[ée]n[ée]ral)? ?:?"
    r"|[0-9 ]+(?:facture|avoir|pi[èe]ce|document|ligne|enregistrement|invoice|row)(?:s|\(s\))?"
    r"|nombre (?:de|d’|d')\b.*",
    re.IGNORECASE,
)
_RULED: Final = re.compile(r"[-=_*.]{3,}")
_FIRST_LETTERS: Final = frozenset("TtSsGgCcRrAaÀà-=_*.")

_SAID_OF_INVOICES: Final = ("numero", "date", "code_client")
"""What a row of invoices says beside amounts; with none of it, its amounts are a total's."""


def is_total_row(cells: Sequence[str], number: str = "") -> bool:
    """Whether a row is a subtotal or a total: it says so in one of its first texts, and is otherwise bare.

    A row that has the ``number`` of an invoice is none, unless the word is there.
    """
    if number and not _TOTAL_WORDS.match(number):
        if not _RULED.fullmatch(number):
            return False
        filled = [cell for cell in cells if cell]
        return len(filled) > 1 and all(map(_RULED.fullmatch, filled))  # a line drawn with hyphens
    filled = [cell for cell in cells if cell]
    return any(_TOTAL_WORDS.match(cell) for cell in filled[:2]) and len(filled) * 3 <= len(cells) * 2


def is_remark(cells: Sequence[str], number: str, width: int) -> bool:
    """Whether a row says «Édité le 31/01/2025» or «12 factures» where numbers are, of ``width`` columns."""
    return width >= 4 and " " in number and (sum(map(bool, cells)) == 1 or _TOTAL_ALONE.fullmatch(number) is not None)


def may_say_total(number: str) -> bool:
    """Whether a row with ``number`` may be a total or a remark: it depends on its other cells."""
    if not number or " " in number:
        return True
    return number[0] in _FIRST_LETTERS and bool(_TOTAL_WORDS.match(number) or _RULED.fullmatch(number))


def is_total_line(name: str) -> bool:
    """Whether the text of a line says that its amount is the sum of others: «Sous-total lot 1»."""
    return _TOTAL_WORDS.match(name) is not None


def names_a_part(name: str) -> bool:
    """Whether a line says that its amount is in another one's, or not due: «dont main d’œuvre», «pour mémoire»."""
    return _PART_WORDS.match(name) is not None


def readable_rows(
    table: RecognisedTable, report: ImportReport, place: int, broken: set[int], rows: Iterable[Row] | None = None
) -> Iterator[Row]:
    """The rows of ``table``, or ``rows`` of it. Where the file breaks (an unclosed quote…) they end, and it is refused
    as a whole: ``place``, its own among the tables of its kind, goes into ``broken``.

    Totals, the header once more and the remarks under a report are passed over, which ``report`` says.
    """
    header_line = table.header_line
    is_of_cards = table.kind is CUSTOMERS
    number_at = table.positions.get("code" if is_of_cards else "numero", -1)
    said_of_invoices = [table.positions[name] for name in _SAID_OF_INVOICES] if table.kind is INVOICES else []
    header: list[str] = []
    try:
        for row in table.table.rows() if rows is None else rows:
            if row.line > header_line:
                cells = row.cells
                number = cells[number_at] if 0 <= number_at < len(cells) else ""
                is_doubtful = may_say_total(number) or cells == header
                if number_at < 0 or not is_doubtful or (is_of_cards and not number):
                    yield row  # a card without a code is refused, whatever it says
                elif _is_skipped(cells, number, header, table.width) or _says_no_invoice(
                    cells, said_of_invoices, number
                ):
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


def _is_skipped(cells: list[str], number: str, header: list[str], width: int) -> bool:
    if cells == header or is_total_row(cells, number):
        return True
    return is_remark(cells, number, width)


def _says_no_invoice(cells: list[str], places: list[int], number: str) -> bool:
    """Whether a row of invoices has amounts and nothing at ``places``, which say whose and of when they are."""
    if not places or not any(cells):
        return False
    return _TOTAL_ALONE.fullmatch(number) is not None or not any(cells[place] for place in places if place < len(cells))
