"""Currencies by their ISO 4217 codes: which there are and were, their names and decimals. From CLDR, through Babel."""

import datetime
import functools
import re
import unicodedata
from collections import defaultdict
from typing import Final

from babel.core import get_global
from babel.numbers import get_currency_name, get_currency_precision

# Codes that are no money: none, tests, funds of precious metals and units of account of banks.
_NO_MONEY: Final = frozenset(
    ("XXX", "XTS", "XAG", "XAU", "XPD", "XPT", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA")
)
_NOT_ISO: Final = frozenset(("CNH",))  # the yuan outside of China: a code of banks
_EVER: Final = datetime.date.max


@functools.cache
def _last_days() -> dict[str, datetime.date]:
    """The last day of each currency as money of a country; :data:`datetime.date.max` where it still is."""
    last: dict[str, datetime.date] = {}
    for currencies in get_global("territory_currencies").values():
        for code, _since, until, _is_tender in currencies:
            day = datetime.date(*until) if until else _EVER
            last[code] = max(day, last.get(code, day))
    return {code: day for code, day in last.items() if code not in _NO_MONEY | _NOT_ISO}


def is_currency(code: str, day: datetime.date | None = None) -> bool:
    """True where ``code`` is or was the ISO 4217 code of money; with ``day``, where it was so on that day."""
    last = _last_days().get(code)
    return last is not None and (day is None or day <= last)


def currencies_of_today() -> list[str]:
    """The ISO 4217 codes of what is money today."""
    return [code for code, last in _last_days().items() if last == _EVER]


def last_day(code: str) -> datetime.date | None:
    """The last day of a currency that is no more; None for one of today."""
    last = _last_days()[code]
    return None if last == _EVER else last


def currency_name(code: str) -> str:
    """The currency of ``code`` in French («dollar des États-Unis»)."""
    return get_currency_name(code, locale="fr")


@functools.cache
def _codes_by_name() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for language in ("fr", "en"):
        for code in currencies_of_today():
            for count in (None, 1, 2):
                found[_bare(get_currency_name(code, count=count, locale=language))].add(code)
    for name, code in _ALSO_CALLED.items():
        found[name] = {code}
    return found


_ALSO_CALLED: Final = {
    "dollar americain": "USD", "dollar us": "USD", "us dollar": "USD", "livre": "GBP", "livre anglaise": "GBP",
    "pound": "GBP", "yen": "JPY", "yuan": "CNY", "dollar canadien": "CAD",
}  # fmt: skip


def currency_called(text: str) -> str:
    """The code of the currency of today that ``text`` names in French or English; empty for none, or several.

    «Franc suisse» CHF, «livres sterling» GBP, «US Dollar» USD.
    """
    if re.search(r"[^\w\s.'’()-]", text):
        return ""
    name = _bare(text)
    codes = _codes_by_name().get(name) or _codes_by_name().get(re.sub(r"s\b", "", name), set())
    return next(iter(codes)) if len(codes) == 1 else ""


def _bare(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.split())


def decimals(code: str) -> int:
    """How many decimals an amount in ``code`` has: 0 for JPY, 2 for EUR, 3 for TND."""
    return get_currency_precision(code)
