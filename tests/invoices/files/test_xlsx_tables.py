"""Workbooks that we write: amounts are numbers, dates are dates, texts are never formulas."""

import datetime
import io
from decimal import Decimal

from openpyxl import load_workbook

from invoices.files.csv_tables import Column
from invoices.files.xlsx_tables import write_xlsx

COLUMNS: list[Column[tuple[object, ...]]] = [
    Column("Date", lambda row: row[0]),
    Column("Montant", lambda row: row[1]),
    Column("Texte", lambda row: row[2]),
]


def test_amounts_are_numbers_dates_are_dates_and_texts_are_no_formulas() -> None:
    out = io.BytesIO()
    write_xlsx(COLUMNS, [(datetime.date(2025, 6, 7), Decimal("1234.50"), "=SOMME(A1)"), (None, 3, "a\x0bb")], out)
    out.seek(0)

    header, first, second = load_workbook(out)["Liste"].iter_rows()

    assert [cell.value for cell in header] == ["Date", "Montant", "Texte"]
    assert (first[0].value, first[0].number_format) == (datetime.datetime(2025, 6, 7), "DD/MM/YYYY")  # noqa: DTZ001
    assert (first[1].value, first[1].number_format) == (1234.5, "#,##0.00")
    assert (first[2].value, first[2].data_type) == ("=SOMME(A1)", "s")
    assert [cell.value for cell in second] == [None, 3, "ab"]
