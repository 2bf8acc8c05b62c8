"""What the page of one invoice shows beside the invoice's own content."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from invoices.documents.versions import published_versions
from invoices.einvoices.xml_files import xml_source_of
from invoices.en16931.model import InvoiceContent, Line
from invoices.models import Document, Invoice, InvoiceQuerySet, LifecycleStatus
from invoices.platforms.channel import is_copy
from invoices.platforms.lifecycle import last_status, status_word
from invoices.printing.mentions import DISCOUNT, LATE_PENALTY, RECOVERY_FEE, TECHNICAL_NOTES
from invoices.printing.wording import unit
from portal.space.transfers import Transfer, transfer_shown

# «TX_TVA_ERR : Taux de TVA erroné», «DOUBLON»; and «action attendue : NIN».
_CODE: Final = re.compile(r"^\s*(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|DOUBLON|AUTRE)(?:\s*:\s*|\s*$)")
_CODED_ACTION: Final = re.compile(r"\s*action attendue : [A-Z]{3}\s*")


@dataclass(frozen=True, slots=True)
class Related:
    """Documents that go with an invoice: what it corrects, what corrects it, its versions, its XML."""

    corrects: Invoice | None = None
    corrections: list[Invoice] = field(default_factory=list)
    earlier_versions: list[Document] = field(default_factory=list)
    has_xml: bool = False


@dataclass(frozen=True, slots=True)
class Transmission:
    """What a platform does with an invoice: whether our PDF is a copy, and the last status that came back."""

    is_copy: bool
    platform: str
    status: LifecycleStatus | None

    @property
    def word(self) -> str:
        """«Déposée», or nothing."""
        return status_word(self.status.code) if self.status is not None else ""

    @property
    def reason(self) -> str:
        """Why, in the words that came with the status; nothing where only a code did."""
        return without_codes(self.status.reason) if self.status is not None else ""


def without_codes(reason: str) -> str:
    """``reason`` of a status without the codes of its list (MDT-113) and of the action asked for, made for programs."""
    parts = [_CODE.sub("", part) for part in reason.split(" ; ")]
    return " ; ".join(part for part in parts if part.strip() and not _CODED_ACTION.fullmatch(part))


def transmission_of(invoice: Invoice) -> Transmission:
    """What the page says of the platform's part. One query."""
    return Transmission(is_copy(invoice), invoice.company.platform_name, last_status(invoice))


@dataclass(frozen=True, slots=True)
class WordedLine:
    """A line, and its unit in words."""

    line: Line
    unit: str


def related_documents(invoice: Invoice, visible: InvoiceQuerySet) -> Related:
    """What goes with ``invoice``; other invoices only where they are in ``visible``. Five queries at most."""
    corrects = visible.filter(pk=invoice.corrects_id).first() if invoice.corrects_id else None
    return Related(
        corrects=corrects,
        corrections=list(visible.filter(corrects=invoice).order_by("issue_date", "number")),
        earlier_versions=[each for each in published_versions(invoice) if each.pk != invoice.document_id],
        has_xml=xml_source_of(invoice) is not None,
    )


def worded_lines(content: InvoiceContent) -> list[WordedLine]:
    """The lines of ``content`` with units that a page shows and a document codes (UN/ECE 20)."""
    return [WordedLine(line, unit(line.unit, line.quantity or Decimal(0))) for line in content.lines]


def shown_notes(content: InvoiceContent) -> list[str]:
    """The notes of ``content`` for its reader, each once; not those that a program reads (BAR), nor those on paying
    late or early on a credit note, on which nothing is to be paid.
    """
    left_out = TECHNICAL_NOTES | ({LATE_PENALTY, RECOVERY_FEE, DISCOUNT} if content.is_credit_note else set())
    return list(dict.fromkeys(note.text for note in content.notes if note.subject_code not in left_out))


def transfer_of(invoice: Invoice, content: InvoiceContent) -> Transfer | None:
    """The code to pay ``invoice`` by transfer; None for credit notes, and where nothing or no IBAN is stated."""
    payment = content.payment
    if payment is None or not payment.iban or invoice.is_credit_note:
        return None
    return transfer_shown(
        holder=payment.account_name or content.seller.name,
        iban=payment.iban,
        bic=payment.bic,
        amount=invoice.amount_due,
        currency=invoice.currency,
        text=payment.remittance_information or invoice.number,
    )
