"""Rows of a text file: its encoding found, its separator guessed, its quotes understood.

UTF-8 with or without BOM, with rows of Windows-1252 in it too; UTF-16; Windows-1252; ISO-8859-15; else what
charset-normalizer finds.
"""

import codecs
import csv
import functools
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

import charset_normalizer

from invoices.files.rows import Row, UnreadableTable, opened

_SAMPLE_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_DELIMITERS: Final = (";", "\t", ",", "|")
_OTHER_SINGLE_BYTE: Final = ["cp1252", "cp850", "mac_roman", "iso8859_15", "cp1250", "iso8859_2"]
# In Windows-1252 these are quotes, dots and daggers; between letters they are another code page's accented ones.
_MISREAD_ACCENTS: Final = re.compile(r"[a-z][‚ƒ„…†‡ˆ‰Š‹Œ‘“”•–—˜Ž][a-z]")
# Signs that ISO-8859-15 has where Windows-1252 has others: the euro instead of ¤, œ and Œ instead of fractions.
_LATIN9: Final = re.compile(rb"\xa4|[a-zA-Z]\xbd|\xbd[a-z]{2}|\xbc[a-zA-Z]{2}")
_NOT_LATIN: Final = re.compile(rb"[\x80-\x9f]")  # letters of Windows-1252, control characters in ISO-8859-15
UNWANTED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
"""What no database and no XML takes, and what no one sees: two texts that look the same are to be the same."""
_INVISIBLE_BYTES: Final = re.compile(rb"\xc2\xad|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0\xa6-\xa9]|\xef\xbb\xbf")
_APOSTROPHE_BYTES: Final = re.compile(rb"'(?<=[;,\t|\"\n]')[0-9+]")
_APOSTROPHE: Final = re.compile(r"'\+?[0-9][0-9 .]*", re.ASCII)
_HEADS_OF_INVISIBLE: Final = (
    b"\xc2\xad",
    b"\xe2\x80",
    b"\xe2\x81",
    codecs.BOM_UTF8,
)  # recognised much faster than by a pattern
_SOFT_HYPHEN: Final = b"\xad"
_CONTROL_BYTES: Final = bytes((*range(9), 11, 12, *range(14, 32), 127))

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
    encoding = _encoding_of(source)
    errors = _OTHER_ROWS if encoding.startswith("utf-8") else "strict"
    line = 0
    with opened(source) as stream, io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="") as text:
        lines = _without_unwanted(text) if _has_unwanted(source, encoding) else iter(text)
        delimiter, skipped = _delimiter_of(source, encoding)
        for _ in range(skipped):
            next(lines, None)
        is_marked = _has_marks(source)
        try:
            for line, cells in parse(lines, delimiter):
                stripped = list(map(str.strip, cells))
                if is_marked:
                    stripped = list(map(_unmarked, stripped))
                if any(stripped):
                    yield Row(skipped + line, stripped)
        except UnreadableTable as error:
            raise UnreadableTable(error.reason, skipped + error.line) from error
        except UnicodeError as error:
            raise UnreadableTable("Un caractère est illisible.", skipped + line + 1) from error


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


def _chunks(source: Path | bytes) -> Iterator[bytes]:
    """The bytes of ``source``, each chunk after the last bytes of the one before it."""
    with opened(source) as stream:
        end = b""
        while chunk := stream.read(_CHUNK_BYTES):
            yield end + chunk
            end = chunk[-2:]


def _has_marks(source: Path | bytes) -> bool:
    """Whether any cell seems to have such marks."""
    return any(b'="' in chunk or _APOSTROPHE_BYTES.search(chunk) is not None for chunk in _chunks(source))


def _has_unwanted(source: Path | bytes, encoding: str) -> bool:
    """Whether any byte is one of those: looked at once, so that sound files need no look at each line."""
    if encoding.startswith("utf-16"):
        return True
    is_utf8 = encoding.startswith("utf-8")
    for number, chunk in enumerate(_chunks(source)):
        if not number and chunk.startswith(codecs.BOM_UTF8):
            chunk = chunk[len(codecs.BOM_UTF8) :]
        if len(chunk.translate(None, _CONTROL_BYTES)) != len(chunk):
            return True
        if not is_utf8:
            if _SOFT_HYPHEN in chunk:
                return True
        elif any(head in chunk for head in _HEADS_OF_INVISIBLE) and _INVISIBLE_BYTES.search(chunk):
            return True
    return False


