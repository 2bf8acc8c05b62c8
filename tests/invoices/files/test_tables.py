"""Tables and cells, in every form that French ERPs and spreadsheets write."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from invoices.files.tables import Row, UnreadableTable, tables_in
from invoices.importing.values import BadValue, parse_amount, parse_date, parse_flag, parse_number, parse_rate
from tests.support.workbooks import ods, workbook

NO_BREAK = "\u00a0"
NARROW = "\u202f"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234,50", "1234.50"),
        ("1234.50", "1234.50"),
        ("1 234,50", "1234.50"),
        (f"1{NO_BREAK}234,50", "1234.50"),
        (f"1{NARROW}234,50", "1234.50"),
        (f"12{NARROW}345{NARROW}678,90{NO_BREAK}€", "12345678.90"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1,234,567.8", "1234567.8"),
        ("1'234.50", "1234.50"),
        ("0,125", "0.125"),
        (",5", "0.5"),
        ("(12,00)", "-12.00"),
        ("-12,00", "-12.00"),
        ("- 12,00", "-12.00"),
        ("12,00-", "-12.00"),
        ("−12,00", "-12.00"),
        ("+3", "3"),
        ("-", "0"),
        ("20 %", "20"),
        ("12,00 EUR", "12.00"),
        ("€ 12,00", "12.00"),
    ],
)
def test_numbers_are_read_however_they_are_written(text: str, expected: str) -> None:
    assert parse_number(text) == Decimal(expected)


@pytest.mark.parametrize(
    "text",
    ["abc", "12,3,4", "1.2.3", "12 €uros", "NaN", "1e5", "1_000", "--5", "(-5)-", "١٢", "€", "1,23.456,7", "5/6"],
)
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(BadValue, match="n’est pas un nombre") as refusal:
        parse_number(text)
    assert text in str(refusal.value)


def test_an_amount_is_to_the_cent() -> None:
    assert str(parse_amount("12,340")) == "12.34"
    assert str(parse_amount("-0,00")) == "0.00"
    with pytest.raises(BadValue, match="« 12,345 » a plus de deux décimales"):
        parse_amount("12,345")


def test_a_rate_is_a_percentage() -> None:
    assert parse_rate("5,5") == Decimal("5.50")
    for text in ("-1", "101", "5,555"):
        with pytest.raises(BadValue, match=f"« {text} » n’est pas un taux"):
            parse_rate(text)


@pytest.mark.parametrize(
    "text",
    [
        "07/06/2025",
        "7/6/2025",
        "07-06-2025",
        "07.06.2025",
        "07/06/25",
        "2025-06-07",
        "2025/06/07",
        "20250607",
        "2025-06-07 00:00:00",
        "2025-06-07T10:30:00Z",
        "07/06/2025 00:00",
        "45815",
    ],
)
def test_dates_are_read_however_they_are_written(text: str) -> None:
    assert parse_date(text) == datetime.date(2025, 6, 7)


@pytest.mark.parametrize(
    "text", ["31/02/2025", "06/25/2025", "demain", "12", "0000-00-00", "07/06/0025", "2025", "1/1"]
)
def test_what_is_no_date_is_named(text: str) -> None:
    with pytest.raises(BadValue, match="n’est pas une date") as refusal:
        parse_date(text)
    assert f"« {text} »" in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("O", True), ("oui", True), ("1", True), ("Vrai", True), ("N", False), ("non", False), ("0", False), ("", False)],
)
def test_yes_and_no(text: str, *, expected: bool) -> None:
    assert parse_flag(text) is expected


def test_neither_yes_nor_no_is_named() -> None:
    with pytest.raises(BadValue, match="« peut-être » n’est ni oui ni non"):
        parse_flag("peut-être")


# Files

CELLS = [
    ["code", "raison_sociale", "ville"],
    ["000001", "Éts Noël & Cie", "Besançon"],
    ["2", "Société; « Le Gîte »", "Orléans"],
]


def as_text(delimiter: str, end: str = "\r\n") -> str:
    return "".join(
        delimiter.join(f'"{cell}"' if delimiter in cell or ";" in cell else cell for cell in row) + end for row in CELLS
    )


def read(data: bytes | Path, name: str = "clients.csv") -> list[Row]:
    (table,) = tables_in(data, name)
    return list(table.rows())


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp850", "mac_roman"]
)
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_every_encoding_separator_and_line_end(encoding: str, delimiter: str, end: str) -> None:
    text = as_text(delimiter, end)
    if encoding in ("cp850", "mac_roman"):
        # These code pages differ from Windows-1252 by their accents, of which an export holds more than three.
        extra = ["Hélène Lefèvre", "Théâtre", "Forêt", "Périgueux", "Évêché", "Crèche", "Société Générale"]
        text += "".join(f"{3 + i}{delimiter}{name}{delimiter}Angoulême{end}" for i, name in enumerate(extra))
    rows = read(text.encode(encoding))
    assert [row.cells for row in rows[:3]] == CELLS
    assert [row.line for row in rows[:3]] == [1, 2, 3]


def test_a_late_accent_still_decides_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"code;nom\r\n" + b"1;plain\r\n" * 200_000 + "2;Noël\r\n".encode("cp1252"))
    (table,) = tables_in(path, path.name)
    assert list(table.rows())[-1] == Row(200_002, ["2", "Noël"])


def test_line_numbers_are_those_of_the_file() -> None:
    rows = read(b'code;nom\n\n1;"deux\nlignes"\n;;\n2;suite\n')
    assert [(row.line, row.cells[0]) for row in rows] == [(1, "code"), (3, "1"), (6, "2")]


def test_excel_s_own_separator_hint_is_followed() -> None:
    assert read(b"sep=,\r\ncode,nom\r\n1,a;b\r\n") == [Row(2, ["code", "nom"]), Row(3, ["1", "a;b"])]


def test_nul_bytes_are_left_out() -> None:
    assert read(b"code;nom\n1;ab\x00\x00c\n\x00\x00\x00\n")[-1] == Row(2, ["1", "abc"])


def test_blanks_around_a_cell_do_not_count() -> None:
    assert read(f"code; nom\n 1 ;{NO_BREAK}x{NARROW}\n".encode()) == [Row(1, ["code", "nom"]), Row(2, ["1", "x"])]


def test_an_unclosed_quote_is_named_with_its_line() -> None:
    with pytest.raises(UnreadableTable, match="guillemet ouvert") as refusal:
        read(b'code;nom\n1;a\n2;"b\n3;c\n')
    assert refusal.value.line == 3


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1;"Live" album', ["1", '"Live" album']),
        ('1;"12" vinyle"', ["1", '12" vinyle']),
        ('"1";"Album "Live""', ["1", 'Album "Live"']),
        ('"a;b";"Live" album', ["a;b", '"Live" album']),
        ('1;"Live" et "Studio"', ["1", '"Live" et "Studio"']),
        ('1;"Tube 12" et 15" inox"', ["1", 'Tube 12" et 15" inox']),
        ('"1" ;"Album "Live" neuf"', ["1", 'Album "Live" neuf']),
        ('1;"', ["1", '"']),
        ('";b', ['"', "b"]),
        ('1;""""', ["1", '"']),
        ('1;"""', ["1", '"']),
    ],
)
def test_a_quote_that_is_not_doubled_is_a_sign_like_any_other(line: str, cells: list[str]) -> None:
    assert read(f"code;nom\n{line}\n2;b\n".encode())[1:] == [Row(2, cells), Row(3, ["2", "b"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("names", "read_as"),
    [
        (['"', "Vis", '"'], ['"', "Vis", '"']),
        (['"', '"', '"'], ['"', '"', '"']),
        (["Vis", '"', "Clou"], ["Vis", '"', "Clou"]),
        (['"Vis', "Écrou", 'Clou"'], ['"Vis', "Écrou", 'Clou"']),
        (['"', '"une; deux\ntrois"', '"Live" album'], ['"', "une; deux\ntrois", '"Live" album']),
    ],
)
def test_an_open_quote_swallows_no_row(names: list[str], read_as: list[str], end: str) -> None:
    text = "".join(f"{number};{name};10{end}" for number, name in enumerate(names, start=1))
    rows = read(f"code;nom;prix{end}{text}".encode())[1:]
    assert [row.cells for row in rows] == [[str(number), name, "10"] for number, name in enumerate(read_as, start=1)]


def test_a_cell_of_several_lines_stays_one_whatever_is_in_it() -> None:
    rows = read(b'code;nom;prix\n1;"un;e\ndeux; trois\n4";10\n2;b;"5\n6"\n')[1:]
    assert rows == [Row(2, ["1", "un;e\ndeux; trois\n4", "10"]), Row(5, ["2", "b", "5\n6"])]


@pytest.mark.parametrize("end", ['3;c;"', '3;c;"coupé', '3;"coupé;10\n4;d;10\n'])
def test_a_table_cut_in_a_quoted_cell_is_refused(end: str) -> None:
    with pytest.raises(UnreadableTable, match="guillemet ouvert") as refusal:
        read(f"code;nom;prix\n1;a;1\n{end}".encode())
    assert refusal.value.line == 3


def test_a_misplaced_quote_that_could_be_two_things_is_named_with_its_line() -> None:
    with pytest.raises(UnreadableTable, match="mal placé") as refusal:
        read(b'code;nom\n1;"12" vis; noire"\n')
    assert refusal.value.line == 2


def test_rows_of_windows_1252_in_a_utf_8_file_are_read() -> None:
    rows = read("code;nom\n1;Café\n".encode() + "2;Hôtel Bénédicte – 5 €\n".encode("cp1252"))
    assert [row.cells[1] for row in rows] == ["nom", "Café", "Hôtel Bénédicte – 5 €"]
    rows = read(b"\xef\xbb\xbf" + "code;nom\n1;Café\n".encode() + "2;Œuvre à 5 €\n".encode("cp1252"))
    assert [row.cells[1] for row in rows] == ["nom", "Café", "Œuvre à 5 €"]


@pytest.mark.parametrize("name", ["Fenêtre œil-de-bœuf à 5 €", "Œuvre", "100,00 €", "Cœur"])
def test_iso_8859_15_is_distinguished_from_windows_1252(name: str) -> None:
    assert read(f"code;nom\n1;{name}\n".encode("iso8859-15"))[1].cells[1] == name
    assert read(f"code;nom\n1;{name}\n".encode("cp1252"))[1].cells[1] == name


def test_a_file_cut_inside_a_character_is_refused() -> None:
    with pytest.raises(UnreadableTable, match="illisible"):
        read("code;nom\n1;Café\n2;Caf\u00e9".encode()[:-1])


def test_invisible_characters_are_left_out() -> None:
    assert read("code;nom\n1\u200b;\ufeffSoci\u00adété\u2060\n".encode())[1].cells == ["1", "Société"]


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(UnreadableTable, match="vide"):
        tables_in(b"", "vide.csv")


def test_typed_cells_of_a_workbook_read_as_a_typist_would_write_them() -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet.append(["numero", "date", "total", "mixte", "oui"])
        sheet.append([18000135, datetime.date(2025, 6, 7), 2.3800000000000003, "1 234,50", True])
        sheet.append([None, None, None, None, None])
        sheet.append(["F-2", datetime.datetime(2025, 6, 8, 12), 1234.5, None, False])  # noqa: DTZ001

    rows = read(workbook(fill), "factures.xlsx")
    assert rows == [
        Row(1, ["numero", "date", "total", "mixte", "oui"]),
        Row(2, ["18000135", "2025-06-07", "2.38", "1 234,50", "1"]),
        Row(4, ["F-2", "2025-06-08", "1234.5", "", "0"]),
    ]


CODES = [
    # stored, format, read as
    (1, "000000", "000001"),
    (1234567, "000000", "1234567"),
    (12, '"C"0000', "C0012"),
    (12, '"FA-"0', "FA-12"),
    (1000, "[$-40C]00000", "01000"),
    (5520135, "000 000 000", "005 520 135"),
    (612345678, '0#" "##" "##" "##" "##', "06 12 34 56 78"),
    (7062025, '00"/"00"/"0000', "07/06/2025"),
    (42, "0000;-0000", "0042"),
    ("7", "000000", "7"),
    (12345, '000"."00', "12345"),
    (12, "0.00", "12"),
    (12, '0" pièces"', "12"),
    (12, "#,##0", "12"),
    (0.5, "00", "0.5"),
    (-3, "000", "-3"),
    (12, "General", "12"),
    (datetime.date(2025, 6, 7), "yyyymmdd", "2025-06-07"),
    (datetime.date(2025, 6, 7), "dd/mm/yyyy", "2025-06-07"),
]


def test_a_code_that_only_a_format_shows_with_zeros_is_read_as_it_is_shown() -> None:
    def fill(book: Any) -> None:
        sheet = book.active
        sheet["B3"] = "code"
        for line, (stored, number_format, _read_as) in enumerate(CODES, start=5):
            sheet.cell(line, 2, stored).number_format = number_format
        book.create_sheet("Autre")["A1"] = 5

    table, _other = tables_in(workbook(fill), "clients.xlsx")
    assert list(table.rows())[1:] == [Row(line, [read_as]) for line, (_, _, read_as) in enumerate(CODES, start=5)]


def test_a_code_of_an_ods_is_read_as_it_is_shown() -> None:
    def cell(stored: str, shown: str, kind: str = "float", more: str = "") -> str:
        return (
            f'<table:table-cell office:value-type="{kind}" office:value="{stored}" {more}>'
            f"<text:p>{shown}</text:p></table:table-cell>"
        )

    rows = (
        "<table:table-row>" + cell("1", "000001") + cell("1000", "01000") + "</table:table-row>"
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/>'
        + cell("12", "C0012")
        + "</table:table-row>"
        "<table:table-row>"
        + cell("5", "05", more='table:number-columns-repeated="2"')
        + cell("12", "12,00")
        + cell("0.2", "20 %", "percentage")
        + cell("1234", "1 234")
        + "</table:table-row>"
    )
    found = read(ods(rows), "clients.ods")
    assert found == [
        Row(1, ["000001", "01000", "", "", ""]),
        Row(2, ["", "C0012", "", "", ""]),
        Row(3, ["", "C0012", "", "", ""]),
        Row(4, ["05", "05", "12", "0.2", "1234"]),
    ]


def test_each_sheet_that_holds_something_is_a_table() -> None:
    def fill(book: Any) -> None:
        book.active.title = "Clients"
        book.active.append(["code"])
        book.create_sheet("Vide")
        book.create_sheet("Factures").append(["numero"])

    tables = tables_in(workbook(fill), "export.xlsx")
    assert [table.name for table in tables] == [
        "export.xlsx (feuille « Clients »)",
        "export.xlsx (feuille « Factures »)",
    ]


def test_a_sheet_that_begins_lower_keeps_its_line_numbers() -> None:
    def fill(book: Any) -> None:
        book.active["B3"] = "code"
        book.active["B4"] = "000001"

    rows = read(workbook(fill), "x.xlsx")
    assert [(row.line, row.cells[-1]) for row in rows] == [(3, "code"), (4, "000001")]


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(UnreadableTable, match="endommagé"):
        tables_in(b"PK\x03\x04 damaged", "x.xlsx")


HOSTILE = Path(__file__).parents[2] / "data" / "hostile"


@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_workbook_of_5_kb_that_claims_a_billion_cells_is_refused_and_we_live_on(as_bytes: bool) -> None:
    path = HOSTILE / "xlsx-sparse-abort.xlsx"
    assert path.stat().st_size < 5_000
    with pytest.raises(UnreadableTable, match="demande trop de mémoire ou de temps"):
        tables_in(path.read_bytes() if as_bytes else path, path.name)


def test_rows_of_a_workbook_may_be_left_unread(tmp_path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(20_000):
        sheet.append([number, "une désignation"])
    path = tmp_path / "long.xlsx"
    book.save(path)

    (table,) = tables_in(path, path.name)
    first = next(table.rows())

    assert first == Row(1, ["0", "une désignation"])
    assert sum(1 for _row in table.rows()) == 20_000


@pytest.mark.parametrize("content", [bytes(range(256)) * 20, b"%PDF-1.7\n\x01\x02" * 50, b"\x89PNG\r\n\x1a\n\x00\x02"])
def test_what_bears_the_name_of_a_workbook_and_is_none_has_a_sentence_of_its_own(content: bytes) -> None:
    with pytest.raises(UnreadableTable, match="porte le nom d’un classeur et n’en est pas un"):
        tables_in(content, "clients.XLSX")


def test_text_under_the_name_of_a_workbook_is_read() -> None:
    [table] = tables_in("code;nom\n1;Éric\n".encode("utf-16"), "clients.xlsx")
    assert table.name == "clients.xlsx"
