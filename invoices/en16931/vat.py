"""Which VAT category a line takes when the ERP states its rate only (EN 16931, BT-151; UNCL 5305).

A pure module. The table, first row that applies:

=========================================================  ========  =====================================
rate and customer                                          category  reason (BT-120) and code (BT-121)
=========================================================  ========  =====================================
rate above 0                                               S         none
rate 0, the company states an exemption of its own         E         the company's words (art. 293 B…)
rate 0, professional of another EU state with VAT number   K goods   art. 262 ter I of the CGI
…the same, services only                                   AE        art. 283-2 of the CGI, «Autoliquidation»
rate 0, outside the EU, services only, professional        O (or E)  art. 259-1° of the CGI
rate 0, outside the EU                                     G         art. 262 I of the CGI
rate 0, anything else                                      E         none: it must be stated, not invented
=========================================================  ========  =====================================

O is an invoice's only category or none of its (BR-O-11 to BR-O-14): beside other categories it becomes E.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

EU_COUNTRIES: Final = frozenset(
    (
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MC",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    )
)
"""The member states, and Monaco, which belongs to the French VAT territory (CGI 256-0)."""

DOMESTIC_COUNTRIES: Final = frozenset(("FR", "MC"))
FRENCH_COUNTRIES: Final = DOMESTIC_COUNTRIES | {"GP", "MQ", "RE"}
"""The French VAT territory, by any code an ERP may use for its parts."""

CATEGORIES: Final = frozenset(("S", "Z", "E", "AE", "K", "G", "O", "L", "M"))
"""The categories of EN 16931."""


@dataclass(frozen=True, slots=True)
class VatTreatment:
    """A category, and why no VAT is charged where none is."""

    category: str
    exemption_reason: str = ""
    exemption_code: str = ""


STANDARD: Final = VatTreatment("S")
INTRA_COMMUNITY: Final = VatTreatment(
    "K", "Exonération de TVA, livraison intracommunautaire, article 262 ter I du CGI", "VATEX-EU-IC"
)
REVERSE_CHARGE: Final = VatTreatment("AE", "Autoliquidation, article 283-2 du CGI", "VATEX-EU-AE")
DOMESTIC_REVERSE_CHARGE: Final = VatTreatment("AE", "Autoliquidation", "VATEX-FR-AE")
"""Between professionals in France (subcontracted building work, waste…): the articles are several, the word is one."""
EXPORT: Final = VatTreatment("G", "Exonération de TVA, exportation, article 262 I du CGI", "VATEX-EU-G")
OUT_OF_SCOPE: Final = VatTreatment("O", "TVA non applicable, article 259-1° du CGI", "VATEX-EU-O")
DOMESTIC_OUT_OF_SCOPE: Final = VatTreatment("O", "Opération hors du champ d’application de la TVA", "VATEX-EU-O")
OUT_OF_SCOPE_BESIDE_OTHERS: Final = VatTreatment("E", OUT_OF_SCOPE.exemption_reason)
UNSTATED: Final = VatTreatment("E")

FRANCHISE: Final = VatTreatment("E", "TVA non applicable, art. 293 B du CGI", "VATEX-FR-FRANCHISE")
"""Of a small business."""

_ABROAD: Final = {each.category: each for each in (INTRA_COMMUNITY, REVERSE_CHARGE, EXPORT, OUT_OF_SCOPE)}
_AT_HOME: Final = _ABROAD | {each.category: each for each in (DOMESTIC_REVERSE_CHARGE, DOMESTIC_OUT_OF_SCOPE)}
_WORDS_WITHOUT_REASON: Final = {"E": "Exonération de TVA", "Z": "TVA au taux zéro"}

# Codes of VATEX (BT-121) that name no article, in the words that CGI ann. II 242 nonies A, I-13° to 16° asks for.
_REASONS_OF_CODES: Final = {each.exemption_code: each.exemption_reason for each in (*_AT_HOME.values(), FRANCHISE)} | {
    REVERSE_CHARGE.exemption_code: REVERSE_CHARGE.exemption_reason,
    "VATEX-EU-D": "Régime particulier – Agences de voyages",
    "VATEX-EU-F": "Régime particulier – Biens d’occasion",
    "VATEX-EU-I": "Régime particulier – Objets d’art",
    "VATEX-EU-J": "Régime particulier – Objets de collection et d’antiquité",
    "VATEX-FR-CNWVAT": "Avoir net de taxe, article 272 du CGI",
}
# The others are made of the article that they cite: VATEX-FR-CGI261D-1BIS, VATEX-EU-132-1I, VATEX-EU-79-C.
_FRENCH_CODE: Final = re.compile(r"VATEX-FR-(?:CGI)?(\d+)([A-Z]+?)??([A-Z]?)(?:-(\d+)(BIS)?)?")
_UNION_CODE: Final = re.compile(r"VATEX-EU-(\d+)(?:-(\d+))?(?:-?([A-Z])(A?))?")


def derive_treatment(
    rate: Decimal,
    *,
    country: str,
    is_professional: bool,
    has_vat_identifier: bool,
    services_only: bool,
    company_exemption: str = "",
    beside_other_rates: bool = False,
) -> VatTreatment:
    """The treatment of a line at ``rate`` per cent for a customer of ``country`` (ISO 3166-1 alpha-2).

    ``company_exemption`` is the reason why the company charges no VAT at all, where it has one;
    ``beside_other_rates`` says that other lines of the invoice are taxed.
    """
    if rate > 0:
        return STANDARD
    if company_exemption:
        return own_exemption(company_exemption)
    if country in EU_COUNTRIES:
        if country not in DOMESTIC_COUNTRIES and is_professional and has_vat_identifier:
            return REVERSE_CHARGE if services_only else INTRA_COMMUNITY
        return UNSTATED
    if services_only and is_professional:
        return OUT_OF_SCOPE_BESIDE_OTHERS if beside_other_rates else OUT_OF_SCOPE
    return EXPORT


FRANCHISE_ARTICLE: Final = "293 B"
OUTSIDE_REFORM: Final = r"(^|[^0-9])261([^0-9]|$)"
"""Of a reason or its code: cites CGI art. 261 to 261 E, whose operations the reform leaves out (CGI 289 bis)."""


def cites_outside_reform(reason: str) -> bool:
    """True where ``reason`` (BT-120 or BT-121) is one of CGI art. 261 to 261 E: «article 261-4-4° du CGI»."""
    return re.search(OUTSIDE_REFORM, reason) is not None


# First row that is found decides: a service within the Union is «intracommunautaire», but its VAT is reversed.
_WORDS_OF_CATEGORIES: Final = (
    (
        "AE",
        r"auto ?liq|reverse charge|preneur|sous ?traitance (?:btp|batiment|du batiment)|\b283\b"
        r"|\b196\b.*directive|vatex (?:eu|fr) ae\b",
    ),
    ("K", r"intra ?com|intra ?ue|livraison intra|\b262 ?ter|\b138\b.*directive|vatex eu ic\b"),
    ("O", r"\b259\b|\b267\b|hors (?:du )?champ|hors tva|out of scope|debours|non soumis|vatex eu o\b"),
    ("G", r"export|\b262\b|\b146\b.*directive|hors (?:de l )?(?:ue|u e|cee|union|europe)\b|vatex eu g\b"),
    (
        "E",
        r"exoner|\bexo\b|exempt|franchise|non applicable|non assujetti|\bmarge\b|\b(?:26[01]|275|29[378]) ?[bd]?\b"
        r"|biens d occasion|sans tva|no (?:vat|tax)\b|vatex",
    ),
    ("Z", r"taux zero|taux nul|zero rate"),
)


@functools.lru_cache(maxsize=1024)
def category_of_words(text: str) -> str:
    """The category that a reason for charging no VAT represents, by its words or article; empty where none is known.

    «Autoliquidation, art. 283-2 nonies du CGI» is AE, «Exonération, art. 262 ter I» K, «art. 262 I» G, «art. 261» E.
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char))
    words = " ".join(plain.split())
    return next((category for category, pattern in _WORDS_OF_CATEGORIES if re.search(pattern, words)), "")


