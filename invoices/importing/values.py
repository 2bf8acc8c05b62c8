"""What French ERPs and spreadsheets write in a cell, read as values: numbers, dates, yes and no.

A pure module. Each parser takes the text of a cell and gives the value; where it cannot, it raises
:class:`BadValue` with a French sentence that names the value. Empty cells are the caller's business.
"""

import datetime
import functools
import re
from collections.abc import Iterable
from decimal import Decimal
from email.utils import getaddresses
from typing import Final

from invoices.importing.words import currencies_beside, month_named, says_nothing, without_currency, without_weekday
from invoices.money import CENT


class BadValue(ValueError):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """A cell does not hold what its column wants; the message is a French sentence."""


_PLAIN_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:[.,][0-9]{1,10})?", re.ASCII)
_SPACES: Final = re.compile(r"[\s\u00a0\u202f\u2007\u2009']+")
_BESIDE_NUMBER: Final = re.compile(r"%|\b(?:HT|TTC|TVA|VAT)\b", re.IGNORECASE)
_UNEVEN_SPACES: Final = re.compile(r"[0-9](?:[\s'](?![0-9]{3}(?![0-9])))[0-9]|(?<![0-9])[0-9]{4,}[\s'][0-9]", re.ASCII)
_LETTER: Final = re.compile(r"[^0-9\s.,'()+\-]")
_MINUS: Final = str.maketrans({"−": "-", "–": "-", "—": "-", "’": "'"})
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,][0-9]{1,10})?", re.ASCII)

_EXCEL_EPOCH: Final = datetime.date(1899, 12, 30)  # day 0 of Excel's calendar after its leap-year mistake of 1900
_EXCEL_DAYS: Final = range(20_000, 80_000)  # 1954 to 2119: what a date column can mean by a bare number
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2}) ?[/.\- ] ?([0-9]{1,2}) ?[/.\- ] ?([0-9]{4}|[0-9]{2})", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"([0-9]{4}) ?[/.\- ] ?([0-9]{1,2}) ?[/.\- ] ?([0-9]{1,2})", re.ASCII)
_COMPACT: Final = re.compile(r"((?:19|20|21)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])", re.ASCII)
_COMPACT_DAY_FIRST: Final = re.compile(r"([0-3][0-9])(0[1-9]|1[0-2])((?:19|20|21)[0-9]{2})", re.ASCII)
_TIME: Final = re.compile(
    r"(?:T|,? (?:à |at )?)[0-9]{1,2}(?:h|[:h][0-9]{2})(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[ap]\.?m\.?)?"
    r"(?: ?(?:Z|UTC|GMT|CES?T|[+-][0-9]{2}:?[0-9]{2}))?\Z",
    re.ASCII | re.IGNORECASE,
)
_PLAUSIBLE_YEARS: Final = range(1970, 2200)
_MONTH: Final = r"(?P<month>[^\W\d_]{3,10})\.?"
_IN_WORDS: Final = (
    re.compile(
        rf"(?P<day>[0-9]{{1,2}})(?:er|st|nd|rd|th|\.|º|o)?[ \-/.]?(?:de )?{_MONTH},?[ \-/.]?(?:de )?"
        r"(?P<year>[0-9]{4})"
    ),
    re.compile(rf"(?P<day>[0-9]{{1,2}})(?:er|\.)?[ \-/]{_MONTH}[ \-/](?P<year>[0-9]{{2}})"),
    re.compile(rf"{_MONTH}[ \-](?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[ \-](?P<year>[0-9]{{4}})"),
    re.compile(rf"(?P<year>[0-9]{{4}})[ \-/]{_MONTH}[ \-/](?P<day>[0-9]{{1,2}})"),
)
"""Dates with a month in words, each a form."""

_YES: Final = frozenset(("o", "oui", "1", "vrai", "true", "y", "yes", "x", "1.0", "1,0", "-1", "✓", "✔", "☑", "✅"))
_NO: Final = frozenset(("", "n", "non", "0", "faux", "false", "no", "-", "0.0", "0,0", "✗", "✘", "☐"))


