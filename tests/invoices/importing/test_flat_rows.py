"""Rows of flat tables: brought together by invoice, passed over where they are none, never counted twice unseen."""

from decimal import Decimal

import pytest

from customers.models import Customer
from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from invoices.models import Invoice

pytestmark = pytest.mark.django_db
HEADER = "Facture;Date;Code client;Désignation;Qté;PU HT;Taux TVA;Total ligne HT"
F1 = ["F1;15/01/2025;C1;Vis;2;50,00;20;100,00", "F1;15/01/2025;C1;Clou;1;10,00;20;10,00"]
F2 = "F2;16/01/2025;C2;Vis;4;50,00;20;200,00"
BOTH = {"F1": (Decimal(132), 2), "F2": (Decimal(240), 1)}


@pytest.fixture(autouse=True)
def two_cards() -> None:
    Customer.objects.create(code="C1", name="Dupont SARL", siren="732829320", vat_identifier="FR44732829320")
    Customer.objects.create(code="C2", name="Martin SAS", siren="552100554")


def read(*rows: str, header: str = HEADER) -> tuple[dict[str, tuple[Decimal, int]], ImportReport]:
    """Each invoice of the table: its total and how many lines it has."""
    report = import_erp([GivenFile("ventes.csv", "\n".join([header, *rows, ""]).encode())])
    return {each.number: (each.total_with_vat, each.lines.count()) for each in Invoice.objects.all()}, report


@pytest.mark.parametrize(
    "rows",
    {
        "heads left blank": [F1[0], ";;;Clou;1;10,00;20;10,00", F2],
        "lines that lie apart": [F1[0], F2, F1[1]],
        "subtotals": [*F1, "Sous-total F1;;;;;;;110,00", F2, "Total général;;;;;;;310,00"],
        "a remark": [*F1, F2, "", "Édité le 31/01/2025"],
        "a count": [*F1, F2, "2 facture(s);;;;;;;310,00"],
        "a number of pieces": [*F1, F2, "Nombre de pièces : 2;;;;;;;"],
        "a lone quote": [F1[0].replace("Vis", '"'), F1[1], F2.replace("Vis", '"')],
        "a name of two lines": [F1[0].replace("Vis", '"Vis\ninox; 3 mm"'), F1[1], F2],
    }.items(),
    ids=lambda given: given[0],
)
def test_both_invoices_come_in(rows: tuple[str, list[str]]) -> None:
    found, report = read(*rows[1])
    assert found == BOTH
    assert report.is_clean


@pytest.mark.parametrize(
    ("header", "rows"),
    {
        "types of Dolibarr by number": (
            "Réf. facture;Type;Date facture;Montant TTC;Statut facture;Nom du tiers;Code client;Désignation;Qté;PU HT;"
            "Taux TVA;Montant HT ligne",
            [
                "F1;0;2025-01-15;132,00;1;Dupont SARL;C1;Vis;2;50,00;20;100,00",
                "F1;0;2025-01-15;132,00;1;Dupont SARL;C1;Clou;1;10,00;20;10,00",
                "F2;5;2025-01-16;240,00;1;Martin SAS;C2;Vis;4;50,00;20;200,00",
            ],
        ),
        "what a line is": (f"{HEADER};Type", [*(f"{row};Article" for row in F1), f"{F2};Compte général"]),
        "names without accents, a decimal comma": (
            "DocNum;DocDate;CardCode;Dscription;Quantity;Price;VatPrcnt;LineTotal;DocTotal",
            [
                "F1;05/01/2025;C1;Vis;2;50,00;20;100,00;132,00",
                "F1;05/01/2025;C1;Clou;1;10,00;20;10,00;132,00",
                F2.replace("16/", "06/") + ";240,00",
            ],
        ),
        "a VAT number beside a card with its SIREN": (
            HEADER.replace("Code client", "Client;N° TVA"),
            [
                *(row.replace("C1", "Dupont SARL;FR44732829320") for row in F1),
                F2.replace("C2", "Martin SAS;FR96552100554"),
            ],
        ),
        "statuses of what was issued": (f"{HEADER};Statut", [*(f"{row};Payée" for row in F1), f"{F2};En retard"]),
    }.values(),
    ids=["dolibarr", "kind of line", "comma", "vat", "status"],
)
def test_both_invoices_come_in_from_other_shapes(header: str, rows: list[str]) -> None:
    found, report = read(*rows, header=header)
    assert report.is_clean, report.rejected
    assert found == BOTH
    assert set(Invoice.objects.values_list("issue_date__month", flat=True)) == {1}


def test_the_state_of_an_address_hides_no_status() -> None:
    _found, report = read(*(f"{row};Texas;Draft" for row in F1), header=f"{HEADER};State;Status")
    assert "Draft" in report.rejected[0].reason


