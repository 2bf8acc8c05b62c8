"""What a customer types in *Rechercher*: periods, amounts and words, in any order, all of which must hold."""

import calendar
import datetime
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from django.db.models import Q

from customers.models import Customer
from customers.searching import search_key
from invoices.content.words import says, without_ligatures
from invoices.en16931.currencies import currencies_of_today
from invoices.models import Invoice
from portal.space.foreign_words import in_french, month_numbers, small_words

LONGEST = 200
MOST_TERMS = 8
MONTHS = (
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
)
CREDIT_NOTE_WORDS = ("avoir", "avoirs")
# Words of a sentence that seek nothing by themselves.
SMALL_WORDS = frozenset(
    ("a", "au", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "n", "n°", "no", "facture", "factures", "€")
)
# What programs of texts write for the signs of a keyboard.
_TYPED = str.maketrans({**dict.fromkeys("’‘ʼ´`", "'"), **dict.fromkeys("‐‑‒–—−", "-"), "№": "n°"})
# Parts of Persian and Indian words: what else is not seen was pasted with what is sought.
_JOINERS = "\u200c\u200d"
# Signs of a sentence or of another program's search, at the ends of a word.
_ROUND_WORDS = "\"'«»‹›“”„()[]{}<>,;:!?|&*~^."
_NUMBER_SIGN = re.compile(r"(?<![\w-])n(?:°|[or]\.|\.o\.?)\s?(?=\w)")
_DAY = r"(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{2}(?!\d))"
_NAME = rf"\b({'|'.join(sorted(month_numbers(), reverse=True))})(?:\. ?| )(?:de )?"
_MONTH_NAMES = "|".join(MONTHS)
_RANGE = re.compile(rf"(?:\bdu )?\b({_DAY})\s*(?:\bau\b|\ba\b|-)\s*({_DAY})\b")
_ONE_DAY = re.compile(rf"\b({_DAY})\b")
_CODES = "|".join(sorted(currencies_of_today())).lower()
_MONEY = r"(?:€|us\$|[$£¥]|eur\b|euros?\b"
_CURRENCY = rf"{_MONEY}|(?:{_CODES})\b)"
# Two digits are a year where they are no amount: «juin 12,34», «juin 12 €».
_YEAR = rf"(\d{{4}}|\d{{2}}(?![.,]\d| ?\d{{3}}| ?{_CURRENCY}))(?![\w/-])"
_NAMED_DAY = re.compile(rf"(?<![\w/.-])(\d{{1,2}})(?:er|\.)? (?:de )?{_NAME}{_YEAR}")
_MONTH_OF_YEAR = re.compile(
    rf"(?<![\w/.-])(?:(\d{{1,2}})[/.-](\d{{4}})(?![\w/-])|(\d{{4}})-(\d{{2}})(?![\w/-])|{_NAME}{_YEAR})"
)
_QUARTER = re.compile(r"(?<![\w/-])(?:[tq]([1-4])|([1-4])(?:er|e|eme)? ?t(?:rimestre)?)[ /-](\d{4})(?![\w/-])")
_MONTH_ALONE = re.compile(rf"\b({_MONTH_NAMES})\b")
# As French, German, English and Swiss people write thousands.
_GROUPED = r"\d{1,3}(?:(?:[ ']\d{3})+(?:[.,]\d{1,2})?|(?:\.\d{3})+,\d{1,2}|(?:,\d{3})+\.\d{1,2})"
# A credit note is shown with its sign, which is sought without.
_BEFORE = r"(?:(?<!\S)- ?|(?<![\w.,/-]))"
_AMOUNT = re.compile(rf"{_BEFORE}(?:{_CURRENCY} ?)?({_GROUPED}|\d+[.,]\d{{1,2}})(?: ?{_CURRENCY})?(?![\w/-]|[.,]\d)")
_WHOLE_AMOUNT = re.compile(rf"{_BEFORE}(\d{{1,9}}) ?{_MONEY})")


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start`` to ``end``, both included."""

    start: datetime.date
    end: datetime.date


@dataclass(frozen=True, slots=True)
class Search:
    """What is sought: all periods, months (of any year), amounts and words hold at once."""

    periods: tuple[Period, ...] = ()
    months: tuple[int, ...] = ()
    amounts: tuple[Decimal, ...] = ()
    # As they were typed.
    words: tuple[str, ...] = ()

    def condition(self, customers: Iterable[Customer]) -> Q:
        """The same as a condition on invoices of ``customers``, whose codes and names count too, without accents.

        With the customers as values, a database knows that it is about few of its invoices.
        """
        keys = [(customer.pk, _comparable(f"{customer.code} {customer.name}")) for customer in customers]
        found = Q(customer__in=[pk for pk, _ in keys])
        for period in self.periods:
            found &= Q(issue_date__range=(period.start, period.end))
        for month in self.months:
            found &= Q(issue_date__month=month)
        for amount in self.amounts:
            found &= _amount_condition(amount)
        for word in self.words:
            found &= _word_condition(word, [pk for pk, key in keys if _comparable(word) in key], [pk for pk, _ in keys])
        return found


def read_search(text: str) -> Search:
    """What ``text`` asks for. Dates that do not exist are words like any other; nothing typed raises."""
    text = " ".join(_seen(text.replace("\x00", " "))[:LONGEST].split())
    rest = _NUMBER_SIGN.sub(" ", in_french(_comparable(text)))
    found = _Found()
    for pattern, take in _TAKEN:

        def taken(match: re.Match[str], take: Callable[[_Found, re.Match[str]], bool] = take) -> str:
            return " " if take(found, match) else match[0]

        rest = pattern.sub(taken, rest)
    typed = {_comparable(word): word for word in text.split()}
    left_out = SMALL_WORDS | small_words()
    words = _words([typed.get(key, key) for key in rest.split() if key not in left_out])
    return Search(tuple(found.periods), tuple(dict.fromkeys(found.months)), tuple(found.amounts), words)


def _seen(text: str) -> str:
    """``text`` without the characters that have no sign: marks of direction, of a file's beginning, of a break."""
    return "".join(sign for sign in text if unicodedata.category(sign) != "Cf" or sign in _JOINERS)


