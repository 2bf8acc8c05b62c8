"""Seller and buyer of an e-invoice, recognised among the companies and customers that are known."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from stdnum.fr import siren as siren_number

from customers.identifiers import is_real_vat
from customers.models import Customer
from customers.searching import search_key
from invoices.content.from_rows import content_of
from invoices.en16931.countries import country_code
from invoices.en16931.model import MAIL_SCHEME, SIREN_SCHEME, SIRET_SCHEME, Address, InvoiceContent, Party
from invoices.importing.values import shown
from invoices.models import Invoice

_NINE_DIGITS: Final = re.compile(r"[0-9]{9}", re.ASCII)
_FRENCH_VAT: Final = re.compile(r"FR[0-9A-Z]{2}([0-9]{9})", re.ASCII)
_CODE: Final = "code client"
NUMBER_WORDS: Final = {"siren": "SIREN", "vat_identifier": "n° de TVA"}
EINVOICE_ORIGINS: Final = (Invoice.Origin.FACTURX, Invoice.Origin.CII, Invoice.Origin.UBL)


def siren_of(party: Party) -> str:
    """The SIREN of ``party``: under its own scheme, or in a legal identifier or a French VAT number that is one."""
    legal = party.legal_identifier
    if legal is not None:
        value = "".join(legal.value.split())
        if legal.scheme == SIREN_SCHEME and _NINE_DIGITS.fullmatch(value):
            return value
        if legal.scheme == SIRET_SCHEME and len(value) == 14 and value.isdigit():
            return value[:9]
        if not legal.scheme and _is_french(party) and siren_number.is_valid(value):
            return value
    vat = vat_of(party)
    found = _FRENCH_VAT.fullmatch(vat)
    return found[1] if found and is_real_vat(vat) else ""


def siret_of(party: Party) -> str:
    """The SIRET of ``party``."""
    stated = [*party.identifiers, *([party.legal_identifier] if party.legal_identifier else [])]
    values = ("".join(each.value.split()) for each in stated if each.scheme == SIRET_SCHEME)
    return next((value for value in values if len(value) == 14 and value.isdigit()), "")


def vat_of(party: Party) -> str:
    """The VAT number of ``party`` without spaces, points and hyphens."""
    return _compact(party.vat_identifier)


def _compact(vat_identifier: str) -> str:
    return re.sub(r"[\s.\-]", "", vat_identifier).upper()[:30]


def email_of(party: Party) -> str:
    """The mail address of ``party``: the contact's, else the electronic address where it is one."""
    if party.contact is not None and "@" in party.contact.email:
        return party.contact.email.strip()[:254]
    electronic = party.electronic_address
    if electronic is not None and (electronic.scheme == MAIL_SCHEME or "@" in electronic.value):
        return electronic.value.strip()[:254]
    return ""


def issuer_facts(seller: Party) -> dict[str, Any]:
    """What ``seller`` says of itself, as fields of a :class:`~invoices.models.Company`."""
    return {
        "name": (seller.name or seller.trading_name)[:200],
        "siren": siren_of(seller),
        "siret": siret_of(seller),
        "vat_identifier": vat_of(seller),
        **_address_fields(seller),
    }


@dataclass(frozen=True, slots=True)
class Match:
    """A card that an e-invoice's buyer is, and the French name of the key that says so."""

    customer: Customer
    key: str


class AmbiguousCustomerError(Exception):
    """Nothing decides which card a buyer is: several have the identifier, or the code is contested. French."""


def matching_customer(buyer: Party) -> Match | None:
    """The card that ``buyer`` is, or None where a new one is needed.

    The strong keys (SIRET, SIREN, VAT number) come first. The weak ones (code, mail address, name with postcode) only
    join a card that states no other SIREN, SIRET or VAT number, and that carries no invoice of somebody who does.

    Raises :class:`AmbiguousCustomerError` where several cards share a strong key and neither code nor name decides, and
    where only the code joins a card whose code the ERP gives another company.
    """
    codes = [each.value for each in buyer.identifiers if not each.scheme and each.value]
    siren, siret, vat, email = siren_of(buyer), siret_of(buyer), vat_of(buyer), email_of(buyer)
    postcode = buyer.address.postcode if buyer.address else ""
    strong = (
        ("SIRET", siret, Q(siret=siret)),
        ("SIREN", siren, Q(siren=siren) | Q(siren="", siret__startswith=siren)),
        ("n° de TVA", vat if is_real_vat(vat) else "", Q(vat_identifier=vat)),
    )
    weak = (
        (_CODE, codes, Q(code__in=codes)),
        ("e-mail", email, Q(email__iexact=email)),
        ("nom et code postal", buyer.name and postcode, Q(name__iexact=buyer.name, postcode=postcode)),
    )
    stated = _StrongKeys(siren, siret, vat if is_real_vat(vat) else "")
    for key, value, question in strong:
        found = _uncontradicted(question, stated) if value else []
        chosen = _decided(found, codes, buyer.name)
        if chosen is not None:
            return Match(chosen, key)
        if found:
            cards = ", ".join(f"« {each.name} » ({each.code})" for each in found[:5])
            raise AmbiguousCustomerError(
                f"Plusieurs fiches portent le {key} {value} : {cards}. Complétez leur SIRET, ou donnez le code client."
            )
    for key, given, question in weak:
        found = _uncontradicted(question, stated) if given else []
        chosen = _decided(found, codes, buyer.name)
        if chosen is not None and not _carries_another(chosen, stated):
            if key == _CODE and (sentence := contested_sentence(chosen)):
                raise AmbiguousCustomerError(sentence)
            return Match(chosen, key)
    return None


