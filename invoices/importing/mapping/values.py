"""Numbers and dates of a column: how it writes them is decided by all of its cells, never by one alone."""

import datetime
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from invoices.en16931.vat import category_of_words
from invoices.importing.values import BadValue, bare_amount, parse_date, rate_of_code, unwrapped
from invoices.importing.words import without_weekday

_NOISE: Final = re.compile(r"[\s\u00a0\u202f\u2007\u2009\u200b'’]+|%")
_DIGITS: Final = re.compile(r"[0-9]*(?:[.,][0-9]+)*", re.ASCII)
_USUAL: Final = re.compile(r"-?[0-9]{1,15}(?:([.,])[0-9]{1,2})?", re.ASCII)  # two decimals: no thousands
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,10})?|\.[0-9]{1,10}", re.ASCII)

_DATE: Final = re.compile(r"([0-9]{1,4})[/.\- ]([0-9]{1,2})[/.\- ]([0-9]{1,4})", re.ASCII)
_LETTER: Final = re.compile(r"[^\W\d_]")
_CLOCK: Final = re.compile(
    r"[T ,]+\(?\d{1,2}[:h]\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]\.?m\.?)?(?: ?(?:Z|UTC|GMT|CES?T|[+-]\d{2}:?\d{2}))?\)?\Z",
    re.IGNORECASE,
)


def bare_number(text: str) -> tuple[str, bool] | None:
    """The digits and marks of a number and whether it is negative; None where the text is none."""
    bare = bare_amount(text)
    bare = _NOISE.sub("", bare).replace("−", "-").replace("–", "-")
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1]
    if bare.startswith(("-", "+")):
        negative, bare = bare[0] == "-", bare[1:]
    elif bare.endswith("-"):
        negative, bare = True, bare[:-1]
    if not bare or not any(char.isdigit() for char in bare) or not _DIGITS.fullmatch(bare):
        return None
    return bare, negative


def decimal_mark(texts: Iterable[str]) -> str:
    """``.`` or ``,`` where any of ``texts`` decides; empty where none does. ``?`` where they contradict each other."""
    marks: set[str] = set()
    for text in texts:
        found = bare_number(text)
        if found is not None:
            marks |= _mark(found[0])
    return "" if not marks else marks.pop() if len(marks) == 1 else "?"


def _mark(bare: str) -> set[str]:
    used = [char for char in bare if char in ".,"]
    if not used:
        return set()
    if len(set(used)) == 2:
        return {used[-1]}
    other = "," if used[0] == "." else "."
    if len(used) > 1:
        return {other}
    whole, _, decimals = bare.partition(used[0])
    if len(decimals) != 3 or len(whole) > 3 or whole in ("", "0"):
        return {used[0]}
    return set()


@functools.lru_cache(maxsize=8192)  # prices, quantities and totals repeat all through a flat table
def read_number(text: str, mark: str) -> Decimal | None:
    """``text`` as a number of a column with this decimal ``mark``; None where it is none, or says nothing sure."""
    if usual := _USUAL.fullmatch(text):
        if usual[1] and mark in (".", ",") and usual[1] != mark:
            return None
        return Decimal(text.replace(",", "."))
    found = bare_number(text)
    if found is None:
        return None
    bare, negative = found
    own = _mark(bare)
    if "." in bare or "," in bare:
        chosen = mark if mark in (".", ",") else own.copy().pop() if len(own) == 1 else ""
        if not chosen or (own and own != {chosen}):
            return None
        bare = bare.replace("," if chosen == "." else ".", "").replace(chosen, ".")
    if not _NUMBER.fullmatch(bare):
        return None
    number = Decimal(bare)
    return -number if negative else number


def number_alone(text: str) -> Decimal | None:
    """``text`` as a number by its own last mark, for looking at, not for taking; None where it is none."""
    return read_number(text, "." if text.rfind(".") > text.rfind(",") else ",")


@dataclass(frozen=True, slots=True)
class DateOrder:
    """How a column writes dates: ``day_first`` is None where nothing in it decides."""

    day_first: bool | None

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - a value without state: the dates of a file, each once
    def read(self, text: str) -> datetime.date | None:
        """The date, or None where the text is none or could be two."""
        bare = without_weekday(_CLOCK.sub("", unwrapped(text)))
        if parts := _DATE.fullmatch(bare):
            first, second, third = parts.groups()
            if len(first) == 4:
                return _date(int(first), int(second), int(third))
            if len(third) not in (2, 4) or len(first) > 2:
                return None
            year = int(third) + (2000 if len(third) == 2 else 0)
            day_first = self.day_first
            if day_first is None:
                if int(first) <= 12 and int(second) <= 12 and first != second and "/" in bare:
                    return None
                day_first = int(first) > 12 or "/" not in bare
            day, month = (first, second) if day_first else (second, first)
            return _date(year, int(month), int(day))
        if len(bare) == 8 and bare.isascii() and bare.isdigit():
            return _date(int(bare[:4]), int(bare[4:6]), int(bare[6:]))
        if _LETTER.search(bare):
            try:
                return parse_date(bare)
            except BadValue:
                return None
        return None


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        date = datetime.date(year, month, day)
    except ValueError:
        return None
    return date if 1970 <= year < 2200 else None


def date_order(texts: Iterable[str]) -> DateOrder | None:
    """How ``texts`` write dates, None where they contradict each other."""
    day_first = month_first = False
    for text in texts:
        if parts := _DATE.fullmatch(without_weekday(_CLOCK.sub("", unwrapped(text)))):
            first, second, third = parts.groups()
            if len(first) <= 2 and len(third) in (2, 4):
                day_first |= int(first) > 12
                month_first |= int(second) > 12
    if day_first and month_first:
        return None
    return DateOrder(True if day_first else False if month_first else None)


def looks_like_date(text: str) -> bool:
    """Whether ``text`` is a date in any order."""
    return DateOrder(True).read(text) is not None or DateOrder(False).read(text) is not None


_NAMED_RATE: Final = re.compile(
    r"(?:tva|vat|iva|btw|ust|mwst|taux)(?: à| de)? ?(20|19[.,]6|10|8[.,]5|5[.,]50?|2[.,]10?)(?:[.,]00?)?", re.I
)
_RATE: Final = re.compile(r"(?<![0-9.,])([0-9]{1,2}(?:[.,][0-9]{1,3})?) ?%")


@functools.lru_cache(maxsize=1024)
def rate_in(text: str, mark: str) -> Decimal | None:
    """``20``, ``20,00 %``, «TVA 20 % (biens)», «20% B» as the rate in per cent; «Exonéré», «Autoliquidation» as zero.

    A credit note may have its rate below zero, as its amounts: ``-20``.
    """
    if found := _RATE.search(text):
        return Decimal(found[1].replace(",", "."))
    if code := rate_of_code(text) or ((named := _NAMED_RATE.fullmatch(text)) and named[1].replace(",", ".")):
        return Decimal(code)
    number = read_number(text, mark)
    return Decimal(0) if number is None and category_of_words(text) else number
