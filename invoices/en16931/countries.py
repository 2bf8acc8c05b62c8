"""Countries: ISO 3166-1 codes, their names in French, and what people write for them.

Names and codes are those of CLDR, through Babel; a name is printed and read from the same list.
"""

import functools
import re
import unicodedata
from typing import Final

from babel import Locale
from babel.core import get_global

_READ_IN: Final = ("fr", "en", "de", "es")
_OWN_NAMES: Final = {
    "GF": "Guyane",  # CLDR's «Guyane française» is not the name of the region since 1946
    "HK": "Hong Kong",  # CLDR's «R.A.S. chinoise de …» is the state's, not the postal address's
    "MO": "Macao",
    "XI": "Irlande du Nord",  # a code of the VAT system since 2021, which ISO and CLDR do not have
}
# User-assigned and exceptionally reserved codes of ISO 3166-1 that CLDR names too, none of them a country's address.
# XK (Kosovo) stays: banks, customs and e-invoices use it.
_NO_COUNTRIES: Final = frozenset(("AA", "AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "ZZ"))
_NOT_ASSIGNED: Final = re.compile(r"Q[M-Z]|X[A-JL-Z]")
# Alpha-3 codes of states that are no more; ZAR above all is a currency.
_FORMER: Final = frozenset(("BUR", "DDR", "FXX", "TMP", "YMD", "ZAR"))
# What people write and CLDR does not: former names, parts of states, whole names, abbreviations.
_ALSO: Final = {
    "AE": ("eau", "uae", "emirats"),
    "BA": ("bosnie et herzegovine", "bosnie"),
    "BO": ("bolivie etat plurinational de",),
    "CD": ("rdc", "rd congo", "republique democratique du congo"),
    "CG": ("republique du congo",),
    "CH": ("confederation helvetique", "confederation suisse"),
    "CI": ("ivory coast", "elfenbeinkuste"),
    "CN": ("republique populaire de chine",),
    "CV": ("cap vert", "cape verde"),
    "CZ": ("republique tcheque", "czech republic"),
    "DE": ("republique federale d allemagne", "rfa", "federal republic of germany"),
    "FR": ("france metropolitaine", "republique francaise"),
    "GB": (
        *("uk", "grande bretagne", "great britain", "grossbritannien", "gran bretana"),
        *("angleterre", "england", "ecosse", "scotland", "pays de galles", "wales"),
    ),
    "GF": ("guyane francaise",),
    "GR": ("el",),  # the prefix of Greek VAT numbers
    "HK": ("hongkong",),
    "IE": ("eire", "republique d irlande", "republic of ireland"),
    "IR": ("republique islamique d iran",),
    "KR": ("republique de coree", "republic of korea"),
    "LU": ("gd luxembourg", "grand duche de luxembourg", "grand duche du luxembourg"),
    "MF": ("saint martin partie francaise",),
    "MK": ("macedoine",),
    "MM": ("birmanie", "burma", "myanmar"),
    "NL": ("hollande", "holland", "les pays bas", "the netherlands"),
    "RE": ("reunion", "ile de la reunion"),
    "RU": ("federation de russie", "russian federation"),
    "SK": ("republique slovaque", "slovak republic"),
    "SZ": ("swaziland",),
    "TR": ("turkey",),
    "US": ("usa", "us", "etats unis d amerique", "united states of america", "vereinigte staaten von amerika"),
    "VA": ("vatican", "saint siege"),
    "VN": ("viet nam", "vietnam"),
    "XI": ("northern ireland", "nordirland", "irlanda del norte"),
}


@functools.cache
def _names(language: str) -> dict[str, str]:
    return {str(code): str(name) for code, name in Locale(language).territories.items()}


@functools.cache
def codes() -> frozenset[str]:
    """The alpha-2 codes of ISO 3166-1, with XI (Northern Ireland) and XK (Kosovo)."""
    territories = {code for code in _names("fr") if len(code) == 2 and not _NOT_ASSIGNED.fullmatch(code)}
    return frozenset((territories - _NO_COUNTRIES) | {"XI"})


def country_name(code: str) -> str:
    """The country of an alpha-2 ``code`` in French; the code itself where there is none."""
    return _OWN_NAMES.get(code) or (_names("fr")[code] if code in codes() else code)


def country_code(text: str) -> str:
    """The alpha-2 code of the country that ``text`` names; empty where it is not known.

    ``text`` is a code of two or three letters or a name in French, English, German or Spanish, in any case, with or
    without accents and hyphens.
    """
    return _codes_by_word().get(_word(text), "")


def _word(text: str) -> str:
    """``text`` as names are compared: «Viêt-Nam» and «U.S.A.» as ``viet nam`` and ``usa``."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    bare = re.sub(r"\b([a-z])\.(?=[a-z]\b)", r"\1", bare)
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


@functools.cache
def _codes_by_word() -> dict[str, str]:
    found = {code.lower(): code for code in codes()}
    for alpha_3, current in get_global("territory_aliases").items():
        if len(alpha_3) == 3 and len(current) == 1 and current[0] in codes() and alpha_3 not in _FORMER:
            found.setdefault(alpha_3.lower(), current[0])
    for language in _READ_IN:
        names = _names(language)
        for code in sorted(codes() & names.keys()):
            found.setdefault(_word(names[code]), code)
    for code, name in _OWN_NAMES.items():
        found.setdefault(_word(name), code)
    for code, words in _ALSO.items():
        found.update(dict.fromkeys(words, code))
    return found