@pytest.mark.parametrize("status", ["Annulée", "Brouillon", "Void"])
def test_a_draft_or_a_cancelled_invoice_is_refused_and_the_others_come_in(status: str) -> None:
    found, report = read(*(f"{row};Payée" for row in F1), f"{F2};{status}", header=f"{HEADER};Statut")
    assert set(found) == {"F1"}
    assert status in report.rejected[0].reason


def test_lines_that_come_twice_without_a_total_are_refused() -> None:
    found, report = read(*F1, F2, *F1)
    assert set(found) == {"F2"}
    assert "deux fois" in report.rejected[0].reason


def test_lines_that_come_twice_are_counted_as_the_total_says() -> None:
    rows = [f"{row};264,00" for row in F1]
    found, _report = read(*rows, f"{F2};240,00", *rows, header=f"{HEADER};Total TTC facture")
    assert found == {"F1": (Decimal(264), 4), "F2": (Decimal(240), 1)}


@pytest.mark.parametrize(("column", "number"), [("SIREN client", "552100554"), ("TVA intracom", "FR96552100554")])
def test_a_code_beside_another_number_than_its_card_s_is_another_customer(column: str, number: str) -> None:
    found, report = read(f"{F1[0]};{number}", f"{F2};", header=f"{HEADER};{column}")
    assert set(found) == {"F2"}
    (reason,) = {each.reason for each in report.rejected}
    assert "C1" in reason
    assert number in reason


def test_a_code_beside_its_own_number_is_itself() -> None:
    found, report = read(f"{F1[0]};732 829 320", f"{F2};552100554", header=f"{HEADER};SIREN client")
    assert (set(found), report.rejected) == ({"F1", "F2"}, [])


@pytest.mark.parametrize(
    "rows",
    {
        "at the end": [*F1, "F1;15/01/2025;C1;Sous-total;;;;110,00"],
        "after each line": [
            F1[0],
            "F1;15/01/2025;C1;Sous-total lot 1;;;;100,00",
            F1[1],
            "F1;15/01/2025;C1;Sous-total lot 2;;;;10,00",
            "F1;15/01/2025;C1;Total général;;;;110,00",
        ],
        "before its lines": ["F1;15/01/2025;C1;Total lot 1;;;;110,00", *F1],
        "beside the number alone": [*F1, "F1;Sous-total;;;;;;110,00"],
        "with the quantities": [*F1, "F1;15/01/2025;C1;Total;3;;;110,00"],
    }.items(),
    ids=lambda given: given[0],
)
@pytest.mark.parametrize("total", ["", "132,00"])
def test_a_total_that_carries_the_number_of_its_invoice_is_passed_over_and_said(
    rows: tuple[str, list[str]], total: str
) -> None:
    found, report = read(*(f"{row};{total}" for row in rows[1]), header=f"{HEADER};Total TTC facture")
    assert (found, report.rejected) == ({"F1": (Decimal(132), 2)}, [])
    assert {each.line for each in report.skipped} == {
        number for number, row in enumerate(rows[1], start=2) if "otal" in row
    }


def test_a_line_that_is_called_a_total_and_has_a_price_is_a_line() -> None:
    found, report = read(F1[0], "F1;15/01/2025;C1;Total nettoyage;1;100,00;20;100,00")
    assert (found, report.rejected) == ({"F1": (Decimal(240), 2)}, [])


def test_a_total_that_is_the_sum_of_nothing_is_refused() -> None:
    found, report = read(*F1, "F1;15/01/2025;C1;Total TTC;;;;132,00", F2)
    assert set(found) == {"F2"}
    assert "Total TTC" in report.rejected[0].reason


@pytest.mark.parametrize(
    ("words", "category"),
    [
        ("Exonéré", "E"),
        ("Exonération TVA, art. 261-4-4° du CGI", "E"),
        ("Autoliquidation", "AE"),
        ("Export", "G"),
        ("Intracommunautaire", "K"),
        ("Franchise en base, art. 293 B du CGI", "E"),
        ("Hors champ", "O"),
        ("Non applicable", "E"),
        ("0 % (export)", "G"),
    ],
)
@pytest.mark.parametrize("column", ["Taux TVA", "TVA"])
def test_a_table_whose_only_rate_is_a_reason_in_words_charges_no_vat(words: str, category: str, column: str) -> None:
    rows = [f"F1;15/01/2025;C1;Vis;2;50,00;{words};100,00", f"F1;15/01/2025;C1;Clou;1;10,00;{words};10,00"]
    _found, report = read(*rows, header=HEADER.replace("Taux TVA", column))
    invoice = Invoice.objects.get()
    assert report.rejected == []
    assert invoice.total_with_vat == Decimal(110)
    assert set(invoice.lines.values_list("vat_category", "vat_rate")) == {(category, Decimal(0))}


