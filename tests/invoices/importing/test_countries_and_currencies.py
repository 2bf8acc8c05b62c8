"""Countries and currencies as people write them: one list, which is printed and read."""

import datetime

import pytest
from babel import Locale

from customers.models import Customer
from invoices.en16931.countries import codes, country_code, country_name
from invoices.en16931.currencies import currency_name, decimals, is_currency
from invoices.importing.tables.invoice_rows import currency_text
from invoices.importing.values import BadValue
from tests.support.import_files import CUSTOMERS, INVOICES, changed, import_tables


def test_every_country_that_is_printed_is_read_back() -> None:
    assert {code: country_code(country_name(code)) for code in codes()} == {code: code for code in codes()}


@pytest.mark.parametrize("language", ["fr", "en", "de", "es"])
def test_names_of_four_languages_are_read(language: str) -> None:
    names = {code: str(Locale(language).territories[code]) for code in codes() - {"XI"}}
    assert {code: country_code(name.upper()) for code, name in names.items()} == {code: code for code in names}


def test_the_codes_are_those_of_iso_3166() -> None:
    assert len(codes() - {"XI", "XK"}) == 249  # officially assigned, as ISO's Online Browsing Platform counts them
    assert not codes() & {"EU", "UN", "ZZ", "XA", "AC", "AN", "UK"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("FRA", "FR"),
        ("deu", "DE"),
        ("CHE", "CH"),
        ("U.S.A.", "US"),
        ("Viêt-Nam", "VN"),
        ("Cote d'Ivoire", "CI"),
        ("Großbritannien", "GB"),
        ("GROSSBRITANNIEN", "GB"),
        ("España", "ES"),
        ("Österreich", "AT"),
        ("La Réunion", "RE"),
        ("reunion", "RE"),
        ("Guyane", "GF"),
        ("Guyane française", "GF"),
        ("Hong-Kong", "HK"),
        ("XI", "XI"),
        ("UK", "GB"),
        ("EL", "GR"),
    ],
)
def test_a_country_is_read_by_its_codes_and_usual_names(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["", "ZZ", "EU", "Europe", "YUG", "ZAR", "75", "Lyon"])
def test_what_names_no_single_country_is_not_guessed(text: str) -> None:
    assert country_code(text) == ""


@pytest.mark.parametrize(
    ("code", "name"),
    [("GF", "Guyane"), ("HK", "Hong Kong"), ("XI", "Irlande du Nord"), ("US", "États-Unis"), ("Q1", "Q1"), ("", "")],
)
def test_a_country_is_printed_as_french_addresses_write_it(code: str, name: str) -> None:
    assert country_name(code) == name


@pytest.mark.parametrize("code", ["EUR", "USD", "CHF", "XPF", "XOF", "TND", "PLN"])
def test_a_currency_of_iso_4217_is_taken(code: str) -> None:
    assert currency_text(code.lower()) == code


@pytest.mark.parametrize("text", ["ZZZ", "XXX", "XTS", "XAU", "EU", "EURO€", "123", "CNH"])
def test_what_is_no_currency_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match=r"n’est pas un code de devise|n’est le code d’aucune devise"):
        currency_text(text)


def test_a_currency_has_its_days_its_decimals_and_its_name() -> None:
    assert is_currency("FRF", datetime.date(2001, 12, 31))
    assert not is_currency("FRF", datetime.date(2025, 1, 1))
    assert [decimals(code) for code in ("EUR", "JPY", "XPF", "TND", "KWD")] == [2, 0, 0, 3, 3]
    assert currency_name("CHF") == "franc suisse"


@pytest.mark.django_db
def test_an_invoice_in_a_currency_that_was_no_more_is_refused() -> None:
    report = import_tables(factures=changed(INVOICES, 0, devise="FRF"))
    assert [(each.column, each.value, each.reason) for each in report.rejected] == [
        ("devise", "FRF", "« FRF » (franc français) n’est plus une devise depuis le 17/02/2002.")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["GF", "NC", "TW", "XK"])
def test_the_card_of_a_customer_abroad_comes_in_by_the_name_that_invoices_print(code: str) -> None:
    assert import_tables(clients=changed(CUSTOMERS, 0, pays=country_name(code))).is_clean
    assert Customer.objects.filter(country=code).exists()
