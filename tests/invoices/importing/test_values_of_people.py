"""Values as people and spreadsheets write them: understood, or refused; never silently wrong."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from customers.models import Contact, Customer
from invoices.importing.tables.cells import text_of_at_most
from invoices.importing.tables.customers import email_text
from invoices.importing.tables.invoice_rows import customer_code_text, issue_date_text, number_text, type_code
from invoices.importing.values import (
    BadValue,
    addresses_in,
    are_ambiguous,
    bare_address,
    bare_code,
    not_an_error,
    parse_date,
    parse_number,
)
from invoices.models import Invoice, InvoiceLine
from tests.support.factories import make_company, make_customer
from tests.support.import_files import CONTACTS, CUSTOMERS, INVOICES, LINES, changed, import_tables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('="000123"', "000123"),
        ("'000123", "000123"),
        ("000001\u200b", "000001"),
        ("C-1", "C-1"),
        ("O'Neil", "O'Neil"),
        (" AB  12 ", "AB  12"),  # as the card has it since its first import
    ],
)
def test_a_code_loses_what_a_spreadsheet_put_around_it(text: str, expected: str) -> None:
    assert bare_code(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@x.fr;", "a@x.fr"),
        ("mailto:a@x.fr", "a@x.fr"),
        ("Jean Dupont <a@x.fr>", "a@x.fr"),
        ('"Dupont, Jean" <a@x.fr>', "a@x.fr"),
        ("a@x.fr\u200b", "a@x.fr"),
        ("-", ""),
        ("NC", ""),
        ("n/c", ""),
    ],
)
def test_an_address_is_found_in_what_surrounds_it(text: str, expected: str) -> None:
    assert bare_address(text) == expected
    assert email_text(text) == expected


@pytest.mark.parametrize("text", ["a@x。fr", "a\u2011b@x.fr", "a＠x.fr", "a@x．fr"])
def test_an_address_with_a_look_alike_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        email_text(text)


@pytest.mark.parametrize("number", ["2,02501E+11", "2.02501E+11", "2E11", "1,5e+9"])
def test_a_number_that_a_spreadsheet_rounded_is_refused(number: str) -> None:
    with pytest.raises(BadValue, match="arrondi"):
        number_text(number)


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "#VALEUR!", "#NOM?", "#DIV/0!", "########", "#NAME?"])
@pytest.mark.parametrize("read", [number_text, customer_code_text, not_an_error, text_of_at_most(200)])
def test_an_error_of_a_spreadsheet_is_no_value(text: str, read: Callable[[str], str]) -> None:
    with pytest.raises(BadValue, match="erreur d’une formule"):
        read(text)


@pytest.mark.parametrize("text", ["#12", "#1 vis", "N#A", "#"])
def test_a_value_may_begin_with_a_hash(text: str) -> None:
    assert not_an_error(text) == text


def test_a_number_with_letters_is_a_number() -> None:
    assert number_text("FE2025-11") == "FE2025-11"


@pytest.mark.parametrize("code", ["325", "999", "12", "700"])
def test_a_type_that_is_no_invoice_is_refused(code: str) -> None:
    with pytest.raises(BadValue):
        type_code(code)


@pytest.mark.parametrize("code", ["380", "381", "384", "386", "389", "503"])
def test_a_type_of_invoice_is_itself(code: str) -> None:
    assert type_code(code) == code


def test_a_date_more_than_a_year_ahead_is_refused(time_machine: Any) -> None:
    time_machine.move_to("2026-03-02")
    assert issue_date_text("07/06/2026") == "2026-06-07"
    assert issue_date_text("01/03/2027") == "2027-03-01"
    with pytest.raises(BadValue, match="plus d’un an"):
        issue_date_text("07/06/2052")


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["12,000", "2,400", "14,400"], True),
        (["-12,350", "-2,470", "-14,820"], True),
        (["100,000", "", "100,000"], True),
        (["12,000", "0,000", "12,000"], True),
        (["1034,5", "205,450", "1239,95"], False),  # the others say that commas are decimal
        (["12,00", "2,40", "14,40"], False),
        (["1 250,000", "250,000", "1 500,000"], False),  # four digits before the comma
        (["0,500", "0,100", "0,600"], False),
        (["12.5", "2.5", "15"], False),
        (["1,200.00", "0.00", "1,200.00", "1,000"], True),  # paid already: one or a thousand
        (["1 200,00", "0,00", "1 200,00", "1,000"], False),
    ],
)
def test_thousands_or_decimals_is_decided_by_the_other_amounts_or_refused(amounts: list[str], expected: bool) -> None:
    assert are_ambiguous(amounts) is expected


@pytest.mark.django_db
def test_a_french_postcode_gets_its_zero_back_and_a_belgian_one_keeps_four_digits(tmp_path: Path) -> None:
    from django.core.management import call_command

    path = tmp_path / "clients.csv"
    path.write_text(
        'code;raison_sociale;code_postal;ville;pays\n="000123";Dupont;1000;Bourg-en-Bresse;FR\n'
        "C2;Janssens;1000;Bruxelles;BE\n",
        encoding="utf-8",
    )
    call_command("import_erp", str(path))
    assert dict(Customer.objects.values_list("code", "postcode")) == {"000123": "01000", "C2": "1000"}


@pytest.mark.parametrize(
    "text",
    [
        "Jun 7, 2025", "June 7th, 2025", "Saturday, June 7, 2025", "le 7 juin 2025", "07062025", "20250607",
        "2025-06-07 10:21:07 +0100", "2025-06-07T10:21:07.000Z", "07/06/2025 10:21 AM", "7-Jun-2025",
        "07/06/2025 à 10h21",
    ],
)  # fmt: skip
def test_a_date_is_read_with_its_time_and_zone_and_in_english(text: str) -> None:
    assert parse_date(text) == datetime.date(2025, 6, 7)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("$13.50", "13.50"), ("1,020.00", "1020.00"), ("20 160,0", "20160.0"), ("13,50 $", "13.50"),
        ("CHF 1'020.50", "1020.50"), ("100.00000000", "100"), ("— ", "0"), ("12,50 € HT", "12.50"),
        ("120,00 euros", "120.00"),
    ],
)  # fmt: skip
def test_amounts_are_read_with_their_currency(text: str, number: str) -> None:
    assert parse_number(text) == Decimal(number)


@pytest.mark.django_db
def test_a_quantity_of_a_thousand_is_distinguished_from_one_by_the_total_of_its_line() -> None:
    make_company()
    line = changed(LINES, 3, quantite="1,000", prix_unitaire_ht="0,01")
    assert import_tables(contacts=[], lignes=line).is_clean
    assert InvoiceLine.objects.get(invoice__number="F2").quantity == 1000


@pytest.mark.django_db
@pytest.mark.parametrize(("code", "written"), [("C1", "c1"), ("000001", "1"), ("7", "007")])
def test_a_code_in_another_writing_is_the_only_card_that_it_may_mean(code: str, written: str) -> None:
    make_company()
    card = make_customer(code=code, name="Avant")
    report = import_tables(
        clients=changed(CUSTOMERS, 0, code=written)[:1],
        contacts=[],
        factures=changed(INVOICES, 1, code_client=written)[1:],
        lignes=LINES[3:],
    )
    assert report.is_clean, report.rejected
    assert list(Customer.objects.values_list("code", "name")) == [(code, "Société Générale de Bois")]
    assert Invoice.objects.get().customer == card


@pytest.mark.django_db
def test_a_code_that_may_mean_two_cards_means_none() -> None:
    make_company()
    make_customer(code="01")
    make_customer(code="001")
    report = import_tables(
        clients=[], contacts=[], factures=changed(INVOICES, 1, code_client="1")[1:], lignes=LINES[3:]
    )
    assert [each.column for each in report.rejected] == ["code_client"]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@x.fr; b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("a@x.fr, b@y.fr, c@z.fr", ["a@x.fr", "b@y.fr", "c@z.fr"]),
        ("a@x.fr b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("a@x.fr / b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("a@x.fr/b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("a@x.fr et b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("a@x.fr\nb@y.fr", ["a@x.fr", "b@y.fr"]),
        ("mailto:a@x.fr;mailto:b@y.fr", ["a@x.fr", "b@y.fr"]),
        ("Jean Dupont <a@x.fr>; Anne <b@y.fr>", ["a@x.fr", "b@y.fr"]),
        ('"Dupont, Jean" <a@x.fr>, b@y.fr', ["a@x.fr", "b@y.fr"]),
        ("Compta : a@x.fr", ["a@x.fr"]),
        ("a@x.fr (Jean Dupont)", ["a@x.fr"]),
        ("a@x.fr;", ["a@x.fr"]),
        ("nc", []),
        ("-", []),
        ("", []),
        ("jean dupont@x.fr", ["jean dupont@x.fr"]),
        ("jean dupont@x.fr; b@y.fr", ["jean dupont@x.fr; b@y.fr"]),
    ],
)
def test_the_addresses_of_a_cell_are_separated(text: str, addresses: list[str]) -> None:
    assert [address for _, address in addresses_in(text)] == addresses


@pytest.mark.django_db
def test_further_addresses_are_contacts_once_and_a_bad_one_costs_only_itself() -> None:
    cards = changed(CUSTOMERS, 0, email="a@x.fr; Jean Dupont <b@y.fr>; faux@domaine")
    report = import_tables(clients=cards, contacts=[], factures=[], lignes=[])
    assert Customer.objects.get(code="C1").email == "a@x.fr"
    assert list(Contact.objects.values_list("name", "email")) == [("Jean Dupont", "b@y.fr")]
    assert report.created["contacts"] == 1
    again = import_tables(clients=cards, contacts=[], factures=[], lignes=[])
    assert (again.created["contacts"], again.unchanged["contacts"]) == (0, 1)
    assert Contact.objects.count() == 1


@pytest.mark.django_db
def test_a_contact_of_two_addresses_is_two() -> None:
    contacts = changed(CONTACTS, 0, email="anne@bois.example; anne2@bois.example")
    for _ in range(2):
        import_tables(contacts=contacts, factures=[], lignes=[])
        assert Contact.objects.filter(name="Anne").count() == 2
        assert Contact.objects.get(is_main=True).email == "anne@bois.example"
