"""What the ERP states and is coherent is kept, and written so that the rules of EN 16931 hold."""

from decimal import Decimal

import pytest
from django.utils import timezone

from invoices.einvoices.checks import check_invoices, findings_of, needing_check
from invoices.einvoices.einvoice import einvoice_of
from invoices.models import Company, Invoice
from tests.support.factories import make_company
from tests.support.import_files import CUSTOMERS, INVOICES, Rows, import_tables
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db
SIREN = "552100554"
FIRM = {**CUSTOMERS[0], "siren": SIREN, "tva_intracom": french_vat(SIREN)}
ABROAD = {**CUSTOMERS[0], "pays": "DE", "tva_intracom": "DE136695976"}


def import_invoice(lines: Rows, customer: Rows, *, net: str, vat: str, gross: str) -> Invoice:
    """The invoice F1 of these lines and totals, of a company that states all that the law wants."""
    Company.objects.filter(pk=make_company().pk).update(operations="S")
    head = {**INVOICES[0], "total_ht": net, "total_tva": vat, "total_ttc": gross}
    names = dict.fromkeys(["numero", *[name for line in lines for name in line]])
    rows: Rows = [{name: line.get(name, "F1" if name == "numero" else "") for name in names} for line in lines]
    report = import_tables(clients=customer, contacts=[], factures=[head], lignes=rows)
    assert report.is_clean, report.rejected
    return Invoice.objects.get()


def line(net: str, rate: str = "20,00", **cells: str) -> dict[str, str]:
    return {"designation": "Vis", "quantite": "1", "prix_unitaire_ht": net, "taux_tva": rate, "total_ht": net, **cells}


@pytest.mark.parametrize(
    ("lines", "customer", "totals", "vat_of_groups"),
    [
        pytest.param(
            [line("99,99")] * 3, FIRM, ("299,97", "60,00", "359,97"), [("S", "60.00")], id="VAT rounded line by line"
        ),
        pytest.param(
            [line("99,99"), line("99,99"), line("0,05", "10,00"), line("0,05", "10,00")],
            FIRM,
            ("200,08", "40,02", "240,10"),
            [("S", "40.00"), ("S", "0.02")],
            id="VAT rounded line by line at two rates",
        ),
        pytest.param(
            [line("100,00"), {"designation": "Selon votre commande du 3 janvier"}],
            FIRM,
            ("100,00", "20,00", "120,00"),
            [("S", "20.00")],
            id="a line of text",
        ),
        pytest.param(
            [line("100,00"), line("-0,30", prix_unitaire_ht="0,00")],
            FIRM,
            ("99,70", "19,94", "119,64"),
            [("S", "19.94")],
            id="a discount in money beside a price of zero",
        ),
        pytest.param(
            [line("100,00"), {"designation": "Geste commercial", "taux_tva": "20", "total_ht": "-10,00"}],
            FIRM,
            ("90,00", "18,00", "108,00"),
            [("S", "18.00")],
            id="an amount alone",
        ),
        pytest.param(
            [line("185,00", prix_unitaire_ht="200,00", remise="15,00")],
            FIRM,
            ("185,00", "37,00", "222,00"),
            [("S", "37.00")],
            id="a discount in money",
        ),
        pytest.param(
            [line("90,00", prix_unitaire_ht="100,00", remise="0,1")],
            FIRM,
            ("90,00", "18,00", "108,00"),
            [("S", "18.00")],
            id="a discount stored as a fraction",
        ),
        pytest.param(
            [line("100,00", "0,2"), line("100,00", "0,055")],
            FIRM,
            ("200,00", "25,50", "225,50"),
            [("S", "20.00"), ("S", "5.50")],
            id="rates stored as fractions",
        ),
        pytest.param(
            [line("100,00", "0", motif_exoneration="Autoliquidation, art. 283-2 nonies du CGI")],
            FIRM,
            ("100,00", "0,00", "100,00"),
            [("AE", "0.00")],
            id="a reverse charge in words",
        ),
        pytest.param(
            [line("100,00", "0", motif_exoneration="Exonération de TVA, art. 261-4-4° a du CGI")],
            FIRM,
            ("100,00", "0,00", "100,00"),
            [("E", "0.00")],
            id="an exemption in words",
        ),
        pytest.param(
            [line("100,00", "Intracommunautaire")],
            ABROAD,
            ("100,00", "0,00", "100,00"),
            [("K", "0.00")],
            id="a delivery within the Union in the column of the rate",
        ),
        pytest.param(
            [line("100,00", "0", categorie_tva="Export")],
            {**ABROAD, "pays": "CH", "tva_intracom": ""},
            ("100,00", "0,00", "100,00"),
            [("G", "0.00")],
            id="an export in words",
        ),
    ],
)
def test_what_is_stated_is_kept_and_makes_a_right_e_invoice(
    lines: Rows, customer: dict[str, str], totals: tuple[str, str, str], vat_of_groups: list[tuple[str, str]]
) -> None:
    net, vat, gross = totals
    invoice = import_invoice(lines, [customer], net=net, vat=vat, gross=gross)
    assert [invoice.total_without_vat, invoice.total_vat, invoice.total_with_vat] == [
        Decimal(each.replace(",", ".")) for each in totals
    ]
    groups = einvoice_of(invoice).content.vat_breakdown
    assert [(each.category, str(each.tax_amount)) for each in groups] == vat_of_groups
    check_invoices(needing_check(timezone.now()))
    invoice.refresh_from_db()
    assert invoice.content_check is not None
    assert [each.message_fr for each in findings_of(invoice.content_check)] == []


def test_vat_that_no_rounding_explains_is_refused() -> None:
    with pytest.raises(AssertionError, match="Total TVA 60,02"):
        import_invoice([line("99,99")] * 3, [FIRM], net="299,97", vat="60,02", gross="359,99")
