"""Flat tables and other products' headers, imported by ``import_erp`` as they are."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from customers.models import Customer
from invoices.importing.mapping.kept import fingerprint
from invoices.importing.tables.line_rows import plain_number
from invoices.models import Company, ImportMapping, Invoice, InvoiceLine
from tests.support.header_shapes import SHAPES

pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *files: Path) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("import_erp", *map(str, files), "--json")
    except SystemExit as end:
        code = int(str(end.code))
    return code, json.loads(capsys.readouterr().out)


def shape(folder: Path, name: str) -> Path:
    file = folder / f"{name.replace(' ', '-')}.csv"
    file.write_text(next(each.text for each in SHAPES if each.name == name))
    return file


def given(folder: Path, text: str, name: str = "ventes.csv") -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.fixture(autouse=True)
def cards() -> None:
    for code, name, siren, email in (
        ("C1", "Dupont SARL", "732829320", "a@dupont.example"),
        ("C2", "Martin SAS", "552100554", "b@martin.example"),
    ):
        Customer.objects.create(
            code=code, name=name, siren=siren, email=email, postcode="75001" if code == "C1" else "69001"
        )


def totals() -> dict[str, tuple[Decimal, Decimal, Decimal, int]]:
    return {
        each.number: (each.total_without_vat, each.total_vat, each.total_with_vat, each.lines.count())
        for each in Invoice.objects.all()
    }


EXPECTED = {"1": (Decimal(110), Decimal(22), Decimal(132), 2), "2": (Decimal(200), Decimal(40), Decimal(240), 1)}


def test_dolibarr_comes_in_with_its_customers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Customer.objects.all().delete()
    code, report = run(capsys, shape(tmp_path, "dolibarr keys"))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"FA2501-0001": EXPECTED["1"], "FA2501-0002": EXPECTED["2"]}
    card = Customer.objects.get(code="CU2401-0001")
    assert (card.name, card.siren, card.city) == ("Dupont SARL", "732829320", "Paris")
    assert run(capsys, shape(tmp_path, "dolibarr keys"))[1]["unchanged"]["invoices"] == 2


def test_ebp_comes_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, shape(tmp_path, "ebp"))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"FA1": EXPECTED["1"]}


def test_odoo_finds_its_customers_by_name_and_vat_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = next(each.text for each in SHAPES if each.name == "odoo heads blank")
    rows = text.splitlines()
    rows = [f"{row},{extra}" for row, extra in zip(rows, ["Partner/SIREN", "732829320", "", "552100554"], strict=True)]
    code, report = run(capsys, given(tmp_path, "\n".join(rows)))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"INV/2025/0001": EXPECTED["1"], "INV/2025/0002": EXPECTED["2"]}
    assert Invoice.objects.get(number="INV/2025/0001").customer.code == "C1"


def test_sage_comes_in_from_its_three_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = given(
        tmp_path,
        "DO_Piece;DO_Date;DO_Tiers;DO_TotalHT;DO_TotalTTC\nFA001;15/01/2025;CDUPONT;110,00;132,00\n",
        "entete.csv",
    )
    code, report = run(capsys, heads, shape(tmp_path, "sage ligne"), shape(tmp_path, "sage comptet"))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"FA001": EXPECTED["1"]}


def test_a_name_alone_is_no_customer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = run(capsys, shape(tmp_path, "odoo heads blank"))
    assert code == 1
    assert "Importer" in report["rejected"][0]["reason"]
    assert not Invoice.objects.exists()


FLAT = """Facture;Date;Code client;Désignation;Qté;PU HT;Taux TVA;Total HT
F1;15/01/2025;C1;Vis;2;50,00;20;100,00
F1;15/01/2025;C1;Clou;1;10,00;20;10,00
Sous-total;;;;;;;110,00
F2;16/01/2025;C2;Vis;4;50,00;20;200,00
Total;;;;;;;310,00
"""


def test_totals_are_summed_from_the_lines_and_total_rows_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(capsys, given(tmp_path, FLAT))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"F1": EXPECTED["1"], "F2": EXPECTED["2"]}


def test_rows_of_an_invoice_need_not_stand_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row for row in FLAT.splitlines() if "otal;;" not in row]
    rows = [rows[0], rows[1], rows[3], rows[2]]
    code, report = run(capsys, given(tmp_path, "\n".join(rows)))
    assert (code, report["rejected"]) == (0, [])
    assert totals() == {"F1": EXPECTED["1"], "F2": EXPECTED["2"]}


@pytest.mark.parametrize(
    "text",
    [
        FLAT.replace("2;50,00;20;100,00", "2;50,00;20;101,00"),
        "Facture;Date;Code client;Désignation;Qté;Prix;TVA %;Montant\n"
        + "".join(f"F{n};1{n}/01/2025;C1;Vis;2;60,00;20;120,00\n" for n in range(4)),
        "Facture;Date;Code client;Désignation;Qté;PU;Montant HT;TVA;Total TTC\n"
        "F1;15/01/2025;C1;Vis;2;50;100,00;20,00;121,00\n",
        "Facture;Date;Code client;Désignation;Qté;PU HT;Taux TVA;Total HT\n"
        "F1;01/15/2025;C1;Vis;2;50,00;20;100,00\nF2;15/01/2025;C1;Vis;2;50,00;20;100,00\n",
    ],
    ids=["a product that is none", "with or without tax", "a sum that is none", "two orders of dates"],
)
def test_what_does_not_fit_together_is_refused_and_names_the_page(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(capsys, given(tmp_path, text))
    assert code == 1
    assert report["created"]["invoices"] == 0
    assert any("Importer" in each["reason"] for each in report["rejected"])


def test_a_kept_mapping_serves_without_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Aaa;Bbb;Ccc;Ddd;Eee;Fff\nF1;15/01/2025;C1;Vis;100,00;20\nF2;16/01/2025;C2;Vis;200,00;20\n"
    assert run(capsys, given(tmp_path, text))[0] == 1
    headers = text.splitlines()[0].split(";")
    ImportMapping.objects.create(
        name="Maison",
        fingerprint=fingerprint(headers),
        headers=headers,
        fields=["numero", "date", "code_client", "ligne.designation", "ligne.total_ht", "ligne.taux_tva"],
    )
    code, report = run(capsys, given(tmp_path, text))
    assert (code, report["rejected"]) == (0, [])
    assert {number: amounts[:3] for number, amounts in totals().items()} == {
        "F1": (Decimal(100), Decimal(20), Decimal(120)),
        "F2": (Decimal(200), Decimal(40), Decimal(240)),
    }
    assert ImportMapping.objects.get().used_at is not None
    assert Company.objects.count() == 1


_HEAD = "Facture;Date;Code client;Désignation;"
_ENGLISH = "Invoice Number,Invoice Date,Customer Code,Description,Quantity,Unit Price,Net Amount,VAT Rate\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{_HEAD}Qté;Prix HT;Taux TVA\nF1;15/01/2025;C1;Vis;2;100,00;20\n",
        f"{_HEAD}Qté;PU HT;Remise;Taux TVA\nF1;15/01/2025;C1;Vis;2;100,00;10;20\n",
        f"{_HEAD}Total HT;Taux TVA;Frais de port HT\nF1;15/01/2025;C1;Vis;200,00;20;15,00\n",
        f"{_HEAD}Qté;PU HT;Taux TVA;Eco-participation\nF1;15/01/2025;C1;Vis;2;50,00;20;1,00\n",
        f"{_HEAD}Qté;PU HT;Remise 1 %;Remise 2 %;Taux TVA\nF1;15/01/2025;C1;Vis;2;50,00;10;5;20\n",
        f"{_HEAD}Qté;PU HT;Remise globale %;Taux TVA\nF1;15/01/2025;C1;Vis;2;50,00;10;20\n",
        f"{_HEAD}Qté commandée;PU HT;Taux TVA\nF1;15/01/2025;C1;Vis;10;50,00;20\n",
        f"{_HEAD}Qté;PU achat HT;Taux TVA\nF1;15/01/2025;C1;Vis;2;30,00;20\n",
        f"{_HEAD}PU HT (k€);Total HT (k€);Taux TVA\nF1;15/01/2025;C1;Vis;5,00;10,00;20\n",
        f"{_HEAD}Sens;Total HT;Taux TVA\nF1;15/01/2025;C1;Vis;D;10,00;20\nF2;15/01/2025;C1;Vis;C;10,00;20\n",
        f"{_ENGLISH}F1,01/02/2025,C1,Vis,2,100.00,200.00,20\n",
        "N° devis;Date;Code client;Désignation;Total HT;Taux TVA\nD1;15/01/2025;C1;Vis;100,00;20\n",
        "N° BL;Date BL;Code client;Désignation;Total HT;Taux TVA\nBL1;15/01/2025;C1;Vis;100,00;20\n",
    ],
    ids=[
        "a price of a unit or of the line", "a discount in money or per cent", "carriage beside the lines",
        "a contribution beside the lines", "a second discount", "a discount on all", "what was ordered",
        "a purchase price",
        "thousands", "a column of signs", "month or day", "quotes", "delivery notes",
    ],
)  # fmt: skip
def test_what_may_be_another_amount_or_document_is_asked(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = run(capsys, given(tmp_path, text))
    assert (code, report["created"]["invoices"]) == (1, 0)
    assert any("Importer" in each["reason"] for each in report["rejected"])


@pytest.mark.parametrize(
    ("columns", "cells", "net"),
    [
        ("Qté;Prix total HT;Taux TVA", "2;100,00;20", 100),
        ("Qté;Prix HT;Taux TVA;Total facture TTC", "2;100,00;20;240,00", 200),
        ("Qté;PU HT;Remise;Taux TVA;Total HT facture", "2;100,00;30;20;170,00", 170),
        ("Qté;PU HT;Remise;Total ligne HT;Taux TVA", "2;100,00;30;170,00;20", 170),
        ("Total HT;Taux TVA;Frais de port HT", "200,00;20;0,00", 200),
        ("Qté commandée;Qté livrée;PU HT;Taux TVA", "10;2;50,00;20", 100),
        ("Qté;PU achat HT;PU HT;Taux TVA", "2;30,00;50,00;20", 100),
    ],
)
def test_an_amount_that_another_confirms_is_taken(
    columns: str, cells: str, net: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{_HEAD}{columns}\nF1;15/01/2025;C1;Vis;{cells}\n"
    code, report = run(capsys, given(tmp_path, text))
    assert (code, report["rejected"]) == (0, [])
    assert totals()["F1"][0] == net


def test_a_discount_in_money_of_one_invoice_is_not_that_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("F1", "170,00"), ("F2", "140,00")]  # the same line: 30 € off, then 30 %
    text = f"{_HEAD}Qté;PU HT;Remise;Taux TVA;Total HT facture\n" + "".join(
        f"{number};15/01/2025;C1;Vis;2;100,00;30;20;{total}\n" for number, total in rows
    )
    assert run(capsys, given(tmp_path, text))[0] == 0
    assert {number: amounts[0] for number, amounts in totals().items()} == {"F1": 170, "F2": 140}


def test_a_column_that_says_avoir_makes_credit_notes_whatever_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{_HEAD}Transaction;Total HT;Taux TVA\nF1;15/01/2025;C1;Vis;Facture;10,00;20\n" + (
        "F2;15/01/2025;C1;Vis;Avoir;10,00;20\n"
    )
    assert run(capsys, given(tmp_path, text))[0] == 0
    assert dict(Invoice.objects.values_list("number", "type_code")) == {"F1": "380", "F2": "381"}


def test_customers_that_are_named_where_codes_are_meant_are_found_by_a_second_sign_or_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = given(tmp_path, "numero;designation;taux_tva;total_ht\nF1;Vis;20;100,00\nF2;Vis;20;200,00\n", "lignes.csv")
    heads = (
        "Numéro;Date;Client;Code postal;Total HT;TVA;Total TTC\nF1;15/01/2025;Dupont SARL;75001;100,00;20,00;120,00\n"
    )
    unsure = "F2;15/01/2025;MARTIN SAS;;200,00;40,00;240,00\n"
    code, report = run(capsys, given(tmp_path, heads + unsure), lines)
    assert code == 1
    assert "Importer" in " ".join(each["reason"] for each in report["rejected"])
    assert Invoice.objects.get().customer.code == "C1"


@pytest.mark.parametrize("name", ["tiers.csv", "clients.csv"])  # read after the invoices, and before them
def test_codes_that_look_like_names_are_codes_where_their_cards_come_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    cards = given(tmp_path, "code;raison_sociale;type;nb_factures\nDupont;Dupont SARL;professionnel;D\n", name)
    heads = "numero;date;client;total_ht;total_tva;total_ttc\nF1;15/01/2025;Dupont;100,00;20,00;120,00\n"
    rows = given(tmp_path, "numero;designation;taux_tva;total_ht\nF1;Vis;20;100,00\n", "lignes.csv")
    assert run(capsys, given(tmp_path, heads, "factures.csv"), rows, cards)[0] == 0
    assert Invoice.objects.get().customer.code == "Dupont"


@pytest.mark.parametrize(
    ("quantity", "price", "net", "expected"),
    [
        ("1,000", "12,00", "12,00", ("1", "12")),
        ("1,000", "12,00", "12000,00", ("1000", "12")),
        ("2,000", "1,500", "3000,00", None),  # two at 1,500 each, or two thousand at 1.50
        ("2,000", "1,500", "3,00", ("2", "1.5")),
        ("1,000", "1,250", "1,25", ("1", "1.25")),
        ("1,000", "1,250", "1250000,00", ("1000", "1250")),
        ("1,000", "12,00", "13,00", None),
        ("1,000", "12,00", "", ("1", "12")),  # as the total of the invoice says
    ],
)
def test_a_quantity_that_could_be_a_thousand_is_what_the_net_amount_of_its_line_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quantity: str, price: str, net: str, expected: Any
) -> None:
    total = Decimal((net or "12,00").replace(",", "."))
    vat = total * 20 / 100
    amounts = ";".join(f"{each:.2f}".replace(".", ",") for each in (total, vat, total + vat))
    text = (
        "N° facture;Date facture;Code client;Désignation;Quantité;Prix unitaire HT;Taux TVA;Montant HT ligne;"
        f"Total HT facture;Total TVA facture;Total TTC facture\n"
        f"F1;15/01/2025;C1;Vis;{quantity};{price};20;{net};{amounts}\n"
    )
    code, _report = run(capsys, given(tmp_path, text))
    lines = InvoiceLine.objects.values_list("quantity", "net_price")
    assert [tuple(plain_number(each or Decimal(0)) for each in line) for line in lines] == (
        [expected] if expected else []
    )
    assert code == (0 if expected else 1)
