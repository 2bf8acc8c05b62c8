"""Seller and buyer of an e-invoice, recognised among the companies and customers that are known."""

import hashlib
import re
from typing import Any, Final

from stdnum.fr import siren as siren_number

from customers.models import Customer
from customers.searching import search_key
from invoices.en16931.model import MAIL_SCHEME, SIREN_SCHEME, SIRET_SCHEME, Address, InvoiceContent, Party
from invoices.importing.countries import country_code

_NINE_DIGITS: Final = re.compile(r"[0-9]{9}", re.ASCII)
_FRENCH_VAT: Final = re.compile(r"FR[0-9A-Z]{2}([0-9]{9})", re.ASCII)


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
    found = _FRENCH_VAT.fullmatch(vat_of(party))
    return found[1] if found else ""


def siret_of(party: Party) -> str:
    """The SIRET of ``party``."""
    stated = [*party.identifiers, *([party.legal_identifier] if party.legal_identifier else [])]
    values = ("".join(each.value.split()) for each in stated if each.scheme == SIRET_SCHEME)
    return next((value for value in values if len(value) == 14 and value.isdigit()), "")


def vat_of(party: Party) -> str:
    """The VAT number of ``party`` without spaces, points and hyphens."""
    return re.sub(r"[\s.\-]", "", party.vat_identifier).upper()[:30]


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


def matching_customer(buyer: Party) -> Customer | None:
    """The customer that ``buyer`` is: by the ERP's code, SIREN, VAT number, mail address, then name and postcode."""
    codes = [each.value for each in buyer.identifiers if not each.scheme and each.value]
    siren, siret, vat, email = siren_of(buyer), siret_of(buyer), vat_of(buyer), email_of(buyer)
    postcode = buyer.address.postcode if buyer.address else ""
    customers = Customer.objects.order_by("code")
    questions = (
        customers.filter(code__in=codes) if codes else None,
        customers.filter(siret=siret) if siret else None,
        customers.filter(siren=siren) if siren else None,
        customers.filter(vat_identifier=vat) if vat else None,
        customers.filter(email__iexact=email) if email else None,
        customers.filter(name__iexact=buyer.name, postcode=postcode) if buyer.name else None,
    )
    name = search_key(buyer.name)
    for question in questions:
        found = list(question[:50]) if question is not None else []
        if found:
            # Establishments share a SIREN, families an address: the name decides between them.
            return next((each for each in found if search_key(each.name) == name), found[0])
    return None


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
    """A code for a customer of whom the ERP has told none: an identifier of his own, else one that his name gives."""
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
