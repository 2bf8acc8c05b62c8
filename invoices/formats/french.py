"""Completes the content of an invoice with what the French rules demand and the ERP seldom states.

Pure: content in, content out. Only what follows from the content, from the seller's declared policy or from the
law is added; what is unknown stays empty and is found by the checks. Nothing that the content states is
replaced, but for identifiers, which are brought into the form the rules want.

Sources: CGI art. 289 and ann. II art. 242 nonies A (mentions), C. com. art. L441-9, L441-10 and D441-5 (terms),
XP Z12-012 of AFNOR with its rules BR-FR-01 to BR-FR-32 (coding), EN 16931 (BT, BG).
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    Delivery,
    InvoiceContent,
    Line,
    Note,
    VatBreakdown,
    replace,
)
from invoices.en16931.units import ONE, unit_code
from invoices.en16931.vat import FRANCHISE, VatTreatment, cites_outside_reform, own_exemption, usual_treatment
from invoices.formats.french_parties import (
    BuyerKind,
    complete_buyer,
    complete_seller,
    is_french,
    siren_of,
    with_french_identifiers,
)

RECOVERY_FEE: Final = (
    "Tout retard de paiement donne lieu de plein droit à une indemnité forfaitaire pour frais de recouvrement de 40 €."
)
"""C. com. art. D441-5; between professionals only."""
LATE_PENALTY: Final = (
    "Tout retard de paiement entraîne de plein droit des pénalités au taux de trois fois l’intérêt légal."
)
"""The least that C. com. art. L441-10, II allows."""
NO_DISCOUNT: Final = "Pas d’escompte pour paiement anticipé."
# The rules want both notes for every buyer, the law has them for professionals only.
NO_RECOVERY_FEE: Final = "Indemnité forfaitaire pour frais de recouvrement : sans objet pour un particulier."
NO_LATE_PENALTY: Final = "Pénalités de retard : sans objet pour un particulier."


class OperationCategory(StrEnum):
    """The category of operation (ann. II art. 242 nonies A, I-8° bis): first letter of the cadre de facturation."""

    GOODS = "B"
    SERVICES = "S"
    BOTH = "M"


@dataclass(frozen=True, slots=True)
class SellerPolicy:
    """What the seller declared once for all its invoices (Paramétrage société)."""

    operation_category: OperationCategory = OperationCategory.SERVICES
    vat_on_debits: bool = False
    """Option for VAT on debits (CGI art. 269, 2-c)."""
    vat_franchise: bool = False
    """VAT exemption of small businesses (CGI art. 293 B), stated without words of its own."""
    late_penalty: str = LATE_PENALTY
    discount: str = NO_DISCOUNT
    recovery_fee: str = RECOVERY_FEE
    regulatory_note: str = ""
    """REG: legal form and capital (C. com. art. R123-238), «EI» for a sole trader."""
    legal_note: str = ""
    """ABL: RCS and town, or RM/RNE number (C. com. art. R123-237)."""
    general_note: str = ""
    """AAI: free text."""
    exemption_reason: str = ""
    """BT-120 for category E, where it is not the franchise: «Exonération de TVA, article 261-4-4° du CGI»."""
    exemption_code: str = ""
    """BT-121 that goes with it: VATEX-FR-CGI261-4…"""
    issuing_date: datetime.date | None = None
    """From when the seller must issue e-invoices; ``None`` where not set, read as «already»."""

    def mentions(self, buyer_kind: BuyerKind) -> tuple[Note, ...]:
        """BG-1 as the seller declared it. The fee (PMT) is never charged to an individual (C. com. art. D441-5)."""
        declared = (
            ("" if buyer_kind == BuyerKind.INDIVIDUAL else self.recovery_fee, "PMT"),
            (self.late_penalty, "PMD"),
            (self.discount, "AAB"),
            (self.regulatory_note, "REG"),
            (self.legal_note, "ABL"),
            (self.general_note, "AAI"),
        )
        return tuple(Note(text.strip(), code) for text, code in declared if text.strip())

    def treatment(self, category: str, country: str) -> VatTreatment:
        """``category`` for a customer of ``country``, with the reason why it bears no VAT where one is known."""
        if category != "E":
            return usual_treatment(category, country)
        if self.vat_franchise and not self.exemption_reason:
            return FRANCHISE
        return own_exemption(self.exemption_reason, self.exemption_code)

    def must_issue_einvoices_on(self, date: datetime.date | None) -> bool:
        """Whether an invoice of ``date`` falls under the obligation to issue, and to bear the four new mentions."""
        return self.issuing_date is None or date is None or date >= self.issuing_date


def complete_for_france(
    content: InvoiceContent,
    *,
    policy: SellerPolicy,
    buyer_kind: BuyerKind,
    buyer_email: str = "",
    paid_on: datetime.date | None = None,
) -> InvoiceContent:
    """``content`` with all that the French rules want and that can be known.

    ``buyer_email`` serves as electronic address (scheme EM) where the directory has none. ``paid_on`` is the day
    an invoice was paid in full before or at issue: it becomes the due date, as BR-FR-CO-09 wants.
    """
    content = replace(
        content,
        number=content.number.strip(),
        seller=complete_seller(
            content.seller, out_of_scope=any(breakdown.category == "O" for breakdown in content.vat_breakdown)
        ),
        buyer=complete_buyer(content.buyer, kind=buyer_kind, email=buyer_email),
        lines=tuple(_complete_line(line, position) for position, line in enumerate(content.lines, start=1)),
        allowances_charges=tuple(_complete_allowance_charge(each) for each in content.allowances_charges),
        payee=None if content.payee is None else with_french_identifiers(content.payee),
    )
    content = replace(
        content,
        vat_breakdown=tuple(_complete_breakdown(each, content, policy) for each in content.vat_breakdown),
        delivery=complete_delivery(content, content.buyer.address),
    )
    content = _complete_vat_currency(content)
    content = _complete_payment(content, paid_on)
    content = replace(content, business_process=business_process_of(content, policy))
    return replace(
        content,
        vat_point_code=vat_point_code_of(content, policy),
        notes=_notes(content, policy, buyer_kind),
    )


# Lines and VAT.

_ZERO_RATED: Final = frozenset({"E", "AE", "K", "G", "Z"})


def _rate(category: str, rate: Decimal | None) -> Decimal | None:
    """The rate that a category implies where none is stated: zero, or none at all out of scope (BR-O-05)."""
    if category == "O":
        return None
    return Decimal(0) if rate is None and category in _ZERO_RATED else rate


def _complete_line(line: Line, position: int) -> Line:
    """A number (BT-126), a unit code (BT-130), a rate, and a price that is not negative (BR-27, BR-28).

    A discount written as 1 × −10,00 says the same as −1 × 10,00, which is how EN 16931 wants it.
    """
    if line.quantity is None and line.net_price is None and not line.allowances_charges:
        # A line of text, or an amount alone: once its amount (BR-22, BR-26).
        pieces = Decimal(-1) if line.net_amount < 0 else Decimal(1)
        line = replace(line, quantity=pieces, unit=ONE, net_price=abs(line.net_amount))
    line = replace(
        line,
        identifier=line.identifier.strip() or str(position),
        unit=unit_code(line.unit) if line.quantity is not None else line.unit,
        vat_rate=_rate(line.vat_category, line.vat_rate),
        allowances_charges=tuple(_with_reason(each) for each in line.allowances_charges),
    )
    if line.net_price is None or line.net_price >= 0 or line.quantity is None:
        return line
    return replace(
        line,
        quantity=-line.quantity,
        net_price=-line.net_price,
        gross_price=None if line.gross_price is None else -line.gross_price,
        price_discount=None if line.price_discount is None else -line.price_discount,
    )


def _with_reason(allowance_charge: AllowanceCharge) -> AllowanceCharge:
    """A reason (BR-33, BR-38, BR-42, BR-44): the plainest word where none is stated."""
    if allowance_charge.reason.strip() or allowance_charge.reason_code:
        return allowance_charge
    return replace(allowance_charge, reason="Frais" if allowance_charge.is_charge else "Remise")


def _complete_allowance_charge(allowance_charge: AllowanceCharge) -> AllowanceCharge:
    """The same for the head of the invoice, where there is a VAT category as well."""
    completed = _with_reason(allowance_charge)
    return replace(completed, vat_rate=_rate(completed.vat_category, completed.vat_rate))


def _complete_breakdown(breakdown: VatBreakdown, content: InvoiceContent, policy: SellerPolicy) -> VatBreakdown:
    """The rate and, where no VAT is charged, the reason (BT-120) and its code (BT-121).

    Ann. II art. 242 nonies A, I-12° ff.; BR-E-10, BR-AE-10, BR-IC-10, BR-G-10, BR-O-10. The given reason or code
    is kept; the missing other half is only added where neither is given.
    """
    breakdown = replace(breakdown, rate=_rate(breakdown.category, breakdown.rate))
    if breakdown.exemption_reason.strip() or breakdown.exemption_code:
        return breakdown
    country = content.buyer.address.country.upper() if content.buyer.address is not None else ""
    treatment = policy.treatment(breakdown.category, country)
    return replace(breakdown, exemption_reason=treatment.exemption_reason, exemption_code=treatment.exemption_code)


def complete_delivery(content: InvoiceContent, place: Address | None) -> Delivery | None:
    """BG-13; for a supply to another member state, where and when the goods went (BT-80, BT-72: BR-IC-11, 12).

    The law asks for the place and the date where they differ from the buyer's address and from the invoice's
    date (ann. II art. 242 nonies A, I-10°): an invoice without them says that they do not. ``place`` is the buyer's.
    """
    delivery = content.delivery
    if not any(breakdown.category == "K" for breakdown in content.vat_breakdown):
        return delivery
    delivery = delivery or Delivery()
    if delivery.address is None or not delivery.address.country:
        delivery = replace(delivery, address=place)
    if delivery.date is None and content.period is None:
        delivery = replace(delivery, date=content.issue_date)
    return delivery


def _complete_vat_currency(content: InvoiceContent) -> InvoiceContent:
    """An invoice in another currency states its VAT in euros too (BT-6, BT-111; BR-FR-CO-12).

    Zero is zero in any currency; any other amount needs the exchange rate, which only the ERP knows.
    """
    if content.currency == "EUR" or not content.currency:
        return content
    content = replace(content, vat_currency=content.vat_currency or "EUR")
    if content.total_vat_in_vat_currency is None and content.total_vat == 0:
        content = replace(content, total_vat_in_vat_currency=Decimal("0.00"))
    return content


def _complete_payment(content: InvoiceContent, paid_on: datetime.date | None) -> InvoiceContent:
    """The means (BT-81) that an account number implies, and the day of payment as due date."""
    payment = content.payment
    if payment is not None and payment.iban and not payment.means_code:
        content = replace(content, payment=replace(payment, means_code="30"))
    if paid_on is not None and content.is_paid_in_advance:
        content = replace(content, due_date=paid_on)
    return content


# The cadre de facturation, VAT on debits, notes.

FRENCH_PROCESSES: Final = frozenset({f"{letter}{digit}" for letter in "BSM" for digit in "12489"}) | {
    "S3",
    "S5",
    "S6",
    "B7",
    "S7",
}
"""BT-23 as BR-FR-08 lists it."""
DOWN_PAYMENT_TYPES: Final = frozenset({"386", "500", "503"})


def operation_category_of(content: InvoiceContent, policy: SellerPolicy) -> OperationCategory:
    """The category that the content states, alone or in its cadre de facturation; else what the seller sells."""
    if content.business_process in FRENCH_PROCESSES | {*OperationCategory}:
        return OperationCategory(content.business_process[0])
    return policy.operation_category


def business_process_of(content: InvoiceContent, policy: SellerPolicy) -> str:
    """BT-23, the cadre de facturation (BR-FR-08): category of operation and digit.

    2 already paid (with the date of payment as due date, BR-FR-CO-09), 4 the invoice after a down payment that it
    refers to, 1 all else. A cadre in the content is kept, another convention's process identifier is not.
    """
    if content.business_process in FRENCH_PROCESSES:
        return content.business_process
    letter = operation_category_of(content, policy).value
    if content.is_paid_in_advance and content.due_date is not None:
        return letter + "2"
    is_invoice = not content.is_credit_note and content.type_code not in DOWN_PAYMENT_TYPES | {"384"}
    if is_invoice and content.prepaid_amount and content.preceding_invoices:
        return letter + "4"
    return letter + "1"


def vat_point_code_of(content: InvoiceContent, policy: SellerPolicy) -> str:
    """BT-8: 5 where the seller opted for VAT on debits, 72 for services where it falls due on receipt.

    CGI art. 269, 2-c; the option is a mention of ann. II art. 242 nonies A. Only where VAT is charged at all.
    """
    if content.vat_point_code or content.vat_point_date is not None:
        return content.vat_point_code
    if not any(breakdown.category == "S" for breakdown in content.vat_breakdown):
        return ""
    category = operation_category_of(content, policy)
    if category == OperationCategory.GOODS:
        return ""
    if policy.vat_on_debits:
        return "5"
    return "72" if category == OperationCategory.SERVICES else ""


def _notes(content: InvoiceContent, policy: SellerPolicy, buyer_kind: BuyerKind) -> tuple[Note, ...]:
    """BG-1: what the content says first, then what is missing among PMT, PMD, AAB, REG, ABL, AAI and BAR.

    PMT, PMD and AAB once each (BR-FR-05, BR-FR-06). The 40 € and the penalties are for professionals (C. com.
    art. L441-10, II): for an individual the two notes, which the rules want all the same, say that.
    """
    given = content.notes
    fee, penalty = policy.recovery_fee or RECOVERY_FEE, policy.late_penalty or LATE_PENALTY
    if buyer_kind == BuyerKind.INDIVIDUAL:
        fee, penalty = NO_RECOVERY_FEE, NO_LATE_PENALTY
        texts = {"PMT": fee, "PMD": penalty}
        given = tuple(replace(note, text=texts.get(note.subject_code, note.text)) for note in given)
    treatment = _treatment(content, policy, buyer_kind)
    if buyer_kind == BuyerKind.PROFESSIONAL and not treatment:
        # B2B would demand the SIREN that is not known and not yet due.
        given = tuple(note for note in given if (note.subject_code, note.text) != ("BAR", "B2B"))
    notes = _merged(given)
    codes = {note.subject_code for note in notes}
    for code, text in (
        ("PMT", fee),
        ("PMD", penalty),
        ("AAB", policy.discount or NO_DISCOUNT),
        ("REG", policy.regulatory_note),
        ("ABL", policy.legal_note),
        ("AAI", policy.general_note),
        ("BAR", treatment),
    ):
        if code not in codes and text.strip():
            notes.append(Note(text, code))
    return tuple(notes)


def _merged(notes: tuple[Note, ...]) -> list[Note]:
    """The notes, those subjects that may occur once only put together under the first of them."""
    merged: list[Note] = []
    for note in notes:
        first = next((position for position, each in enumerate(merged) if each.subject_code == note.subject_code), None)
        if first is None or note.subject_code not in ("PMT", "PMD", "AAB"):
            merged.append(note)
        elif note.text not in merged[first].text:
            merged[first] = replace(merged[first], text=f"{merged[first].text}\n{note.text}")
    return merged


def _treatment(content: InvoiceContent, policy: SellerPolicy, buyer_kind: BuyerKind) -> str:
    """BAR (BR-FR-20): B2B for the e-invoice between firms in France, B2BINT abroad, B2C for an individual.

    OUTOFSCOPE where every operation is exempt under CGI art. 261 to 261 E, which the reform leaves out. For a
    public body nothing is said: its invoices go through Chorus Pro under rules of their own. Before the seller's
    issuing date B2B is only said where the SIREN is known, since it makes the SIREN obligatory (BR-FR-11).
    """
    if buyer_kind == BuyerKind.INDIVIDUAL:
        return "B2C"
    if buyer_kind == BuyerKind.PUBLIC:
        return ""
    if not is_french(content.buyer):
        return "B2BINT"
    if content.vat_breakdown and all(
        cites_outside_reform(f"{each.exemption_reason} {each.exemption_code}") for each in content.vat_breakdown
    ):
        return "OUTOFSCOPE"
    if siren_of(content.buyer) or policy.must_issue_einvoices_on(content.issue_date):
        return "B2B"
    return ""
