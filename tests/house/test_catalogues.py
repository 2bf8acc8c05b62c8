"""The catalogues of what customers read: whole, compiled, and true to the French text."""

import re

import pytest
from django.conf import settings

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
