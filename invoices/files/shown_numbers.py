"""Numbers of a workbook whose format shows more: 1 in the format ``000000`` is the customer 000001, or is in dollars.

The reader of workbooks gives the stored number; what a person sees is in the styles of an .xlsx and beside the
value in an .ods. An .xls keeps it where nothing here reads it.
"""

import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from lxml import etree

type ShownRow = tuple[int, dict[int, str]]
"""The number of a row, from 1, and the texts of its cells that are such numbers, by their column, from 0."""

type _Format = "CodeFormat | CurrencyFormat"

_DAMAGED: Final = (zipfile.BadZipFile, KeyError, OSError, ValueError, NotImplementedError, RuntimeError, EOFError,
                   zlib.error, etree.XMLSyntaxError)  # fmt: skip
_MAX_PART: Final = 32 * 1024 * 1024  # bytes of the parts that are read as a whole
_ROUNDED: Final = 10.0**15
_MOST_ROWS: Final = 1_048_576  # of a sheet
_MOST_COLUMNS: Final = 16_384

_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"

_FORMAT_PART: Final = re.compile(r'"([^"]*)"|\\(.)|[_*].|\[\$[^\]]*\]|([0#])|([ \-])', re.DOTALL)
_CURRENCY_PART: Final = re.compile(r'\[\$([^\]\-]+)(?:-[^\]]*)?\]|"([^"]*)"|([$£¥])')
# Those that French companies bill in; «TTC», «PCS» and «KGS» beside a number are words.
_CURRENCY_CODES: Final = frozenset(("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "JPY", "CNY", "SEK", "NOK", "DKK", "PLN"))
_PREFIXED: Final = re.compile(r"[^\W\d_]+[-_/.]?")
_SHOWN_CODE: Final = re.compile(r"0[0-9 .\-/]*[0-9]|[A-Za-z]{1,6}[-_/.]?[0-9]+", re.ASCII)
_INTEGER: Final = re.compile(r"([0-9]{1,15})(?:\.0+)?", re.ASCII)


class CodeFormat:
    """A format of numbers that makes codes of them: ``000000``, ``"C"0000``, ``0#" "##" "##" "##" "##``."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._places = sum(part in ("0", "#") for part in parts)

    @classmethod
    def of(cls, code: str) -> "CodeFormat | None":
        """The format that ``code`` writes; None for one of amounts, rates, dates and others, which change no number."""
        parts: list[str] = []
        place = 0
        for found in _FORMAT_PART.finditer(code):
            if found.start() != place:
                break
            place = found.end()
            literal = found[1] if found[1] is not None else found[2] or found[4]
            parts.append(f"={literal}" if literal else found[3] or "")
        if code[place : place + 1] not in ("", ";"):
            return None
        parts = [part for part in parts if part]
        first = next((index for index, part in enumerate(parts) if part in ("0", "#")), len(parts))
        before = "".join(part[1:] for part in parts[:first])
        has_zeros = parts.count("0") >= 2 or parts[first : first + 2] == ["0", "#"]
        is_code = has_zeros or (parts[first:] == ["0"] and _PREFIXED.fullmatch(before) is not None)
        may_be_amount = any("." in part or "," in part for part in parts)  # «000"."00»
        return cls(parts) if is_code and not may_be_amount else None

    def show(self, number: str) -> str:
        """The digits of ``number`` as the format shows them."""
        digits = list(number)
        shown: list[str] = []
        places = self._places
        for part in reversed(self._parts):
            if part.startswith("="):
                shown.append(part[1:])
                continue
            places -= 1
            if digits:
                shown.append(digits.pop())
            elif part == "0":
                shown.append("0")
            if not places:
                shown += reversed(digits)
        return "".join(reversed(shown)).strip()


class CurrencyFormat:
    """A format of numbers that says their currency, other than the euro: ``[$$-409]#,##0.00``, ``0.00 "£"``."""

    def __init__(self, sign: str) -> None:
        self._sign = sign

    @classmethod
    def of(cls, code: str) -> "CurrencyFormat | None":
        """The format that ``code`` writes; None for one without a currency, or in euros."""
        signs = (found[1] or found[2] or found[3] for found in _CURRENCY_PART.finditer(code))
        sign = next((each.strip() for each in signs if each and _is_currency(each.strip())), "")
        return cls(sign) if sign and sign.upper() not in ("€", "EUR", "EURO") else None

    def show(self, number: str) -> str:
        """``number`` with its currency after it."""
        return f"{number} {self._sign}"


def _is_currency(sign: str) -> bool:
    return any(unicodedata.category(char) == "Sc" for char in sign) or sign in _CURRENCY_CODES


def shown_numbers(path: Path, sheet: str) -> Iterator[ShownRow]:
    """The rows of ``sheet`` with numbers that a format shows as codes; none where the workbook has no such format."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = frozenset(archive.namelist())
            if "content.xml" in names:
                yield from _in_ods(archive, sheet)
            elif "xl/styles.xml" in names:
                yield from _in_xlsx(archive, sheet)
    except _DAMAGED:
        return  # what is wrong with it is said where its cells are read


def _in_xlsx(archive: zipfile.ZipFile, sheet: str) -> Iterator[ShownRow]:
    formats = _formats_by_style(_whole(archive, "xl/styles.xml"))
    part = _part_of(archive, sheet) if formats else ""
    if not part:
        return
    with archive.open(part) as stream:
        number = 0
        for row in _each(stream, "{*}row"):
            number = int(row.get("r") or number + 1)
            cells: dict[int, str] = {}
            column = -1
            for cell in row.iterchildren("{*}c"):
                column = _column_of(cell.get("r", "")) if cell.get("r") else column + 1
                shown_as = formats.get(cell.get("s", ""))
                if shown_as is None or cell.get("t", "n") != "n":
                    continue
                text = cell.findtext("{*}v") or ""
                if isinstance(shown_as, CurrencyFormat):
                    cells[column] = shown_as.show(number_text(float(text))) if text else ""
                elif stored := _INTEGER.fullmatch(text):
                    cells[column] = shown_as.show(stored[1])
            if cells:
                yield number, cells


def number_text(number: float) -> str:
    """A stored number as text; of more than fifteen digits, which spreadsheets do not keep, as ``1.23457E+16``."""
    if abs(number) >= _ROUNDED:
        return f"{number:.5E}"
    # Binary fractions carry noise (2.3800000000000003); eight decimals are what prices may have.
    return f"{number:.8f}".rstrip("0").rstrip(".")


def _formats_by_style(styles: Any) -> dict[str, _Format]:
    """The formats of codes and of currencies by the number of the style that has them."""
    own = {each.get("numFmtId"): _format_of(each.get("formatCode", "")) for each in styles.iterfind(".//{*}numFmt")}
    cells = styles.iterfind("{*}cellXfs/{*}xf")
    found = {str(index): own.get(cell.get("numFmtId")) for index, cell in enumerate(cells)}
    return {index: shown_as for index, shown_as in found.items() if shown_as is not None}


def _format_of(code: str) -> _Format | None:
    return CodeFormat.of(code) or CurrencyFormat.of(code)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    relation = ""
    for each in _whole(archive, "xl/workbook.xml").iterfind("{*}sheets/{*}sheet"):
        if each.get("name") == sheet:
            relation = each.get(_RELATION) or each.get(_STRICT_RELATION) or ""
    for each in _whole(archive, "xl/_rels/workbook.xml.rels").iterfind("{*}Relationship"):
        if each.get("Id") == relation:
            target = str(each.get("Target"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _column_of(reference: str) -> int:
    column = 0
    for letter in reference.rstrip("0123456789"):
        column = column * 26 + ord(letter) - 64
    return column - 1


def _in_ods(archive: zipfile.ZipFile, sheet: str) -> Iterator[ShownRow]:
    with archive.open("content.xml") as stream:
        number = 0
        for row in _each(stream, f"{_TABLE}table-row"):
            table = row.getparent()
            while table is not None and table.tag != f"{_TABLE}table":
                table = table.getparent()
            if table is None or table.get(f"{_TABLE}name") != sheet:
                continue
            cells: dict[int, str] = {}
            column = 0
            for cell in row:
                repeated = int(cell.get(f"{_TABLE}number-columns-repeated") or 1)
                if text := _shown_code(cell):
                    cells |= dict.fromkeys(range(column, min(column + repeated, _MOST_COLUMNS)), text)
                column += repeated
            following = number + int(row.get(f"{_TABLE}number-rows-repeated") or 1)
            if cells:
                for each in range(number + 1, min(following, _MOST_ROWS) + 1):
                    yield each, cells
            number = following


def _shown_code(cell: Any) -> str:
    currency = cell.get(f"{_OFFICE}currency", "")
    if currency and currency != "EUR" and cell.get(f"{_OFFICE}value-type") == "currency":
        value = cell.get(f"{_OFFICE}value", "")
        return CurrencyFormat(currency).show(number_text(float(value))) if value else ""
    if cell.get(f"{_OFFICE}value-type") != "float":
        return ""
    stored = _INTEGER.fullmatch(cell.get(f"{_OFFICE}value", ""))
    text = "".join(cell.itertext()).strip()
    if stored is None or not _SHOWN_CODE.fullmatch(text):
        return ""
    return text if int(re.sub(r"[^0-9]", "", text)) == int(stored[1]) and text != stored[1] else ""


def _each(stream: IO[bytes], tag: str) -> Iterator[Any]:
    """The elements called ``tag``, each forgotten after its turn."""
    for _event, element in etree.iterparse(stream, tag=tag, resolve_entities=False, no_network=True):
        yield element
        element.clear()
        before: Any = element.getparent()
        while element.getprevious() is not None:
            del before[0]


def _whole(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(name) as stream:
        data = stream.read(_MAX_PART + 1)
    if len(data) > _MAX_PART:
        raise ValueError(name)
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