def contested_sentence(customer: Customer) -> str:
    """Why nothing new comes on this card, in French; empty where the ERP and the card agree."""
    other = customer.contested_number
    if other is None:
        return ""
    name, number, own = other
    word = NUMBER_WORDS[name]
    return (
        f"L’ERP donne au code « {shown(customer.code)} » le {word} {number}, la fiche « {shown(customer.name)} » a le "
        f"{own} : on ne sait pas duquel des deux clients il s’agit."
    )


@dataclass(frozen=True, slots=True)
class _StrongKeys:
    siren: str
    siret: str
    vat: str

    def differ_from(self, other: "_StrongKeys") -> bool:
        """True where both state the same kind of identifier, and not the same one."""
        pairs = ((self.siren, other.siren), (self.siret, other.siret), (self.vat, other.vat))
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)


def _keys_of_card(customer: Customer) -> _StrongKeys:
    vat = _compact(customer.vat_identifier)
    vat = vat if is_real_vat(vat) else ""
    french = _FRENCH_VAT.fullmatch(vat)
    return _StrongKeys(customer.siren or customer.siret[:9] or (french[1] if french else ""), customer.siret, vat)


def _uncontradicted(question: Q, stated: _StrongKeys) -> list[Customer]:
    cards = Customer.objects.filter(question).order_by("code")[:50]
    return [card for card in cards if not stated.differ_from(_keys_of_card(card))]


def _decided(found: list[Customer], codes: list[str], name: str) -> Customer | None:
    """The one card; of several, the one of the code, else the only one of the name. Nothing is guessed."""
    if len(found) < 2:
        return found[0] if found else None
    by_code = [each for each in found if each.code in codes]
    by_name = [each for each in found if search_key(each.name) == search_key(name)]
    return next((each[0] for each in (by_code, by_name) if len(each) == 1), None)


def _carries_another(customer: Customer, stated: _StrongKeys) -> bool:
    """True where an e-invoice of this card states another buyer: a card without identifiers cannot say so itself."""
    received = Invoice.objects.filter(customer=customer, origin__in=EINVOICE_ORIGINS).order_by("-imported_at")
    for invoice in received[:20]:
        buyer = content_of(invoice).buyer
        vat = vat_of(buyer)
        keys = _StrongKeys(siren_of(buyer), siret_of(buyer), vat if is_real_vat(vat) else "")
        if stated.differ_from(keys):
            return True
    return False


def new_customer(content: InvoiceContent) -> Customer:
    """A card for the buyer of ``content``, not saved. Paper until somebody writes D on it."""
    buyer = content.buyer
    is_individual = any(note.subject_code == "BAR" and note.text.startswith("B2C") for note in content.notes)
    return Customer(
        code=_free_code(buyer),
        name=(buyer.name or buyer.trading_name or "Client sans nom")[:200],
        kind=Customer.Kind.INDIVIDUAL if is_individual else Customer.Kind.PROFESSIONAL,
        email=email_of(buyer),
        phone=buyer.contact.phone[:50] if buyer.contact else "",
        siren=siren_of(buyer),
        siret=siret_of(buyer),
        vat_identifier=vat_of(buyer),
        electronic_address=_directory_address(buyer),
        **_address_fields(buyer),
    )


def _free_code(buyer: Party) -> str:
    """A code for a customer that the ERP gives none: an identifier of his own, else one that his name gives."""
    stated = next((each.value for each in buyer.identifiers if not each.scheme and each.value), "")
    postcode = buyer.address.postcode if buyer.address else ""
    digest = hashlib.sha256(f"{search_key(buyer.name)}\x1f{postcode}".encode()).hexdigest()
    code = (stated or siret_of(buyer) or siren_of(buyer) or vat_of(buyer) or f"E-{digest[:8].upper()}")[:46]
    taken = set(Customer.objects.filter(code__startswith=code).values_list("code", flat=True))
    number = 1
    free = code
    while free in taken:
        number += 1
        free = f"{code}-{number}"
    return free


def _directory_address(buyer: Party) -> str:
    electronic = buyer.electronic_address
    if electronic is None or "@" in electronic.value or electronic.value == siren_of(buyer):
        return ""
    return electronic.value[:100]


def _address_fields(party: Party) -> dict[str, Any]:
    address = party.address or Address()
    # A VAT number begins with its country. Where nothing says it, the card's own default stays.
    country = country_code(address.country) or country_code(vat_of(party)[:2])
    return {
        "address": address.line1[:300],
        "address_complement": ", ".join(filter(None, (address.line2, address.line3)))[:300],
        "postcode": address.postcode[:20],
        "city": address.city[:100],
        **({"country": country} if country else {}),
    }


def _is_french(party: Party) -> bool:
    return party.address is None or party.address.country in ("", "FR")
