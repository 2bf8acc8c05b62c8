"""How an invoice looks with settings that are being edited: its real PDF, made for looking at and stored nowhere."""

import copy
import threading
from collections.abc import Callable

from invoices.documents.examples import example_content, example_invoice
from invoices.documents.rendering import PREVIEW_LABEL, render_preview
from invoices.documents.style import print_style
from invoices.documents.thumbnails import draw_first_page
from invoices.einvoices.einvoice import einvoice_of
from invoices.models import Company, Invoice, InvoiceQuerySet
from invoices.printing import Logo

EXAMPLE_LABEL = "Exemple"
# An A4 page that is read with ease on half a screen, also on one of two pixels per point.
PICTURE_WIDTH = 1240

# A page asks for three pictures at once: the faces are measured when they are first used, which one thread must do.
_one_at_a_time = threading.Lock()


def printed_invoices(company: Company) -> InvoiceQuerySet:
    """The invoices of ``company`` whose page we make, latest first: those that came as a PDF leave as they came."""
    received = (Invoice.Origin.FACTURX, Invoice.Origin.PDF)
    return Invoice.objects.filter(company_id=company.pk).exclude(origin__in=received).order_by("-issue_date", "-number")


def preview_settings(company: Company, invoice: Invoice | None, *, logo: Logo | None = None) -> bytes:
    """The PDF of ``invoice`` as ``company`` says now, saved or not; of an example, labelled so, where there is none.

    ``logo`` is one that was chosen and not stored yet.
    """
    return prepare_preview(company, invoice, logo=logo)()


def prepare_preview(company: Company, invoice: Invoice | None, *, logo: Logo | None = None) -> Callable[[], bytes]:
    """What renders the PDF of :func:`preview_settings`: all that it needs of the database is read before."""
    shown = copy.copy(invoice) if invoice is not None else example_invoice(company)
    shown.company = company
    style = print_style(company, shown.customer, on=shown.issue_date, logo=logo)
    content = example_content(shown) if invoice is None else einvoice_of(shown).content
    label = EXAMPLE_LABEL if invoice is None else PREVIEW_LABEL
    day = shown.issue_date

    def render() -> bytes:
        with _one_at_a_time:
            return render_preview(content, style, on=day, label=label)

    return render


def preview_pictures(company: Company, invoice: Invoice | None, *, logo: Logo | None = None) -> dict[str, bytes]:
    """The first page as a PNG, once in each template, by its name; ``company`` itself stays as it is."""
    pictures = {}
    for template in Company.PdfTemplate.values:
        dressed = copy.copy(company)
        dressed.pdf_template = template
        pictures[template] = draw_first_page(preview_settings(dressed, invoice, logo=logo), width=PICTURE_WIDTH)
    return pictures
