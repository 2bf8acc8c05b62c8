"""Words that people and programs write in cells of any column: days, months, currencies, and «nothing».

A pure module. Names of days and months are CLDR's, through Babel, in the languages of the neighbours.
"""

import functools
import html
import re
import unicodedata
from typing import Final

from babel import Locale

_LANGUAGES: Final = ("fr", "en", "de", "es", "it", "nl", "pt")
_ALSO_MONTHS: Final = {"fevr": 2, "fev": 2, "aout": 8, "aou": 8, "juill": 7, "sept": 9, "marz": 3, "maerz": 3}


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).strip(" .,")


@functools.cache
def _months() -> dict[str, int]:
    found = dict(_ALSO_MONTHS)
    for language in _LANGUAGES:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in Locale(language).months[context][width].items():
                    found.setdefault(_plain(name), number)
    return found


@functools.cache
def _weekdays() -> frozenset[str]:
    names: set[str] = set()
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            names |= {_plain(name) for name in Locale(language).days["format"][width].values()}
    return frozenset(names)


def month_named(word: str) -> int:
    """The month from 1 to 12 that ``word`` names, whole or abbreviated; 0 where it names none."""
    return _months().get(_plain(word), 0)


_FIRST_WORD: Final = re.compile(r"([^\W\d_]{2,12})\.?,?\s+(?=\S)")


def without_weekday(text: str) -> str:
    """A date without «le», «du» or the day of the week before it: «sam. 07/06/2025»."""
    bare = text
    while (found := _FIRST_WORD.match(bare)) and (_plain(found[1]) in ("le", "du", "date") or _is_weekday(found[1])):
        bare = bare[found.end() :]
    return bare


def _is_weekday(word: str) -> bool:
    return _plain(word) in _weekdays() and not month_named(word)  # «mar.» is March and «mardi»: left to the date


_ENTITY: Final = re.compile(r"&(?:#[1-9][0-9]{1,4}|#x[1-9a-f][0-9a-f]{1,3}|[a-z]{2,8}[0-9]?);", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)  # names of articles repeat all through a file
def kept_text(text: str) -> str:
    """``text`` as it is kept and printed: accents in one sign with their letter (NFC), no entities of HTML (``&amp;``).

    Hashes are of the cells as they stood, so that an unchanged row stays unchanged.
    """
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\u00ad", ""), text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def same(one: object, other: object) -> bool:
    """Whether two values of a card are the same, texts however their accents are written."""
    return one == other or (isinstance(one, str) and isinstance(other, str) and kept_text(one) == kept_text(other))


_NOTHING: Final = re.compile(
    r"[\-‐-―−_.…/*?~# ]+|0|x{1,3}|n[. ]?[acdrs]\.?|n/[acdrs]|r\.?a\.?s\.?|neant|rien|vide|aucune?|sans(?: objet)?|non"
    r"|null|none|nan|nat|nil|undefined|unknown|not available|#n/?a|#null!"
    r"|inconnue?s?|indefinie?|a (?:definir|completer|renseigner|preciser|venir)"
    r"|(?:non|pas) (?:communique|renseigne|precise|defini|connu|fourni|disponible|applicable)e?s?"
    r"|(?:pas|sans|aucune?|no) (?:d[e' ] ?)?(?:adresse )?(?:e-?mail|mail|courriel|adresse|date|echeance)s?(?: connue?)?"
)


def says_nothing(text: str) -> bool:
    """True for what is where there is no value: «-», «nc», «néant», «non renseigné», ``NULL``, ``#N/A``."""
    if text and text[-1] in "123456789":  # nearly all numbers and dates: nothing of the kind ends so
        return False
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("…", "...").replace("’", "'"))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char)).strip()
    if bare[:1] in "([<" and bare[-1:] in ")]>":
        bare = bare[1:-1].strip()
    return _NOTHING.fullmatch(bare) is not None or _NOTHING.fullmatch(bare.rstrip(".")) is not None


# What is beside an amount, and the currencies that it may be. A dollar without more is the United States'.
_SIGNS: Final = {
    "€": "EUR", "euros": "EUR", "euro": "EUR", "£": "GBP", "zł": "PLN", "kč": "CZK", "₹": "INR", "₺": "TRY", "₴": "UAH",
    "₽": "RUB", "₩": "KRW", "$": "USD", "us$": "USD", "us $": "USD", "$us": "USD", "$ us": "USD", "$ usd": "USD",
    "ca$": "CAD", "c$": "CAD", "$ca": "CAD", "$ ca": "CAD", "$ cad": "CAD", "can$": "CAD", "a$": "AUD", "au$": "AUD",
    "nz$": "NZD", "s$": "SGD", "hk$": "HKD", "r$": "BRL", "fr.": "CHF", "sfr.": "CHF", "sfr": "CHF", "da": "DZD",
    "dt": "TND", "ar": "MGA", "cfp": "XPF", "fcfp": "XPF", "¥": "JPY CNY", "kr": "SEK NOK DKK", "kr.": "SEK NOK DKK",
    "fcfa": "XOF XAF", "cfa": "XOF XAF", "f cfa": "XOF XAF", "dh": "MAD AED", "dhs": "MAD AED",
}  # fmt: skip
_CODES: Final = (
    "eur usd gbp chf cad aud nzd jpy cny hkd sgd krw inr brl mxn zar try pln czk huf ron bgn sek nok dkk isk uah rub "
    "mad tnd dzd xof xaf xpf mga mur mru cdf gnf kmf djf htg ils aed sar qar egp"
)
_BY_SIGN: Final = {code: code.upper() for code in _CODES.split()} | _SIGNS
_SIGN: Final = re.compile(
    "|".join(
        rf"(?<![^\W\d_]){re.escape(sign)}(?![^\W\d_])" if sign[-1].isalpha() or sign[0].isalpha() else re.escape(sign)
        for sign in sorted(_BY_SIGN, key=len, reverse=True)
    ),
    re.IGNORECASE,
)
# At one end of the amount: «12 €50» is no amount.
_BESIDE: Final = re.compile(
    rf"^\s*(?P<sign>[-+(]?)\s*(?:{_SIGN.pattern})|(?:{_SIGN.pattern})\s*(?=[-+)]?\s*$)", re.IGNORECASE
)


def currency_named(word: str) -> str:
    """The code of the currency that ``word`` names, «Euro», «€», «US$»; empty where it names none or several."""
    codes = _BY_SIGN.get(word.casefold(), "").split()
    return codes[0] if len(codes) == 1 else ""


def without_currency(text: str) -> str:
    """An amount without the sign, code or name of a currency before or after it; one in its middle stays."""
    return _BESIDE.sub(lambda found: found["sign"] or "", text)


def currency_in_header(name: str) -> str:
    """What a column's name says of a currency, as it would be beside an amount: «€» of «Montant HT (€)»."""
    bare = re.sub(r"[()\[\]]", " ", re.sub(r"\(F\)", "(FCFA)", name)).strip()  # of which country it does not say
    found = _BESIDE.search(bare)
    return found[0].strip() if found and found.start() > 0 and len(bare) > len(found[0]) else ""


def currencies_beside(text: str) -> frozenset[str]:
    """The currencies that an amount may be in by its sign: ``$13.50`` USD, ``100 €`` EUR, «100 FCFA» two; else none."""
    found = _BESIDE.search(text)
    sign = _SIGN.search(found[0]) if found else None
    return frozenset(_BY_SIGN[sign[0].casefold()].split()) if sign else frozenset()
