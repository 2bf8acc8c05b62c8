"""Whose card an e-invoice is put on: never guessed."""

from pathlib import Path

import pytest

from customers.identifiers import is_real_vat
from customers.models import Customer
from invoices.files.archives import GivenFile
from invoices.importing.run import import_erp
from invoices.models import Company, Invoice
from tests.support.factories import make_customer

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parents[2] / "data" / "identity"
ALPHA, BETA = FOLDER / "1-filialeA.xml", FOLDER / "2-filialeB.xml"


def customer_of(number: str) -> Customer:
    customer = Invoice.objects.get(number=number).customer
    assert customer is not None
    return customer


def test_two_companies_that_share_a_mail_address_are_two_customers() -> None:
    assert import_erp([ALPHA, BETA], create_companies=True).is_clean
    assert customer_of("FA-A1").siren == "552100554"
    assert customer_of("FA-B1").siren == "732829320"


def test_a_card_without_identifiers_does_not_take_a_second_company() -> None:
    card = make_customer(name="Comptabilité", email="compta@groupe.example", siren="", siret="", vat_identifier="")
    import_erp([ALPHA], create_companies=True)
    import_erp([BETA])
    assert customer_of("FA-A1") == card
    assert customer_of("FA-B1") != card


def test_the_report_says_by_which_key_an_invoice_was_joined() -> None:
    make_customer(code="C1", name="Alpha", siren="552100554")
    (notice,) = import_erp([ALPHA], create_companies=True).notices
    assert "FA-A1" in notice
    assert notice.endswith("« Alpha » (C1) par : SIREN.")


def test_cards_that_share_a_siren_are_not_chosen_between() -> None:
    make_customer(code="C1", name="Usine", siren="552100554")
    make_customer(code="C2", name="Bureau", siren="552100554")
    (rejection,) = import_erp([ALPHA], create_companies=True).rejected
    assert "(C1)" in rejection.reason
    assert "(C2)" in rejection.reason
    assert not Invoice.objects.exists()


def test_the_number_of_another_customer_is_refused_with_both_named() -> None:
    import_erp([ALPHA], create_companies=True)
    content = BETA.read_bytes().replace(b"FA-B1", b"FA-A1")
    (rejection,) = import_erp([GivenFile("b.xml", content)]).rejected
    assert customer_of("FA-A1").name in rejection.reason
    assert "FILIALE BETA" in rejection.reason
    assert customer_of("FA-A1").siren == "552100554"


def test_an_issuer_s_vat_number_is_no_proof_against_another_siren() -> None:
    import_erp([ALPHA], create_companies=True)
    company = Company.objects.get()
    assert company.siren
    Company.objects.update(siren="552100554")
    assert not import_erp([BETA]).is_clean


@pytest.mark.parametrize("value", ["FR00000000000", "FR99999999999", "FR32123456789", "DE123456789", "NC", "FRXX"])
def test_a_dummy_vat_number_is_no_key(value: str) -> None:
    assert not is_real_vat(value)


@pytest.mark.parametrize("value", ["FR96552100554", "FR44732829320", "CHE107787577"])
def test_a_real_vat_number_is_a_key(value: str) -> None:
    assert is_real_vat(value)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [(b">380<", b">325<", "pro forma"), (b">EUR<", b">ZZZ<", "ZZZ"), (b">EUR<", b">XTS<", "XTS")],
)
def test_an_e_invoice_that_is_pro_forma_or_in_no_money_is_refused(old: bytes, new: bytes, word: str) -> None:
    content = ALPHA.read_bytes().replace(old, new)
    (rejection,) = import_erp([GivenFile("a.xml", content)], create_companies=True).rejected
    assert word in rejection.reason
    assert not Invoice.objects.exists()
    assert not Customer.objects.exists()
