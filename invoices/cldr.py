"""Numbers, amounts and dates as the reader's language writes them (CLDR, through Babel).

French is the house's own writing (:mod:`invoices.money`); the language is the active one, which only a customer's page,
mail or document sets to another than French.
"""

import contextlib
import contextvars
import datetime
import functools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import get_currency_symbol, get_decimal_symbol, get_group_symbol
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import get_language, gettext

# English as it is written in Europe: «7 Jun 2025» and never 6/7/25.
_WRITTEN_AS: Final = {"en": "en_GB"}
# The plural classes of CLDR, in their order.
_PLURAL_CLASSES: Final = ("zero", "one", "two", "few", "many", "other")
NO_BREAK_SPACE: Final = "\u00a0"


def language_in_use() -> str:
    """The code of the active language (``fr``, ``de``, ``pt-br``); French where there is none.

    The child processes that read e-invoices have no settings: they write French.
    """
    if known := _known_language.get():
        return known
    try:
        return get_language() or "fr"
    except ImproperlyConfigured:
        return "fr"


_known_language: contextvars.ContextVar[str] = contextvars.ContextVar("known_language", default="")


@contextlib.contextmanager
def one_language() -> Iterator[None]:
    """Ask once which language is in use, for a block that asks at every word and changes nothing of it."""
    token = _known_language.set(language_in_use())
    try:
        yield
    finally:
        _known_language.reset(token)


def foreign_locale() -> Locale | None:
    """The locale of the active language; None where that is French."""
    language = language_in_use()
    return None if language.startswith("fr") else locale_of(language)


def translate(text: str) -> str:
    """A French word of the house in the active language; itself in French, also where there are no settings."""
    return text if not text or foreign_locale() is None else gettext(text)


@functools.cache
def locale_of(language: str) -> Locale:
    """The locale by which a language of the settings (``de``, ``pt-br``) writes."""
    return Locale.parse(_WRITTEN_AS.get(language, language).replace("-", "_"))


def decimal_in(locale: Locale, value: Decimal) -> str:
    """``1234.50`` as «1.234,50» in German, with as many decimals as ``value`` has."""
    signs = str.maketrans({",": get_group_symbol(locale), ".": get_decimal_symbol(locale)})
    return f"{value:,f}".translate(signs)


def amount_in(locale: Locale, amount: Decimal, currency: str) -> str:
    """An amount as «€1,234.50» in English, «1.234,50 €» in German, with as many decimals as it has.

    A symbol of letters keeps its distance, as CLDR's currencySpacing has it: «CHF 5.00».
    """
    symbol = get_currency_symbol(currency, locale)
    pattern = locale.currency_formats["standard"]
    before, after = (part.replace("¤", symbol) for part in (pattern.prefix[0], pattern.suffix[0]))
    if before[-1:].isalpha():
        before += NO_BREAK_SPACE
    return f"{'-' if amount < 0 else ''}{before}{decimal_in(locale, abs(amount))}{after}"


def punctuation(sign: str, before: str = " ") -> str:
    """A colon or a semicolon: with a space (``before``) in front of it in French only."""
    return f"{before}{sign}" if foreign_locale() is None else sign


def before_percent(locale: Locale) -> str:
    """What is between a number and its per cent sign: a no-break space, or nothing."""
    return NO_BREAK_SPACE if NO_BREAK_SPACE in locale.percent_formats[None].pattern else ""


def write_day(day: datetime.date) -> str:
    """«07/06/2025» in French; «7 Jun 2025», «07.06.2025», «7 jun 2025»."""
    locale = foreign_locale()
    if locale is None:
        return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"
    return format_date(day, "medium", locale=locale)


def write_moment(moment: datetime.datetime) -> str:
    """«07/06/2025 14:05» in French; ``moment`` is in the reader's time already."""
    locale = foreign_locale()
    if locale is None:
        return f"{write_day(moment)} {moment.hour:02d}:{moment.minute:02d}"
    return f"{write_day(moment)} {format_time(moment, 'short', locale=locale)}"


def write_month(first: datetime.date) -> str:
    """«Juin 2025», «June 2025», «Juni 2025», «Junio de 2025»."""
    return _month_in(foreign_locale() or locale_of("fr"), first)


@functools.lru_cache(maxsize=1000)
def _month_in(locale: Locale, first: datetime.date) -> str:
    """:func:`write_month` in ``locale``: a search shows the same few months over and over."""
    text: str = format_skeleton("yMMMM", first, locale=locale)
    return text[:1].upper() + text[1:]


def plural_form(forms: Sequence[str], number: int) -> str:
    """The one of ``forms`` that ``number`` takes: singular and plural, or one for each plural class of the language."""
    locale = foreign_locale() or locale_of("fr")
    if len(forms) == 2:
        return forms[0] if locale.plural_form(abs(number)) == "one" else forms[1]
    used = {*locale.plural_form.tags, "other"}
    by_class: dict[str, str] = dict(zip((name for name in _PLURAL_CLASSES if name in used), forms, strict=False))
    return by_class.get(str(locale.plural_form(abs(number))), forms[-1])
