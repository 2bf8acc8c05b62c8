"""The buyer that a received e-invoice prints, beside the card that it is on."""

import re

from django.utils.translation import gettext as _

from customers.searching import search_key
from invoices.en16931.model import Party, from_json
from invoices.importing.parties import EINVOICE_ORIGINS, contested_sentence, siren_of
from invoices.importing.values import shown
from invoices.models import Invoice

_LEGAL_FORM = re.compile(r"\b(?:sarl|sasu?|eurl|sa|sci|snc|gmbh|ag|ltd|llc|inc|bv|ste|societe|m|mme|monsieur|madame)\b")


def printed_buyer_problem(invoice: Invoice) -> str:
    """A French sentence where the buyer of a received e-invoice is another than ``invoice``'s card says; else nothing.

    Its SIREN counts, and its name without case, accents and legal form. An invoice of tables prints its card, so there
    the sentence says that the ERP gives the card's code to another company.
    """
    if invoice.origin not in EINVOICE_ORIGINS:
        return _unbroken(contested_sentence(invoice.customer))
    stated = invoice.details.get("buyer")
    if not stated:
        return ""
    buyer, customer = from_json(Party, stated), invoice.customer
    siren, own = siren_of(buyer), customer.siren or customer.siret[:9]
    if siren and own and siren != own:
        return _("La facture est au SIREN %(printed)s, la fiche au %(card)s.") % {"printed": siren, "card": own}
    names = [_bare(name) for name in (buyer.name, buyer.trading_name) if name]
    card = _bare(customer.name)
    if not names or not card or any(name in card or card in name for name in names if name):
        return ""
    sentence = _("La facture est au nom de « %(printed)s », la fiche est « %(card)s ».")
    return _unbroken(sentence) % {"printed": shown(buyer.name), "card": shown(customer.name)}


def _unbroken(sentence: str) -> str:
    """A guillemet stays with its word where a narrow column breaks the sentence."""
    return sentence.replace("« ", "«\u00a0").replace(" »", "\u00a0»")


def _bare(name: str) -> str:
    return "".join(re.findall(r"[a-z0-9]+", _LEGAL_FORM.sub(" ", search_key(name))))