@functools.lru_cache(maxsize=4096)  # quantities, rates and prices repeat all through a file
def parse_number(text: str) -> Decimal:
    """``1 234,50``, ``1.234,50``, ``1,234.50``, ``(12,00)``, ``12,00-``, ``-3,5 €`` as a number.

    Spaces may be ordinary, no-break or narrow. A single point or comma is the decimal mark; repeated, or before
    another mark, it groups thousands.
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return Decimal(text.replace(",", "."))
    bare = bare_amount(text)
    if bare == "-":  # how the accounting format of a spreadsheet shows zero
        return Decimal(0)
    negative = False
    if bare.startswith("(") and bare.endswith(")"):
        negative, bare = True, bare[1:-1]
    if bare.endswith("-"):
        negative, bare = True, bare[:-1]
    elif bare.startswith(("-", "+")):
        negative, bare = bare[0] == "-", bare[1:]
    grouped = _GROUPED.fullmatch(bare)
    if grouped and (bare.count(grouped[1]) > 1 or len(set(bare) & {".", ","}) == 2):
        bare = bare.replace(grouped[1], "")
    if bare.startswith((",", ".")):
        bare = f"0{bare}"
    elif bare.endswith((",", ".")):
        bare = bare[:-1]
    if bare.startswith("-") or not _PLAIN_NUMBER.fullmatch(bare):
        raise BadValue(f"« {shown(text)} » n’est pas un nombre.")
    number = Decimal(bare.replace(",", "."))
    return -number if negative else number


def bare_amount(text: str) -> str:
    """``text`` without currency, unit and spaces; as it was where its spaces part no thousands: «12 34»."""
    bare = unwrapped(text).translate(_MINUS)
    bare = without_currency(_BESIDE_NUMBER.sub(" ", bare)) if not bare.isascii() or _LETTER.search(bare) else bare
    return text if _UNEVEN_SPACES.search(bare.strip()) else _SPACES.sub("", bare)


# «12,000»: twelve thousand to some programs, twelve to others; with a zero before the comma it is no thousand.
_AMBIGUOUS_AMOUNT: Final = re.compile(r"[-+(]?[1-9][0-9]{0,2}[.,][0-9]{3}[-)]?", re.ASCII)
THOUSANDS: Final = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
"""A quantity or a price that could be a thousand times another: its line's net amount decides."""
_THREE_AFTER_MARK: Final = re.compile(r"[.,][0-9]{3}(?![0-9])", re.ASCII)
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
LOOK_ALIKES: Final = re.compile("[\u2010-\u2015\u2212\u3002\uff0e\uff0d\uff20\uff61\u2024]")
"""Signs that look like a dot, a hyphen or an at sign and are none: an address with one reaches no one, or another."""
_SPREADSHEET_ERROR: Final = re.compile(
    r"#(?:N/?A|REF|VALEUR|VALUE|WERT|NOM|NAME|DIV/0|NULL?|NOMBRE|NUM|CALC|SPILL|BEZUG|[#]{2,})[!?]?", re.IGNORECASE
)
SCIENTIFIC: Final = re.compile(r"[0-9]([.,][0-9]+)?[Ee]\+?[0-9]+", re.ASCII)
"""What a spreadsheet makes of a long number: its last digits are lost."""
_LINKED_ADDRESS: Final = re.compile(r"\[([^\[\]]*@[^\[\]]*)\]\(mailto:[^()]*\)", re.IGNORECASE)  # as chats copy it
_NAMED_ADDRESS: Final = re.compile(r"[^<>]*<\s*([^<>\s]+@[^<>\s]+)\s*>")


def unwrapped(text: str) -> str:
    """The text of a cell that a program wrote as a formula, ``="07/06/2025"``, or with an apostrophe, ``'100,00``."""
    bare = text.strip()
    if bare.startswith('="') and bare.endswith('"'):
        return bare[2:-1].strip()
    return bare[1:] if bare.startswith("'") and bare[1:2].isdigit() else bare


def bare_code(text: str) -> str:
    """A code without what spreadsheets and pasting put around it: ``="000123"``, ``'000123``, invisible characters."""
    code = _INVISIBLE.sub("", text).strip()
    if code.startswith('="') and code.endswith('"'):
        code = code[2:-1].strip()
    return code[1:] if re.fullmatch(r"'[0-9]+", code, re.ASCII) else code


def not_an_error(text: str) -> str:
    """``text``, where it is none of a spreadsheet's errors: ``#N/A``, ``#REF!``. Raises :class:`BadValue`."""
    if text[:1] == "#" and _SPREADSHEET_ERROR.fullmatch(text):
        raise BadValue(f"« {shown(text)} » est l’erreur d’une formule du tableur, et non une valeur.")
    return text


def customer_code(code: str) -> str:
    """``code``, where it is none that a spreadsheet has rounded to ``1,23457E+11``. Raises :class:`BadValue`."""
    if SCIENTIFIC.fullmatch(code):
        raise BadValue(
            f"« {shown(code)} » n’est pas un code de client : un tableur l’a arrondi. Format texte conseillé."
        )
    return not_an_error(code)


def bare_address(text: str) -> str:
    """A mail address without ``mailto:``, a name around it, a separator after it; empty for «-», «nc» and the like."""
    address = _INVISIBLE.sub("", text).strip()
    if says_nothing(address):
        return ""
    address = re.sub(r"^mailto:\s*([^?]*).*", r"\1", address, flags=re.IGNORECASE)
    if linked := _LINKED_ADDRESS.fullmatch(address):
        address = linked[1]
    if named := _NAMED_ADDRESS.fullmatch(address):
        address = named[1]
    return address.strip(" ;,'\"()[]").removesuffix(".").strip()


