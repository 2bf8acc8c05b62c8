"""Amounts and counts in French words."""

import pytest

from invoices.money import agree


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
