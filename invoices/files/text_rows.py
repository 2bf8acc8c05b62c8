"""Rows of a text file: its form found (:mod:`invoices.files.text_form`), its quotes understood."""

import csv
import functools
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from html.entities import html5
from itertools import islice
from pathlib import Path
from typing import Any, Final

from invoices.files.rows import Row, UnreadableTable, opened
from invoices.files.text_form import OTHER_ROWS, form_of

UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""What no database and no XML takes, and what no one sees: two texts that look the same are to be the same."""
_APOSTROPHE: Final = re.compile(r"'\+?[0-9][0-9 .]*", re.ASCII)

# An unclosed quote would swallow the file: no cell of an ERP is longer than this.
csv.field_size_limit(1024 * 1024)


def text_rows(source: Path | bytes) -> Iterator[Row]:
    """The rows of a text file that are not empty. Raises :class:`UnreadableTable` where the file breaks."""
    given = 0
    try:
        for row in _rows(source, _as_csv):
            given += 1
            yield row
    except _MisplacedQuoteError:  # rare: once more, line by line, which is slower
        yield from islice(_rows(source, _as_csv_with_bare_quotes), given, None)


def _rows(
    source: Path | bytes, parse: Callable[[Iterator[str], str], Iterator[tuple[int, list[str]]]]
) -> Iterator[Row]:
    """The rows of ``source``, cut by ``parse``, which gives the number of each record's first line with its cells."""
    form = form_of(source)
    errors = OTHER_ROWS if form.encoding.startswith("utf-8") else "strict"
    line, skipped = 0, form.skipped
    with opened(source) as stream, io.TextIOWrapper(stream, form.encoding, errors, newline="") as text:
        lines = _without_unwanted(text) if form.has_unwanted else iter(text)
        if form.has_cut_entities:
            lines = _with_whole_entities(lines)
        for _ in range(skipped):
            next(lines, None)
        try:
            for line, cells in parse(lines, form.delimiter):
                stripped = list(map(str.strip, cells))
                if form.has_cut_entities:
                    stripped = [cell.replace(_SEMICOLON, ";") for cell in stripped]
                if form.has_marks:
                    stripped = list(map(_unmarked, stripped))
                if any(stripped):
                    yield Row(skipped + line, stripped)
        except UnreadableTable as error:
            raise UnreadableTable(error.reason, skipped + error.line) from error
        except UnicodeError as error:
            raise UnreadableTable("Un caractère est illisible.", skipped + line + 1) from error


_ENTITY: Final = re.compile(r"&(#[0-9]{2,5}|#[xX][0-9a-fA-F]{2,4}|[A-Za-z]{2,8}[0-9]?);")
_SEMICOLON: Final = "\x00"  # for one that separates no cells: no line holds this sign


def _with_whole_entities(lines: Iterator[str]) -> Iterator[str]:
    """``lines`` in which the semicolon of ``&amp;`` is another sign, since it is no separator."""

    def kept(found: re.Match[str]) -> str:
        is_entity = found[1].startswith("#") or f"{found[1]};" in html5
        return f"&{found[1]}{_SEMICOLON}" if is_entity else found[0]

    return (_ENTITY.sub(kept, line) if "&" in line else line for line in lines)


class _MisplacedQuoteError(Exception):
    """A quote closes before the end of its cell, or opens a cell that swallows rows."""


