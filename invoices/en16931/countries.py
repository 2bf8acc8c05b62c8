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
_OWN_LANGUAGES: Final = {
    "AL": "sq", "CZ": "cs", "DK": "da", "EE": "et", "FI": "fi", "HR": "hr", "HU": "hu",
    "IS": "is", "IT": "it", "LT": "lt", "LV": "lv", "NL": "nl", "NO": "nb", "PL": "pl", "PT": "pt", "RO": "ro",
    "RS": "sr-Latn", "SE": "sv", "SI": "sl", "SK": "sk", "TR": "tr", "BE": "nl", "BR": "pt",
}  # fmt: skip
"""Of a country, the language in which its own people write its name."""
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
    "AD": ("principaute d andorre",),
    "AE": ("eau", "uae", "emirats", "dubai", "abou dabi", "abu dhabi"),
    "BE": ("b", "belgie", "royaume de belgique"),  # b, d, f, i, l: the plates of cars, of former address files
    "BF": ("burkina",),
    "CA": ("quebec",),
    "BA": ("bosnie et herzegovine", "bosnie"),
    "BO": ("bolivie etat plurinational de",),
    "CF": ("centrafrique",),
    "CD": ("rdc", "rd congo", "republique democratique du congo", "congo rdc"),
    "CG": ("republique du congo",),
    "CH": ("confederation helvetique", "confederation suisse"),
    "CI": ("ivory coast", "elfenbeinkuste"),
    "CN": ("republique populaire de chine", "rp chine", "r p chine", "chine populaire"),
    "CV": ("cap vert", "cape verde"),
    "CZ": ("republique tcheque", "czech republic"),
    "DE": ("d", "republique federale d allemagne", "rfa", "federal republic of germany"),
    "ES": ("canaries", "iles canaries", "baleares"),
    "FR": ("f", "france metropolitaine", "republique francaise"),
    "GB": (
        *("uk", "grande bretagne", "great britain", "grossbritannien", "gran bretana"),
        *("angleterre", "england", "ecosse", "scotland", "pays de galles", "wales"),
    ),
    "GF": ("guyane francaise",),
    "GR": ("el",),  # the prefix of Greek VAT numbers
    "HK": ("hongkong",),
    "IE": ("eire", "rep d irlande", "republique irlande", "republique d irlande", "republic of ireland"),
    "IT": ("i",),
    "IR": ("republique islamique d iran",),
    "KR": ("republique de coree", "republic of korea", "coree", "korea"),
    "LT": ("lithuanie",),
    "LU": (
        "l",
        "luxbg",
        "lux",
        "gd luxembourg",
        "grand duche",
        "grand duche luxembourg",
        "grand duche de luxembourg",
        "letzebuerg",
    ),
    "MC": ("principaute de monaco",),
    "MU": ("ile maurice",),
    "PS": ("palestine",),
    "PF": ("polynesie", "tahiti"),
    "SA": ("arabie seoudite", "royaume d arabie saoudite"),
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
    return {str(code): str(name) for code, name in Locale.parse(language, sep="-").territories.items()}


@functools.cache
def codes() -> frozenset[str]:
    """The alpha-2 codes of ISO 3166-1, with XI (Northern Ireland) and XK (Kosovo)."""
    territories = {code for code in _names("fr") if len(code) == 2 and not _NOT_ASSIGNED.fullmatch(code)}
    return frozenset((territories - _NO_COUNTRIES) | {"XI"})


def country_name(code: str, language: str = "fr") -> str:
    """The country of an alpha-2 ``code`` in ``language`` (of CLDR); the code itself where there is none."""
    own = _OWN_NAMES.get(code) if language == "fr" else None
    return own or (_names(language).get(code, code) if code in codes() else code)


def country_code(text: str) -> str:
    """The alpha-2 code of the country that ``text`` names; empty where it is not known.

    ``text`` is a code of two or three letters or a name in French, English, German or Spanish, in any case, with or
    without accents and hyphens.
    """
    words = _word(text)
    if text.strip().upper() in ("R.U.", "R.U"):
        return "GB"  # Royaume-Uni, and not Russia
    found = _codes_by_word()
    if not words:
        return ""
    if code := found.get(words) or found.get(_spelt_out(words)):
        return code
    if (state := _STATE_OF.fullmatch(_spelt_out(words))) and (code := found.get(state[1])):
        return code
    # «FR - France», «Pays-Bas (Hollande)», «Corée, République de»: where both parts name the same one.
    parts = [_spelt_out(_word(part)) for part in re.split(r"[(),/:;|]|\s[-–]\s|(?<=^[A-Za-z]{2})-", text)]
    codes_of_parts = {found.get(part, "") for part in parts if part}
    codes_of_parts.add(found.get(" ".join(reversed([part for part in parts if part])), ""))
    codes_of_parts.discard("")
    return codes_of_parts.pop() if len(codes_of_parts) == 1 and len(parts) > 1 else ""


# Not «République de»: Corée, Congo and Chine are two each.
_STATE_OF: Final = re.compile(
    r"(?:royaume|grand duche|principaute|sultanat|emirat|confederation|federation|republique federale) "
    r"(?:du|de la|de l|des|de|d) (.+)"
)
_ABBREVIATIONS: Final = {
    "rep": "republique", "dem": "democratique", "st": "saint", "ste": "sainte", "gde": "grande", "grde": "grande",
    "gd": "grand", "g": "grand", "d": "duche", "is": "iles", "fed": "federation",
}  # fmt: skip


def _spelt_out(words: str) -> str:
    """``words`` with abbreviations in full: «rep dem du congo», «gd duche de luxembourg», «st martin»."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in words.split())


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
    for code, language in _OWN_LANGUAGES.items():
        found.setdefault(_word(_names(language)[code]), code)
    for code, name in _OWN_NAMES.items():
        found.setdefault(_word(name), code)
    for code, words in _ALSO.items():
        found.update(dict.fromkeys(words, code))
    return found