def test_a_reason_in_words_may_be_beside_rates() -> None:
    rows = [F1[0], "F1;15/01/2025;C1;Formation;1;10,00;Exonéré;10,00"]
    found, report = read(*rows)
    assert (found, report.rejected) == ({"F1": (Decimal(130), 2)}, [])
    assert Invoice.objects.get().lines.get(name="Formation").vat_category == "E"


@pytest.mark.parametrize("rate", ["-20", "-20,00", "-20 %"])
def test_a_credit_note_may_write_its_rate_below_zero(rate: str) -> None:
    rows = [F2, f"A1;15/01/2025;C1;Vis;-2;50,00;{rate};-100,00"]
    _found, report = read(*rows)
    note = Invoice.objects.get(number="A1")
    assert report.rejected == []
    assert (note.kind, note.total_with_vat) == (Invoice.Kind.CREDIT_NOTE, Decimal(120))
    assert note.lines.get().vat_rate == Decimal(20)


def test_a_rate_below_zero_beside_an_amount_above_is_refused() -> None:
    found, report = read(F2, "A1;15/01/2025;C1;Vis;2;50,00;-20;100,00")
    assert set(found) == {"F2"}
    assert "négatif" in report.rejected[0].reason


def test_columns_that_are_called_by_a_rate_alone_hide_no_header() -> None:
    found, report = read(*(f"{row};22,00;;132,00" for row in F1), header=f"{HEADER};-20;-5,5;Total TTC facture")
    assert (found, report.rejected) == ({"F1": (Decimal(132), 2)}, [])


NUMBERS_OF_CREDIT_NOTES = [
    "AV0001",
    "AVO-12",
    "AVR2025/3",
    "CN-7",
    "2025-AV-004",
    "RINV/2025/00003",
    "FAV12",
    "Avoir 9",
]


@pytest.mark.parametrize("number", NUMBERS_OF_CREDIT_NOTES)
def test_a_number_of_a_credit_note_without_a_type_above_zero_is_refused(number: str) -> None:
    found, report = read(F2, *(row.replace("F1", number) for row in F1))
    assert set(found) == {"F2"}
    (refused,) = report.rejected
    assert number in refused.reason
    assert "type" in refused.correction


def test_such_a_number_with_an_empty_cell_of_types_is_refused_too() -> None:
    header = f"{HEADER};Type"
    found, report = read(f"{F2};Facture", *(f"{row.replace('F1', 'AV1')};" for row in F1), header=header)
    assert set(found) == {"F2"}
    assert "AV1" in report.rejected[0].reason


@pytest.mark.parametrize("number", ["NAVY-1", "AVION-7", "FAC-CNX-3", "2025AVB4", "FA-AVR25-12", "FA-NC-0012"])
def test_letters_within_a_word_months_and_places_say_nothing(number: str) -> None:
    found, report = read(F2, *(row.replace("F1", number) for row in F1))
    assert (set(found), report.rejected) == ({"F2", number}, [])


def test_a_number_of_a_credit_note_beside_its_type_or_below_zero_is_taken() -> None:
    header = f"{HEADER};Type"
    read(f"{F2};Facture", *(f"{row.replace('F1', 'AV1')};Avoir" for row in F1), header=header)
    read(F2, "AV2;15/01/2025;C1;Vis;-2;50,00;20;-100,00")
    kinds = dict(Invoice.objects.values_list("number", "kind"))
    assert kinds == {"F2": Invoice.Kind.INVOICE, **dict.fromkeys(("AV1", "AV2"), Invoice.Kind.CREDIT_NOTE)}


def test_what_was_taken_before_under_such_a_number_stays_unchanged() -> None:
    rows = [row.replace("F1", "AV1") for row in F1]
    read(*(f"{row};Facture" for row in rows), header=f"{HEADER};Type")
    _found, report = read(*rows)
    assert (report.unchanged["invoices"], report.rejected) == (1, [])


def test_a_strict_import_writes_nothing_of_a_flat_table_where_an_invoice_does_not_add_up() -> None:
    rows = [f"F{number};15/01/2025;C1;Vis;2;50,00;20;100,00" for number in range(60)]
    table = "\n".join([HEADER, *rows, "F60;15/01/2025;C1;Vis;2;50,00;20;101,00", ""])
    report = import_erp([GivenFile("ventes.csv", table.encode())], strict=True)
    assert not Invoice.objects.exists()
    assert report.created["invoices"] == 0
    assert [each.line for each in report.rejected] == [62]
    assert "strict" in report.notices[0]
