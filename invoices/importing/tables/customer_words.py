"""Who a customer is and how he gets his invoices, in the words of people and other products."""

import re
from typing import Final

from customers.models import DEMATERIALISED, Customer
from invoices.importing.tables.columns import header_key
from invoices.importing.values import BadValue, shown

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
            r"(?:non|not)_?(?:pro|assujetti|business)|particulier|physique|individ|consumer|consomm|b(?:_?to_?|2)c|prive|private"
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
    r"d|(?:facture_)?(?:demat\w*|electronique|e_facture|numerique|pdf)|(?:par_)?(?:e_?mail|mail|courriel)|facture_electronique"
)
_ON_PAPER: Final = frozenset(("papier", "papiers", "courrier", "par_courrier", "poste", "postal", "un", "p"))
_COPIES: Final = re.compile(r"([0-9]{1,3})(?:[.,]0+)?(?: ?(?:ex|exemplaires?)\.?)?", re.ASCII | re.IGNORECASE)


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