_LATIN: Final = re.compile("[a-z]", re.IGNORECASE)
_LIKE_LATIN: Final = re.compile("[\u0370-\u03ff\u0400-\u04ff]")


def mixes_alphabets(word: str) -> bool:
    """True where letters of another alphabet are among Latin ones: a Cyrillic «х» in «хn»."""
    return _LIKE_LATIN.search(word) is not None and _LATIN.search(word) is not None


_BETWEEN_ADDRESSES: Final = re.compile(r"[\s;,|]+|(?<=[a-z])/(?=[^/]*@)", re.IGNORECASE)
_WORDS_BETWEEN: Final = frozenset(("et", "ou", "and", "or", "puis", "&", "/", "-", "+", "cc", "copie", "bcc"))
_LABELS: Final = re.compile(r"(?:^|(?<=[;,|\n]))[^@:<;,|\n]{2,40}:\s*(?!//)")
_LABEL: Final = re.compile(r"^[^@:<]{2,40}:\s*(?!//)")
_ONE: Final = r"[^\s()\[\]@]+@[^\s()\[\]@]+"
_NAME_BEFORE: Final = re.compile(
    rf"(?P<name>[^@()\[\]]*?[^\W\d_][^@()\[\]]*?)\s*(?:[(\[](?P<bracketed>{_ONE})[)\]]|\s[-–:]\s*(?P<parted>{_ONE}))"
    rf"|(?P<two>[A-ZÀ-Ý][\w'.-]*(?: [A-ZÀ-Ý][\w'.-]*)+) (?P<after>{_ONE})"
)
"""A name before an address: in brackets, after a dash, or two words with capitals; one word may be a part of it."""


def addresses_in(text: str) -> list[tuple[str, str]]:
    """The mail addresses of a cell, each after the name that surrounds it: ``a@x.fr; Jean <b@y.fr>``.

    One text where the cell holds no more than one, whatever it is; that it is an address is not checked.
    """
    bare = _INVISIBLE.sub("", text).strip()
    if "<" in bare and bare.count("@") >= 1:
        pairs = getaddresses([bare.replace(";", ",")], strict=False)
        return [(name.strip(), bare_address(address)) for name, address in pairs if "@" in address]
    if bare.count("@") < 2:
        if named := _NAME_BEFORE.fullmatch(bare):
            address = named["bracketed"] or named["parted"] or named["after"]
            return [((named["name"] or named["two"]).strip(" \"',;:-"), bare_address(address))]
        one = bare_address(re.sub(r"\s*\([^@)]*\)", "", _LABEL.sub("", bare) if "mailto" not in bare.lower() else bare))
        return [("", one)] if one else []
    if "mailto" not in bare.lower():
        bare = _LABELS.sub(" ", re.sub(r"\([^@)]*\)", " ", bare))  # «compta : a@x.fr ; b@y.fr (direction)»
    words = [word for word in _BETWEEN_ADDRESSES.split(bare) if word and word.lower() not in _WORDS_BETWEEN]
    if any("@" not in word for word in words):
        return [("", bare)]  # «jean dupont@x.fr; b@y.fr»: a blank inside an address, or a name: no one knows
    return [("", bare_address(word)) for word in words]


def are_ambiguous(amounts: Iterable[str]) -> bool:
    """True where an amount of one invoice is ``12,000`` or ``12.000`` and no other says which mark is the decimals'."""
    amounts = list(amounts)
    if not _THREE_AFTER_MARK.search("\n".join(amounts)):  # nearly always: one look at all, no more
        return False
    bare = [bare_amount(text) for text in amounts]
    return any(
        any(mark in text and _AMBIGUOUS_AMOUNT.fullmatch(text) for text in bare) and not _shows_decimals(bare, mark)
        for mark in (",", ".")
    )


def _shows_decimals(bare: list[str], mark: str) -> bool:
    """Whether an amount shows that ``mark`` is before decimals: ``0,200``, ``12,50``."""
    other = "." if mark == "," else ","
    return any(
        text.count(mark) == 1
        and other not in text.partition(mark)[2]
        and text.strip("0,.")
        and not _AMBIGUOUS_AMOUNT.fullmatch(text)
        for text in bare
    )


