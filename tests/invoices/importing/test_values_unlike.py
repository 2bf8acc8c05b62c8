"""Values of cells that are a little unlike those that other tests have, each with what it means."""

import pytest

from invoices.en16931.countries import country_code
from invoices.en16931.vat import category_of_words
from invoices.importing.tables.customer_words import vat_number_text
from invoices.importing.values import addresses_in


@pytest.mark.parametrize(
    "text",
    [
        "a@x.fr (compta), b@y.fr (direction)",
        "compta : a@x.fr ; gérant : b@y.fr",
        "a@x.fr, cc b@y.fr",
        "a@x.fr - b@y.fr",
    ],
)
def test_addresses_are_found_among_what_is_said_of_them(text: str) -> None:
    assert [address for _name, address in addresses_in(text)] == ["a@x.fr", "b@y.fr"]


@pytest.mark.parametrize(
    ("text", "code"), [("R.U.", "GB"), ("R.U", "GB"), ("RU", "RU"), ("U.K.", "GB"), ("Russie", "RU")]
)
def test_the_united_kingdom_is_not_russia(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize(
    ("text", "category"),
    [("Exonéré 262TERI", "K"), ("Régime particulier - biens d'occasion", "E"), ("Art. 262 I du CGI", "G")],
)
def test_reasons_in_other_words_give_their_category(text: str, category: str) -> None:
    assert category_of_words(text) == category


@pytest.mark.parametrize(
    "text",
    [
        "FR03552081317",
        "TVA FR03552081317",
        "N° FR03552081317",
        "N° TVA : FR 03 552 081 317",
        "TVA intracom. FR03552081317",
    ],
)
def test_a_vat_number_is_read_without_its_name(text: str) -> None:
    assert vat_number_text(text) == ("FR03552081317", "")
