"""Amounts and counts in French words."""

from decimal import Decimal

import pytest

from invoices.money import agree, write_amount


@pytest.mark.parametrize(
    ("state", "number", "words"),
    [
        ("envoyée", 0, "envoyée"),
        ("envoyée", 1, "envoyée"),
        ("envoyée", 2, "envoyées"),
        ("remise", 37, "remises"),
        ("revenue", 3, "revenues"),
        ("écrite dans un fichier", 3, "écrites dans un fichier"),
        ("en file", 3, "en file"),
        ("à remettre", 3, "à remettre"),
        ("en cours de remise", 3, "en cours de remise"),
    ],
)
def test_a_state_agrees_with_how_many_are_in_it(state: str, number: int, words: str) -> None:
    assert agree(state, number) == words


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1234567.89", "EUR", "1\u202f234\u202f567,89\u00a0€"),
        ("5", "EUR", "5,00\u00a0€"),
        ("98765432.00", "JPY", "98\u202f765\u202f432\u00a0JPY"),
        ("0.50", "JPY", "0,50\u00a0JPY"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(amount: str, currency: str, written: str) -> None:
    assert write_amount(Decimal(amount), currency) == written
