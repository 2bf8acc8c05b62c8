"""Tables of an ERP: every form they come in, and what reaches the invoice."""

# ruff: noqa: E501 - a row of a table is one line

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from invoices.content.from_rows import content_of
from invoices.files.archives import GivenFile
from invoices.importing.companies import FIRST_COMPANY_NAME
from invoices.importing.run import import_erp
from invoices.models import Company, Invoice, InvoiceLine
from tests.support.factories import make_company, make_customer, make_invoice
from tests.support.import_files import (
    EVERYTHING,
    INVOICES,
    LINES,
    TABLES,
    Rows,
    as_csv,
    changed,
    import_tables,
    only_rejection,
    with_column,
    write_export,
)

pytestmark = pytest.mark.django_db


# Forms


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_every_encoding_and_separator_gives_the_same(tmp_path: Path, encoding: str, delimiter: str) -> None:
    report = import_erp([write_export(tmp_path / "erp", encoding=encoding, delimiter=delimiter)])
    assert report.as_json()["rejected"] == []
    assert report.created == EVERYTHING
    assert set(Customer.objects.values_list("name", "email")) == {
        ("Société Générale de Bois", "a@bois.example"),
        ("Élodie Müller", "élodie@müller.example"),
    }
    again = import_erp([write_export(tmp_path / "erp", encoding="utf-8")])
    assert again.unchanged == EVERYTHING


@pytest.mark.parametrize(
    ("total_ht", "total_tva", "total_ttc"),
    [
        ("1034.50", "205.45", "1239.95"),
        ("1.034,50", "205,45", "1.239,95"),
        ("1,034.50", "205.45", "1,239.95"),
        ("1\u00a0034,50\u00a0€", "205,45\u00a0€", "1\u202f239,95\u202f€"),
        ("1034,5", "205,450", "1239,95"),
    ],
)
def test_every_form_of_a_number_gives_the_same(tmp_path: Path, total_ht: str, total_tva: str, total_ttc: str) -> None:
    import_erp([write_export(tmp_path / "erp")])
    rows = changed(INVOICES, 0, total_ht=total_ht, total_tva=total_tva, total_ttc=total_ttc)
    assert import_erp([write_export(tmp_path / "erp", factures=rows)]).unchanged == EVERYTHING
    assert Invoice.objects.get(number="F1").total_with_vat == Decimal("1239.95")


def workbook_of(tables: dict[str, Rows]) -> bytes:
    """One workbook, a sheet per table, with dates and numbers in typed cells."""

    def typed(name: str, value: Any) -> Any:
        if "date" in name or name == "echeance":
            day, month, year = (value or "//").split("/")
            return date(int(year), int(month), int(day)) if value else None
        is_number = name.startswith(("total", "prix", "taux", "remise", "quantite"))
        return (float(value.replace(" ", "").replace(",", ".")) if value else None) if is_number else value or None

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append([typed(column, value) for column, value in row.items()])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_says_the_same_as_text_files(tmp_path: Path) -> None:
    import_erp([write_export(tmp_path / "erp")])
    report = import_erp([GivenFile("export.xlsx", workbook_of(TABLES))])
    assert report.as_json()["rejected"] == []
    assert report.unchanged == EVERYTHING


def test_a_postcode_that_a_spreadsheet_made_a_number_gets_its_zero_back() -> None:
    book = openpyxl.Workbook()
    for row in (["code", "raison_sociale", "code_postal", "pays"], ["C1", "A", 1000, "FR"], ["C2", "B", 1000, "BE"]):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    import_erp([GivenFile("clients.xlsx", out.getvalue())])
    assert list(Customer.objects.order_by("code").values_list("postcode", flat=True)) == ["01000", "1000"]


def test_a_zip_archive_says_the_same(tmp_path: Path) -> None:
    import_erp([write_export(tmp_path / "erp")])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, rows in TABLES.items():
            file.writestr(f"{name}.csv", as_csv(rows))
    assert import_erp([GivenFile("export.zip", archive.getvalue())]).unchanged == EVERYTHING


def test_files_are_known_by_their_header_and_not_by_their_name(tmp_path: Path) -> None:
    given = [GivenFile(f"{index}.dat", as_csv(rows).encode()) for index, rows in enumerate(reversed(TABLES.values()))]
    assert import_erp(given).created == EVERYTHING


def test_other_names_orders_and_titles_of_columns_are_understood() -> None:
    text = (
        "Export des clients du 31/01/2025;;;;\r\n"
        "Ville;Nom client;E-mail;Code client;Mémo\r\n"
        "Paris;Dupont;d@dupont.example;C9;à rappeler\r\n"
    )
    report = import_erp([GivenFile("x.csv", text.encode("cp1252"))])
    assert report.created["customers"] == 1
    assert report.as_json()["ignored"] == [{"file": "x.csv", "sheet": "", "column": "Mémo"}]
    customer = Customer.objects.get(code="C9")
    assert (customer.name, customer.city, customer.email) == ("Dupont", "Paris", "d@dupont.example")


