"""Who a customer is and how he gets his invoices, in the words of people and other products."""

import re
from typing import Final

from customers.identifiers import check_siren, check_siret, check_vat_identifier, is_real_vat
from customers.models import DEMATERIALISED, Customer
from invoices.en16931.countries import country_code
from invoices.importing.tables.columns import header_key
from invoices.importing.values import BadValue, shown
from invoices.importing.words import says_nothing

_BEFORE_VAT_NUMBER: Final = re.compile(
    r"^(?:(?:n[°o]\.?|num[ée]ro)\s*(?:de\s+)?)?(?:(?:id\.?\s*)?(?:tva|vat)(?:\s+(?:intracom\w*\.?|intra|number|no\.?))?)?\s*:?\s*"
    r"(?=[A-Z]{2}\s?[0-9A-Z]{2}\s?[0-9])",
    re.IGNORECASE,
)
_KINDS: Final = {
    **dict.fromkeys(
        (
            "professionnel",
            "professionnelle",
            "pro",
            "p",
            "entreprise",
            "societe",
            "association",
            "administration",
            "b2b",
            "client_professionnel",
            "clients_professionnels",
        ),
        Customer.Kind.PROFESSIONAL,
    ),
    **dict.fromkeys(
        ("particulier", "client_particulier", "clients_particuliers", "part", "individuel", "b2c", "prive"),
        Customer.Kind.INDIVIDUAL,
    ),
}
_KIND_OF_WORDS: Final = (
    (
        re.compile(
            r"(?:non|not)_?(?:pro|assujetti|business)|particulier|physique|individ|^person(?:ne)?$|consumer|consomm|b(?:_?to_?|2)c|prive|private"
        ),
        Customer.Kind.INDIVIDUAL,
    ),
    (
        re.compile(
            r"profession|^(?:client_)?pro$|entreprise|societe|^ste$|b(?:_?to_?|2)b|associa|collectiv|administ|public|moral|company"
            r"|business|assujetti|artisan|commerc|revendeur|^(?:sarl|sas|sasu|sa|eurl|sci|snc|scop|ei|eirl|gie)$|organis"
            r"|entrepreneur|liberal"
        ),
        Customer.Kind.PROFESSIONAL,
    ),
)
_DEMATERIALISED: Final = re.compile(
    r"d|(?:oui_)?(?:facture_)?(?:demat\w*|electronique|e_facture|numerique|pdf)|(?:par_)?(?:e_?mail|mail|courriel)|facture_electronique"
)
_ON_PAPER: Final = frozenset(("papier", "papiers", "courrier", "par_courrier", "poste", "postal", "un", "p"))
_COPIES: Final = re.compile(
    r"(?:papier ?:? ?)?([0-9]{1,3})(?:[.,]0+)?(?: ?(?:ex|exemplaires?)\.?)?", re.ASCII | re.IGNORECASE
)


_NO_NUMBER: Final = re.compile(
    r"(?:non|pas)_(?:assujetti|soumis|concerne|redevable|inscrit|immatricule)\w*|exone\w*|franchise|particulier|sans_siren"
    r"|en_cours|hors_(?:champ|ue|france)|etranger|auto_?entrepreneur"
)
_REGISTRATION: Final = re.compile(
    r"(?:(?:n[°o]\s*)?(?:de )?(?:siren|siret|rcs|rm|r\.c\.s\.)\s*:?\s*(?:[^\W\d_][\w\- ]*? )?(?:[ab] )?|n[°o]\s*:?\s*)?"
    r"(?P<digits>[0-9][0-9 .\u00a0\u202f\-]*?)(?:\.0+)?(?:\s+(?:rcs\b|r\.c\.s\.|rm\b).*)?",
    re.IGNORECASE,
)


def says_no_number(text: str) -> bool:
    """Whether a cell says that a customer has no SIREN or VAT number: «-», «NC», «non assujetti», «en cours»."""
    return says_nothing(text) or _NO_NUMBER.match(header_key(text)) is not None


def bare_registration(text: str) -> str:
    """The digits of «RCS Paris 732 829 320», ``732829320.0``; nothing for «NC», «en cours»; anything else as it is."""
    if text in ("", "0"):
        return ""
    if text.isdigit():
        return text
    if found := _REGISTRATION.fullmatch(text):
        return re.sub(r"[^0-9]", "", found["digits"])
    return "" if says_no_number(text) else text


def customer_kind(text: str) -> str:
    """Whether a customer is a professional or an individual. Raises :class:`BadValue`."""
    key = header_key(text)
    kind = _KINDS.get(key) or next((each for form, each in _KIND_OF_WORDS if form.search(key)), None)
    if kind is None:
        raise BadValue(f"« {shown(text)} » n’est pas un type de client (attendu professionnel ou particulier).")
    return str(kind.value)


def copies_text(text: str) -> str:
    """How many invoices on paper, or D (démat). Raises :class:`BadValue`."""
    key = header_key(text)
    if _DEMATERIALISED.fullmatch(key):
        return DEMATERIALISED
    if key in _ON_PAPER:
        return "1"
    if found := _COPIES.fullmatch(text.strip()):
        return str(int(found[1]))
    raise BadValue(f"« {shown(text)} » n’est ni D (démat) ni un nombre d’exemplaires papier.")


def siren_or_siret_text(text: str) -> tuple[str, str]:
    """A SIREN, or the SIRET in its place, and a French sentence where it is neither."""
    bare = bare_registration(text)
    return check_siret(bare) if len(bare) == 14 else check_siren(bare)


def siret_text(text: str) -> tuple[str, str]:
    """A SIRET, and a French sentence where it is none."""
    return check_siret(bare_registration(text))


def vat_number_text(text: str) -> tuple[str, str]:
    """A VAT number, and a French sentence where it is none. A French one without its letters gets them by its key."""
    if not text or says_no_number(text):
        return "", ""
    text = _BEFORE_VAT_NUMBER.sub("", text)
    compact = re.sub(r"[\s.\-]+", "", text)
    if re.fullmatch(r"[0-9]{11}", compact, re.ASCII) and is_real_vat(f"FR{compact}"):
        return check_vat_identifier(f"FR{compact}")
    value, problem = check_vat_identifier(text)
    if not problem and not re.search(r"[0-9]{2}", value):
        problem = f"« {shown(text)} » n’est pas un numéro de TVA."
    if not problem and (found := re.match(r"([A-Z]{2})[0-9 ]", value)) and not country_code(found[1]):
        problem = f"« {shown(text)} » n’est pas un numéro de TVA : « {found[1]} » n’est pas un pays."
    return value, problem