def currency_of_amounts(stated: str, amounts: Iterable[str]) -> str:
    """The currency of an invoice: ``stated``, or what is beside its amounts, ``$13.50``; empty where nothing does.

    ``stated`` is the code of a cell of its own, or empty. Raises :class:`BadValue` where they contradict each other.
    """
    possible: frozenset[str] | None = frozenset((stated,)) if stated else None
    for text in amounts:
        if not (beside := currencies_beside(text)):
            continue
        both = beside if possible is None else possible & beside
        if not both:
            known = " / ".join(sorted(possible or ()))
            raise BadValue(f"« {shown(text)} » n’est pas en {known}, la devise du reste de la facture.")
        possible = both
    if possible is None:
        return ""
    if len(possible) > 1:
        names = " ou ".join(sorted(possible))
        raise BadValue(f"La devise n’est pas sûre, {names} : donnez-la dans une colonne « devise ».")
    return next(iter(possible))


@functools.lru_cache(maxsize=4096)
def parse_amount(text: str) -> Decimal:
    """A number of at most two decimals that count, in units of the currency, to the cent."""
    if "%" in text:
        raise BadValue(f"« {shown(text)} » est un pourcentage, et non un montant.")
    number = parse_number(text)
    amount = number.quantize(CENT)
    if amount != number:
        raise BadValue(f"« {shown(text)} » a plus de deux décimales : un montant est au centime.")
    return amount + Decimal("0.00")  # never -0.00


@functools.lru_cache(maxsize=1024)
def parse_rate(text: str) -> Decimal:
    """A percentage from 0 to 100, of at most two decimals (BR-FR-DEC-04)."""
    number = parse_number(text)
    rate = number.quantize(CENT)
    if rate != number or not 0 <= rate <= 100:
        raise BadValue(f"« {shown(text)} » n’est pas un taux : un pourcentage de 0 à 100, deux décimales au plus.")
    return rate


_CODE_OF_RATE: Final = re.compile(r"FR[_-]?(20|10|5|2)([015])", re.ASCII | re.IGNORECASE)


def rate_of_code(text: str) -> str:
    """The rate that a code of Pennylane's says, in per cent: ``FR_200`` is ``20.0``, ``FR_55`` ``5.5``; or nothing."""
    found = _CODE_OF_RATE.fullmatch(text)
    return f"{found[1]}.{found[2]}" if found else ""


@functools.lru_cache(maxsize=4096)
def parse_date(text: str) -> datetime.date:
    """``07/06/2025``, ``7-6-25``, ``2025-06-07``, ``20250607``, Excel's ``45815``, each with or without time.

    ``7 juin 2025`` too, the month in French or a neighbour's language, whole or abbreviated, after a weekday or not.
    """
    bare = _TIME.sub("", unwrapped(text)).rstrip(".")
    if re.fullmatch(r"[0-9]{5}[.,][0-9]+", bare, re.ASCII):  # a day of Excel's calendar that was written as a number
        bare = bare[:5]
    elif not bare[:1].isdigit():
        bare = without_weekday(bare)
    try:
        if found := _DAY_FIRST.fullmatch(bare) or _COMPACT_DAY_FIRST.fullmatch(bare):
            day, month, year = (int(part) for part in found.groups())
            if len(found[3]) == 2:
                year += 2000 if year < 70 else 1900
        elif found := _YEAR_FIRST.fullmatch(bare) or _COMPACT.fullmatch(bare):
            year, month, day = (int(part) for part in found.groups())
        elif parts := _in_words(bare):
            year, month, day = parts
        elif bare.isascii() and bare.isdigit() and bare[0] != "0" and int(bare) in _EXCEL_DAYS:
            return _EXCEL_EPOCH + datetime.timedelta(days=int(bare))
        else:
            raise BadValue(f"« {shown(text)} » n’est pas une date (attendu jj/mm/aaaa).")
        date = datetime.date(year, month, day)
    except BadValue:
        raise
    except ValueError:
        raise BadValue(f"« {shown(text)} » n’est pas une date du calendrier (attendu jj/mm/aaaa).") from None
    if date.year not in _PLAUSIBLE_YEARS:
        raise BadValue(f"« {shown(text)} » n’est pas une date vraisemblable.")
    return date


def _in_words(text: str) -> tuple[int, int, int] | None:
    bare = " ".join(text.lower().split())
    for form in _IN_WORDS:
        if (found := form.fullmatch(bare)) and (month := month_named(found["month"])):
            year = int(found["year"])
            return year + (0 if year > 99 else 2000 if year < 70 else 1900), month, int(found["day"])
    return None


def parse_flag(text: str) -> bool:
    """``O``, ``oui``, ``1``, ``vrai``, ``x`` as true; ``N``, ``non``, ``0``, ``faux`` and nothing as false."""
    word = text.strip().casefold()
    if word in _YES:
        return True
    if word in _NO or (word[:1].isalpha() and says_nothing(word)):
        return False
    raise BadValue(f"« {shown(text)} » n’est ni oui ni non (attendu O ou N).")


def shown(text: str) -> str:
    """``text`` as a sentence quotes it: on one line, and not longer than needed to find it again."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"
