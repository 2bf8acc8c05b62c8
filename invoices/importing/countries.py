"""Countries as people write them, read as ISO 3166-1 alpha-2 codes."""

from typing import Final

from customers.searching import search_key

_ISO_3166: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI XK YE YT ZA ZM ZW"
)
CODES: Final = frozenset(_ISO_3166.split())
"""ISO 3166-1 alpha-2, with XI (Northern Ireland) and XK (Kosovo) as the VAT system and e-invoices use them."""

_NAMES: Final = {
    "france": "FR",
    "france metropolitaine": "FR",
    "fra": "FR",
    "monaco": "MC",
    "guadeloupe": "GP",
    "martinique": "MQ",
    "guyane": "GF",
    "guyane francaise": "GF",
    "la reunion": "RE",
    "reunion": "RE",
    "mayotte": "YT",
    "nouvelle-caledonie": "NC",
    "polynesie francaise": "PF",
    "allemagne": "DE",
    "germany": "DE",
    "autriche": "AT",
    "belgique": "BE",
    "belgium": "BE",
    "bulgarie": "BG",
    "chypre": "CY",
    "croatie": "HR",
    "danemark": "DK",
    "espagne": "ES",
    "spain": "ES",
    "estonie": "EE",
    "finlande": "FI",
    "grece": "GR",
    "el": "GR",
    "hongrie": "HU",
    "irlande": "IE",
    "italie": "IT",
    "italy": "IT",
    "lettonie": "LV",
    "lituanie": "LT",
    "luxembourg": "LU",
    "malte": "MT",
    "pays-bas": "NL",
    "hollande": "NL",
    "netherlands": "NL",
    "pologne": "PL",
    "portugal": "PT",
    "republique tcheque": "CZ",
    "tchequie": "CZ",
    "roumanie": "RO",
    "slovaquie": "SK",
    "slovenie": "SI",
    "suede": "SE",
    "royaume-uni": "GB",
    "angleterre": "GB",
    "grande-bretagne": "GB",
    "united kingdom": "GB",
    "uk": "GB",
    "gd luxembourg": "LU",
    "grand-duche de luxembourg": "LU",
    "grand-duche du luxembourg": "LU",
    "coree du sud": "KR",
    "republique de coree": "KR",
    "south korea": "KR",
    "viet-nam": "VN",
    "vietnam": "VN",
    "ecosse": "GB",
    "suisse": "CH",
    "switzerland": "CH",
    "norvege": "NO",
    "islande": "IS",
    "etats-unis": "US",
    "etats-unis d'amerique": "US",
    "usa": "US",
    "united states": "US",
    "canada": "CA",
    "bresil": "BR",
    "argentine": "AR",
    "chili": "CL",
    "mexique": "MX",
    "australie": "AU",
    "chine": "CN",
    "inde": "IN",
    "japon": "JP",
    "maroc": "MA",
    "algerie": "DZ",
    "tunisie": "TN",
    "senegal": "SN",
    "cote d'ivoire": "CI",
    "turquie": "TR",
}


def country_code(text: str) -> str:
    """The code of the country that ``text`` names (``FR``, ``fr``, ``France``); empty where it is not known."""
    code = text.strip().upper()
    if code in CODES:
        return code
    word = search_key(text.replace("’", "'"))
    return _NAMES.get(word) or _NAMES.get("-".join(word.split()), "")
