"""Table files as French ERPs and spreadsheets write them, read row by row in bounded memory.

Text: UTF-8 with or without BOM, UTF-16, Windows-1252, else what charset-normalizer finds; separators ``;`` ``,`` tab
or ``|``; quotes, also around line breaks. Workbooks (.xlsx, .xls, .ods): each sheet is a table, and typed cells are
written as the text a careful typist would have typed, so that one set of parsers serves both.
"""

import codecs
import csv
import datetime
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import charset_normalizer
import python_calamine

_SAMPLE_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_DELIMITERS: Final = (";", "\t", ",", "|")
_OTHER_SINGLE_BYTE: Final = ["cp1252", "cp850", "mac_roman", "iso8859_15", "cp1250", "iso8859_2"]
# In Windows-1252 these are quotes, dots and daggers; between letters they are another code page's accented ones.
_MISREAD_ACCENTS: Final = re.compile(r"[a-z][‚ƒ„…†‡ˆ‰Š‹Œ‘“”•–—˜Ž][a-z]")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_BYTES: Final = bytes((*range(9), 11, 12, *range(14, 32), 127))
_WORKBOOK_SIGNATURES: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

# An unclosed quote would swallow the file: no cell of an ERP is longer than this.
csv.field_size_limit(1024 * 1024)


class UnreadableTable(Exception):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """The file cannot be read as a table; ``line`` says where (0: all of it), ``reason`` why, in French."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Row(NamedTuple):
    """A row that is not empty: the number of its first line in the file, from 1, and its cells without outer blanks."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table to read: a text file, or one ``sheet`` of a workbook. ``name`` is how the user knows it."""

    name: str
    source: Path | bytes
    sheet: str | None = None

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, from the top. Raises :class:`UnreadableTable` where the file breaks."""
        return _text_rows(self.source) if self.sheet is None else _rows_from_child(self.source, self.sheet)

    @property
    def has_typed_cells(self) -> bool:
        """True for a workbook, where numbers have lost the zeros before them."""
        return self.sheet is not None


def tables_in(source: Path | bytes, name: str) -> list[Table]:
    """The tables of a file (a path, or its bytes): itself, or each sheet of a workbook that holds something.

    Raises :class:`UnreadableTable` for a workbook that is damaged, protected by a password or empty.
    """
    with _opened(source) as stream:
        head = stream.read(8)
    if not head:
        raise UnreadableTable("Ce fichier est vide.")
    if not head.startswith(_WORKBOOK_SIGNATURES):
        return [Table(name, source)]
    sheets = [sheet for sheet, height in _ask_child(source) if height]
    if not sheets:
        raise UnreadableTable("Ce classeur est vide.")
    if len(sheets) == 1:
        return [Table(name, source, sheets[0])]
    return [Table(f"{name} (feuille « {sheet} »)", source, sheet) for sheet in sheets]


# Text files


def _text_rows(source: Path | bytes) -> Iterator[Row]:
    encoding = _encoding_of(source)
    has_controls = encoding.startswith("utf-16") or _has_control_bytes(source)
    with _opened(source) as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
        lines = _without_controls(text) if has_controls else iter(text)
        delimiter, skipped = _delimiter_of(source, encoding)
        for _ in range(skipped):
            next(lines, None)
        reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t")
        first_line = skipped + 1
        try:
            for cells in reader:
                stripped = list(map(str.strip, cells))
                if any(stripped):
                    yield Row(first_line, stripped)
                first_line = skipped + reader.line_num + 1
        except csv.Error as error:
            raise UnreadableTable(_quoting_problem(error), first_line) from error
        except UnicodeError as error:
            raise UnreadableTable("Un caractère est illisible.", first_line) from error


def _quoting_problem(error: csv.Error) -> str:
    if "expected after" in str(error):
        return (
            "Un guillemet est mal placé : dans une cellule entre guillemets, un guillemet s’écrit deux fois "
            '("Album ""Live""").'
        )
    return "Un guillemet ouvert n’est pas fermé."


def _without_controls(text: io.TextIOWrapper) -> Iterator[str]:
    """Lines without the characters that no database and no XML takes (NUL first of all)."""
    for line in text:
        yield _CONTROLS.sub("", line)


def _has_control_bytes(source: Path | bytes) -> bool:
    """Whether any byte is one of those characters: looked at once, so that sound files need no look at each line."""
    with _opened(source) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if len(chunk.translate(None, _CONTROL_BYTES)) != len(chunk):
                return True
    return False


