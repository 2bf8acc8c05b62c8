"""Files that are a little unlike the usual ones: read as their author meant, or refused; never otherwise."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from customers.models import Customer
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.importing.tables.cells import whole_postcode
from invoices.importing.tables.invoice_rows import number_text
from invoices.importing.tables.statuses import is_no_invoice
from invoices.importing.values import BadValue, are_ambiguous
from invoices.models import Invoice
from tests.support.factories import make_company

pytestmark = pytest.mark.django_db
CUSTOMERS = "code;raison_sociale\nC1;Dupont\n"
INVOICES = "numero;date;code_client;total_ht;total_tva;total_ttc\nF1;15/01/2025;C1;100,00;20,00;120,00\n"
LINES = "numero;designation;taux_tva;total_ht\nF1;Vis;20;100,00\n"


@pytest.fixture(autouse=True)
def company() -> None:
    make_company()


def imported(
    folder: Path, customers: str = CUSTOMERS, invoices: str = INVOICES, lines: str = LINES, *, encoding: str = "utf-8"
) -> ImportReport:
    for name, text in (("clients", customers), ("factures", invoices), ("lignes", lines)):
        (folder / f"{name}.csv").write_bytes(text.encode(encoding))
    return import_erp([folder])


def reasons(report: ImportReport) -> Iterable[str]:
    return [f"{each.column} {each.reason}" for each in report.rejected]


@pytest.mark.parametrize(
    "row",
    [
        "Somme;;;100,00;20,00;120,00",
        "Total;1 facture;;100,00;20,00;120,00",
        ";;;100,00;20,00;120,00",
        "-----;-----;-----;-----;-----;-----",
    ],
)
def test_a_row_under_the_invoices_is_skipped_and_said(tmp_path: Path, row: str) -> None:
    report = imported(tmp_path, invoices=f"{INVOICES}{row}\n")
    assert report.is_clean, reasons(report)
    assert [each.line for each in report.skipped] == [3]
    assert Invoice.objects.get().total_with_vat == 120


@pytest.mark.parametrize("status", ["Brouillon", "ANNULÉE", "à valider"])
def test_what_the_erp_calls_a_draft_or_cancelled_is_no_invoice(tmp_path: Path, status: str) -> None:
    second = f"F2;15/01/2025;C1;100,00;20,00;120,00;{status}\n"
    heads = INVOICES.replace("ttc\n", "ttc;Statut facture\n").replace("120,00\n", "120,00;Réglée\n") + second
    report = imported(tmp_path, invoices=heads, lines=f"{LINES}F2;Vis;20;100,00\n")
    assert [each.number for each in Invoice.objects.all()] == ["F1"]
    assert [(each.line, each.column, each.value) for each in report.rejected] == [(3, "statut", status)]


@pytest.mark.parametrize(
    ("columns", "values"),
    [("State;Status", "Texas;Draft"), ("Statut;État", "Payée;Annulée"), ("Status;State", "Draft;Texas")],
)
def test_each_column_that_may_be_the_status_counts(tmp_path: Path, columns: str, values: str) -> None:
    heads = INVOICES.replace("ttc\n", f"ttc;{columns}\n").replace("120,00\n", f"120,00;{values}\n")
    report = imported(tmp_path, invoices=heads)
    assert not Invoice.objects.exists()
    assert [each.column for each in report.rejected if "facture émise" in each.reason] == ["statut"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Annulée", True),
        ("Annulée le 12/01/2025", True),
        ("Annulée sans avoir", True),
        ("Cancelled (credit limit exceeded)", True),
        ("Brouillon d’avoir", True),
        ("Avoir brouillon", True),
        ("Avoir (brouillon)", True),
        ("Avoir annulé", True),
        ("Note de crédit – en saisie", True),
        ("Facture : en préparation", True),
        ("Credit note / draft", True),
        ("Acompte annulé", True),
        ("Avoir", False),
        ("Avoir validé", False),
        ("Avoir émis, brouillon du 12/01 repris", False),
        ("Avoir annulé par l’avoir AV-2", False),
        ("Avoir annulant la facture F12", False),
        ("Avoir d’annulation", False),
        ("Avoir annulation", False),
        ("Credit note cancelling INV-3", False),
        ("Credit note cancelled", True),
        ("Credit note: void", True),
        ("Annulée par avoir AV-1", False),
        ("Facture annulée par l’avoir AV-1", False),
        ("Annulée (note de crédit NC-1)", False),
        ("Annulé par AV2025-01", False),
        ("cancelled by credit note CN-1", False),
        ("Cancelled – credited", False),
    ],
)
def test_an_invoice_that_was_credited_later_is_one(status: str, expected: bool) -> None:
    assert is_no_invoice(status) == expected


@pytest.mark.parametrize("number", ["(PROV12)", "/", "Brouillon", "Avoir brouillon 3", "Facture brouillon"])
def test_the_number_of_a_draft_is_refused(number: str) -> None:
    with pytest.raises(BadValue, match="brouillon"):
        number_text(number)


@pytest.mark.parametrize("name", ["TypeDoc", "Sens", "Catégorie de pièce"])
def test_a_column_that_says_avoir_is_the_type_whatever_its_name(tmp_path: Path, name: str) -> None:
    invoices = INVOICES.replace("total_ttc", f"total_ttc;{name}").replace("120,00\n", "120,00;Avoir\n")
    report = imported(tmp_path, invoices=invoices)
    assert report.is_clean, reasons(report)
    assert Invoice.objects.get().kind == Invoice.Kind.CREDIT_NOTE


def test_a_code_that_a_spreadsheet_rounded_is_refused(tmp_path: Path) -> None:
    report = imported(tmp_path, CUSTOMERS.replace("C1", "1,23457E+11"), INVOICES.replace("C1", "1,23457E+11"))
    assert "arrondi" in " ".join(reasons(report))
    assert not Customer.objects.exists()
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman", "cp1252"])
def test_accents_of_old_programs_are_read(tmp_path: Path, encoding: str) -> None:
    assert imported(tmp_path, CUSTOMERS.replace("Dupont", "Hôtel Bénédicte à Nîmes"), encoding=encoding).is_clean
    assert Customer.objects.get().name == "Hôtel Bénédicte à Nîmes"


@pytest.mark.parametrize(
    ("invoices", "lines"),
    [
        ("Facture n°;Date d'émission;Réf. client;Total hors taxes;Taxes;Total toutes taxes comprises", ""),
        ("Numéro de facture;Date;Code client;Total (HT);Total (TVA);Total (TTC)", ""),
        ("", "Numéro de facture;Intitulé;Nombre;Prix unitaire hors taxe;Taux de TVA;Total ligne hors taxe"),
    ],
)
def test_headers_in_full_words_are_understood(tmp_path: Path, invoices: str, lines: str) -> None:
    report = imported(
        tmp_path,
        invoices=f"{invoices}\n{INVOICES.partition('\n')[2]}" if invoices else INVOICES,
        lines=f"{lines}\nF1;Vis;1;100,00;20;100,00\n" if lines else LINES,
    )
    assert report.is_clean, reasons(report)
    assert Invoice.objects.get().total_vat == Decimal("20.00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000", "01000"),
        ("F-75001", "75001"),
        ("75 001", "75001"),
        ("75001.0", "75001"),
        ("75001 CEDEX", "75001 CEDEX"),
    ],
)
def test_a_french_postcode_has_five_digits(text: str, expected: str) -> None:
    assert whole_postcode(text, "FR") == expected
    assert whole_postcode(text, "DE") == text


def test_a_point_may_part_thousands_too() -> None:
    assert are_ambiguous(["12.000", "2.400", "14.400"])
    assert not are_ambiguous(["12.000", "2.40", "14.40"])
