"""The catalogues of what customers read: whole, compiled, and true to the French text."""

import re

import pytest
from django.conf import settings
from django.utils.translation import gettext, override

from portal import catalogues

PARTS = re.compile(r"%\(\w+\)[sd]|%%|#[A-Z_]+\b|</?\w+>")
TRANSLATED = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def test_every_language_of_the_settings_has_a_catalogue() -> None:
    assert catalogues.languages() == sorted(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_translates_what_customers_read(language: str) -> None:
    translations = {str(each.id): str(each.string) for each in catalogues.load(language) if each.id}
    assert sorted(translations) == catalogues.messages(), "run bin/messages, then translate what it lists"
    assert [message for message, words in translations.items() if not words.strip()] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_keeps_values_labels_tags_and_plural_forms(language: str) -> None:
    for each in catalogues.load(language):
        message, words = str(each.id), str(each.string)
        assert sorted(PARTS.findall(words)) == sorted(PARTS.findall(message)), message
        if re.fullmatch(r"[\w ]+,\w[\w ]*", message):
            assert words.count(",") == message.count(","), message


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_says_what_the_catalogue_says(language: str) -> None:
    assert catalogues.po_path(language).with_suffix(".mo").read_bytes() == catalogues.compiled(language), (
        "run bin/messages"
    )


def test_the_compiled_words_of_the_back_office_say_what_their_catalogue_says() -> None:
    assert catalogues.STAFF_WORDS.with_suffix(".mo").read_bytes() == catalogues.compiled_staff_words(), (
        "run bin/messages"
    )


def test_the_compiled_spaces_of_french_pages_are_those_of_the_sources() -> None:
    assert catalogues.FRENCH_SPACES.read_bytes() == catalogues.compiled_french_spaces(), "run bin/messages"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("depuis « Mon compte » ; pour", "depuis «\xa0Mon compte\xa0»\xa0; pour"),
        ("Une question ?", "Une question\xa0?"),
        ("Règlement : %(means)s", "Règlement\xa0: %(means)s"),
        ("Quoi <b>ici</b> : là, à 400 %% !", "Quoi <b>ici</b>\xa0: là, à 400\xa0%%\xa0!"),
        ("40 € de https://a.example/?b=c :-)", "40\xa0€ de https://a.example/?b=c :-)"),
        ("un montant (1 234 567,50)", "un montant (1\xa0234\xa0567,50)"),
        ("le 07 2025, 12 caractères", "le 07 2025, 12 caractères"),
        ("deux mots", "deux mots"),
    ],
)
def test_a_french_sign_never_begins_a_line(typed: str, shown: str) -> None:
    assert catalogues.set_spaces(typed) == shown
    assert catalogues.set_spaces(shown) == shown


def test_a_page_in_french_has_the_spaces_that_its_source_is_typed_without() -> None:
    with override("fr"):
        assert gettext("Une question ?") == "Une question\xa0?"
    with override("en"):
        assert gettext("Une question ?") == "Any questions?"
