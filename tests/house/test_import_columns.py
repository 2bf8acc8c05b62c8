"""Each column of the ERP's tables is declared, read and documented."""

import re
from pathlib import Path

import pytest

from invoices.importing.tables import customers, invoice_rows
from invoices.importing.tables.columns import CONTACTS, CUSTOMERS, INVOICES, LINES, TableKind

SECTIONS = {"Clients": CUSTOMERS, "Contacts": CONTACTS, "Factures": INVOICES, "Lignes": LINES}


@pytest.mark.parametrize(("section", "kind"), SECTIONS.items())
def test_the_page_of_the_import_names_each_column_and_the_obligatory_ones_in_italics(
    section: str, kind: TableKind
) -> None:
    page = Path("docs/import.md").read_text()
    table = page.partition(f"\n### {section}\n")[2].partition("\n#")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    named = re.findall(r"(\*?)`([a-z_]+)`", " ".join(first_cells))

    assert sorted(name for _, name in named) == sorted(each.name for each in kind.columns)
    assert {name for star, name in named if star} == set(kind.obligatory)


@pytest.mark.parametrize(
    ("kind", "read"),
    [(CUSTOMERS, {*customers.READERS, "email"}), (INVOICES, set(invoice_rows.PARSERS))],
)
def test_each_column_has_its_parser(kind: TableKind, read: set[str]) -> None:
    assert read == {each.name for each in kind.columns}
