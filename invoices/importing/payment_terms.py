"""Payment terms as French invoices state them in place of a due date: «à réception», «30 jours fin de mois le 10».

A pure module. A term is first read (:func:`term_of`), then counted from the date of the invoice (:meth:`Term.due`).
"""

import calendar
import datetime
import functools
import re
from dataclasses import dataclass
from typing import Final

from customers.searching import search_key

# What is in a term and changes nothing of it: how is paid, from what is counted where it is the invoice's date.
_NOISE: Final = re.compile(
    r"\b(?:paiement|reglement|payable|echeance|delai|terme|conditions?|par|virement|vir|cheque|chq|prelevement|prlvt|sepa"
    r"|lcr|traite|carte|cb|especes|bancaire|nets?|sous|dans|des|de|du|d|a|la|le|l|votre|en|date|facture|facturation"
    r"|emission|invoice|of|from|after|at|upon|on|date|due|payment"
    r"|calendaires?|compter|partir|apres|suivant la|au)\b"
)
_AT_ONCE: Final = frozenset(
    (
        "", "reception", "comptant", "immediat", "immediate", "immediatement", "comptant reception",
        "reception comptant", "cash", "receipt", "presentation", "vue", "comptant immediat",
    )
)  # fmt: skip
_AT_ONCE_WORD: Final = re.compile(r"recep|compt|immed|cash|receipt|presentation|vue")
_NUMBERS: Final = {
    "une semaine": "7 jours", "deux semaines": "14 jours", "un mois": "1 mois", "deux mois": "2 mois", "huit": "8",
    "dix": "10", "quinze": "15", "vingt": "20", "trente": "30", "quarante cinq": "45", "soixante": "60",
}  # fmt: skip
_NUMBER_IN_WORDS: Final = re.compile(r"\b(?:" + "|".join(_NUMBERS) + r")\b")
_DAYS: Final = r"(?P<number>\d{1,3})(?:jrs?|jours?|js?|days?|d)?"
_MONTHS: Final = r"(?P<months>\d{1,2})(?:mois|months?)"
_END: Final = r"(?P<end>fdm|findemois|finmois|fm|eom|endmonth)"
_DAY: Final = r"(?:\+?(?P<day>[0-3]?\d)(?:er)?(?:moissuivant)?)?"
_AFTER: Final = re.compile(rf"(?:{_DAYS}|{_MONTHS})(?:{_END})?{_DAY}")
_JOINED: Final = re.compile(rf"(?P<number>\d{{1,3}})j?(?P<end>fdm|fm){_DAY}")
_END_FIRST: Final = re.compile(rf"{_END}(?:suivant|courant)?(?:\+?{_DAYS}|\+?{_MONTHS})?")
_NEXT_MONTH: Final = re.compile(r"(?P<day>[0-3]?\d)(?:er)?moissuivant|finmoissuivant")
_LONGEST: Final = 365
_DAY_AND_MONTH: Final = re.compile(r"[0-9]{1,2}[/.\-][0-9]{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Term:
    """Days and months after the invoice, whether the month's end follows (or comes first), then a day of the month."""

    days: int = 0
    months: int = 0
    end_of_month: bool = False
    end_first: bool = False
    day: int = 0

    def due(self, issued: datetime.date) -> datetime.date:
        """The due date of an invoice of ``issued``: 30 days, the month's end after them, then the next 10th."""
        start = _month_end(issued) if self.end_first else issued
        date = _months_later(start, self.months) + datetime.timedelta(days=self.days)
        if self.end_first and self.months:
            date = _month_end(date)
        if self.end_of_month:
            date = _month_end(date)
        return _next_day(date, self.day) if self.day else date


@functools.lru_cache(maxsize=1024)
def term_of(text: str) -> Term | None:
    """The term that ``text`` states; None where it is none that this module knows."""
    if _DAY_AND_MONTH.fullmatch(text.strip()):
        return None  # «30/06»: a date without its year
    plain = re.sub(r"[^a-z0-9+ ]+", " ", search_key(text).replace("f.d.m", "fdm"))
    plain = _NUMBER_IN_WORDS.sub(lambda found: _NUMBERS[found[0]], re.sub(r"\b(net|j)(?=\d)", r"\1 ", plain))
    bare = " ".join(_NOISE.sub(" ", re.sub(r"^ *j *\+ *", "", plain)).split())
    if bare in _AT_ONCE and _AT_ONCE_WORD.search(plain):
        return Term()
    bare = re.sub(r"(?<=[a-z]) reception$|^reception (?=\d)", "", bare)  # days after the receipt of the invoice
    if re.fullmatch(r"(?:\d{1,3}|\d{1,3} ?%.*)", bare) and not re.search(r"[a-z]", search_key(text)):
        return None  # a bare number is no term
    compact = re.sub(r"\b(?:suivante?|prochaine?)\b", "suivant", bare).replace(" ", "")
    compact = compact.replace("findemois", "finmois")
    if compact in ("finmoissuivant", "fdmsuivant"):
        return Term(months=1, end_of_month=True)
    if (found := _NEXT_MONTH.fullmatch(compact)) and found["day"]:
        return _term(end=True, day=found["day"])
    if found := _END_FIRST.fullmatch(compact):
        groups = found.groupdict()
        return _term(end_first=True, number=groups.get("number"), months=groups.get("months"))
    if found := _JOINED.fullmatch(compact) or _AFTER.fullmatch(compact):
        groups = found.groupdict()
        return _term(
            number=groups.get("number"), months=groups.get("months"), end=bool(groups["end"]), day=groups.get("day")
        )
    return None


def _term(
    *,
    number: str | None = None,
    months: str | None = None,
    end: bool = False,
    end_first: bool = False,
    day: str | None = None,
) -> Term | None:
    term = Term(int(number or 0), int(months or 0), end, end_first, int(day or 0))
    return term if term.days <= _LONGEST and term.months <= 12 and term.day <= 31 else None


def _month_end(date: datetime.date) -> datetime.date:
    return date.replace(day=calendar.monthrange(date.year, date.month)[1])


def _months_later(date: datetime.date, months: int) -> datetime.date:
    if not months:
        return date
    years, month = divmod(date.month - 1 + months, 12)
    year = date.year + years
    return datetime.date(year, month + 1, min(date.day, calendar.monthrange(year, month + 1)[1]))


def _next_day(date: datetime.date, day: int) -> datetime.date:
    """The next ``day`` of a month on or after ``date``, the month's last where it is shorter."""
    here = date.replace(day=min(day, calendar.monthrange(date.year, date.month)[1]))
    if here >= date:
        return here
    following = _months_later(date.replace(day=1), 1)
    return following.replace(day=min(day, calendar.monthrange(following.year, following.month)[1]))
