"""The list to export says where a received e-invoice prints another buyer than the card that it is on."""

import pytest

from customers.models import Customer
from invoices.importing.buyers import printed_buyer_problem
from invoices.models import Invoice


def invoice(
    name: str, *, card: str = "Boulangerie Martin", siren: str = "", own: str = "", origin: str = "facturx"
) -> Invoice:
    buyer = {"name": name}
    if siren:
        buyer |= {"legal_identifier": {"value": siren, "scheme": "0002"}}  # type: ignore[dict-item]
    return Invoice(
        number="F1", origin=Invoice.Origin(origin), details={"buyer": buyer}, customer=Customer(name=card, siren=own)
    )


@pytest.mark.parametrize("name", ["BOULANGERIE MARTIN", "Boulangerie Martin SARL", "Sté Boulangerie-Martin", "Martin"])
def test_another_writing_of_the_name_is_no_other_buyer(name: str) -> None:
    assert printed_buyer_problem(invoice(name)) == ""


def test_another_name_or_siren_is_said_with_both() -> None:
    sentence = printed_buyer_problem(invoice("Garage Petit"))
    assert "Garage Petit" in sentence
    assert "Boulangerie Martin" in sentence
    sentence = printed_buyer_problem(invoice("Boulangerie Martin", siren="732829320", own="404833048"))
    assert "732829320" in sentence
    assert "404833048" in sentence


def test_an_invoice_of_tables_prints_its_card() -> None:
    assert printed_buyer_problem(invoice("Garage Petit", origin="csv")) == ""
