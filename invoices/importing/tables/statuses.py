"""Columns that say the status of invoices in an ERP, and the statuses of what is no invoice yet, or no more."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final

from customers.searching import search_key
from invoices.importing.values import BadValue, parse_flag

_OF: Final = "facture|piece|document|invoice|order|vente|commande|doc"
_NAMES: Final = re.compile(
    rf"(?:statut|status|etat|state)(?:_(?:de_)?(?:la_|l_|du_)?(?:{_OF}))?|(?:{_OF})_(?:statut|status|etat|state)"
)
# «Annulée»: Oui.
_FLAGS: Final = re.compile(
    rf"(?:est_|is_)?(?:(?:{_OF})_)?(?:annulee?s?|cancell?ed|void(?:ed)?|storniert|supprimee?s?|deleted|brouillon|draft"
    r"|provisoire|pro_?forma)"
)
# «Avoir brouillon», «Facture (en saisie)», «Draft credit note», «Credit note: void».
_PIECE: Final = (
    r"(?:factures?|avoirs?|notes? de credit|credit[ -]?(?:note|memo)s?|invoices?|acomptes?|pieces?|documents?|doc\.?)"
)
_FIRST: Final = rf"(?:{_PIECE}(?: client)?[ :(\[/–-]+)?"
_NO_INVOICE: Final = re.compile(
    rf"{_FIRST}(?:annul|cancel|void|supprim|deleted|brouillon|draft|provisoire|pro[ -]?forma|devis"
    r"|non valid|a valider|en saisie|en preparation|en cours de saisie|en attente de validation"
    r"|pending approval|to approve)"
)
_CANCELLED: Final = re.compile(rf"{_FIRST}(?:annul|cancel|void)")
# «Avoir annulant la facture F12», «Credit note cancelling INV-3»: the kind of a credit note, not its end.
_CANCELS: Final = re.compile(rf"{_FIRST}(?:annul(?!(?:ee?s?)?\b)|cancel(?!(?:l?ed)?\b)|void(?!ed\b|\b))")
# An invoice that was issued and credited later is one: the credit note needs it.
_CREDITED: Final = re.compile(
    r"(?<!sans )(?<!pas d[’'])(?<!no )(?<!without )(?<!without a )"
    r"\b(?:avoirs?\b|notes? de credit|credit[ -]?(?:note|memo)|credited|(?:av|avc|cn)[-_ ]?[0-9])"
)
NO_INVOICE: Final = "Cette pièce est « %(status)s » : ce n’est pas une facture émise."


def places_of_statuses(keys: Sequence[str], taken: Collection[int] = ()) -> tuple[tuple[int, str], ...]:
    """Which of a header's names, as :func:`.columns.header_key`, may be a status; none of those ``taken``.

    Each with its name where that is a status, to which the cell says yes or no. All of them count: « State » is also
    that of an address, whose values say nothing of drafts.
    """
    return tuple(
        (at, key if is_flag else "")
        for at, key in enumerate(keys)
        if (is_flag := _FLAGS.fullmatch(key) is not None) or (at not in taken and _NAMES.fullmatch(key))
    )


def find_status(cell_at: Callable[[int], str], places: Sequence[tuple[int, str]]) -> str:
    """What the cells of a row at ``places`` say by which it is no invoice; empty where it is one."""
    for at, flag in places:
        text = cell_at(at)
        if is_no_invoice(text):
            return text
        if flag and _says_yes(text):
            return f"{flag} : {text}"
    return ""


def _says_yes(text: str) -> bool:
    try:
        return parse_flag(text)
    except BadValue:
        return False


def is_no_invoice(status: str) -> bool:
    """Whether a status says that there is no invoice: a draft, or one cancelled before it was issued."""
    if not status:
        return False
    key = search_key(status)
    if _CREDITED.match(key) and _CANCELS.match(key):
        return False
    cancelled = _CANCELLED.match(key)
    return _NO_INVOICE.match(key) is not None and not (cancelled and _CREDITED.search(key, cancelled.end()))
