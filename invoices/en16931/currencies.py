"""Currencies by their ISO 4217 codes: which there are and were, their names and decimals. From CLDR, through Babel."""

import datetime
import functools
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


def last_day(code: str) -> datetime.date | None:
    """The last day of a currency that is no more; None for one of today."""
    last = _last_days()[code]
    return None if last == _EVER else last


def currency_name(code: str) -> str:
    """The currency of ``code`` in French («dollar des États-Unis»)."""
    return get_currency_name(code, locale="fr")


def decimals(code: str) -> int:
    """How many decimals an amount in ``code`` has: 0 for JPY, 2 for EUR, 3 for TND."""
    return get_currency_precision(code)
