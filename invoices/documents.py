"""Documents: rendered or received once, stored under an unguessable name, never changed."""

import datetime
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from invoices.content import content_of
from invoices.einvoices.cii_writer import write_cii
from invoices.models import Document, Invoice
from invoices.print_style import print_style
from invoices.printing import PrintStyle, render_invoice
from invoices.semantics import InvoiceContent, Party

FACTURX_PROFILE = "EN 16931"


class DocumentAlteredError(Exception):
    """The stored bytes are not those that were frozen."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A PDF before it is stored."""

    content: bytes
    profile: str
    xml_sha256: str
    template: str

    @property
    def sha256(self) -> str:
        """The fingerprint of the bytes, as people compare it (64 hexadecimal digits)."""
        return hashlib.sha256(self.content).hexdigest()


def render_document(invoice: Invoice) -> Rendering:
    """The PDF of ``invoice`` as its customer gets it: Factur-X for professionals, a plain PDF/A-3 for individuals.

    The same invoice gives the same bytes: the identifier comes from what it is, the time from its date of issue.
    """
    content = content_of(invoice)
    wants_xml = invoice.customer.is_professional or invoice.company.facturx_for_all
    xml = write_cii(content) if wants_xml else None
    pdf = render_invoice(
        content,
        print_style(invoice.company, invoice.customer, on=invoice.issue_date),
        xml=xml,
        created=datetime.datetime.combine(invoice.issue_date, datetime.time(), tzinfo=datetime.UTC),
        identifier=uuid.uuid5(invoice.pk, f"version {invoice.version}").bytes,
    )
    return Rendering(
        content=pdf,
        profile=FACTURX_PROFILE if xml is not None else "",
        xml_sha256=hashlib.sha256(xml).hexdigest() if xml is not None else "",
        template=invoice.company.pdf_template,
    )


def store_bytes(content: bytes, *, suffix: str, year: int) -> str:
    """Keep ``content`` under an unguessable name in the folder of ``year``; returns the storage name."""
    return default_storage.save(f"{year}/{secrets.token_urlsafe(24)}{suffix}", ContentFile(content))


def delete_stored(names: list[str]) -> None:
    """Remove files that no row speaks of."""
    for name in names:
        default_storage.delete(name)


def read_document(document: Document) -> bytes:
    """The frozen bytes; raises DocumentAlteredError where they no longer give the fingerprint kept with them."""
    with default_storage.open(document.storage_name) as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentAlteredError(document.storage_name)
    return content


def warm_up() -> None:
    """Load what rendering needs (libraries, fonts, styles) once, before children are forked from this process."""
    content = InvoiceContent(
        number="0",
        issue_date=datetime.date(2000, 1, 1),
        type_code="380",
        currency="EUR",
        seller=Party(name="."),
        buyer=Party(name="."),
        total_without_vat=Decimal("0.00"),
        total_vat=Decimal("0.00"),
        total_with_vat=Decimal("0.00"),
        amount_due=Decimal("0.00"),
    )
    render_invoice(content, PrintStyle(), created=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
