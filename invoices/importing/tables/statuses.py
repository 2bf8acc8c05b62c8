"""Columns that say the status of invoices in an ERP, and the statuses of what is no invoice yet, or no more."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from customers.searching import search_key

_OF: Final = "facture|piece|document|invoice|order|vente|commande|doc"
_NAMES: Final = re.compile(
    rf"(?:statut|status|etat|state)(?:_(?:de_)?(?:la_|l_|du_)?(?:{_OF}))?|(?:{_OF})_(?:statut|status|etat|state)"
)
_NO_INVOICE: Final = re.compile(
    r"(?:facture |document )?(?:annul|cancel|void|supprim|deleted|brouillon|draft|provisoire|pro[ -]?forma|devis"
    r"|non valid|a valider|en saisie|en preparation|en cours de saisie|en attente de validation"
    r"|pending approval|to approve)"
)
NO_INVOICE: Final = "Cette pièce est « %(status)s » : ce n’est pas une facture émise."


def place_of_status(keys: Sequence[str], taken: Collection[int] = ()) -> int:
    """Which of a header's names, as :func:`.columns.header_key`, is a status; -1 for none but those ``taken``."""
    return next((at for at, key in enumerate(keys) if at not in taken and _NAMES.fullmatch(key)), -1)


def is_no_invoice(status: str) -> bool:
    """Whether a status says that there is no invoice: a draft, or one that was cancelled."""
    return bool(status) and _NO_INVOICE.match(search_key(status)) is not None
