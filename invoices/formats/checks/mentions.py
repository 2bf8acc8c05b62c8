"""Our own checks of the mentions that French law wants on an invoice.

CGI ann. II art. 242 nonies A (I, 1° to 17°), CGI art. 289, C. com. art. L441-9, L441-10, D441-5 and R123-238.
Wrong or missing mentions cost 15 € each (CGI art. 1737, II).
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from invoices.en16931.model import Address, InvoiceContent, Party
from invoices.en16931.vat import FRENCH_COUNTRIES
from invoices.formats.findings import Finding, Severity, own_finding
from invoices.formats.french import FRENCH_PROCESSES
from invoices.formats.french_parties import BuyerKind, is_french

_WITHOUT_VAT: Final = frozenset({"E", "AE", "K", "G", "O"})
# Art. 242 nonies A, I-2°: up to this net total a seller's VAT number may be left out.
_SMALL_INVOICE: Final = Decimal(150)
_TERMS_OF_PROFESSIONALS: Final = (
    ("PMT", "l’indemnité forfaitaire de 40 € pour frais de recouvrement"),
    ("PMD", "le taux des pénalités de retard"),
    ("AAB", "les conditions d’escompte ou leur absence"),
)
_LEGAL_NOTES: Final = frozenset({"REG", "ABL"})
_CONTAINS_THE_FEE: Final = ("40 €", "40\u00a0€", "40\u202f€", "40€", "40 EUR", "40,00", "40 euros", "quarante euros")


def check_mentions(content: InvoiceContent, *, buyer_kind: BuyerKind, einvoice_due: bool) -> Iterator[Finding]:
    """What the law wants and the invoice does not say. ``einvoice_due``: the four new mentions are due already."""
    yield from _check_seller(content)
    yield from _check_buyer(content, buyer_kind)
    yield from _check_lines(content)
    yield from _check_exemptions(content)
    yield from _check_terms(content, buyer_kind)
    if content.is_credit_note or content.type_code == "384":
        yield from _check_preceding_invoices(content)
    if content.currency and content.currency != "EUR" and content.total_vat_in_vat_currency is None:
        message = "La facture est en devise : le total de la TVA en euros est obligatoire."
        yield own_finding("OWN-VAT-IN-EUROS", "BT-111", message)
    if einvoice_due and buyer_kind != BuyerKind.INDIVIDUAL and content.business_process not in FRENCH_PROCESSES:
        message = "La catégorie de l’opération (biens, services ou les deux) n’est pas indiquée."
        yield own_finding("OWN-OPERATION-CATEGORY", "BT-23", message)


def _missing(term: str, what: str, severity: Severity = Severity.ERROR, location: str = "") -> Finding:
    """The finding for a mention that is not there."""
    return own_finding(
        "OWN-MENTION", term, f"Mention obligatoire absente : {what}.", severity=severity, location=location
    )


def _check_seller(content: InvoiceContent) -> Iterator[Finding]:
    """Name, address, VAT number, legal form, capital and RCS."""
    seller = content.seller
    if not seller.name.strip():
        yield _missing("BT-27", "la raison sociale du vendeur")
    yield from _check_address(seller.address, ("BT-35", "BT-37", "BT-38", "BT-40"), "du vendeur")
    charges_vat = any(each.category in ("S", "AE", "K", "G", "Z") for each in content.vat_breakdown)
    is_small = content.total_without_vat is not None and abs(content.total_without_vat) <= _SMALL_INVOICE
    if charges_vat and not is_small and not seller.vat_identifier.strip():
        yield _missing("BT-31", "le numéro de TVA intracommunautaire du vendeur")
    has_legal_note = any(note.subject_code in _LEGAL_NOTES for note in content.notes)
    if is_french(seller) and not has_legal_note and not seller.legal_information.strip():
        what = "la forme juridique, le capital et le RCS (ou « EI », RM, RNE) du vendeur"
        yield _missing("BT-33", what, Severity.WARNING)


def _check_buyer(content: InvoiceContent, buyer_kind: BuyerKind) -> Iterator[Finding]:
    """Name, address, and the VAT number where the buyer owes the VAT or the goods leave for another member state."""
    buyer = content.buyer
    if not buyer.name.strip():
        yield _missing("BT-44", "le nom de l’acheteur")
    yield from _check_address(buyer.address, ("BT-50", "BT-52", "BT-53", "BT-55"), "de l’acheteur")
    if buyer_kind != BuyerKind.INDIVIDUAL and not buyer.vat_identifier.strip():
        categories = {each.category for each in content.vat_breakdown}
        if categories & {"K", "AE"}:
            what = "le numéro de TVA de l’acheteur (livraison intracommunautaire ou autoliquidation)"
            yield _missing("BT-48", what)


def _check_address(address: Address | None, terms: tuple[str, str, str, str], whose: str) -> Iterator[Finding]:
    """Street, town, postcode and country; towns and codes of other countries are their own affair."""
    street_term, city_term, postcode_term, country_term = terms
    address = address or Address()
    if not (address.line1.strip() or address.line2.strip() or address.line3.strip()):
        yield _missing(street_term, f"la rue dans l’adresse {whose}", Severity.WARNING)
    if not address.city.strip():
        yield _missing(city_term, f"la ville dans l’adresse {whose}", Severity.WARNING)
    if not address.country.strip():
        yield _missing(country_term, f"le pays dans l’adresse {whose}")
    elif address.country in FRENCH_COUNTRIES and not address.postcode.strip():
        yield _missing(postcode_term, f"le code postal dans l’adresse {whose}", Severity.WARNING)


def _check_lines(content: InvoiceContent) -> Iterator[Finding]:
    """Name, quantity, unit price and VAT of every line (I-8°)."""
    if not content.lines:
        yield _missing("BG-25", "au moins une ligne")
    seen = set()
    for line in content.lines:
        place = f"ligne {line.identifier}"
        if line.identifier in seen:
            message = f"Deux lignes portent le même numéro « {line.identifier} »."
            yield own_finding("OWN-LINE-NUMBER", "BT-126", message, location=place)
        seen.add(line.identifier)
        if not line.counts_in_totals:
            continue
        if not line.name.strip():
            yield _missing("BT-153", "la désignation", location=place)
        if line.quantity is None:
            yield _missing("BT-129", "la quantité", location=place)
        if line.net_price is None:
            yield _missing("BT-146", "le prix unitaire hors taxe", location=place)
        if not line.vat_category:
            yield _missing("BT-151", "le taux de TVA ou l’exonération", location=place)
        elif line.vat_category == "S" and line.vat_rate is None:
            yield _missing("BT-152", "le taux de TVA", location=place)


def _check_exemptions(content: InvoiceContent) -> Iterator[Finding]:
    """The reason where no VAT is charged (I-12° ff.)."""
    for breakdown in content.vat_breakdown:
        has_reason = breakdown.exemption_reason.strip() or breakdown.exemption_code
        if breakdown.category in _WITHOUT_VAT and not has_reason:
            what = f"le motif pour lequel la TVA n’est pas facturée (catégorie {breakdown.category})"
            yield _missing("BT-120", what)


def _check_terms(content: InvoiceContent, buyer_kind: BuyerKind) -> Iterator[Finding]:
    """Due date, penalties, discount, recovery fee: obligatory between professionals, the fee forbidden else."""
    is_to_be_paid = content.amount_due is None or content.amount_due > 0
    if not content.is_credit_note and is_to_be_paid and content.due_date is None and not content.payment_terms.strip():
        message = "Ni la date d’échéance ni les conditions de paiement ne sont indiquées."
        yield own_finding("OWN-DUE-DATE", "BT-9", message)
    texts = {note.subject_code: note.text for note in content.notes}
    if buyer_kind == BuyerKind.INDIVIDUAL:
        fee = texts.get("PMT", "")
        if any(amount in fee for amount in _CONTAINS_THE_FEE):
            message = "L’indemnité de 40 € ne peut pas être réclamée à un particulier."
            yield own_finding("OWN-RECOVERY-FEE", "BT-22", message)
        return
    if buyer_kind == BuyerKind.PROFESSIONAL:
        for code, what in _TERMS_OF_PROFESSIONALS:
            if not texts.get(code, "").strip():
                yield _missing("BT-22", f"{what} (note {code})")


def _check_preceding_invoices(content: InvoiceContent) -> Iterator[Finding]:
    """The invoice that is corrected, by number and date (CGI art. 289, I-5)."""
    if not content.preceding_invoices:
        yield _missing("BT-25", "le numéro et la date de la facture corrigée")
    for reference in content.preceding_invoices:
        if reference.date is None:
            yield _missing("BT-26", f"la date de la facture corrigée {reference.number}")


def names_of(party: Party) -> tuple[str, ...]:
    """The texts of a party that are printed, for checks of characters."""
    address = party.address or Address()
    return (
        party.name,
        party.trading_name,
        party.legal_information,
        address.line1,
        address.line2,
        address.line3,
        address.city,
        address.postcode,
    )
