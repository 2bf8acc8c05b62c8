"""Rows of a table until it ends or breaks."""

from collections.abc import Iterator

from invoices.files.tables import Row, UnreadableTable
from invoices.importing.report import ImportReport
from invoices.importing.tables.columns import RecognisedTable


def readable_rows(table: RecognisedTable, report: ImportReport) -> Iterator[Row]:
    """The rows of ``table``; where the file breaks (an unclosed quote…) they end, and it is refused."""
    try:
        header_line = table.header_line
        for row in table.table.rows():
            if row.line > header_line:
                yield row
    except UnreadableTable as problem:
        report.refuse_file(table.name, problem.reason, problem.line or None)