def _comparable(text: str) -> str:
    """The search key of ``text``, whichever apostrophes, dashes and ligatures it is written with."""
    return without_ligatures(search_key(text.translate(_TYPED)))


def _words(typed: list[str]) -> tuple[str, ...]:
    """Words without the signs around them, each once; a sign by itself is sought where nothing else is."""
    words = {_comparable(word): word for word in (word.strip(_ROUND_WORDS) or word for word in typed)}
    named = [word for key, word in words.items() if any(map(str.isalnum, key))]
    return tuple(named or words.values())[:MOST_TERMS]


@dataclass(slots=True)
class _Found:
    """What was read of a search so far. Each method takes a match, and says whether it is more than words."""

    periods: list[Period] = field(default_factory=list)
    months: list[int] = field(default_factory=list)
    amounts: list[Decimal] = field(default_factory=list)

    def take_range(self, match: re.Match[str]) -> bool:
        """«du 1/1/2025 au 31/1/2025», in either order."""
        start, end = _read_day(match[1]), _read_day(match[2])
        return self._take_period(Period(min(start, end), max(start, end)) if start and end else None)

    def take_day(self, match: re.Match[str]) -> bool:
        """«07/06/2025», «07/06/25»."""
        day = _read_day(match[1])
        return self._take_period(Period(day, day) if day else None)

    def take_named_day(self, match: re.Match[str]) -> bool:
        """«7 juin 2025», «1er juin 25»."""
        day = _day(_year(match[3]), month_numbers().get(match[2], 0), int(match[1]))
        return self._take_period(Period(day, day) if day else None)

    def take_month(self, match: re.Match[str]) -> bool:
        """«06/2025», «2025-06», «juin 2025», «juin 25»."""
        year = _year(match[2] or match[3] or match[6])
        month = month_numbers().get(match[5], 0) if match[5] else int(match[1] or match[4])
        return self._take_period(_months(year, month, month))

    def take_quarter(self, match: re.Match[str]) -> bool:
        """«T2 2025», «T2-2025», «2e trimestre 2025»."""
        quarter = int(match[1] or match[2])
        return self._take_period(_months(int(match[3]), quarter * 3 - 2, quarter * 3))

    def take_month_alone(self, match: re.Match[str]) -> bool:
        """«juin», of any year."""
        self.months.append(MONTHS.index(match[1]) + 1)
        return True

    def take_amount(self, match: re.Match[str]) -> bool:
        """«1 234,50», «1.234,50», «120 €»."""
        whole, decimals = re.fullmatch(r"(.+?)(?:[.,](\d{1,2}))?", match[1]).groups()  # type: ignore[union-attr]
        digits = re.sub(r"\D", "", whole)
        self.amounts.append(Decimal(f"{digits}.{decimals}" if decimals else digits))
        return True

    def _take_period(self, period: Period | None) -> bool:
        if period is not None:
            self.periods.append(period)
        return period is not None


