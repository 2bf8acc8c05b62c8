"""Table files as French ERPs and spreadsheets write them, read row by row in bounded memory.

Text files (:mod:`invoices.files.text_rows`) and workbooks (.xlsx, .xls, .ods): each sheet is a table, and typed cells
are written as the text a careful typist would have typed, so that one set of parsers serves both.
"""

import datetime
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import python_calamine

from invoices.files.rows import Row as Row
from invoices.files.rows import UnreadableTable as UnreadableTable
from invoices.files.rows import opened
from invoices.files.shown_numbers import number_text, shown_numbers
from invoices.files.text_rows import UNWANTED, text_rows

_WORKBOOK_NAMES: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_HEAD: Final = 4096
# Control characters that are in no text, line ends, tabs and the old end of a file (26) aside.
_NO_TEXT: Final = frozenset({*range(1, 9), *range(14, 26), *range(28, 32)})
_WORKBOOK_SIGNATURES: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


@dataclass(frozen=True, slots=True)
class Table:
    """A table to read: a text file, or one ``sheet`` of a workbook. ``name`` is how the user knows it."""

    name: str
    source: Path | bytes
    sheet: str | None = None
    is_hidden: bool = False
    counts_from_1904: bool = False
    """True where a day that is written as a bare number is one after 1904-01-01."""

    def rows(self) -> Iterator[Row]:
        """The rows that are not empty, from the top. Raises :class:`UnreadableTable` where the file breaks."""
        return text_rows(self.source) if self.sheet is None else _rows_from_child(self.source, self.sheet)

    @property
    def file(self) -> str:
        """The name of the file, without that of the sheet."""
        return self.name.removesuffix(_sheet_suffix(self.sheet or ""))

    @property
    def is_derived(self) -> bool:
        """True where the rows are not the user's, but what was read of them."""
        return False

    @property
    def has_typed_cells(self) -> bool:
        """True for a workbook, where numbers have lost the zeros before them."""
        return self.sheet is not None


def _sheet_suffix(sheet: str) -> str:
    return f" (feuille « {sheet} »)"


def _is_binary(head: bytes) -> bool:
    """True for bytes that no text holds; UTF-16 announces itself."""
    return not head.startswith((b"\xff\xfe", b"\xfe\xff")) and any(byte in _NO_TEXT for byte in head)


def tables_in(source: Path | bytes, name: str) -> list[Table]:
    """The tables of a file (a path, or its bytes): itself, or each sheet of a workbook that holds something.

    Raises :class:`UnreadableTable` for a workbook that is damaged, protected by a password or empty, and for what bears
    the name of a workbook and is neither one nor text.
    """
    with opened(source) as stream:
        head = stream.read(_HEAD)
    if not head:
        raise UnreadableTable("Ce fichier est vide.")
    if not head.startswith(_WORKBOOK_SIGNATURES):
        if name.lower().endswith(_WORKBOOK_NAMES) and _is_binary(head):
            raise UnreadableTable(
                "Ce fichier porte le nom d’un classeur et n’en est pas un. Ouvrez-le dans votre tableur et "
                "enregistrez-le en .xlsx ou en CSV."
            )
        return [Table(name, source)]
    sheets = [(sheet, *properties) for sheet, height, *properties in _ask_child(source) if height]
    if not sheets:
        raise UnreadableTable("Ce classeur est vide.")
    if len(sheets) == 1:
        return [Table(name, source, *sheets[0])]
    return [Table(f"{name}{_sheet_suffix(sheet)}", source, sheet, *properties) for sheet, *properties in sheets]


# Workbooks


@contextmanager
def _workbook(source: Path | bytes) -> Iterator[python_calamine.CalamineWorkbook]:
    """The opened workbook; what the library finds wrong becomes a sentence."""
    try:
        loaded = python_calamine.load_workbook(str(source) if isinstance(source, Path) else io.BytesIO(source))
    except python_calamine.PasswordError as error:
        raise UnreadableTable("Ce classeur est protégé par un mot de passe.") from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableTable("Ce classeur est endommagé ou d’une sorte inconnue.") from error
    try:
        with loaded as workbook:
            yield workbook
    except python_calamine.CalamineError as error:
        raise UnreadableTable("Une feuille de ce classeur est illisible.") from error


def _sheet_rows(path: Path, sheet_name: str) -> Iterator[Row]:
    """Runs in the child."""
    with _workbook(path) as workbook:
        sheet = workbook.get_sheet_by_name(sheet_name)
        first_column = sheet.start[1] if sheet.start else 0
        codes = shown_numbers(path, sheet_name)
        next_line, shown = next(codes, (0, {}))
        for line, cells in enumerate(sheet.iter_rows(), start=1):
            texts = [_as_text(cell) for cell in cells]
            while 0 < next_line < line:
                next_line, shown = next(codes, (0, {}))
            if line == next_line:
                for column, text in shown.items():
                    place = column - first_column
                    if 0 <= place < len(texts) and isinstance(cells[place], float | int):
                        texts[place] = text
            if any(texts):
                yield Row(line, texts)


_DATE_1904: Final = re.compile(rb"""date1904\s*=\s*["'](?:1|true)["']""")
_MAX_PROPERTIES: Final = 1024 * 1024  # bytes


def _counts_from_1904(path: Path) -> bool:
    """Whether an .xlsx has the calendar of old Macs. Typed dates know it; bare numbers do not. Runs in the child."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as stream:
            return _DATE_1904.search(stream.read(_MAX_PROPERTIES)) is not None
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return False


def _as_text(cell: Any) -> str:
    """A typed cell as the text that the parsers read: ``1.98``, ``2025-06-07``, ``1`` for true."""
    match cell:
        case str():
            return UNWANTED.sub("", cell).strip()
        case bool():
            return "1" if cell else "0"
        case float():
            return number_text(cell)
        case datetime.datetime():
            return cell.date().isoformat()
        case None:
            return ""
        case _:
            return str(cell)


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
            counts_from_1904 = _counts_from_1904(path)
            with _workbook(path) as workbook:
                for sheet_of in workbook.sheets_metadata:
                    is_hidden = sheet_of.visible != python_calamine.SheetVisibleEnum.Visible
                    height = workbook.get_sheet_by_name(sheet_of.name).height
                    print(json.dumps([sheet_of.name, height, is_hidden, counts_from_1904]))
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
