"""No cell of a CSV that we write is computed by the spreadsheet that opens it."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.translation import gettext_lazy

from invoices.files.csv_cells import harmless_cell
from invoices.files.csv_tables import Column, CsvTable, write_cell

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("https://example.org")',
        "+33 4 72 00 00 00",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
    ],
)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert harmless_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", " ", "Boulangerie Martin", "a=b", "12-34", "compta@client.example", "F 1", "'=1"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless_cell(text) == text


def test_what_is_no_text_is_written_as_text() -> None:
    assert harmless_cell(42) == "42"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (Decimal("-1234.50"), "-1234,50"),
        (Decimal("1E+3"), "1000"),
        (-3, "-3"),
        (datetime.date(2025, 6, 7), "07/06/2025"),
        (datetime.datetime(2025, 6, 7, 10, 0, 5, tzinfo=datetime.UTC), "07/06/2025 12:00:05"),
        ("-2+3", "'-2+3"),
        (gettext_lazy("=A1"), "'=A1"),
    ],
)
def test_numbers_and_dates_are_written_as_spreadsheets_read_them_and_texts_are_guarded(
    value: object, cell: str
) -> None:
    assert write_cell(value) == cell


def test_a_table_is_its_columns_and_no_text_in_it_is_a_formula() -> None:
    table: CsvTable[tuple[str, Decimal]] = CsvTable(
        [Column("Client", lambda row: row[0]), Column(gettext_lazy("Montant; TTC"), lambda row: row[1])]
    )

    lines = list(table.lines([("=SOMME(A1)", Decimal("-5.00")), ('Dit "Le Petit"', Decimal("1.10"))]))

    assert lines == [
        '\ufeffClient;"Montant; TTC"\r\n',
        "'=SOMME(A1);-5,00\r\n",
        '"Dit ""Le Petit""";1,10\r\n',
    ]


def test_a_cell_is_cut_on_a_page_and_whole_in_the_file() -> None:
    column: Column[str] = Column("Motif", str, most=10)

    assert column.shown("Adresse inconnue") == "Adresse i…"
    assert CsvTable([column]).line("Adresse inconnue") == "Adresse inconnue\r\n"


def test_one_module_writes_csv() -> None:
    writers = [
        path
        for room in ("portal", "invoices", "customers", "mailing")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"\bcsv\.(Dict)?[Ww]riter\(", path.read_text(encoding="utf-8"))
    ]

    assert [path.name for path in writers] == ["csv_tables.py"]
