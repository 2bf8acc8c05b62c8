"""``manage.py propose_mapping``: what columns are proposed to be, by their names and by what they hold."""

import json
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from invoices.files.tables import Table
from invoices.importing.mapping.proposal import propose
from invoices.importing.mapping.proposed import Proposal
from tests.support.header_shapes import SHAPES, Shape
from tests.support.public_headers import public_headers


def proposed(text: str) -> Proposal:
    found = propose(Table("table.csv", text.encode()))
    assert found is not None
    return found


def fields(text: str) -> list[str | None]:
    return [column.shown_field for column in proposed(text).columns]


@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_the_columns_of_products_and_spreadsheets_are_proposed(shape: Shape) -> None:
    expected = [None if name == "-" else name for name in shape.fields.split()]
    assert fields(shape.text) == expected


def test_columns_that_public_code_writes_are_proposed_but_for_a_few_odd_ones() -> None:
    wrong = [
        f"{header.name}: {column.name} is {column.field or '-'}"
        for header in public_headers()
        for column, allowed in zip(proposed(header.table()).columns, header.fields, strict=True)
        if (column.field or "-") not in allowed
    ]
    number = sum(len(header.columns) for header in public_headers())
    assert number > 600
    assert len(wrong) * 100 < number, wrong


def test_no_public_header_gives_a_total_that_is_none() -> None:
    amounts = {"total_ht", "total_tva", "total_ttc", "ligne.total_ht", "ligne.prix_unitaire_ht", "deja_paye"}
    for header in public_headers():
        for column, allowed in zip(proposed(header.table()).columns, header.fields, strict=True):
            assert column.field not in amounts or column.field in allowed, (header.name, column.name, column.field)


def test_the_command_prints_one_object_with_a_ground_for_each_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ventes.csv"
    file.write_text("Pièce;Jour;Tiers;Net HT;TVA;TTC\nF1;15/01/2025;C1;100,00;20,00;120,00\n")
    call_command("propose_mapping", str(file), "--json")
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert set(table) == {"sheet", "holds", "columns", "missing"}
    assert table["holds"] == ["factures"]
    assert table["missing"] == []
    assert table["columns"][0] == {"column": "Pièce", "field": "numero", "ground": "nom"}
    assert all(column["ground"] for column in table["columns"])


def test_each_sheet_of_a_workbook_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Factures"
    sheet.append(["N°", "Date", "Client", "HT", "TVA", "TTC"])
    sheet.append(["F1", "15/01/2025", "Dupont SARL", 100, 20, 120])
    lines = book.create_sheet("Détail")
    lines.append(["N° facture", "Désignation", "Qté", "PU", "Montant HT", "Taux TVA"])
    lines.append(["F1", "Vis", 2, 50, 100, 20])
    book.save(tmp_path / "ventes.xlsx")
    call_command("propose_mapping", str(tmp_path / "ventes.xlsx"), "--json")
    tables = json.loads(capsys.readouterr().out)["tables"]
    assert [(table["sheet"], table["holds"]) for table in tables] == [
        ("Factures", ["factures"]),
        ("Détail", ["lignes"]),
    ]


def test_a_file_without_a_header_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "vide.csv").write_text("1;2;3\n4;5;6\n")
    with pytest.raises(CommandError, match="aucun en-tête"):
        call_command("propose_mapping", str(tmp_path / "vide.csv"), "--json")


def test_a_column_without_a_known_name_is_found_by_what_it_holds() -> None:
    text = "Pièce;Xyz;Abc;HT;TVA;TTC\n" + "".join(
        f"F{n};{n:02}/01/2025;p{n}@client.example;{n}00,00;{n}0,00;{n * 11}0,00\n" for n in range(1, 5)
    )
    found = proposed(text.replace("10,00;11", "20,00;12"))
    assert [column.shown_field for column in found.columns][1:3] == ["date", "client.email"]
    assert found.columns[2].ground == "contenu : adresses e-mail"


def test_what_is_missing_is_said() -> None:
    assert proposed("N° facture;Client;Total HT\nF1;Dupont;100,00\nF2;Martin;50,00\n").missing == [
        "date",
        "total_tva",
        "total_ttc",
    ]