def test_several_tables_of_one_kind_and_lines_in_any_order(tmp_path: Path) -> None:
    write_export(tmp_path, factures=[], lignes=[])
    for name, rows in (("f1", INVOICES[:1]), ("f2", INVOICES[1:]), ("l1", LINES[2:]), ("l2", LINES[:2])):
        (tmp_path / f"{name}.csv").write_text(as_csv(rows), encoding="utf-8")
    assert import_erp([tmp_path]).created == EVERYTHING
    names = InvoiceLine.objects.filter(invoice__number="F1").order_by("position").values_list("name", flat=True)
    assert list(names) == ["Plants", "Chêne", "Livraison"]


def test_a_read_me_beside_the_tables_is_passed_over(tmp_path: Path) -> None:
    write_export(tmp_path)
    (tmp_path / "LISEZ-MOI.txt").write_text("Bonjour,\nvoici l’export.\n", encoding="utf-8")
    report = import_erp([tmp_path])
    assert report.is_clean
    assert report.created == EVERYTHING
    assert "LISEZ-MOI.txt" in report.skipped[0].file


# What is stored


def test_lines_are_stored_as_stated() -> None:
    import_tables()
    first, _, third = InvoiceLine.objects.filter(invoice__number="F1").order_by("position")
    assert (first.item_code, first.name, first.quantity, first.unit) == ("A1", "Chêne", Decimal(10), "MTK")
    assert (first.net_price, first.vat_rate, first.net_amount) == (Decimal(100), Decimal(20), Decimal(1000))
    assert (third.discount_percentage, third.net_amount, third.unit) == (Decimal("3.3333"), Decimal("14.50"), "C62")


def test_a_first_import_makes_the_company_that_is_to_be_filled_in() -> None:
    import_tables()
    company = Company.objects.get()
    assert (company.name, company.is_default) == (FIRST_COMPANY_NAME, True)
    assert Invoice.objects.filter(company=company).count() == 2


def test_a_refused_first_import_leaves_no_company() -> None:
    import_tables(factures=changed(INVOICES[:1], 0, total_ttc="1,00"), lignes=LINES[:3])
    assert not Company.objects.exists()


def test_a_row_may_name_its_company() -> None:
    make_company()
    other = Company.objects.create(name="Seconde SARL", siren="552100554")
    report = import_tables(factures=with_column(INVOICES, "societe", "552 100 554", "aquila test sas"))
    assert report.is_clean
    assert Invoice.objects.get(number="F1").company == other
    assert Invoice.objects.get(number="F2").company.name == "Aquila Test SAS"


def test_an_unknown_company_is_refused_or_created_on_demand() -> None:
    make_company()
    rows = with_column(INVOICES, "societe", "Inconnue", "Inconnue")
    report = import_tables(factures=rows)
    first, second = report.as_json()["rejected"]
    assert (first["line"], first["column"], first["value"]) == (2, "societe", "Inconnue")
    assert "« Inconnue » n’est pas dans Paramétrage société" in first["reason"]
    assert second["line"] == 3
    given = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in {**TABLES, "factures": rows}.items()]
    assert import_erp(given, create_companies=True).is_clean
    assert Invoice.objects.filter(company__name="Inconnue").count() == 2


def test_two_companies_may_share_a_number() -> None:
    make_company()
    Company.objects.create(name="Seconde", siren="552100554")
    heads = with_column(changed(INVOICES, 1, numero="F1"), "societe", "Aquila Test SAS", "Seconde")
    lines = with_column(changed(LINES, 3, numero="F1"), "societe", *["Aquila Test SAS"] * 3, "Seconde")
    assert import_tables(factures=heads, lignes=lines).created["invoices"] == 2
    assert Invoice.objects.get(number="F1", company__name="Seconde").lines.count() == 1


def test_a_credit_note_is_positive_and_points_to_what_it_corrects() -> None:
    rows = [
        *with_column(INVOICES, "facture_corrigee", "", ""),
        {**INVOICES[1], "numero": "A1", "total_ht": "-10,00", "total_tva": "-2,00", "total_ttc": "-12,00", "facture_corrigee": "F2"},
    ]  # fmt: skip
    lines = [*LINES, {**LINES[3], "numero": "A1", "quantite": "-1", "total_ht": "-10,00"}]
    assert import_tables(factures=rows, lignes=lines).is_clean
    note = Invoice.objects.get(number="A1")
    assert (note.kind, note.type_code, note.total_with_vat) == (Invoice.Kind.CREDIT_NOTE, "381", Decimal("12.00"))
    assert note.corrects == Invoice.objects.get(number="F2")
    line = note.lines.get()
    assert (line.quantity, line.net_price, line.net_amount) == (Decimal(1), Decimal(10), Decimal(10))
    (reference,) = content_of(note).preceding_invoices
    assert (reference.number, reference.date) == ("F2", date(2025, 2, 1))


