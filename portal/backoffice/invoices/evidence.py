"""The audit trail of one invoice as a page, and its file of evidence."""

import tempfile
from pathlib import Path
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from invoices.evidence.dossier import write_dossier
from invoices.evidence.story import list_story_steps
from invoices.models import Invoice
from portal.backoffice.ui.pages import CAN_RUN, allowed, has_any, render_page
from portal.proof import proved_lately


@allowed("invoices.view_invoice")
@require_GET
def audit_trail(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Piste d'audit*: order, invoice, mail, consultation, payment."""
    invoice = get_object_or_404(Invoice.objects.select_related("customer", "company", "document"), pk=invoice_id)
    context = {
        "title": _("Piste d’audit : %(invoice)s") % {"invoice": invoice},
        "invoice": invoice,
        "steps": list_story_steps(invoice),
        "back": reverse("admin:invoices_invoice_change", args=[invoice.pk]),
        "may_export": invoice.is_published and has_any(request, CAN_RUN),
    }
    return render_page(request, "backoffice/invoices/audit_trail.html", context)


@allowed(*CAN_RUN)
@require_GET
@proved_lately
def dossier(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Dossier de preuve*: one ZIP, noted in the trail."""
    published = Invoice.objects.published().select_related("customer", "company", "document", "corrects")
    invoice = get_object_or_404(published, pk=invoice_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    write_dossier(invoice, file)
    file.seek(0)
    filename = f"Preuve-{Path(invoice.pdf_filename).stem}.zip"
    response = FileResponse(file, as_attachment=True, filename=filename, content_type="application/zip")
    response["Cache-Control"] = "private, no-store"
    return response
