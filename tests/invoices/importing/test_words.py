"""Cells in the words of people and of other products, each as its parser reads it; what could be two is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from invoices.en16931.countries import country_code
from invoices.en16931.units import unit_code
from invoices.en16931.vat import category_of_words
from invoices.importing.payment_terms import term_of
from invoices.importing.run import import_erp
from invoices.importing.tables.cells import amount_text, date_text, optional_date_text
from invoices.importing.tables.customer_words import copies_text, customer_kind
from invoices.importing.tables.customers import email_text
from invoices.importing.tables.invoice_rows import currency_text, type_code
from invoices.importing.tables.line_rows import line_rate_text
from invoices.importing.values import BadValue, addresses_in, currency_of_amounts
from invoices.models import Invoice
from tests.support.factories import make_company, make_customer
from tests.support.import_files import write_export

DATES: Final = (
    "sam. 07/06/2025", "samedi 07/06/2025", "Le 07/06/2025", "7 juin 25", "07-Jun-25", "2025-Jun-07", "45815,4375",
    '="07/06/2025"', "'07/06/2025", "07 / 06 / 2025", "2025 06 07", "7. Juni 2025",
    "7 de junio de 2025", "7 giugno 2025",
    "07/06/2025 10h", "Saturday, June 7, 2025",
)  # fmt: skip
NO_DATES: Final = (
    "#N/A", "NaT", "non renseigné", "à définir", "(null)", "__/__/____", "xx/xx/xxxx", "0/0/0", "1.1.1900", "17530101",
    "31/12/9999", "31/12/2099", "12/30/1899", "…",
)  # fmt: skip
AMOUNTS: Final = (
    ("$1,234.50", "1234.50"), ("CA$13.50", "13.50"), ("100,00 $ US", "100.00"), ("100 000 FCFA", "100000.00"),
    ("EUR100,00", "100.00"), ('="100,00"', "100.00"), ("100.", "100.00"), ("20 160,0", "20160.00"),
    ("(kr 100,00)", "-100.00"),
)  # fmt: skip
NO_AMOUNTS: Final = ("12 €50", "12 34,00", "1 23 456,00", "1234 567,00", "100,00 C", "#REF!")
RATES: Final = (
    ("FR_200", "20.00"), ("FR_55", "5.50"), ("FR_21", "2.10"), ("20% (VAT on Income)", "20.00"), ("Sans TVA", "0.00"),
    ("No VAT", "0.00"),
)  # fmt: skip
TYPES: Final = (
    ("out_invoice", "380"), ("Facture récurrente", "380"), ("Facture (380)", "380"), ("INV", "380"),
    ("out_refund", "381"), ("Avoir de retour", "381"), ("Facture retour", "381"), ("Facture d'acompte n° 2", "386"),
    ("Deposit invoice", "386"), ("Facture corrigée", "384"), ("Avoir d'acompte n° 1", "503"),
)  # fmt: skip
NO_TYPES: Final = ("in_invoice", "ACCPAY", "Facture annulée", "Relance", "Facture fournisseur", "Facture pro forma")
TERMS: Final = (
    "Au comptant",
    "30 jours à compter de la date de facture",
    "J+30",
    "NET30",
    "Trente jours",
    "une semaine",
)
COUNTRIES: Final = (
    ("Gde Bretagne", "GB"), ("FR - France", "FR"), ("FR-France", "FR"), ("Etats-Unis (USA)", "US"), ("België", "BE"),
    ("Korea, Republic of", "KR"), ("Rép. tchèque", "CZ"), ("Gd-Duché de Luxembourg", "LU"), ("Sverige", "SE"),
    ("Royaume du Maroc", "MA"), ("Fédération de Russie", "RU"), ("Principauté d'Andorre", "AD"),
    ("St Pierre et Miquelon", "PM"), ("France (GB)", ""),
)  # fmt: skip
UNITS: Final = (
    ("jours/homme", "DAY"), ("mètre(s) linéaire(s)", "LM"), ("m lin", "MTR"), ("dz", "DZN"), ("Quintal", "DTN"),
    ("Unitaire", "C62"), ("ms", "ms"), ("Demi-journée", "Demi-journée"),
)  # fmt: skip
ADDRESSES: Final[tuple[tuple[str, list[str]], ...]] = (
    ("Jean Dupont a@x.fr", ["a@x.fr"]), ("DUPONT Jean (a@x.fr)", ["a@x.fr"]), ("'a@x.fr'", ["a@x.fr"]),
    (";a@x.fr", ["a@x.fr"]), ("a@x.fr.", ["a@x.fr"]), ("pas d’adresse mail", []), ("#N/A", []), ("non communiqué", []),
)  # fmt: skip
KINDS: Final = (("B to B", "professional"), ("Personne morale", "professional"), ("Client privé", "individual"),
                ("non professionnel", "individual"), ("Sté", "professional"))  # fmt: skip
COPIES: Final = (("E-mail", "D"), ("Par courriel", "D"), ("Facture électronique", "D"), ("2 ex.", "2"), ("Papier", "1"))


@pytest.mark.parametrize("text", DATES)
def test_a_date_is_read_however_it_is_written(text: str) -> None:
    assert date_text(text) == "2025-06-07"


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_written_where_there_is_no_date_is_none(text: str) -> None:
    assert optional_date_text(text) == ""


def test_a_day_of_the_first_years_of_a_century_stays_a_date() -> None:
    assert optional_date_text("01/01/01") == "2001-01-01"


@pytest.mark.parametrize(("text", "expected"), AMOUNTS)
def test_an_amount_loses_its_currency(text: str, expected: str) -> None:
    assert amount_text(text) == expected


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_an_amount_of_two_parts_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        amount_text(text)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        *((line_rate_text, *each) for each in RATES),
        *((type_code, *each) for each in TYPES),
        *((country_code, *each) for each in COUNTRIES),
        *((unit_code, *each) for each in UNITS),
        *((customer_kind, *each) for each in KINDS),
        *((copies_text, *each) for each in COPIES),
        *((currency_text, *each) for each in (("US$", "USD"), ("EUR - Euro", "EUR"), ("Euro (EUR)", "EUR"))),
        *((category_of_words, *each) for each in (("293B", "E"), ("Sous-traitance BTP", "AE"), ("Sans TVA", "E"))),
    ],
)
def test_words_stand_for_codes(read: Callable[[str], str], text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("text", NO_TYPES)
def test_what_is_no_invoice_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        type_code(text)


@pytest.mark.parametrize("text", ["20% + 10%", "FR_2005", "beaucoup"])
def test_a_rate_that_is_two_or_none_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        line_rate_text(text)


@pytest.mark.parametrize("text", TERMS)
def test_a_term_of_payment_is_known(text: str) -> None:
    assert term_of(text) is not None


@pytest.mark.parametrize(("text", "expected"), ADDRESSES)
def test_an_address_is_found_among_words(text: str, expected: list[str]) -> None:
    assert [email_text(address) for _, address in addresses_in(text)] == expected


def test_an_address_with_a_letter_of_another_alphabet_is_refused() -> None:
    with pytest.raises(BadValue, match="autre alphabet"):
        email_text("a@\u0445n.fr")


def test_the_currency_beside_the_amounts_is_that_of_the_invoice() -> None:
    assert currency_of_amounts("", ["$13.50", "10.00"]) == "USD"
    assert currency_of_amounts("CHF", ["Fr. 10.00"]) == "CHF"
    assert currency_of_amounts("XOF", ["100 000 FCFA"]) == "XOF"
    assert currency_of_amounts("", ["10.00"]) == ""
    for stated, amounts in (("EUR", ["$13.50"]), ("", ["13,50 €", "$13.50"]), ("", ["100 000 FCFA"])):
        with pytest.raises(BadValue):
            currency_of_amounts(stated, amounts)


@pytest.mark.parametrize(
    ("sign", "header", "currency"),
    [("$", "total_ht", "USD"), ("", "Montant HT ($)", "USD"), ("", "Montant HT (€)", "EUR")],
)
@pytest.mark.django_db
def test_amounts_in_dollars_are_never_taken_for_euros(tmp_path: Path, sign: str, header: str, currency: str) -> None:
    make_company()
    write_export(tmp_path, factures=[], lignes=[])
    (tmp_path / "factures.csv").write_text(
        f"numero;date;code_client;{header};total_tva;total_ttc\nF1;15/01/2025;C1;{sign}1,000.00;0.00;{sign}1,000.00\n"
    )
    (tmp_path / "lignes.csv").write_text("numero;designation;taux_tva;total_ht\nF1;Vis;0;1000.00\n")
    import_erp([tmp_path])
    assert Invoice.objects.get().currency == currency
    assert Invoice.objects.get().total_with_vat == 1000


@pytest.mark.django_db
def test_a_flat_table_in_dollars_gives_invoices_in_dollars(tmp_path: Path) -> None:
    make_company()
    make_customer(code="C1")
    (tmp_path / "ventes.csv").write_text(
        "Invoice Number,Invoice Date,Customer Id,Description,Quantity,Unit Price,Line Total,Subtotal,Tax,Total\n"
        "I-1,2025-01-28,C1,Screws,1,$13.50,$13.50,$13.50,$0.00,$13.50\n"
    )
    import_erp([tmp_path])
    assert (Invoice.objects.get().currency, str(Invoice.objects.get().total_with_vat)) == ("USD", "13.50")
