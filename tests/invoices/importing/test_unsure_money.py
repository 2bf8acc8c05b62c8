"""Amounts, currencies and customers that a file does not say for sure: asked or refused, never taken as they look."""

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from customers.models import Customer
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.models import Invoice
from tests.support.factories import make_company

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def cards() -> None:
    make_company()
    for code, name in (("C1", "Dupont SARL"), ("C2", "Martin SAS")):
        Customer.objects.create(code=code, name=name)


def imported(folder: Path, text: str, lines: str = "") -> ImportReport:
    (folder / "ventes.csv").write_text(text)
    if lines:
        (folder / "lignes.csv").write_text(lines)
    return import_erp([folder])


@pytest.mark.parametrize(
    "text",
    [
        # A code of VAT is no rate: 1 is not one per cent.
        "N° facture;Date facture;Code client;Libelle;Quantite;Prix unitaire HT;Total net HT;Code TVA\n"
        "F1;02/09/2026;C1;Filtre;1;100,00;100,00;1\n",
        "N° facture;Date facture;Code client;Libelle;Quantite;Prix unitaire HT;Total net HT;TVA\n"
        "F1;02/09/2026;C1;Filtre;1;100,00;100,00;3\n",
        # Cents are no euros.
        "invoice_number;invoice_date;customer_code;label;quantity;unit_price_cents;amount_cents;vat_rate;total_cents\n"
        "F1;2026-03-05;C1;Plan Pro;1;4900;4900;20;5880\n",
        "Facture;Date;Code client;Désignation;Qté;PU HT;Total HT (centimes);Taux TVA\n"
        "F1;05/03/2026;C1;Vis;1;100;100;20\n",
    ],
    ids=["code of VAT", "odd rate", "cents", "centimes"],
)
def test_a_table_whose_amounts_may_be_others_is_asked_about(tmp_path: Path, text: str) -> None:
    report = imported(tmp_path, text)
    assert not report.is_clean
    assert not Invoice.objects.exists()


_LINES = "N° facture;Date;Code client;Désignation;Qté;PU HT;TVA %"
_LINE = "F1;05/03/2026;C1;Vis;2;50,00;20"


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Coefficient", "1,5"), ("Prorata", "0,5"), ("Nb jours", "5"), ("Surface", "20"), ("Qté gratuite", "1"),
        ("Conditionnement", "12"), ("Transport HT", "9,90"), ("Octroi de mer", "7,50"),
        ("Acompte HT déduit", "30,00"), ("Remise globale", "10"), ("Droits (accises)", "0,60"), ("Remises", "10+5"),
    ],
)  # fmt: skip
def test_a_number_that_may_change_the_amount_of_a_line_is_asked_about(tmp_path: Path, column: str, cell: str) -> None:
    report = imported(tmp_path, f"{_LINES};{column}\n{_LINE};{cell}\n")
    assert column in report.rejected[0].reason
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(("column", "cell"), [("Coefficient", "1"), ("Nb jours", "5"), ("Prorata", "0,5")])
def test_such_a_number_says_nothing_where_the_amount_of_the_line_is_there(
    tmp_path: Path, column: str, cell: str
) -> None:
    assert imported(tmp_path, f"{_LINES};{column};Total HT\n{_LINE};{cell};100,00\n").is_clean
    assert Invoice.objects.get().total_with_vat == Decimal(120)


@pytest.mark.parametrize(
    ("header", "whole", "part"),
    [
        (_LINES, "F1;05/03/2026;C1;Lot de pose;1;100,00;20", "F1;05/03/2026;C1;dont main d’œuvre;1;40,00;20"),
        (_LINES, "F1;05/03/2026;C1;Lot de pose;1;100,00;20", "F1;05/03/2026;C1;Pour mémoire : dépose;1;40,00;20"),
        (_LINES, "F1;05/03/2026;C1;Lot de pose;1;100,00;20", "F1;05/03/2026;C1;En option : vernis;1;40,00;20"),
        (f"{_LINES};Niveau", "F1;05/03/2026;C1;Kit;1;100,00;20;1", "F1;05/03/2026;C1;Vis;1;40,00;20;2"),
        (f"{_LINES};Niv. nomenclature", "F1;05/03/2026;C1;Kit;1;100,00;20;0", "F1;05/03/2026;C1;Vis;1;40,00;20;1"),
    ],
    ids=["words", "for the record", "option", "level from 1", "level from 0"],
)
def test_what_may_be_a_part_of_another_line_is_counted_by_a_total_alone(
    tmp_path: Path, header: str, whole: str, part: str
) -> None:
    assert not imported(tmp_path, f"{header}\n{whole}\n{part}\n").is_clean
    assert not Invoice.objects.exists()
    report = imported(tmp_path, f"{header};Total HT facture\n{whole};140,00\n{part};140,00\n")
    assert report.is_clean, report.rejected
    assert Invoice.objects.get().total_without_vat == Decimal(140)