# In this order: what one has taken is not there for the next.
_TAKEN: Final = (
    (_RANGE, _Found.take_range),
    (_ONE_DAY, _Found.take_day),
    (_NAMED_DAY, _Found.take_named_day),
    (_MONTH_OF_YEAR, _Found.take_month),
    (_QUARTER, _Found.take_quarter),
    (_MONTH_ALONE, _Found.take_month_alone),
    (_AMOUNT, _Found.take_amount),
    (_WHOLE_AMOUNT, _Found.take_amount),
)


def _amount_condition(amount: Decimal) -> Q:
    """A total, with VAT or without, or what is due is ``amount``; one without decimals is sought with any."""
    found = Q()
    for name in ("total_with_vat", "total_without_vat", "amount_due"):
        if amount.as_tuple().exponent == 0:
            found |= Q(**{f"{name}__gte": amount, f"{name}__lt": amount + 1})
        else:
            found |= Q(**{name: amount})
    return found


def _word_condition(word: str, named: list[int], customers: list[int]) -> Q:
    """A word is in the number, the reference or a line, or in the code or name of a customer (those of ``named``).

    Four digits may be a year.
    """
    if _comparable(word) in CREDIT_NOTE_WORDS:
        return Q(kind=Invoice.Kind.CREDIT_NOTE)
    # Words of lines first: databases look at what follows only where they are missing, and to look it up costs least.
    found = says(word, customers) | Q(number__icontains=word) | Q(purchase_order_reference__icontains=word)
    plain = unicodedata.normalize("NFKC", word.translate(_TYPED))  # numbers have the signs of a keyboard
    if plain != word:
        found |= Q(number__icontains=plain) | Q(purchase_order_reference__icontains=plain)
    if named:
        found |= Q(customer__in=named)
    if word.isascii() and word.isdigit():
        number = int(word)
        if len(word) == 4 and datetime.MINYEAR <= number <= datetime.MAXYEAR:
            found |= Q(issue_date__range=(datetime.date(number, 1, 1), datetime.date(number, 12, 31)))
        if len(word) <= 12:
            found |= Q(total_with_vat__gte=number, total_with_vat__lt=number + 1)
    return found


def _read_day(text: str) -> datetime.date | None:
    parts = re.split(r"[/.-]", text)
    if len(parts[0]) == 4:
        parts.reverse()
    return _day(_year(parts[2]), int(parts[1]), int(parts[0]))


def _year(text: str) -> int:
    """«2025», and «25», which is of our century."""
    return int(text) + (2000 if len(text) == 2 else 0)


def _day(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def _months(year: int, first: int, last: int) -> Period | None:
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR or not 1 <= first <= last <= 12:
        return None
    end = datetime.date(year, last, calendar.monthrange(year, last)[1])
    return Period(datetime.date(year, first, 1), end)