_EXEMPTING_ARTICLE: Final = re.compile(r"(?<![0-9])(?:26[01]|275|29[378])(?![0-9])")


def cited_reason(text: str) -> str:
    """The printed reason of a ``text`` that cites an article by which a supply is exempt; empty where it cites none.

    «art. 293 B» is the mention of CGI art. 293 E in full.
    """
    if re.search(r"(?<![0-9])293[ \u00a0-]?B\b", text, re.IGNORECASE):
        return FRANCHISE.exemption_reason
    return text if _EXEMPTING_ARTICLE.search(text) else ""


def own_exemption(reason: str, code: str = "") -> VatTreatment:
    """The treatment of a company that charges no VAT for ``reason``, in its words; that of art. 293 B has a code."""
    if not code and FRANCHISE_ARTICLE in reason.replace("\u00a0", " "):
        code = FRANCHISE.exemption_code
    return VatTreatment("E", reason, code)


def usual_treatment(category: str, country: str = "") -> VatTreatment:
    """The reason and code that go with a stated ``category`` for a customer of ``country``.

    Neither where several are possible (E). A customer without country is one in France.
    """
    is_at_home = not country or country in FRENCH_COUNTRIES
    return (_AT_HOME if is_at_home else _ABROAD).get(category, VatTreatment(category))


def printed_reason(category: str, reason: str = "", code: str = "") -> str:
    """What a page says of why no VAT is charged: the ``reason`` stated (BT-120), else what the ``code`` (BT-121) means,
    else the words of the ``category``; empty where VAT is charged.
    """
    found = reason.strip() or _reason_of_code(code.strip().upper()) or usual_treatment(category).exemption_reason
    found = found or _WORDS_WITHOUT_REASON.get(category, "")
    # The word itself is obligatory (CGI ann. II 242 nonies A, I-13°).
    return f"Autoliquidation – {found}" if category == "AE" and "autoliquidation" not in found.lower() else found


def _reason_of_code(code: str) -> str:
    """The words of a code of VATEX, which cite its article; empty for a code of which nothing is known."""
    if known := _REASONS_OF_CODES.get(code):
        return known
    if match := _FRENCH_CODE.fullmatch(code):
        article, adverb, letter, number, bis = match.groups()
        named = " ".join(filter(None, [article, (adverb or "").lower(), letter]))
        degree = "°" if letter else ""
        cited = f"article {named}{f'-{number}{degree}' if number else ''}{' bis' if bis else ''} du CGI"
    elif match := _UNION_CODE.fullmatch(code):
        article, paragraph, point, second = match.groups()
        parts = [f", paragraphe {paragraph}"] if paragraph else []
        parts += [f", point {point.lower()}{' bis' if second else ''})"] if point else []
        cited = f"article {article}{''.join(parts)}{',' if parts else ''} de la directive 2006/112/CE"
    else:
        return ""
    return f"Exonération de TVA, {cited}"
