"""What an import says to be ticked against the ERP's journal: period, totals by rate, gaps, changed addresses."""

from decimal import Decimal
from pathlib import Path

import pytest

from invoices.formats.reading import read_einvoice
from invoices.importing.run import import_erp
from tests.support.einvoice_samples import CII
from tests.support.import_files import CUSTOMERS, INVOICES, LINES, changed, import_tables

pytestmark = pytest.mark.django_db


def test_totals_by_rate_and_the_period_are_those_of_the_invoices_taken() -> None:
    journal = import_tables().as_json()["journal"]

    assert (journal["start"], journal["end"], journal["invoices"]) == ("2025-01-31", "2025-02-01", 2)
    assert [tuple(each.values()) for each in journal["rates"]] == [
        ("EUR", "10.00", "14.50", "1.45", "15.95"),
        ("EUR", "20.00", "1030.00", "206.00", "1236.00"),
    ]
    assert import_tables().as_json()["journal"]["rates"] == []


def test_numbers_that_are_missing_are_named_whenever_the_others_came() -> None:
    heads = [{**INVOICES[1], "numero": f"FA-{n:04}"} for n in (7, 8, 11, 13)]
    lines = [{**LINES[3], "numero": head["numero"]} for head in heads]
    import_tables(factures=heads[:2], lignes=lines[:2])

    gaps = import_tables(factures=heads, lignes=lines).as_json()["journal"]["gaps"]
    assert gaps == [["FA-0012", "FA-0012"]]

    again = changed(heads, 0, reference="BC 9")
    heads = [*again[:1], *heads[3:], {**heads[0], "numero": "FA-0014"}]
    lines = [*lines[:1], *lines[3:], {**lines[0], "numero": "FA-0014"}]
    gaps = import_tables(factures=heads, lignes=lines).as_json()["journal"]["gaps"]
    assert gaps == [["FA-0009", "FA-0010"], ["FA-0012", "FA-0012"]]


def test_where_many_numbers_are_missing_the_first_are_named_and_the_rest_is_said() -> None:
    heads = [{**INVOICES[1], "numero": f"FA-{2 * n:04}"} for n in range(1, 26)]
    lines = [{**LINES[3], "numero": head["numero"]} for head in heads]

    journal = import_tables(factures=heads, lignes=lines).as_json()["journal"]
    few = import_tables(factures=[heads[0]], lignes=[lines[0]]).as_json()["journal"]

    assert journal["gaps"] == [[f"FA-{2 * n + 1:04}"] * 2 for n in range(1, 21)]
    assert (journal["has_more_gaps"], few["has_more_gaps"]) == (True, False)


def test_an_address_that_the_erp_has_changed_is_named_with_the_former_one() -> None:
    import_tables()
    (change,) = import_tables(clients=changed(CUSTOMERS, 0, email="new@bois.example")).new_addresses
    assert (change["code"], change["former"], change["now"]) == ("C1", "a@bois.example", "new@bois.example")


def test_e_invoices_count_by_the_rates_that_they_state(tmp_path: Path) -> None:
    (tmp_path / "facture.xml").write_bytes(CII)
    report = import_erp([tmp_path], create_companies=True)
    content = read_einvoice(CII).content
    journal = report.as_json()["journal"]
    assert journal["invoices"] == 1
    assert {(each["rate"], Decimal(each["net"]), Decimal(each["vat"])) for each in journal["rates"]} == {
        (f"{each.rate:.2f}", each.taxable_amount, each.tax_amount) for each in content.vat_breakdown
    }
    assert import_erp([tmp_path], create_companies=True).as_json()["journal"]["invoices"] == 0
