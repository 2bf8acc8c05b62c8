"""The one writer of workbooks: the columns of a CSV, with amounts as numbers and dates as dates."""

import datetime
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import IO, Any, Final

from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from invoices.files.csv_tables import Column

CONTENT_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LONGEST_TEXT: Final = 32_767  # of a cell
_ROWS_OF_A_SHEET: Final = 1_048_575  # under the header
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML cannot hold them
_FIRST_DAY: Final = datetime.date(1900, 3, 1)
"""Before it spreadsheets count a 29th of February that never was, or no days at all."""


def write_xlsx[Row](columns: Sequence[Column[Row]], rows: Iterable[Row], target: IO[bytes]) -> None:
    """Write ``rows`` into ``target``, one at a time in memory, under a header that stays in sight.

    A text is a text, whatever it begins with: no cell is a formula. What a sheet cannot hold goes on in the next one.
    """
    with Workbook(target, {"constant_memory": True}) as workbook:
        bold = workbook.add_format({"bold": True})
        formats = {
            kind: workbook.add_format({"num_format": text})
            for kind, text in (("amount", "#,##0.00"), ("date", "DD/MM/YYYY"), ("moment", "DD/MM/YYYY HH:MM:SS"))
        }
        name = _("Liste")
        sheet = _begin_sheet(workbook, name, columns, bold)
        line = 0
        for row in rows:
            if line == _ROWS_OF_A_SHEET:
                sheet, line = _begin_sheet(workbook, f"{name} {len(workbook.worksheets()) + 1}", columns, bold), 0
            line += 1
            for place, column in enumerate(columns):
                _write(sheet, line, place, column.value(row), formats)


def _begin_sheet[Row](workbook: Workbook, name: str, columns: Sequence[Column[Row]], bold: Any) -> Any:
    sheet = workbook.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(columns) - 1, 0), 18)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, _text(str(column)), bold)
    return sheet


def _write(sheet: Any, row: int, place: int, value: object, formats: dict[str, Any]) -> None:
    """``value`` with the format in which it is shown; nothing for None."""
    match value:
        case None | "":
            return
        case Decimal() if value.is_finite():
            sheet.write_number(row, place, value, formats["amount"] if value.as_tuple().exponent == -2 else None)
        case int() if not isinstance(value, bool):
            sheet.write_number(row, place, value)
        case datetime.datetime() if value.date() >= _FIRST_DAY:
            there = localtime(value).replace(tzinfo=None) if is_aware(value) else value
            sheet.write_datetime(row, place, there, formats["moment"])
        case datetime.date() if not isinstance(value, datetime.datetime) and value >= _FIRST_DAY:
            sheet.write_datetime(row, place, value, formats["date"])
        case datetime.date():
            sheet.write_string(row, place, f"{value:%d/%m/%Y}")
        case _:
            sheet.write_string(row, place, _text(str(value)))


def _text(text: str) -> str:
    return _UNWRITABLE.sub("", text)[:_LONGEST_TEXT]