def test_a_discount_beside_a_price_that_has_it_is_not_taken_off_twice(tmp_path: Path) -> None:
    header = "N° facture;Date;Code client;Désignation;Qté;PU net HT;Remise %;TVA %"
    assert not imported(tmp_path, f"{header}\nF1;05/03/2026;C1;Vis;2;45,00;10;20\n").is_clean
    assert not Invoice.objects.exists()
    report = imported(tmp_path, f"{header};Total HT facture\nF1;05/03/2026;C1;Vis;2;45,00;10;20;90,00\n")
    assert report.is_clean, report.rejected
    line = Invoice.objects.get().lines.get()
    assert (line.net_amount, line.net_price, line.discount_percentage) == (Decimal(90), Decimal(45), None)


def test_the_name_of_prices_says_their_currency(tmp_path: Path) -> None:
    assert imported(tmp_path, f"{_LINES.replace('PU HT', 'PU HT (USD)')}\n{_LINE}\n").is_clean
    assert Invoice.objects.get().currency == "USD"


def test_francs_that_may_be_several_are_asked_about(tmp_path: Path) -> None:
    assert not imported(tmp_path, f"{_LINES.replace('PU HT', 'PU HT (F)')}\n{_LINE}\n").is_clean
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("discount", ["0,1", "10+5"])
def test_a_discount_that_may_be_another_is_asked_about(tmp_path: Path, discount: str) -> None:
    header = "N° facture;Date;Code client;Désignation;Qté;PU HT;Remise %;TVA %"
    assert not imported(tmp_path, f"{header}\nF1;05/03/2026;C1;Vis;2;50,00;{discount};20\n").is_clean
    assert not Invoice.objects.exists()


def test_an_amount_before_a_discount_is_not_taken_for_the_one_after_it(tmp_path: Path) -> None:
    header = "N° facture;Date;Code client;Désignation;Qté;PU HT;Montant brut HT;Remise %;TVA %"
    assert not imported(tmp_path, f"{header}\nF1;05/03/2026;C1;Vis;2;50,00;100,00;10;20\n").is_clean
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("signs", [("+", "-"), ("D", "C"), ("Débit", "Crédit"), ("1", "-1")])
def test_a_column_that_may_be_the_sign_of_amounts_is_asked_about(tmp_path: Path, signs: tuple[str, str]) -> None:
    heads = "numero;sens;date;code_client;total_ht;total_tva;total_ttc\n"
    rows = [f"F{place};{sign};15/01/2026;C1;100,00;20,00;120,00\n" for place, sign in enumerate(signs)]
    lines = "numero;designation;taux_tva;total_ht\nF0;Vis;20;100,00\nF1;Vis;20;100,00\n"
    report = imported(tmp_path, heads + "".join(rows), lines)
    assert "sens" in report.rejected[0].reason
    assert not Invoice.objects.exists()


def test_a_credit_note_far_below_is_one_though_the_first_rows_are_invoices(tmp_path: Path) -> None:
    rows = "".join(f"F{place};Facture;15/01/2026;C1;100;20;120\n" for place in range(500))
    lines = "".join(f"{number};Vis;20;100\n" for number in (*(f"F{place}" for place in range(500)), "X1"))
    heads = (
        f"numero;Libellé pièce;date;code_client;total_ht;total_tva;total_ttc\n{rows}X1;Avoir;15/01/2026;C1;100;20;120\n"
    )
    report = imported(tmp_path, heads, f"numero;designation;taux_tva;total_ht\n{lines}")
    assert report.is_clean, report.rejected
    assert Invoice.objects.get(number="X1").kind == Invoice.Kind.CREDIT_NOTE


@pytest.mark.parametrize(
    ("column", "cells"),
    [("Avoir", ("Non", "Oui")), ("Mouvement", ("Sortie", "Retour")), ("Montant crédit HT", ("100,00", "50,00"))],
)
def test_a_column_that_may_make_credit_notes_of_rows_is_asked_about(
    tmp_path: Path, column: str, cells: tuple[str, str]
) -> None:
    rows = f"{_LINE};{cells[0]}\n{_LINE.replace('F1', 'F2')};{cells[1]}\n"
    report = imported(tmp_path, f"{_LINES};{column}\n{rows}")
    assert column in report.rejected[0].reason
    assert not Invoice.objects.exists()


def test_such_a_column_says_nothing_beside_amounts_with_a_sign(tmp_path: Path) -> None:
    rows = f"{_LINE};Non\n{_LINE.replace('F1', 'A1').replace(';2;', ';-2;')};Oui\n"
    assert imported(tmp_path, f"{_LINES};Avoir\n{rows}").is_clean
    assert dict(Invoice.objects.values_list("number", "type_code")) == {"F1": "380", "A1": "381"}


def test_an_invoice_that_corrects_another_says_what_it_is(tmp_path: Path) -> None:
    heads = "numero;date;code_client;total_ht;total_tva;total_ttc;type;facture_corrigee\n"
    lines = "numero;designation;taux_tva;total_ht\nF2;Vis;20;100\nF3;Vis;20;100\n"
    rows = "F2;15/01/2026;C1;100;20;120;;F1\nF3;15/01/2026;C1;100;20;120;Rectificative;F1\n"
    report = imported(tmp_path, heads + rows, lines)
    assert [invoice.number for invoice in Invoice.objects.all()] == ["F3"]
    assert "F1" in report.rejected[0].reason


