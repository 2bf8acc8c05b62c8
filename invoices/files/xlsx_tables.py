"""The one writer of workbooks: the columns of a CSV, with amounts as numbers and dates as dates.

A workbook is a ZIP of XML (ECMA-376). It is written while it is sent, in flat memory, with texts beside their cells:
a table of shared texts would have to be complete before the first row.
"""

import datetime
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile

from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _

from invoices.files.csv_tables import Column

CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TEXT: Final = 32_767  # of a cell
# Rows that are compressed, and sent, at once.
_CHUNK: Final = 500

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET: Final = "xl/worksheets/sheet1.xml"

# The places of the formats in ``cellXfs`` below.
_BOLD, _AMOUNT, _DATE, _MOMENT = 1, 2, 3, 4
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="DD/MM/YYYY"/>'
    '<numFmt numFmtId="165" formatCode="DD/MM/YYYY HH:MM:SS"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)

# What XML cannot hold, and what a spreadsheet would take for the code of a character («_x000D_»).
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CODE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
# Excel's days; before March 1900 it counts a 29th of February that never was.
_DAY_ZERO: Final = datetime.date(1899, 12, 30)
_FIRST_DAY: Final = datetime.date(1900, 3, 1)


class _Sink(io.RawIOBase):
    """A file that cannot be sought: what is written to it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: Any) -> int:
        """Keep ``content`` until it is taken."""
        self._parts.append(bytes(content))
        return len(content)

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def stream_xlsx[Row](columns: Sequence[Column[Row]], rows: Iterable[Row]) -> Iterator[bytes]:
    """The bytes of the workbook of ``rows``, under a header that stays in sight.

    A text is a text, whatever it begins with: no cell is a formula.
    """
    sink, title = _Sink(), _("Liste")
    letters = [_letter(index) for index in range(len(columns))]
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, content in _frame(title):
            archive.writestr(name, content)
        # A sheet that is longer than 2 GB is none that a spreadsheet opens: its size fits the fields of a plain ZIP.
        with archive.open(_SHEET, "w") as sheet:
            sheet.write(_head(len(columns)).encode())
            lines = [_row(1, letters, [_text(str(column), _BOLD) for column in columns])]
            for number, row in enumerate(rows, start=2):
                lines.append(_row(number, letters, [_cell(column.value(row)) for column in columns]))
                if len(lines) >= _CHUNK:
                    sheet.write("".join(lines).encode())
                    yield sink.take()
                    lines = []
            sheet.write(f"{''.join(lines)}</sheetData></worksheet>".encode())
    yield sink.take()


def _frame(title: str) -> Iterator[tuple[str, str]]:
    """The parts of a workbook of one sheet beside the sheet."""
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/{_SHEET}" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>',
    )
    yield "_rels/.rels", _relations(("officeDocument", "xl/workbook.xml"))
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<sheets><sheet name={quoteattr(title)} sheetId="1" r:id="rId1"/></sheets></workbook>',
    )
    yield "xl/_rels/workbook.xml.rels", _relations(("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml"))
    yield "xl/styles.xml", _STYLES


def _relations(*parts: tuple[str, str]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(parts, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _head(columns: int) -> str:
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{columns}" width="18" customWidth="1"/></cols><sheetData>'
    )


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _row(number: int, letters: Sequence[str], cells: Sequence[str]) -> str:
    """The cells that hold something, each in its place."""
    written = [f'<c r="{letter}{number}"{cell}</c>' for letter, cell in zip(letters, cells, strict=True) if cell]
    return f'<row r="{number}">{"".join(written)}</row>'


def _cell(value: object) -> str:
    """``value`` with the format in which it is shown, from its attributes to its content; empty for None."""
    match value:
        case None:
            return ""
        case bool():
            return _text(str(value))
        case Decimal() if value.is_finite():
            style = f' s="{_AMOUNT}"' if value.as_tuple().exponent == -2 else ""
            return f"{style}><v>{value:f}</v>"
        case int():
            return f"><v>{int(value)}</v>"
        case datetime.datetime():
            there = localtime(value).replace(tzinfo=None) if is_aware(value) else value
            seconds = there.hour * 3600 + there.minute * 60 + there.second
            return _moment(there.date(), f"{there:%d/%m/%Y %H:%M:%S}", _MOMENT, Decimal(seconds) / 86_400)
        case datetime.date():
            return _moment(value, f"{value:%d/%m/%Y}", _DATE, Decimal(0))
        case _:
            return _text(str(value))


def _moment(day: datetime.date, words: str, style: int, part: Decimal) -> str:
    """A day and the part of it that is over, as spreadsheets count; in ``words`` where they count no such day."""
    if day < _FIRST_DAY:
        return _text(words)
    return f' s="{style}"><v>{(day - _DAY_ZERO).days + part:.10f}</v>'


def _text(text: str, style: int = 0) -> str:
    if not text and not style:
        return ""
    written = escape(_CODE.sub("_x005F_", _UNWRITABLE.sub("", text[:_LONGEST_TEXT])))
    shown = f' s="{style}"' if style else ""
    return f'{shown} t="inlineStr"><is><t xml:space="preserve">{written}</t></is>'
