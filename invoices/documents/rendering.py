"""The document of an invoice, rendered once at its export."""

import datetime
import hashlib
import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from customers.languages import language_of_country
from customers.models import Account
from invoices.documents.printed_content import content_to_keep
from invoices.documents.style import print_style
from invoices.einvoices.einvoice import EInvoice, einvoice_of
from invoices.en16931.model import InvoiceContent, Party
from invoices.models import Document, Invoice
from invoices.platforms.channel import is_copy
from invoices.printing import PrintStyle, render_invoice
from invoices.store.frozen import read_document

logger = logging.getLogger(__name__)

COPY_LABEL = "Copie"
PREVIEW_LABEL = "Aperçu"


@dataclass(frozen=True, slots=True)
class Rendering:
    """A PDF before it is stored."""

    content: bytes
    profile: str
    xml_sha256: str
    template: str
    printed: dict[str, Any] | None = None
    """What must be kept beside the document for pages that show it (:mod:`invoices.documents.printed_content`)."""

    sha256: str = field(init=False)
    """The fingerprint of the bytes, as people compare it (64 hexadecimal digits)."""

    def __post_init__(self) -> None:
        """Computed once: it goes into the name, the row and the mail."""
        object.__setattr__(self, "sha256", hashlib.sha256(self.content).hexdigest())


class IncompleteIssuerError(ValueError):
    """The legal identity of the issuing company is not complete; the message is a French sentence."""


def check_issuer(invoice: Invoice) -> None:
    """Raise :class:`IncompleteIssuerError` where ``invoice`` would state an issuer without legal identity.

    E-invoices state their issuer themselves; rows of a table get it from «Paramétrage société».
    """
    if invoice.origin == Invoice.Origin.CSV and (missing := invoice.company.missing_identity()):
        raise IncompleteIssuerError(
            _("L’identité de la société est incomplète (il manque : %(missing)s).") % {"missing": ", ".join(missing)}
        )


def document_language(invoice: Invoice) -> str:
    """The language of the labels of a PDF: its customer's, where the company offers it, else French.

    A customer's is that of his first open account, else that of his country. No query where French is all there is.
    """
    offered = invoice.company.languages
    if not offered:
        return settings.LANGUAGE_CODE
    accounts = Account.objects.filter(accesses__customer=invoice.customer, is_active=True).order_by("pk")
    chosen = accounts.values_list("language", flat=True).first()
    wanted = chosen or language_of_country(invoice.customer.country)
    return wanted if wanted in offered else settings.LANGUAGE_CODE


def render_document(invoice: Invoice, einvoice: EInvoice | None = None) -> Rendering:
    """The PDF of ``invoice`` as its customer gets it: Factur-X for professionals, a plain PDF/A-3 for individuals.

    ``einvoice`` is what was checked, made again where it is not given. The same invoice gives the same bytes: the
    identifier comes from what it is, the time from its date of issue. A PDF without XML of an invoice that must go
    through a platform is labelled as the copy that it is; a Factur-X is not, since its very bytes are what the
    platform gets: there the pages say so. Raises :class:`IncompleteIssuerError`.
    """
    check_issuer(invoice)
    einvoice = einvoice or einvoice_of(invoice)
    xml = einvoice.xml
    style = print_style(invoice.company, invoice.customer, on=invoice.issue_date)
    label = COPY_LABEL if xml is None and is_copy(invoice) else ""
    # Only what is printed: the XML and what is kept beside it were made before, in French.
    with override(document_language(invoice)):
        pdf = render_invoice(
            einvoice.content,
            style,
            xml=xml,
            created=datetime.datetime.combine(invoice.issue_date, datetime.time(), tzinfo=datetime.UTC),
            identifier=uuid.uuid5(invoice.pk, f"version {invoice.version}").bytes,
            label=_(label) if label else "",
        )
    return Rendering(
        content=pdf,
        profile=einvoice.profile,
        xml_sha256=einvoice.xml_sha256,
        template=invoice.company.pdf_template,
        printed=content_to_keep(invoice, einvoice.content),
    )


def preview_document(invoice: Invoice) -> bytes:
    """The PDF as it would be frozen now, with «Aperçu» under its title and no e-invoice inside; never stored.

    A document that came from the ERP is shown as it is: that is what will be published.
    """
    received = received_document(invoice)
    if received is not None:
        return read_document(received)
    style = print_style(invoice.company, invoice.customer, on=invoice.issue_date)
    content = einvoice_of(invoice).content
    with override(document_language(invoice)):
        return render_preview(content, style, on=invoice.issue_date, label=PREVIEW_LABEL)


def render_preview(content: InvoiceContent, style: PrintStyle, *, on: datetime.date, label: str) -> bytes:
    """The PDF of ``content`` dated ``on``, with ``label`` under its title and no e-invoice inside; never stored."""
    created = datetime.datetime.combine(on, datetime.time(), tzinfo=datetime.UTC)
    return render_invoice(content, style, created=created, label=label)


def received_document(invoice: Invoice) -> Document | None:
    """The PDF that came from the ERP with ``invoice``, which is published as it is; None where we make one."""
    if invoice.origin not in (Invoice.Origin.FACTURX, Invoice.Origin.PDF):
        return None
    return invoice.documents.filter(role=Document.Role.PDF).order_by("-version").first()


def warm_up(invoices: Iterable[Invoice] = ()) -> None:
    """Load what rendering needs (libraries, fonts, styles) once, before children are forked from this process.

    ``invoices``: some that look like those to come, rendered for nothing; one that cannot be rendered is left aside.
    """
    is_warm = False
    for invoice in invoices:
        try:
            render_document(invoice)
            is_warm = True
        except Exception:
            logger.debug("Invoice %s cannot be rendered: its export will say why", invoice.number, exc_info=True)
    if not is_warm:
        render_invoice(_EMPTY, PrintStyle(), created=datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))


_EMPTY = InvoiceContent(
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
