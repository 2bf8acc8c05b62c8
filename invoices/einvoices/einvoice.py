"""The e-invoice of an invoice: what its XML says, and which XML its PDF carries.

=====================================  ==============================================================================
where the invoice came from            the XML inside the PDF that we render
=====================================  ==============================================================================
rows of a table                        written by us (EN 16931), completed for France from «Paramétrage société» and
                                       the customer card
CII of the profile EN 16931            the ERP's own, byte for byte: it is the original, our pages only show it
other CII and UBL, with lines          written by us (EN 16931) from what the document states, with nothing added
MINIMUM, BASIC WL: no lines            none: EN 16931 demands lines, and what a profile lacks is not invented
Factur-X, PDF                          nothing is rendered: the file that came is the document
=====================================  ==============================================================================

A received XML is kept beside the PDF in each case. Individuals get an XML only where the company wants that.
"""

import datetime
import hashlib
from dataclasses import dataclass, replace
from typing import Final

from django.core.files.storage import default_storage

from invoices.content.completion import buyer_kind_of, policy_of
from invoices.content.from_rows import STATED_WHOLE, content_of
from invoices.en16931.model import InvoiceContent
from invoices.en16931.units import ONE
from invoices.en16931.vat import FRENCH_COUNTRIES
from invoices.formats.cii.writer import GUIDELINE, write_cii
from invoices.formats.french import complete_for_france
from invoices.formats.french_parties import BuyerKind
from invoices.formats.reading import read_einvoice
from invoices.formats.rules import unit_codes
from invoices.models import Company, Document, Invoice

FACTURX_PROFILE: Final = "EN 16931"


@dataclass(frozen=True, slots=True)
class EInvoice:
    """What is printed, and the XML that goes with it: ``None`` where this invoice has none."""

    content: InvoiceContent
    xml: bytes | None
    is_french: bool
    """The French rules hold for its seller."""
    buyer_kind: BuyerKind
    is_due: bool
    """The seller must issue e-invoices on its date: the four new mentions are obligatory."""

    @property
    def xml_sha256(self) -> str:
        """The fingerprint of the XML, or nothing."""
        return "" if self.xml is None else hashlib.sha256(self.xml).hexdigest()

    @property
    def profile(self) -> str:
        """The profile as the specification names it, or nothing."""
        return "" if self.xml is None else FACTURX_PROFILE

    def without_xml(self) -> "EInvoice":
        """The same invoice as a plain PDF."""
        return replace(self, xml=None)


def einvoice_of(invoice: Invoice) -> EInvoice:
    """The e-invoice of ``invoice`` as it would leave now. Two statements with ``prefetch_for_content``, or none.

    Received PDF files are not read here: they leave as they came.
    """
    company, customer = invoice.company, invoice.customer
    content, xml = content_of(invoice), None
    if wants_xml(invoice):
        content, xml = _written(invoice, content)
    return EInvoice(
        content=content,
        xml=xml,
        is_french=is_french_seller(company),
        buyer_kind=buyer_kind_of(customer),
        is_due=is_due(company, invoice.issue_date),
    )


def wants_xml(invoice: Invoice) -> bool:
    """Whether we write an e-invoice for it: for professionals, for all where the company says so."""
    if invoice.origin in (Invoice.Origin.FACTURX, Invoice.Origin.PDF):
        return False
    return invoice.customer.is_professional or invoice.company.facturx_for_all


def is_french_seller(company: Company) -> bool:
    """True where the rules of the French reform hold for the company's invoices."""
    return company.country in FRENCH_COUNTRIES


def is_due(company: Company, date: datetime.date) -> bool:
    """True where the company must issue e-invoices on ``date``; never where no date was set."""
    return company.einvoice_from is not None and date >= company.einvoice_from


def _written(invoice: Invoice, content: InvoiceContent) -> tuple[InvoiceContent, bytes | None]:
    """The content that is printed and its XML, which say the same."""
    if invoice.origin not in STATED_WHOLE:
        content = _completed_for_france(invoice, content)
        return content, write_cii(_with_unit_codes(content))
    if invoice.origin == Invoice.Origin.CII and content.profile == GUIDELINE:
        received = _received_xml(invoice)
        if received is not None:
            return content, received
    lines = tuple(line for line in content.lines if line.counts_in_totals)
    if not lines:
        return content, None
    content = replace(content, profile=GUIDELINE)
    attached = _with_attached_files(invoice, content)
    return content, write_cii(replace(attached, lines=lines))


def content_to_print(invoice: Invoice) -> InvoiceContent:
    """What a document of ``invoice`` that is made of rows would say now, without writing its XML."""
    content = content_of(invoice)
    is_completed = wants_xml(invoice) and invoice.origin not in STATED_WHOLE
    return _completed_for_france(invoice, content) if is_completed else content


def _completed_for_france(invoice: Invoice, content: InvoiceContent) -> InvoiceContent:
    if not is_french_seller(invoice.company):
        return content
    return complete_for_france(
        content,
        policy=policy_of(invoice.company),
        buyer_kind=buyer_kind_of(invoice.customer),
        buyer_email=invoice.customer.email,
    )


def _with_unit_codes(content: InvoiceContent) -> InvoiceContent:
    """``content`` with «one» where a unit is a word without a code, which the page prints: the XML takes codes."""
    codes = unit_codes()
    if all(line.unit in codes for line in content.lines if line.quantity is not None):
        return content
    lines = (line if line.unit in codes or line.quantity is None else replace(line, unit=ONE) for line in content.lines)
    return replace(content, lines=tuple(lines))


def _with_attached_files(invoice: Invoice, content: InvoiceContent) -> InvoiceContent:
    """``content`` with the files that came inside of its XML (BT-125), which the database does not hold."""
    if not any(document.filename or document.mime_type for document in content.supporting_documents):
        return content
    received = _received_xml(invoice)
    if received is None:
        return content
    return replace(content, supporting_documents=read_einvoice(received).content.supporting_documents)


def _received_xml(invoice: Invoice) -> bytes | None:
    """The XML as the ERP gave it, byte for byte, or None where no file was kept."""
    document = (
        invoice.documents.filter(role=Document.Role.XML, source=Document.Source.RECEIVED).order_by("-version").first()
    )
    if document is None:
        return None
    with default_storage.open(document.storage_name) as file:
        content: bytes = file.read()
    return content
