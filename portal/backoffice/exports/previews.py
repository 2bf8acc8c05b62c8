"""Export WEB › Factures: what a line of a list would send, before it is sent."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from invoices.documents.rendering import preview_document, received_document
from invoices.exporting.criteria import Criteria
from invoices.exporting.mail_previews import preview_mails
from invoices.models import ExportItem
from invoices.store.frozen import DocumentAlteredError
from portal.backoffice.ui.mail_frames import framed
from portal.backoffice.ui.pages import CAN_VIEW, allowed, render_page


def _item(number: int, pk: int) -> ExportItem:
    """A line with all that its previews read; a 404 where it is not of this list."""
    items = ExportItem.objects.select_related(
        "export", "document", "invoice__customer", "invoice__company", "invoice__corrects"
    )
    return get_object_or_404(items, export__number=number, pk=pk)


@allowed(*CAN_VIEW)
@require_GET
def preview(request: HttpRequest, number: int, pk: int) -> HttpResponseBase:
    """What a line would send, before it is sent: its PDF and its mails."""
    item = _item(number, pk)
    siblings = ExportItem.objects.ready().filter(export=item.export).order_by("pk")
    return render_page(
        request,
        "backoffice/exports/preview.html",
        {
            "title": _("Aperçu : %(invoice)s") % {"invoice": item.invoice},
            "tab": "export",
            "item": item,
            "export": item.export,
            "criteria": Criteria.from_json(item.export.criteria),
            "is_received": received_document(item.invoice) is not None,
            "mails": preview_mails(item),
            "previous": siblings.filter(pk__lt=pk).last(),
            "next": siblings.filter(pk__gt=pk).first(),
        },
    )


@allowed(*CAN_VIEW)
@require_GET
def preview_pdf(request: HttpRequest, number: int, pk: int) -> HttpResponseBase:
    """The PDF of a line, made for this answer and kept nowhere."""
    invoice = _item(number, pk).invoice
    try:
        content = preview_document(invoice)
    except (FileNotFoundError, DocumentAlteredError) as error:
        raise Http404(_("Le document reçu de l’ERP est introuvable ou altéré.")) from error
    response = HttpResponse(content, content_type="application/pdf")
    disposition = content_disposition_header(False, f"Apercu-{invoice.pdf_filename}")
    response["Content-Disposition"] = disposition or "inline"
    response["Cache-Control"] = "private, no-store"
    return response


@framed
@allowed(*CAN_VIEW)
@require_GET
def preview_mail(request: HttpRequest, number: int, pk: int, position: int) -> HttpResponseBase:
    """The HTML part of one of the mails of a line, for the frame of its preview; passwords are masked."""
    mails = preview_mails(_item(number, pk))
    if position >= len(mails):
        raise Http404
    return HttpResponse(mails[position].html)