def _delimiter_of(source: Path | bytes, encoding: str) -> tuple[str, int]:
    """The separator by the first lines that hold any, and how many lines to pass over (``sep=;``, Excel's own hint)."""
    with opened(source) as stream:
        head = stream.read(_SAMPLE_BYTES)
    lines = codecs.getincrementaldecoder(encoding)("replace").decode(head).splitlines()[:10]
    if lines and (hint := re.fullmatch(r"\"?sep=(.)\"?", lines[0].strip("\ufeff \t"))):
        return hint[1], 1
    for line in lines:
        outside_quotes = re.sub(r'"[^"]*"', "", line)
        counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
        best = max(counts, key=lambda each: counts[each])
        if counts[best]:
            return best, 0
    return ";", 0


def _encoding_of(source: Path | bytes) -> str:
    """The encoding in which the whole file can be read."""
    with opened(source) as stream:
        head = stream.read(_SAMPLE_BYTES)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if (nul_free := _utf16_without_bom(head)) is not None:
            return nul_free
        stream.seek(0)
        if _decodes(stream, "utf-8"):
            return "utf-8"
        stream.seek(0)
        if _has_rows_in_utf8(stream):
            return "utf-8"  # with rows of Windows-1252, which _OTHER_ROWS reads
        stream.seek(0)
        readable = _decodes(stream, "cp1252")
    # The sample begins where the accents are: a file may be plain for a long time.
    sample = _first_accents(source)
    if readable and not _MISREAD_ACCENTS.search(sample.decode("cp1252", "replace")):
        return "iso8859_15" if _LATIN9.search(sample) and not _NOT_LATIN.search(sample) else "cp1252"
    if (sure := _only_french(sample)) is not None:
        return sure
    guess = charset_normalizer.from_bytes(sample, cp_isolation=_OTHER_SINGLE_BYTE).best()
    if guess is None:
        raise UnreadableTable("Le jeu de caractères de ce fichier n’est pas reconnu : enregistrez-le en UTF-8.")
    return guess.encoding


_FRENCH_SIGNS: Final = frozenset("àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ°€«»’‘–²³\u00a0")


def _only_french(sample: bytes) -> str | None:
    """The old code page, of those of DOS and the Mac, in which all beyond ASCII is French; None for none or both."""
    found = []
    for encoding in ("cp850", "mac_roman"):
        beyond = {char for char in sample.decode(encoding, "replace") if not char.isascii()}
        if beyond and beyond <= _FRENCH_SIGNS:
            found.append(encoding)
    return found[0] if len(found) == 1 else None


def _has_rows_in_utf8(stream: BinaryIO) -> bool:
    """Whether any line with letters beyond ASCII is UTF-8: text of another code page never is, by chance."""
    while line := stream.readline(_CHUNK_BYTES):
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                continue
            return True
    return False


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """What UTF-8 cannot read, as Windows-1252: rows that another program added to the file."""
    if not isinstance(error, UnicodeDecodeError) or "unexpected end" in error.reason:
        raise error  # the file was cut in the middle of a character
    text = error.object[error.start : error.end].decode("cp1252")
    return text.replace("¤", "€"), error.end  # ISO-8859-15 has the euro there, and no one writes ¤


_OTHER_ROWS: Final = "rows-of-windows-1252"
codecs.register_error(_OTHER_ROWS, _as_windows_1252)


def _utf16_without_bom(head: bytes) -> str | None:
    """UTF-16 betrays itself by the zero in every other byte of ordinary text."""
    even, odd = head[0:400:2], head[1:400:2]
    if len(odd) >= 4 and odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if len(even) >= 4 and even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _first_accents(source: Path | bytes) -> bytes:
    """Lines with bytes beyond ASCII, up to the size of a sample."""
    lines: list[bytes] = []
    size = 0
    with opened(source) as stream:
        while size < _SAMPLE_BYTES and (line := stream.readline(_SAMPLE_BYTES)):
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)
