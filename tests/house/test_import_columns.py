"""Each column of the ERP's tables is declared, read and documented."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from invoices.en16931.model import InvoiceContent, Line
from invoices.importing import payments
from invoices.importing.mapping.fields import CHECKS, FIELDS
from invoices.importing.tables import customers, invoice_rows, line_rows
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


def test_the_page_of_the_import_names_each_column_of_flat_tables_that_no_table_of_ours_has() -> None:
    of_tables = {each.name for kind in (CUSTOMERS, INVOICES, LINES) for each in kind.columns}
    only_flat = {each for each in FIELDS if each.rpartition(".")[2] not in of_tables} | set(CHECKS)
    section = Path("docs/import.md").read_text().partition("### Une table à plat")[2].partition("\n## ")[0]

    assert {each for each in only_flat if f"`{each}`" not in section} == set()


def test_the_page_of_the_import_names_each_column_of_payments_with_all_its_names() -> None:
    section = Path("docs/import.md").read_text().partition("## Les encaissements\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in section.splitlines() if row.startswith("| `")]

    assert {name.strip("`"): set(others.split(", ")) for name, _, others in rows} == {
        first: set(others) for first, *others in payments.NAMES.values()
    }


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        (CUSTOMERS, {*customers.READERS, "email"}),
        (INVOICES, set(invoice_rows.PARSERS)),
        (LINES, set(line_rows.line_parsers())),
    ],
    ids=["customers", "invoices", "lines"],
)
def test_each_column_has_its_parser_or_its_term(kind: TableKind, read: set[str]) -> None:
    assert read == {each.name for each in kind.columns if not each.term}


@pytest.mark.parametrize(("kind", "model"), [(INVOICES, InvoiceContent), (LINES, Line)], ids=["invoices", "lines"])
def test_a_term_is_a_text_of_the_semantic_model(kind: TableKind, model: type) -> None:
    texts = {each.name for each in fields(model) if each.type in (str, "str")}

    assert set(kind.terms.values()) - texts == set()


# The columns that there were when hashes of cells began: what was imported then is compared by these alone.
FIRST_EDITION = {
    "invoices": "adresse_livraison categorie code_client code_postal_livraison complement_livraison date "
    "date_facture_corrigee date_livraison deja_paye devise echeance facture_corrigee nom_livraison note numero "
    "pays_livraison pdf reference societe total_ht total_ttc total_tva tva_en_euros type ville_livraison",
    "lines": "article categorie_tva date_livraison designation motif_exoneration numero prix_unitaire_ht quantite "
    "remise societe taux_tva total_ht unite",
}


@pytest.mark.parametrize("kind", [INVOICES, LINES], ids=["invoices", "lines"])
def test_a_column_that_came_later_says_since_when(kind: TableKind) -> None:
    first = {each.name for each in kind.columns if each.since == 1}

    assert sorted(first) == FIRST_EDITION[kind.name].split(), "say since=… at the new column, one more than EDITION"
