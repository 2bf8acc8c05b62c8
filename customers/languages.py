"""The language in which a customer is likely to read, by his country; he chooses another himself."""

from typing import Final

from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages
from django.conf import settings

FALLBACK: Final = "en"


def language_of_country(country: str) -> str:
    """The language of the settings that most people of ``country`` (alpha-2) read, else an official one, else English.

    By CLDR: ``de`` for Austria and Switzerland, ``es`` for Mexico, ``fr`` for Belgium and Luxembourg, ``en`` for Italy.
    Without a country: that of the installation.
    """
    known = [code for code, _name in settings.LANGUAGES]
    if not country:
        return settings.LANGUAGE_CODE
    try:
        likely = Locale.parse(f"und_{country}").language
    except (UnknownLocaleError, ValueError):
        likely = ""
    for language in (likely, *_official(country), FALLBACK):
        if language in known:
            return language
    return settings.LANGUAGE_CODE


def _official(country: str) -> list[str]:
    """The official languages of ``country``, the installation's own first."""
    official: list[str] = list(get_official_languages(country, de_facto=True))
    return sorted(official, key=lambda language: language != settings.LANGUAGE_CODE)