def test_a_credit_note_of_an_unknown_invoice_is_warned_of() -> None:
    rows = with_column(INVOICES, "facture_corrigee", "", "F0")
    rows = with_column(rows, "type", "facture", "avoir")
    rows = with_column(rows, "date_facture_corrigee", "", "15/12/2024")
    assert import_tables(factures=rows).is_clean
    note = Invoice.objects.get(number="F2")
    assert note.warnings == ["La facture corrigée « F0 » n’est pas connue."]
    (reference,) = content_of(note).preceding_invoices
    assert (reference.number, reference.date) == ("F0", date(2024, 12, 15))


def test_optional_columns_of_an_invoice_reach_its_content() -> None:
    rows = with_column(INVOICES, "deja_paye", "1 239,95", "")
    rows = with_column(rows, "categorie", "services", "")
    rows = with_column(rows, "date_livraison", "30/01/2025", "")
    rows = with_column(rows, "note", "Merci de votre confiance", "")
    assert import_tables(factures=rows).is_clean
    invoice = Invoice.objects.get(number="F1")
    assert (invoice.prepaid_amount, invoice.amount_due) == (Decimal("1239.95"), Decimal("0.00"))
    content = content_of(invoice)
    assert content.business_process == "S2"
    assert content.delivery is not None
    assert content.delivery.date == date(2025, 1, 30)
    assert "Merci de votre confiance" in [note.text for note in content.notes]


def test_the_category_and_reason_of_a_line_reach_the_content() -> None:
    lines = with_column(changed(LINES, 3, taux_tva="0"), "categorie_tva", "", "", "", "E")
    lines = with_column(lines, "motif_exoneration", "", "", "", "Formation, article 261-4-4° du CGI")
    heads = changed(INVOICES, 1, total_tva="0,00", total_ttc="10,00")
    assert import_tables(factures=heads, lignes=lines).is_clean
    (group,) = content_of(Invoice.objects.get(number="F2")).vat_breakdown
    assert (group.category, group.exemption_reason) == ("E", "Formation, article 261-4-4° du CGI")


def test_a_line_without_total_is_quantity_times_price_less_the_discount() -> None:
    lines = changed(LINES, 3, quantite="3", prix_unitaire_ht="4,00", remise="16,6667", total_ht="")
    assert import_tables(lignes=lines).is_clean
    assert InvoiceLine.objects.get(invoice__number="F2").net_amount == Decimal("10.00")


def test_every_line_of_a_large_import_is_written_with_its_invoice_and_in_its_place() -> None:
    # More invoices and lines than are written at once, and whole multiples of neither.
    numbers = range(1, 1902)
    heads = [
        {
            **INVOICES[1],
            "numero": f"F{n}",
            "total_ht": f"{3 * n}0,00",
            "total_tva": f"{6 * n},00",
            "total_ttc": f"{36 * n},00",
        }
        for n in numbers
    ]
    line = {**LINES[3], "quantite": "", "prix_unitaire_ht": ""}
    lines = [
        {**line, "numero": f"F{n}", "designation": f"Article {k}", "total_ht": f"{k * n},00"}
        for n in numbers
        for k in (5, 10, 15)
    ]

    assert import_tables(factures=heads, lignes=lines).created == {
        "customers": 2, "contacts": 2, "invoices": 1901, "lines": 5703,
    }  # fmt: skip

    written = list(
        InvoiceLine.objects.order_by("invoice__number", "position").values_list(
            "invoice__number", "position", "name", "net_amount"
        )
    )
    assert written == sorted(
        (f"F{n}", place, f"Article {5 * place}", Decimal(5 * place * n)) for n in numbers for place in (1, 2, 3)
    )


# Cost, and files of anything


def test_the_number_of_statements_does_not_follow_the_number_of_rows(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    heads = [{**INVOICES[1], "numero": f"F{number}"} for number in range(3000)]
    lines = [{**LINES[3], "numero": f"F{number}"} for number in range(3000)]
    import_tables(factures=[], lignes=[])
    with django_assert_max_num_queries(20):
        assert import_tables(clients=[], contacts=[], factures=heads, lignes=lines).created["lines"] == 3000
    with django_assert_max_num_queries(20):
        assert import_tables(clients=[], contacts=[], factures=heads, lignes=lines).unchanged["lines"] == 3000


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert only_rejection(import_erp([tmp_path]))["reason"] == "Il n’y a aucun fichier à importer."


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 50, b"\x00" * 5000, b"\xff\xfe\x00", b"a" * 3_000_000, b";;;;\n" * 50]
)
def test_a_file_of_anything_is_a_refusal(data: bytes) -> None:
    assert only_rejection(import_erp([GivenFile("x.csv", data)]))["reason"]


def test_another_import_s_rows_are_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that begins while another has not committed sees no invoice, and meets the constraint instead."""
    customer = make_customer(code="C1")
    company = make_company()
    make_invoice(number="F1", customer=customer, company=company)
    monkeypatch.setattr("invoices.importing.tables.writer.InvoiceWriter._existing", lambda *_, **__: {})
    report = import_tables()
    assert {each["reason"] for each in report.as_json()["rejected"]} == {
        "Un autre import écrit les mêmes données en ce moment : recommencez quand il a fini."
    }
    assert report.created["invoices"] == 0
    assert Invoice.objects.count() == 1
