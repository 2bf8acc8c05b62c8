"""Rows that are the same: by their values however they are written, and by their cells however they are read."""

import pytest

from invoices.content.from_rows import content_of
from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.importing.tables.columns import EDITION, cells_text, cells_text_of_edition
from invoices.models import Invoice
from tests.invoices.importing.test_second_import import publish
from tests.support.import_files import (
    INVOICES,
    LINES,
    TABLES,
    Rows,
    as_csv,
    changed,
    import_tables,
    only_rejection,
    with_column,
)

pytestmark = pytest.mark.django_db

# What the version of 25 November 2026 wrote for the sound tables, before there were hashes of cells.
HASHES_OF_BEFORE = {
    "F1": "3038062be87eab3a8d89b6f9b6ab9fef8b6fb50b7e43ddaf49529332b8140c7a",
    "F2": "e62ad8b22ed459efd5b061f4a9657a0d23d1f117ba92c7290b47870fbaaa6083",
}


def import_as_before() -> None:
    """The sound tables, as an installation has them that imported them before there were hashes of cells."""
    import_tables()
    for number, value in HASHES_OF_BEFORE.items():
        Invoice.objects.filter(number=number).update(content_hash=value, cells_hash="")


def cells_hashes() -> dict[str, str]:
    return dict(Invoice.objects.values_list("number", "cells_hash"))


def test_rows_imported_before_are_unchanged_and_get_their_hash_of_cells() -> None:
    import_as_before()
    publish(Invoice.objects.get(number="F1"))

    report = import_tables()

    assert report.is_clean
    assert report.unchanged["invoices"] == 2
    # The edition of the columns, then the SHA-256 in hexadecimal digits.
    assert all(each.startswith(f"{EDITION}:") and len(each.partition(":")[2]) == 64 for each in cells_hashes().values())
    assert dict(Invoice.objects.values_list("number", "content_hash")) == HASHES_OF_BEFORE
    assert set(Invoice.objects.values_list("version", flat=True)) == {1}


def test_other_rows_than_those_imported_before_are_changed_and_refused_where_published() -> None:
    import_as_before()
    publish(Invoice.objects.get(number="F1"))
    assert "déjà publiée" in only_rejection(import_tables(factures=changed(INVOICES, 0, reference="BC 8")))["reason"]
    assert import_tables(factures=changed(INVOICES, 1, reference="BC 9")).updated["invoices"] == 1


def test_a_check_writes_no_hash() -> None:
    import_as_before()
    files = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in TABLES.items()]
    assert import_erp(files, dry_run=True).unchanged["invoices"] == 2
    assert set(cells_hashes().values()) == {""}


def test_the_same_values_in_other_writings_are_the_same_published_invoice() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    heads = changed(INVOICES, 0, total_ht="1034.50", date="2025-01-31", echeance="28-02-2025")
    assert import_tables(factures=heads).unchanged["invoices"] == 2


def test_a_published_invoice_is_the_same_where_its_cells_are_only_read_better_than_before() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    # Its values were others when a former version read the same cells.
    Invoice.objects.update(content_hash="0" * 64)
    report = import_tables()
    assert report.is_clean
    assert (report.unchanged["invoices"], report.updated["invoices"]) == (1, 1)
    assert dict(Invoice.objects.values_list("number", "version")) == {"F1": 1, "F2": 2}
    assert "déjà publiée" not in str(import_tables().rejected)


def test_a_published_invoice_is_not_the_same_where_cells_and_values_are_others() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    Invoice.objects.update(content_hash="0" * 64)
    assert "déjà publiée" in only_rejection(import_tables(lignes=changed(LINES, 1, designation="Port")))["reason"]


def test_a_column_that_says_nothing_changes_no_row() -> None:
    import_tables()
    before = cells_hashes()
    assert import_tables(factures=with_column(INVOICES, "note", "", "")).unchanged["invoices"] == 2
    assert cells_hashes() == before


def test_the_order_of_the_columns_and_their_names_do_not_count() -> None:
    import_tables()
    before = cells_hashes()
    Invoice.objects.update(cells_hash="")
    renamed = {"numero": "N° facture", "reference": "Votre référence"}
    heads = [{renamed.get(name, name): row[name] for name in reversed(row)} for row in INVOICES]
    assert import_tables(factures=heads).unchanged["invoices"] == 2
    assert cells_hashes() == before


