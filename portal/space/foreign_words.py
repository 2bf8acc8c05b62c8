"""What somebody types in the language of his pages, as the French search reads it."""

import re
from functools import cache

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol
from django.conf import settings
from django.utils.translation import get_language, gettext

from customers.searching import search_key
from invoices.cldr import foreign_locale, locale_of

# What is sought by its name, in French: the translation of each is looked for.
SOUGHT = ("avoirs", "avoir", "factures", "facture")


def in_french(text: str) -> str:
    """The search key ``text`` with months («june», «junio de»), kinds of documents and amounts («1,234.50») in French.

    Only those of the language in use are known: what is no such word stays as it is.
    """
    locale = foreign_locale()
    if locale is None:
        return text
    for pattern, french in _words_of(get_language() or ""):
        text = pattern.sub(french, text)
    return _grouped(locale).sub(_without_groups, text)


def small_words() -> set[str]:
    """«N°» and «du» as the pages write them in the language in use: they are copied with a number and its date."""
    return {search_key(gettext("N°")), search_key(gettext("du"))}


@cache
def month_numbers() -> dict[str, int]:
    """The months by their names in every language of the settings, and by the beginnings of those («janv», «sept»).

    Search keys of three letters at least; what begins two months («jui», «ju») is none.
    """
    found: dict[str, set[int]] = {}
    for language, _name in settings.LANGUAGES:
        months = locale_of(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[form][width].items():
                    key = search_key(name).rstrip(".")
                    for length in range(min(3, len(key)), len(key) + 1):
                        found.setdefault(key[:length], set()).add(number)
    return {word: min(numbers) for word, numbers in found.items() if len(numbers) == 1 and len(word) >= 3}


@cache
def _words_of(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Patterns of the words of ``language``, which is the one in use, and the French that each represents."""
    french = locale_of("fr").months["format"]["wide"]
    months = locale_of(language).months
    pairs = [(months[form]["wide"][number], french[number]) for form in ("format", "stand-alone") for number in french]
    pairs += [(gettext(word), word) for word in SOUGHT]
    return [(re.compile(rf"\b{re.escape(search_key(word))}\b(?: de(?= \d))?"), search_key(to)) for word, to in pairs]


@cache
def _grouped(locale: Locale) -> re.Pattern[str]:
    group, decimal = re.escape(get_group_symbol(locale)), re.escape(get_decimal_symbol(locale))
    return re.compile(rf"(?<![\w.,])(\d{{1,3}}(?:{group}\d{{3}})+)(?:{decimal}(\d{{1,2}}))?(?![\w.,])")


def _without_groups(match: re.Match[str]) -> str:
    whole = re.sub(r"\D", "", match[1])
    return f"{whole},{match[2]}" if match[2] else whole