def _as_csv(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = _reader(lines, delimiter)
    first_line, width = 1, 0
    try:
        for cells in reader:
            if reader.line_num > first_line and (len(cells) != width or _holds_rows(cells, delimiter)):
                raise _MisplacedQuoteError
            yield first_line, cells
            first_line, width = reader.line_num + 1, len(cells)
    except csv.Error as error:
        raise _MisplacedQuoteError from error


def _holds_rows(cells: list[str], delimiter: str) -> bool:
    """Whether a cell of several lines may be rows that an open quote has swallowed."""
    return any(delimiter in cell and ("\n" in cell or "\r" in cell) for cell in cells)


def _as_csv_with_bare_quotes(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    given = _Lines(lines)
    width = 0
    while True:
        given.begin_record()
        try:
            cells = next(_reader(given, delimiter))
        except StopIteration:
            return
        except csv.Error as error:
            first = _cells_with_bare_quotes(given.record[0], delimiter)
            if len(first) != width or not width or not _is_a_row(given.record, first, error, delimiter):
                raise UnreadableTable(_quoting_problem(error), given.first_line) from error
            given.give_back()
            cells = first
        else:
            if len(given.record) > 1 and width > 1 and _swallows_rows(given.record, delimiter, width):
                if width == 2:  # two cells a line, of a list within a cell perhaps
                    raise UnreadableTable(_MISPLACED_QUOTE, given.first_line)
                cells = _cells_with_bare_quotes(given.record[0], delimiter)
                given.give_back()
        yield given.first_line, cells
        width = len(cells)


def _is_a_row(record: list[str], first: list[str], error: csv.Error, delimiter: str) -> bool:
    """Whether the first line of a ``record`` that is no CSV is a row, of which ``first`` are the cells.

    One of several lines may have begun with the wrong quote: its first line is a row where that quote is a cell of
    its own, or where the second is a row too.
    """
    if '"' in first:
        return len(record) > 1 or first[-1] != '"' or record[0].endswith(("\n", "\r"))  # else cut in that cell
    if _MISPLACED not in str(error):
        return False
    if len(record) == 1:
        return True
    second = _cells_with_bare_quotes(record[1], delimiter)
    return len(second) == len(first) or (1 < len(second) < len(first) and record[1].count('"') % 2 == 1)


def _swallows_rows(record: list[str], delimiter: str, width: int) -> bool:
    """Whether each line of a record is a row by itself: an open quote has met another's, rows further down."""
    return all(len(_cells_with_bare_quotes(line, delimiter)) == width for line in record)


def _reader(lines: Iterator[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t")


_MISPLACED: Final = "expected after"  # in what the module csv says of a quote that closes before the end of its cell
_MISPLACED_QUOTE: Final = (
    'Un guillemet est mal placé : dans une cellule entre guillemets, un guillemet s’écrit deux fois ("Album ""Live""").'
)


class _Lines:
    """Lines for a reader of CSV, which remember those of the record in hand."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._number = 0
        self.first_line = 1
        self.record: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self._number += 1
        self.record.append(line)
        return line

    def begin_record(self) -> None:
        """What comes next is another record."""
        self.first_line = self._number + 1
        self.record.clear()

    def give_back(self) -> None:
        """Only the first line of the record is of it: the others come again."""
        self._number -= len(self.record) - 1
        self._waiting.extendleft(reversed(self.record[1:]))


def _cells_with_bare_quotes(line: str, delimiter: str) -> list[str]:
    """The cells of one line, where a quote that closes before the end of its cell is a sign like any other.

    ``"Live" album;1`` is two cells, and ``12" vis;"a;b"`` too.
    """
    cell = _cell_pattern(delimiter)
    line = line.rstrip("\r\n")
    cells, place = [], 0
    while True:
        found = cell.match(line, place)
        assert found is not None
        quoted, bare = found.groups()
        cells.append(quoted.replace('""', '"') if quoted is not None else _without_outer_quotes(bare.strip()))
        place = found.end() + 1
        if place > len(line):
            return cells


@functools.cache
def _cell_pattern(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    blanks = "" if delimiter == "\t" else " *"
    return re.compile(rf'{blanks}"((?:[^"]|"")*)" *(?={mark}|$)|([^{mark}]*)')


_INNER_QUOTE: Final = re.compile(r'(?<=(.))"(?=(.))')


def _without_outer_quotes(text: str) -> str:
    """``"Album "Live" neuf"`` without the quotes around all of the cell, whose others were not doubled.

    They stay where they are those of words at its ends: ``"Live" et "Studio"``.
    """
    if len(text) < 3 or text[0] != '"' or text[-1] != '"' or text.count('"') < 3:
        return text
    inner = _INNER_QUOTE.findall(text)
    closes_first = inner[0][0] != " " and not inner[0][1].isalnum()
    opens_last = inner[-1][1] != " " and not inner[-1][0].isalnum()
    return text if len(inner) % 2 == 0 and closes_first and opens_last else text[1:-1]


def _quoting_problem(error: csv.Error) -> str:
    return _MISPLACED_QUOTE if _MISPLACED in str(error) else "Un guillemet ouvert n’est pas fermé."


def _without_unwanted(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines without the characters that no database and no XML takes (NUL first of all), and invisible ones."""
    for line in text:
        yield UNWANTED.sub("", line)


def _unmarked(cell: str) -> str:
    """A cell without what makes spreadsheets take a number for text: ``="000123"``, ``'000123``."""
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    return cell[1:] if _APOSTROPHE.fullmatch(cell) else cell