def _delimiter_of(source: Path | bytes, encoding: str) -> tuple[str, int]:
    """The separator by the first lines that hold any, and how many lines to pass over (``sep=;``, Excel's own hint)."""
    with _opened(source) as stream:
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
    with _opened(source) as stream:
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
        readable = _decodes(stream, "cp1252")
    # The sample begins where the accents are: a file may be plain for a long time.
    sample = _first_accents(source)
    if readable and not _MISREAD_ACCENTS.search(sample.decode("cp1252", "replace")):
        return "cp1252"
    guess = charset_normalizer.from_bytes(sample, cp_isolation=_OTHER_SINGLE_BYTE).best()
    if guess is None:
        raise UnreadableTable("Le jeu de caractères de ce fichier n’est pas reconnu : enregistrez-le en UTF-8.")
    return guess.encoding


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
    with _opened(source) as stream:
        while size < _SAMPLE_BYTES and (line := stream.readline(_SAMPLE_BYTES)):
            if not line.isascii():
                lines.append(line)
                size += len(line)
    return b"".join(lines)


# Workbooks


@contextmanager
def _workbook(source: Path | bytes) -> Iterator[python_calamine.CalamineWorkbook]:
    """The opened workbook; what the library finds wrong becomes a sentence."""
    try:
        opened = python_calamine.load_workbook(str(source) if isinstance(source, Path) else io.BytesIO(source))
    except python_calamine.PasswordError as error:
        raise UnreadableTable("Ce classeur est protégé par un mot de passe.") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableTable("Ce classeur est endommagé ou d’une sorte inconnue.") from error
    try:
        with opened as workbook:
            yield workbook
    except python_calamine.CalamineError as error:
        raise UnreadableTable("Une feuille de ce classeur est illisible.") from error


def _sheet_rows(source: Path | bytes, sheet_name: str) -> Iterator[Row]:
    """Runs in the child."""
    with _workbook(source) as workbook:
        sheet = workbook.get_sheet_by_name(sheet_name)
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            texts = [_as_text(cell) for cell in cells]
            if any(texts):
                yield Row(line, texts)


def _as_text(cell: Any) -> str:
    """A typed cell as the text that the parsers read: ``1.98``, ``2025-06-07``, ``1`` for true."""
    match cell:
        case str():
            return _CONTROLS.sub("", cell).strip()
        case bool():
            return "1" if cell else "0"
        case float():
            # Binary fractions carry noise (2.3800000000000003); eight decimals are what prices may have.
            return f"{cell:.8f}".rstrip("0").rstrip(".")
        case datetime.datetime():
            return cell.date().isoformat()
        case None:
            return ""
        case _:
            return str(cell)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    """``source`` as a stream of bytes; a file that cannot be opened becomes a sentence."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UnreadableTable("Ce fichier ne peut pas être ouvert.") from error
    with stream:
        yield stream


# Workbooks come from strangers: 5 KB may claim a billion cells, which the library reserves memory for and aborts. A
# child process with bounds reads them; what ends it is a sentence about that file, and the process that asked lives on.

_CHILD_MEMORY: Final = 2 * 1024**3  # bytes of address space: some 2 million filled cells
_CHILD_SECONDS: Final = 120  # of processor time
_TOO_MUCH: Final = (
    "Ce classeur demande trop de mémoire ou de temps : des cellules très éloignées y sont remplies, ou il est hostile. "
    "Copiez les lignes utiles dans un classeur neuf, ou enregistrez-les en CSV."
)


def _ask_child(source: Path | bytes, sheet: str | None = None) -> Iterator[Any]:
    """What the child says of the workbook: ``[sheet, height]`` of each, or ``[line, cells]`` of each row of ``sheet``.

    Raises :class:`UnreadableTable` with the child's reason, or where the child exceeded its bounds.
    """
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile(prefix="workbook-") as copy:
            copy.write(source)
            copy.flush()
            yield from _ask_child(Path(copy.name), sheet)
        return
    root = str(Path(__file__).resolve().parents[2])
    arguments = [str(source.absolute()), *([] if sheet is None else [sheet])]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", __name__, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": root, "PYTHONUTF8": "1"},
    ) as child:
        assert child.stdout is not None
        try:
            for said in child.stdout:
                match json.loads(said):
                    case {"refused": reason}:
                        raise UnreadableTable(reason)
                    case {"end": True}:
                        return
                    case value:
                        yield value
            raise UnreadableTable(_TOO_MUCH)  # it ended without saying so
        finally:
            child.kill()


def _rows_from_child(source: Path | bytes, sheet: str) -> Iterator[Row]:
    for line, cells in _ask_child(source, sheet):
        yield Row(line, cells)


def _serve(path: Path, sheet: str | None) -> None:
    """The child's life: limits first, then a line of JSON for each sheet or row, then an end."""
    # POSIX only, and imported here: what only parses may be imported anywhere.
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_CHILD_MEMORY, _CHILD_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CHILD_SECONDS, _CHILD_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer: Any = {"end": True}
    try:
        if sheet is None:
            with _workbook(path) as workbook:
                for name in workbook.sheet_names:
                    print(json.dumps([name, workbook.get_sheet_by_name(name).height]))
        else:
            for row in _sheet_rows(path, sheet):
                print(json.dumps(row))
    except UnreadableTable as error:
        answer = {"refused": error.reason}
    except MemoryError:
        answer = {"refused": _TOO_MUCH}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
