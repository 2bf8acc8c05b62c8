"""The one writer of workbooks: the columns of a CSV, with amounts as numbers and dates as dates."""

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any, Final, cast

from django.utils.timezone import is_aware, localtime
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from invoices.files.csv_tables import Column

CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TEXT: Final = 32_767  # of a cell


def write_xlsx[Row](columns: Sequence[Column[Row]], rows: Iterable[Row], target: IO[bytes]) -> None:
    """Write ``rows`` into ``target``, one at a time, under a header that stays in sight.

    A text is a text, whatever it begins with: no cell is a formula.
    """
    workbook = Workbook(write_only=True)
    sheet: Any = workbook.create_sheet("Liste")
    sheet.freeze_panes = "A2"
    for index in range(len(columns)):
        sheet.column_dimensions[_letter(index)].width = 18
    sheet.append([_header(sheet, str(column)) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, column.value(row)) for column in columns])
    workbook.save(target)


def _letter(index: int) -> str:
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _header(sheet: Any, text: str) -> Any:
    cell = _cell(sheet, text)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: object) -> Any:
    """``value`` with the format in which it is shown."""
    match value:
        case None:
            return WriteOnlyCell(sheet, None)
        case bool():
            return _text(sheet, str(value))
        case Decimal():
            cell = WriteOnlyCell(sheet, cast("Any", value))
            exponent = value.as_tuple().exponent
            cell.number_format = "#,##0.00" if exponent == -2 else "General"
            return cell
        case int():
            return WriteOnlyCell(sheet, int(value))
        case datetime.datetime():
            cell = WriteOnlyCell(sheet, localtime(value).replace(tzinfo=None) if is_aware(value) else value)
            cell.number_format = "DD/MM/YYYY HH:MM:SS"
            return cell
        case datetime.date():
            cell = WriteOnlyCell(sheet, cast("Any", value))
            cell.number_format = "DD/MM/YYYY"
            return cell
        case _:
            return _text(sheet, str(value))


def _text(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text)[:_LONGEST_TEXT])
    cell.data_type = "s"
    return cell
