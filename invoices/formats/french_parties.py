"""Sellers and buyers as the French rules want them: SIREN, SIRET, VAT number, electronic address.

Pure. Sources: XP Z12-012 of AFNOR, rules BR-FR-09 to BR-FR-14, BR-FR-21, BR-FR-32; EN 16931, BG-4 and BG-7.
"""

import re
from dataclasses import replace
from enum import StrEnum
from typing import Final

from stdnum.fr import siren as siren_number

from invoices.en16931.model import DIRECTORY_SCHEME, MAIL_SCHEME, SIREN_SCHEME, SIRET_SCHEME, Identifier, Party
from invoices.en16931.vat import FRENCH_COUNTRIES

_DIGITS: Final = re.compile(r"\d+")
_NOT_IN_NUMBERS: Final = re.compile(r"[\s.\u00a0\u202f-]")
_FRENCH_VAT: Final = re.compile(r"FR[0-9A-Z]{2}(\d{9})")


class BuyerKind(StrEnum):
    """Who the buyer is in the eyes of the law."""

    PROFESSIONAL = "professional"
    INDIVIDUAL = "individual"
    PUBLIC = "public"


def is_french(party: Party) -> bool:
    """Whether the party is established in France, overseas departments and Monaco (one territory for VAT) included.

    An address without country says nothing: then the SIREN or the VAT number decides.
    """
    country = party.address.country.upper() if party.address is not None else ""
    if country:
        return country in FRENCH_COUNTRIES
    return bool(siren_of(party))


def siren_of(party: Party) -> str:
    """The SIREN that a party states as SIREN, as the head of its SIRET or inside its VAT number, or nothing."""
    legal = party.legal_identifier
    if legal is not None and legal.scheme in ("", SIREN_SCHEME, SIRET_SCHEME):
        digits = compact(legal.value)
        if _DIGITS.fullmatch(digits) and len(digits) in (9, 14):
            return digits[:9]
    for identifier in party.identifiers:
        digits = compact(identifier.value)
        if identifier.scheme in (SIREN_SCHEME, SIRET_SCHEME) and _DIGITS.fullmatch(digits):
            return digits[:9]
    # Some numbers of Monaco and of foreign firms hold no SIREN: the check digit shows it.
    match = _FRENCH_VAT.fullmatch(compact(party.vat_identifier))
    return match[1] if match and siren_number.is_valid(match[1]) else ""


def compact(number: str) -> str:
    """A number without the spaces and points it is printed with, in capitals."""
    return _NOT_IN_NUMBERS.sub("", number).upper()


def with_french_identifiers(party: Party) -> Party:
    """SIREN under scheme 0002 (BT-30, BT-47, BT-61), SIRET under scheme 0009 (BT-29, BT-46, BT-60)."""
    siren = siren_of(party)
    legal, identifiers = party.legal_identifier, list(party.identifiers)
    vat_identifier = compact(party.vat_identifier)
    if not siren:
        return replace(party, vat_identifier=vat_identifier)
    siret = compact(legal.value) if legal is not None else ""
    if len(siret) == 14 and not any(each.scheme == SIRET_SCHEME for each in identifiers):
        identifiers.append(Identifier(siret, SIRET_SCHEME))
    if legal is None or legal.scheme in ("", SIREN_SCHEME, SIRET_SCHEME):
        legal = Identifier(siren, SIREN_SCHEME)
    return replace(
        party,
        legal_identifier=legal,
        identifiers=tuple(
            Identifier(compact(each.value), each.scheme) if each.scheme in (SIREN_SCHEME, SIRET_SCHEME) else each
            for each in identifiers
        ),
        vat_identifier=vat_identifier,
    )


def complete_seller(seller: Party, *, out_of_scope: bool) -> Party:
    """SIREN, electronic address (BT-34, BR-FR-13), and BT-32 where a seller has no VAT number.

    EN 16931 wants BT-31 or BT-32 as soon as a VAT category is given (BR-E-02, BR-S-02…). A seller under the
    franchise of art. 293 B often has no VAT number: its SIREN is its registration with the tax office. Not so
    where an operation is ``out_of_scope`` (category O), which admits no tax number.
    """
    seller = with_french_identifiers(seller)
    siren = siren_of(seller)
    if seller.electronic_address is None and siren:
        seller = replace(seller, electronic_address=Identifier(siren, DIRECTORY_SCHEME))
    if not seller.vat_identifier and not seller.tax_registration and siren and not out_of_scope:
        seller = replace(seller, tax_registration=siren)
    return seller


def complete_buyer(buyer: Party, *, kind: BuyerKind, email: str) -> Party:
    """SIREN (BT-47) and electronic address (BT-49, BR-FR-12): the directory for a firm in France, else the mail.

    An individual has no number at all. A firm in France is found in the directory by its SIREN alone, whatever
    address the ERP knows (BR-FR-21).
    """
    if kind == BuyerKind.INDIVIDUAL:
        siren = ""
    else:
        buyer = with_french_identifiers(buyer) if is_french(buyer) else _with_compact_vat(buyer)
        siren = siren_of(buyer) if is_french(buyer) else ""
    address = buyer.electronic_address
    if siren and (
        address is None or address.scheme != DIRECTORY_SCHEME or not compact(address.value).startswith(siren)
    ):
        return replace(buyer, electronic_address=Identifier(siren, DIRECTORY_SCHEME))
    email = email or (buyer.contact.email if buyer.contact is not None else "")
    if address is None and email:
        return replace(buyer, electronic_address=Identifier(email.strip(), MAIL_SCHEME))
    return buyer


def _with_compact_vat(party: Party) -> Party:
    """A foreign party: its numbers are its own affair, but a VAT number has no spaces."""
    return replace(party, vat_identifier=compact(party.vat_identifier))
