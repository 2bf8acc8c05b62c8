"""The one writer of CSV files: a column declares its header and its value together, and no cell is a formula."""

import csv
import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.timezone import is_aware, localtime

from invoices.files.csv_cells import harmless_cell

BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True)
class Column[Row]:
    """A column of a table that we write: what is above it, and what is in it for a row."""

    header: str | Promise
    value: Callable[[Row], object]
    # On a page: aligned at the end, and cut after so many characters (0: never).
    is_amount: bool = False
    most: int = 0

    def __str__(self) -> str:
        return str(self.header)

    def shown(self, row: Row) -> object:
        """What a page shows of ``row``: the value, cut where it is too long; nothing for None."""
        value = self.value(row)
        if value is None:
            return ""
        return Truncator(str(value)).chars(self.most) if self.most else value


class _Echo:
    """A file that gives back what is written to it: csv.writer makes lines, somebody else sends them on."""

    def write(self, text: str) -> str:
        return text


class CsvTable[Row]:
    """A CSV as French spreadsheets open it: byte order mark, semicolons, decimal commas, jj/mm/aaaa.

    Lines are made one at a time, so that any number of them takes flat memory.
    """

    def __init__(self, columns: Sequence[Column[Row]]) -> None:
        self.columns = columns
        self._writer: Any = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")

    def head(self) -> str:
        """The byte order mark and the line of headers."""
        return BYTE_ORDER_MARK + str(self._writer.writerow([write_cell(str(column)) for column in self.columns]))

    def line(self, row: Row) -> str:
        """The line of ``row``."""
        return str(self._writer.writerow([write_cell(column.value(row)) for column in self.columns]))

    def lines(self, rows: Iterable[Row]) -> Iterator[str]:
        """The whole file, line by line: the head, then each of ``rows``."""
        yield self.head()
        for row in rows:
            yield self.line(row)


def write_cell(value: object) -> str:
    """``value`` as a cell: numbers and dates as spreadsheets read them, any text guarded; nothing for None.

    Only a number may begin with a minus sign: a text that does gets an apostrophe (:func:`harmless_cell`).
    """
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}".replace(".", ",")
        case int() if not isinstance(value, bool):
            return str(int(value))
        case datetime.datetime():
            return f"{localtime(value) if is_aware(value) else value:%d/%m/%Y %H:%M:%S}"
        case datetime.date():
            return f"{value:%d/%m/%Y}"
        case _:
            return harmless_cell(value)
