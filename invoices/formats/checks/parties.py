"""Our own checks of who sells and who buys: check digits, and numbers that contradict each other.

The official rules count digits, they do not verify them.
"""

from collections.abc import Iterator
from typing import Final

from stdnum import iban as iban_number
from stdnum.eu import vat as eu_vat_number
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number

from invoices.en16931.model import SIREN_SCHEME, SIRET_SCHEME, InvoiceContent, Party
from invoices.en16931.vat import EU_COUNTRIES
from invoices.formats.findings import Finding, Severity, own_finding
from invoices.formats.french_parties import BuyerKind, compact, is_french, siren_of

# BT-30 or BT-47, BT-29 or BT-46, BT-31 or BT-48, and how the party is called in a sentence.
_SELLER_TERMS: Final = ("BT-30", "BT-29", "BT-31", "du vendeur")
_BUYER_TERMS: Final = ("BT-47", "BT-46", "BT-48", "de l’acheteur")
_PAYEE_TERMS: Final = ("BT-61", "BT-60", "", "du bénéficiaire")


def check_parties(content: InvoiceContent, *, buyer_kind: BuyerKind, einvoice_due: bool) -> Iterator[Finding]:
    """Numbers of seller, buyer and payee. ``einvoice_due``: the four new mentions are obligatory already."""
    yield from _check_numbers(content.seller, _SELLER_TERMS)
    if is_french(content.seller) and not siren_of(content.seller):
        yield own_finding("OWN-SIREN-MISSING", "BT-30", "Le SIREN du vendeur manque.")
    if buyer_kind != BuyerKind.INDIVIDUAL:
        yield from _check_numbers(content.buyer, _BUYER_TERMS)
        if is_french(content.buyer) and not siren_of(content.buyer):
            yield own_finding(
                "OWN-SIREN-MISSING",
                "BT-47",
                "Le SIREN de l’acheteur manque : il est obligatoire pour un professionnel établi en France.",
                severity=Severity.ERROR if einvoice_due else Severity.WARNING,
            )
    if content.payee is not None:
        yield from _check_numbers(content.payee, _PAYEE_TERMS)
    if content.payment is not None:
        for term, number in (("BT-84", content.payment.iban), ("BT-91", content.payment.debited_iban)):
            # Accounts outside the countries of the IBAN have other numbers: only what looks like one is judged.
            if number[:2].isalpha() and not iban_number.is_valid(compact(number)):
                yield own_finding("OWN-IBAN", term, f"L’IBAN « {number} » est faux : sa clé de contrôle ne va pas.")


def _check_numbers(party: Party, terms: tuple[str, str, str, str]) -> Iterator[Finding]:
    """SIREN, SIRET and VAT number of one party."""
    siren_term, siret_term, vat_term, whose = terms
    legal = party.legal_identifier
    siren = compact(legal.value) if legal is not None and legal.scheme == SIREN_SCHEME else ""
    if siren and not siren_number.is_valid(siren):
        message = f"Le SIREN {whose} « {siren} » est faux : sa clé de contrôle ne va pas."
        yield own_finding("OWN-SIREN", siren_term, message)
    for identifier in party.identifiers:
        if identifier.scheme != SIRET_SCHEME:
            continue
        siret = compact(identifier.value)
        if not siret_number.is_valid(siret):
            message = f"Le SIRET {whose} « {siret} » est faux : sa clé de contrôle ne va pas."
            yield own_finding("OWN-SIRET", siret_term, message)
        elif siren and not siret.startswith(siren):
            message = f"Le SIRET {whose} « {siret} » n’est pas un établissement du SIREN {siren}."
            yield own_finding("OWN-SIRET", siret_term, message)
    if vat_term:
        yield from _check_vat_number(party, siren, vat_term, whose)


def _check_vat_number(party: Party, siren: str, term: str, whose: str) -> Iterator[Finding]:
    """The check digits of a VAT number of the Union, and the SIREN inside a French one."""
    number = compact(party.vat_identifier)
    # Greece writes EL; Monaco has French numbers. What lies outside the Union is not judged.
    if number[:2] not in EU_COUNTRIES | {"EL"} or number.startswith("MC"):
        return
    try:
        eu_vat_number.validate(number)
    except ValidationError:
        message = f"Le numéro de TVA {whose} « {number} » est faux : sa forme ou sa clé de contrôle ne va pas."
        yield own_finding("OWN-VAT-NUMBER", term, message)
        return
    if number.startswith("FR") and siren and number[4:] != siren:
        message = f"Le numéro de TVA {whose} « {number} » n’est pas celui du SIREN {siren}."
        # A member of a VAT group bears the group's number.
        yield own_finding("OWN-VAT-NUMBER", term, message, severity=Severity.WARNING)
