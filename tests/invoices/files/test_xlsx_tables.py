"""Workbooks that we write: amounts are numbers, dates are dates, texts are never formulas."""

import datetime
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from invoices.files.csv_tables import Column
from invoices.files.xlsx_tables import write_xlsx

COLUMNS: list[Column[tuple[object, ...]]] = [
    Column("Date", lambda row: row[0]),
    Column("Montant", lambda row: row[1]),
    Column("Texte", lambda row: row[2]),
]


def _written(*rows: tuple[object, ...]) -> bytes:
    file = io.BytesIO()
    write_xlsx(COLUMNS, rows, file)
    return file.getvalue()


def _cells(*rows: tuple[object, ...]) -> list[tuple[Any, ...]]:
    """The rows below the header, as another program reads them."""
    return list(load_workbook(io.BytesIO(_written(*rows)))["Liste"].iter_rows(min_row=2))


def test_amounts_are_numbers_dates_are_dates_and_texts_are_no_formulas() -> None:
    content = _written((datetime.date(2025, 6, 7), Decimal("1234.50"), "=SOMME(A1)"), (None, 3, "a\x0bb"))

    header, first, second = load_workbook(io.BytesIO(content))["Liste"].iter_rows()

    assert [(cell.value, cell.font.b) for cell in header] == [("Date", True), ("Montant", True), ("Texte", True)]
    assert (first[0].value, first[0].number_format) == (datetime.datetime(2025, 6, 7), "DD/MM/YYYY")  # noqa: DTZ001
    assert (first[1].value, first[1].number_format) == (1234.5, "#,##0.00")
    assert (first[2].value, first[2].data_type) == ("=SOMME(A1)", "s")
    assert [cell.value for cell in second] == [None, 3, "ab"]


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ('Müller & fils <à côté> "ci"', 'Müller & fils <à côté> "ci"'),
        ("  deux\nlignes ", "  deux\nlignes "),
        ("\ud800x\uffff", "x"),
        ("é" * 40_000, "é" * 32_767),
        ("0012", "0012"),
        (True, "True"),
        (Decimal("-0.05"), -0.05),
        (Decimal("1E+3"), 1000),
        (Decimal("NaN"), "NaN"),
        (datetime.datetime(2025, 3, 30, 23, 59, 59, tzinfo=ZoneInfo("Europe/Paris")), "30/03/2025 23:59:59"),
        (datetime.datetime(2025, 6, 7, 22, 30, tzinfo=datetime.UTC), "08/06/2025 00:30:00"),
        (datetime.date(2024, 2, 29), "29/02/2024 00:00:00"),
        (datetime.date(1900, 3, 1), "01/03/1900 00:00:00"),
        (datetime.date(1899, 7, 14), "14/07/1899"),
    ],
)
def test_a_value_is_read_back_as_it_was(value: object, read: object) -> None:
    ((_empty, _nothing, cell),) = _cells((None, None, value))

    found = cell.value
    assert (f"{found:%d/%m/%Y %H:%M:%S}" if isinstance(found, datetime.datetime) else found) == read


def test_a_text_that_looks_like_the_code_of_a_character_is_kept_apart() -> None:
    sheet = zipfile.ZipFile(io.BytesIO(_written((None, None, "a_x000D_b")))).read("xl/worksheets/sheet1.xml")

    assert b">a_x005F_x000D_b<" in sheet


def test_the_reader_of_imports_reads_what_we_write() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(_written((datetime.date(2025, 6, 7), Decimal("12.50"), "Été"))))

    assert book.get_sheet_by_name("Liste").to_python() == [
        ["Date", "Montant", "Texte"],
        [datetime.date(2025, 6, 7), 12.5, "Été"],
    ]


def test_rows_are_held_one_at_a_time() -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(20_000):
            yield None, number, f"a text of its own, {number}"

    tracemalloc.start()
    write_xlsx(COLUMNS, rows(), io.BytesIO())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_what_a_sheet_cannot_hold_goes_on_in_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoices.files.xlsx_tables._ROWS_OF_A_SHEET", 2)
    rows = [(None, number, "") for number in range(3)]

    sheets = load_workbook(io.BytesIO(_written(*rows)))

    assert [[row[1].value for row in sheet.iter_rows()] for sheet in sheets] == [["Montant", 0, 1], ["Montant", 2]]