def test_rows_hashed_before_there_was_a_column_are_compared_without_it() -> None:
    since = {"note": 2}
    with_note = cells_text(["note", "numero", "reference"], ["Merci", "F1", "BC 7"])
    without = cells_text(["note", "numero", "reference"], ["", "F1", "BC 7"])
    assert cells_text_of_edition(with_note, 1, since) == without == cells_text(["numero", "reference"], ["F1", "BC 7"])
    assert cells_text_of_edition(with_note, 2, since) == with_note


WITH_NEW_COLUMNS = {
    "factures": with_column(INVOICES, "numero_marche", "M-2025-4", ""),
    "lignes": with_column(LINES, "article_client", "A 17", "", "", "A 18"),
}


@pytest.mark.parametrize("has_cells_hash", [True, False])
def test_a_published_invoice_is_unchanged_by_columns_that_were_ignored_when_it_was_imported(
    has_cells_hash: bool,
) -> None:
    # As edition 1 kept them: neither hash knew these columns, whether or not they stood in the file.
    import_as_before()
    if has_cells_hash:
        import_tables()
        for invoice in Invoice.objects.all():
            invoice.cells_hash = invoice.cells_hash.replace(f"{EDITION}:", "1:")
            invoice.save()
    publish(Invoice.objects.get(number="F1"))

    report = import_tables(**WITH_NEW_COLUMNS)

    assert report.is_clean
    assert (report.unchanged["invoices"], report.updated["invoices"]) == (1, 1)  # the one that waits is read better


def test_a_new_column_reaches_the_invoice_and_its_e_invoice_and_changes_a_published_one() -> None:
    import_tables(**WITH_NEW_COLUMNS)
    content = content_of(Invoice.objects.get(number="F1"))
    assert content.contract_reference == "M-2025-4"
    assert [line.buyer_item_identifier for line in content.lines] == ["A 17", "", ""]
    publish(Invoice.objects.get(number="F1"))
    assert import_tables(**WITH_NEW_COLUMNS).unchanged["invoices"] == 2

    other = {**WITH_NEW_COLUMNS, "factures": changed(WITH_NEW_COLUMNS["factures"], 0, numero_marche="M-2025-5")}
    assert "déjà publiée" in only_rejection(import_tables(**other))["reason"]


def test_a_text_too_long_for_a_new_column_is_refused() -> None:
    refused = only_rejection(
        import_tables(factures=with_column(INVOICES[:1], "numero_marche", "M" * 201), lignes=LINES[:3])
    )
    assert (refused["column"], "200 caractères au plus" in refused["reason"]) == ("numero_marche", True)


def test_a_hash_of_a_later_edition_is_never_taken_for_the_same() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    hashes = cells_hashes()
    Invoice.objects.filter(number="F1").update(content_hash="0" * 64, cells_hash="9" + hashes["F1"][1:])
    assert "déjà publiée" in only_rejection(import_tables())["reason"]


FLAT: Rows = [
    {"N° facture": "V1", "Date": "31/01/2025", "Code client": "C1", "Libellé": "Chêne", "Qté": "2", "PU HT": "50,00",
     "Montant HT": "100,00", "Taux TVA": "20", "Total HT": "110,00", "Total TVA": "22,00", "Total TTC": "132,00"},
    {"N° facture": "V1", "Date": "31/01/2025", "Code client": "C1", "Libellé": "Port", "Qté": "1", "PU HT": "10,00",
     "Montant HT": "10,00", "Taux TVA": "20", "Total HT": "110,00", "Total TVA": "22,00", "Total TTC": "132,00"},
]  # fmt: skip


def import_flat(rows: Rows) -> ImportReport:
    return import_erp([GivenFile("ventes.csv", as_csv(rows).encode())])


def test_rows_of_one_flat_table_are_compared_by_their_own_cells() -> None:
    import_tables()
    assert import_flat(FLAT).created["invoices"] == 1
    publish(Invoice.objects.get(number="V1"))
    first = cells_hashes()["V1"]

    Invoice.objects.update(content_hash="0" * 64)
    assert import_flat(FLAT).unchanged["invoices"] == 1

    assert "déjà publiée" in only_rejection(import_flat(changed(FLAT, 1, Libellé="Frais")))["reason"]
    assert cells_hashes()["V1"] == first
