"""No cell of a CSV that we write is computed by the spreadsheet that opens it."""

import re
from pathlib import Path

import pytest

from invoices.files.csv_cells import harmless_cell

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


def test_every_module_that_writes_a_csv_uses_the_rule() -> None:
    writers = [
        path
        for room in ("portal", "invoices", "customers", "mailing")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"\bcsv\.(Dict)?[Ww]riter\(", path.read_text(encoding="utf-8"))
    ]

    assert len(writers) >= 5
    assert [path.name for path in writers if "harmless_cell(" not in path.read_text(encoding="utf-8")] == []
