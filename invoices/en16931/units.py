"""Units of measure: from the words an ERP prints to the codes an e-invoice needs (BT-130).

The codes are those of UN/ECE Recommendation 20, the only ones EN 16931 accepts with those of Recommendation 21.
"""

import re
import unicodedata
from typing import Final

ONE: Final = "C62"
"""«One»: the dimensionless unit, for a quantity whose unit nobody stated."""

_CODE_BY_WORD: Final[dict[str, str]] = {
    "": ONE,
    "u": ONE,
    "un": ONE,
    "unite": ONE,
    "unites": ONE,
    "ens": ONE,
    "ensemble": ONE,
    "piece": "H87",
    "pieces": "H87",
    "pce": "H87",
    "pces": "H87",
    "pc": "H87",
    "forfait": "LS",
    "forfaits": "LS",
    "ff": "LS",
    "fft": "LS",
    "heure": "HUR",
    "heures": "HUR",
    "h": "HUR",
    "hr": "HUR",
    "minute": "MIN",
    "minutes": "MIN",
    "mn": "MIN",
    "jour": "DAY",
    "jours": "DAY",
    "j": "DAY",
    "jr": "DAY",
    "jrs": "DAY",
    "semaine": "WEE",
    "semaines": "WEE",
    "mois": "MON",
    "trimestre": "QAN",
    "trimestres": "QAN",
    "an": "ANN",
    "ans": "ANN",
    "annee": "ANN",
    "annees": "ANN",
    "kg": "KGM",
    "kilo": "KGM",
    "kilos": "KGM",
    "kilogramme": "KGM",
    "kilogrammes": "KGM",
    "g": "GRM",
    "gramme": "GRM",
    "grammes": "GRM",
    "t": "TNE",
    "tonne": "TNE",
    "tonnes": "TNE",
    "l": "LTR",
    "litre": "LTR",
    "litres": "LTR",
    "hl": "HLT",
    "hectolitre": "HLT",
    "m": "MTR",
    "metre": "MTR",
    "metres": "MTR",
    "ml": "MTR",  # on a French invoice the linear metre; millilitre is written mL, or in words
    "millilitre": "MLT",
    "millilitres": "MLT",
    "metre lineaire": "LM",
    "km": "KMT",
    "kilometre": "KMT",
    "kilometres": "KMT",
    "cm": "CMT",
    "mm": "MMT",
    "m2": "MTK",
    "metre carre": "MTK",
    "m3": "MTQ",
    "metre cube": "MTQ",
    "kwh": "KWH",
    "mwh": "MWH",
    "lot": ONE,
    "lots": ONE,
    "paire": "PR",
    "paires": "PR",
    "douzaine": "DZN",
    "cent": "CEN",
    "mille": "MIL",
    "carton": "XCT",
    "cartons": "XCT",
    "boite": "XBX",
    "boites": "XBX",
    "palette": "XPX",
    "palettes": "XPX",
    "sac": "XBG",
    "sacs": "XBG",
    "colis": "XPK",
    "bouteille": "XBO",
    "bouteilles": "XBO",
    "rouleau": "XRO",
    "rouleaux": "XRO",
    "%": "P1",
}


def unit_code(unit: str) -> str:
    """The code for a French unit («Heures» gives ``HUR``); what is not a word of ours comes back as it was.

    A code is left alone, so the function may be applied to what already is one. «m²» and «m³» are understood.
    """
    if unit.strip() == "mL":
        return "MLT"
    # NFKD turns ² into 2 and é into e with an accent, which is then dropped.
    decomposed = unicodedata.normalize("NFKD", unit.strip().rstrip(".")).casefold()
    word = "".join(character for character in decomposed if not unicodedata.combining(character))
    found = _CODE_BY_WORD.get(word) or _CODE_BY_WORD.get(word.replace(".", ""))
    return found or _CODE_BY_WORD.get(re.sub(r"\(e?s\)$", "", word), unit.strip())