@pytest.mark.parametrize("names", [("N° commande", "Date"), ("N° facture", "Date commande")])
def test_an_order_is_not_taken_for_an_invoice(tmp_path: Path, names: tuple[str, str]) -> None:
    assert not imported(tmp_path, f"{';'.join(names)}{_LINES.removeprefix('N° facture;Date')}\n{_LINE}\n").is_clean
    assert not Invoice.objects.exists()


def test_an_invoice_without_any_amount_is_refused(tmp_path: Path) -> None:
    report = imported(tmp_path, f"{_LINES}\n{_LINE}\nF2;15/01/2026;C1;Vis;;;20\n" + _LINE.replace("F1", "F3"))
    assert not Invoice.objects.filter(number="F2").exists()
    assert not report.is_clean


@pytest.mark.parametrize("column", ["Annulée", "Brouillon", "Facture annulée", "Cancelled", "Pro forma"])
def test_a_row_that_says_yes_to_being_no_invoice_is_refused(tmp_path: Path, column: str) -> None:
    rows = f"{_LINE};Non\n{_LINE.replace('F1', 'F2')};Oui\n"
    report = imported(tmp_path, f"{_LINES};{column}\n{rows}")
    assert [invoice.number for invoice in Invoice.objects.all()] == ["F1"]
    assert "F2" in report.rejected[0].reason


def test_an_invoice_is_the_billed_customers_where_another_ordered(tmp_path: Path) -> None:
    head = "N° facture;Date facture;Numero client;Nom client;Numero client facture;Nom client facture;"
    rest = "Libelle;Quantite;Prix unitaire HT;Total net HT;Taux TVA\n"
    row = "F1;02/09/2026;C2;Martin SAS;C1;Dupont SARL;Filtre;1;100,00;100,00;20\n"
    assert imported(tmp_path, head + rest + row).is_clean
    assert Invoice.objects.get().customer.code == "C1"


@pytest.mark.parametrize("number", ["-", "à définir", "(brouillon)", "n.c."])
def test_a_number_that_says_nothing_is_none(tmp_path: Path, number: str) -> None:
    heads = "numero;date;code_client;total_ht;total_tva;total_ttc\n"
    lines = "numero;designation;taux_tva;total_ht\n"
    report = imported(tmp_path, f"{heads}{number};15/01/2026;C1;100;20;120\n", f"{lines}{number};Vis;20;100\n")
    assert not report.is_clean
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(("column", "value"), [("deja_paye", "50 %"), ("total_ht", "100,00 %")])
def test_a_percentage_is_no_amount(tmp_path: Path, column: str, value: str) -> None:
    row = {"numero": "F1", "date": "15/01/2026", "code_client": "C1", "total_ht": "100", "total_tva": "20"}
    row |= {"total_ttc": "120", "deja_paye": "", column: value}
    report = imported(
        tmp_path,
        ";".join(row) + "\n" + ";".join(row.values()) + "\n",
        "numero;designation;taux_tva;total_ht\nF1;Vis;20;100\n",
    )
    assert [each.column for each in report.rejected] == [column]
    assert not Invoice.objects.exists()


def workbook(path: Path, *, shown_as: str, number: object = "F1") -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    heads, lines = book.create_sheet("Factures"), book.create_sheet("Lignes")
    heads.append(["numero", "date", "code_client", "total_ht", "total_tva", "total_ttc"])
    heads.append([number, "15/01/2026", "C1", 100, 20.5, 120.5])
    for cell in heads["D2:F2"][0]:
        cell.number_format = shown_as
    lines.append(["numero", "designation", "taux_tva", "total_ht"])
    lines.append([number, "Vis", 20.5, 100])
    book.save(path)


@pytest.mark.parametrize(
    ("shown_as", "currency"),
    [
        ("[$$-409]#,##0.00", "USD"),
        ('#,##0.00 "CHF"', "CHF"),
        ("[$£-809]#,##0.00;[Red]-[$£-809]#,##0.00", "GBP"),
        ("#,##0.00 [$€-40C]", "EUR"),
        ('#,##0.00 "pièces"', "EUR"),
        ('#,##0.00 "TTC"', "EUR"),
        ('#,##0.00 "PCS"', "EUR"),
    ],
)
def test_amounts_are_in_the_currency_that_a_workbook_shows(tmp_path: Path, shown_as: str, currency: str) -> None:
    workbook(tmp_path / "ventes.xlsx", shown_as=shown_as)
    assert import_erp([tmp_path]).is_clean
    invoice = Invoice.objects.get()
    assert (invoice.currency, invoice.total_with_vat) == (currency, Decimal("120.50"))


def test_a_number_of_more_digits_than_spreadsheets_keep_is_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "ventes.xlsx", shown_as="0.00", number=12345678901234567)
    assert not import_erp([tmp_path]).is_clean
    assert not Invoice.objects.exists()
