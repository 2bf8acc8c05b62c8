"""Tables that an import has rewritten: what is read of them is what was written, and their lines are judged as rows."""

from pathlib import Path

import pytest

from customers.models import Customer
from invoices.files.archives import GivenFile
from invoices.importing.run import import_erp
from invoices.importing.tables.columns import INVOICES, LINES
from invoices.importing.tables.converted import ConvertedTable, ConvertedTableWriter
from invoices.importing.tables.rows import may_say_total
from invoices.models import Invoice


def test_rows_are_read_as_they_were_written_however_many_share_their_cells(tmp_path: Path) -> None:
    shared = [[f"Article {number}", str(number)] for number in range(20_000)]
    writer = ConvertedTableWriter(tmp_path / "lines", LINES, ("numero", "designation", "total_ht"))
    written = []
    for number in range(9_000):
        cells = [shared[number % 3], shared[number * 2], shared[-1]]
        lines = [number * 3 + place for place in (2, 3, 4)]
        writer.add([f"F{number}"], lines, cells)
        written += [(line, [f"F{number}", *each]) for line, each in zip(lines, cells, strict=True)]
    table = writer.close("ventes.csv").table

    assert writer.written == len(written)
    assert isinstance(table, ConvertedTable)
    assert list(map(tuple, table.rows())) == written
    assert [block.first for block in table.blocks()] == [[f"F{number}"] for number in range(9_000)]


def test_rows_by_the_names_of_their_columns_have_empty_cells_for_what_is_not_said(tmp_path: Path) -> None:
    writer = ConvertedTableWriter(tmp_path / "heads", INVOICES, ("numero", "date", "reference"))
    writer.add_values(2, {"numero": "F1", "reference": "BC 7"})
    writer.add_values(5, {"numero": "F2", "date": "2025-01-31"})
    table = writer.close("ventes.csv").table
    assert list(map(tuple, table.rows())) == [(2, ["F1", "", "BC 7"]), (5, ["F2", "2025-01-31", ""])]


def test_an_invoice_without_lines_is_none_of_the_lines(tmp_path: Path) -> None:
    writer = ConvertedTableWriter(tmp_path / "lines", LINES, ("numero", "designation"))
    writer.add(["F1"], [], [])
    writer.add(["F2"], [3], [["Vis"]])
    table = writer.close("ventes.csv").table
    assert isinstance(table, ConvertedTable)
    assert [block.first for block in table.blocks()] == [["F2"]]


@pytest.mark.parametrize("number", ["", "12 factures", "TOTAL", "Sous-total", "Cumul", "Report", "-----"])
def test_what_may_say_a_total(number: str) -> None:
    assert may_say_total(number)


@pytest.mark.parametrize("number", ["F1", "AV0001", "C-12", "R2025", "TOTALENERGIES-1", "Gamma", "-5", "2025/001"])
def test_what_says_none(number: str) -> None:
    assert not may_say_total(number)


@pytest.mark.django_db
def test_a_line_that_is_refused_costs_its_invoice_whichever_came_before_with_the_same_cells() -> None:
    Customer.objects.create(code="C1", name="Dupont SARL")
    unit = "x" * 60  # longer than a unit may be: seen where the rewritten line is read
    rows = [
        "Facture;Date;Code client;Désignation;Qté;Unité;PU HT;Taux TVA;Total ligne HT",
        "F1;15/01/2025;C1;Vis;2;h;50,00;20;100,00",
        f"F2;15/01/2025;C1;Clou;1;{unit};10,00;20;10,00",
        "F2;15/01/2025;C1;Vis;2;h;50,00;20;100,00",
        f"F3;15/01/2025;C1;Clou;1;{unit};10,00;20;10,00",
        "F4;15/01/2025;C1;Vis;2;h;50,00;20;100,00",
    ]
    report = import_erp([GivenFile("ventes.csv", "\n".join(rows).encode())])
    assert set(Invoice.objects.values_list("number", flat=True)) == {"F1", "F4"}
    assert [each.line for each in report.rejected] == [3, 5]


@pytest.mark.django_db
def test_invoices_without_lines_or_with_the_number_of_a_draft_hide_none_of_those_beside_them() -> None:
    Customer.objects.create(code="C1", name="Dupont SARL")
    totals = "100,00;20,00;120,00"
    rows = [
        "Facture;Date;Code client;Total HT facture;Total TVA facture;Total TTC facture;Désignation;Qté;PU HT;Taux TVA;"
        "Total ligne HT",
        f"F1;15/01/2025;C1;{totals};Vis;2;50,00;20;100,00",
        f"F2;15/01/2025;C1;{totals};;;;;",
        f"PROV3;15/01/2025;C1;{totals};Vis;2;50,00;20;100,00",
        f"F4;15/01/2025;C1;{totals};Clou;1;60,00;20;60,00",
        f"F4;15/01/2025;C1;{totals};Vis;1;40,00;20;40,00",
        f"F5;15/01/2025;C1;{totals};;;;;",
    ]
    report = import_erp([GivenFile("ventes.csv", "\n".join(rows).encode())])
    lines = {each.number: list(each.lines.values_list("name", flat=True)) for each in Invoice.objects.all()}
    assert lines == {"F1": ["Vis"], "F4": ["Clou", "Vis"]}
    said = [(each.line, each.reason) for each in report.rejected]
    assert [line for line, _ in said] == [3, 4, 4, 7]
    assert "pas de ligne" in said[0][1]
    assert "brouillon" in said[1][1]
    assert "n’est pas dans les factures" in said[2][1]
    assert "pas de ligne" in said[3][1]
