"""What is in a table beside its rows: totals, remarks, headers once more, other sheets, days of other calendars."""

import datetime
import io

import openpyxl
import pytest

from customers.models import Customer
from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.models import Invoice, InvoiceLine
from tests.support.factories import make_company
from tests.support.import_files import CUSTOMERS, INVOICES, LINES, as_csv, changed, import_tables

pytestmark = pytest.mark.django_db
HEADER = "numero;date;code_client;total_ht;total_tva;total_ttc\n"
F2 = "F2;01/02/2025;C2;10,00;2,00;12,00\n"


@pytest.fixture(autouse=True)
def _company() -> None:
    make_company()


def import_heads(text: str) -> ImportReport:
    """Import invoices written as ``text`` with the customers and lines of the sound tables."""
    lines = [line for line in LINES if line["numero"] == "F2"]
    return import_erp(
        [
            GivenFile("clients.csv", as_csv(CUSTOMERS).encode()),
            GivenFile("factures.csv", text.encode()),
            GivenFile("lignes.csv", as_csv(lines).encode()),
        ]
    )


@pytest.mark.parametrize(
    "row",
    [
        "TOTAL;;;10,00;2,00;12,00",
        "Total général;;;10,00;2,00;12,00",
        ";;Total;10,00;2,00;12,00",
        "Sous-total;;;10,00;2,00;12,00",
        "Édité le 31/01/2025;;;;;",
        "numero;date;code_client;total_ht;total_tva;total_ttc",
    ],
)
def test_a_row_that_is_no_invoice_is_passed_over_and_said(row: str) -> None:
    report = import_heads(f"{HEADER}{F2}{row}\n")
    assert report.is_clean, report.rejected
    assert Invoice.objects.get().number == "F2"
    assert [each.line for each in report.skipped] == [3]


def test_a_row_with_a_number_and_nothing_else_is_refused() -> None:
    report = import_heads(f"{HEADER}{F2}F3;;;;;\n")
    assert {each.column for each in report.rejected} >= {"date", "code_client"}


def test_a_subtotal_among_the_lines_of_an_invoice_is_left_out_and_said() -> None:
    subtotal = {**LINES[0], "designation": "Sous-total", "quantite": "", "prix_unitaire_ht": "", "total_ht": "1 020,00"}
    report = import_tables(contacts=[], lignes=[*LINES[:2], subtotal, *LINES[2:]])
    assert report.is_clean, report.rejected
    assert InvoiceLine.objects.filter(invoice__number="F1").count() == 3
    assert any("Sous-total" in each.reason for each in report.skipped)


def workbook(sheets: dict[str, list[list[object]]], *, hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook of these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


CARDS: list[list[object]] = [["code", "raison_sociale"], ["C1", "Dupont"]]
OLD_CARDS: list[list[object]] = [["code", "raison_sociale"], ["C9", "Ancien"]]


def test_a_sheet_of_notes_and_a_hidden_one_beside_a_known_one_are_passed_over_and_said() -> None:
    book = workbook({"Clients": CARDS, "Notes": [["à faire", "relancer"]], "Ancien": OLD_CARDS}, hidden=("Ancien",))
    report = import_erp([GivenFile("clients.xlsx", book)])
    assert report.is_clean, report.rejected
    assert [each.code for each in Customer.objects.all()] == ["C1"]
    assert any("Notes" in each.file for each in report.skipped)
    assert any("Ancien" in each.file and "masquée" in each.reason for each in report.skipped)


def test_a_workbook_of_unknown_sheets_alone_is_refused() -> None:
    report = import_erp([GivenFile("notes.xlsx", workbook({"Notes": [["à faire", "relancer"]]}))])
    assert not report.is_clean


def test_a_sheet_that_lacks_columns_beside_a_known_one_is_refused() -> None:
    lacking: list[list[object]] = [["numero", "date", "code_client", "total_ht"], ["F1", "01/02/2025", "C1", 10]]
    report = import_erp([GivenFile("export.xlsx", workbook({"Clients": CARDS, "Factures": lacking}))])
    assert not report.is_clean


def test_month_and_day_are_distinguished_by_the_column() -> None:
    heads = changed(changed(INVOICES, 0, date="01/31/2025", echeance=""), 1, date="02/01/2025")
    report = import_tables(contacts=[], factures=heads)
    assert report.is_clean, report.rejected
    assert dict(Invoice.objects.values_list("number", "issue_date")) == {
        "F1": datetime.date(2025, 1, 31),
        "F2": datetime.date(2025, 2, 1),
    }


def test_a_column_that_contradicts_itself_keeps_the_day_first() -> None:
    heads = changed(changed(INVOICES, 0, date="01/31/2025", echeance=""), 1, date="13/02/2025")
    report = import_tables(contacts=[], factures=heads)
    assert [(each.column, each.value) for each in report.rejected if each.file == "factures.csv"][:1] == [
        ("date", "01/31/2025")
    ]


def test_a_total_under_a_table_of_customers_is_no_card() -> None:
    text = "code;raison_sociale;email;ville\nC1;Dupont;a@dupont.example;Paris\nTOTAL;1 client;;\n"
    report = import_erp([GivenFile("clients.csv", text.encode())])
    assert report.is_clean, report.rejected
    assert [each.code for each in Customer.objects.all()] == ["C1"]


def test_a_customer_named_total_is_a_card() -> None:
    text = "code;raison_sociale;email;ville\nTOTAL;Total SA;a@total.example;Paris\n"
    assert import_erp([GivenFile("clients.csv", text.encode())]).is_clean
    assert Customer.objects.get().name == "Total SA"


@pytest.mark.parametrize("name", ["aventes.csv", "ventes.csv"])
def test_what_is_beside_invoices_yields_to_the_table_of_customers(name: str) -> None:
    cards = "code;raison_sociale;email\nC1;Dupont SARL;a@dupont.example\n"
    flat = (
        "N° facture;Date;Client;Code client;Échéance;Désignation;Qté;PU HT;TVA;Total HT\n"
        "F1;15/01/2025;Dupont;C1;30 jours fin de mois;Vis;1;100,00;20 %;100,00\n"
        "F1;15/01/2025;Dupont;C1;30 jours fin de mois;Merci de votre confiance;;;;\n"
    )
    report = import_erp([GivenFile("clients.csv", cards.encode()), GivenFile(name, flat.encode())])
    assert report.is_clean, report.rejected
    assert Customer.objects.get().name == "Dupont SARL"
    assert Invoice.objects.get().due_date == datetime.date(2025, 2, 28)
    assert InvoiceLine.objects.count() == 2
