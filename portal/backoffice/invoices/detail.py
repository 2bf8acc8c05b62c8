"""The page of one invoice: its frozen document, its story, and sending it again."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from customers.models import Account
from invoices.documents.printed_content import printed_content_of
from invoices.einvoices.xml_files import read_xml, xml_source_of
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.items import Badge
from invoices.exporting.report import exports_of
from invoices.exporting.resending import ResendPlan, plan_resending, resend_invoice
from invoices.formats.findings import Severity
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Document, Invoice
from invoices.money import write_count
from invoices.platforms.channel import describe_channel, is_copy
from invoices.platforms.lifecycle import last_status
from invoices.store.frozen import DocumentAlteredError, read_document
from mailing.failed_addresses import known_bad
from portal.backoffice.invoices.forms import ResendForm
from portal.backoffice.ui.pages import CAN_RUN, RESEND, add_message, allowed, has_any, log_change, render_page

CheckState = Invoice.CheckState
# The states of the palette in which a check and what it found are shown.
CHECK_COLOURS = {CheckState.VALID: "ready", CheckState.INVALID: "left_out"}
SEVERITIES = {
    Severity.ERROR: Badge(gettext_lazy("erreur"), "failed"),
    Severity.WARNING: Badge(gettext_lazy("avertissement"), "deferred"),
}

LINES_SHOWN = 500
CONSULTATIONS_SHOWN = 50
VIEW = ("invoices.view_invoice",)


def invoice_context(request: HttpRequest, invoice: Invoice) -> dict[str, Any]:
    """All that the page shows, in a bounded number of queries."""
    content = printed_content_of(invoice)
    document = invoice.document
    consultations = list(invoice.consultations.order_by("-at")[: CONSULTATIONS_SHOWN + 1])
    return {
        "invoice": invoice,
        "content": content,
        "lines": content.lines[:LINES_SHOWN],
        "hidden_lines": max(len(content.lines) - LINES_SHOWN, 0),
        "document": document,
        "versions": list(invoice.documents.order_by("role", "-version")),
        "exports": exports_of(invoice),
        "consultations": consultations[:CONSULTATIONS_SHOWN],
        "has_more_consultations": len(consultations) > CONSULTATIONS_SHOWN,
        "channel": describe_channel(invoice),
        "is_copy": is_copy(invoice),
        "has_xml": xml_source_of(invoice) is not None,
        "check": invoice.content_check,
        "shows_check": invoice.content_check is not None or invoice.check_state != CheckState.UNCHECKED,
        "check_colour": CHECK_COLOURS.get(CheckState(invoice.check_state), ""),
        "findings": [
            (finding, SEVERITIES[Severity(finding["severity"])])
            for finding in (invoice.content_check.findings if invoice.content_check else ())
        ],
        "statuses": list(invoice.statuses.all()),
        "last_status": last_status(invoice),
        "handovers": list(invoice.handovers.all()),
        "submissions": list(invoice.submissions.select_related("platform").order_by("-pk")),
        "payments": list(invoice.payments.all()),
        "may_act": has_any(request, CAN_RUN),
        "may_resend": invoice.is_published and has_any(request, RESEND),
    }


@allowed(*VIEW)
@require_GET
def document(request: HttpRequest, invoice_id: UUID, pk: int) -> HttpResponseBase:
    """The frozen bytes of one version, checked against their fingerprint. Staff never count as consulted."""
    found = get_object_or_404(Document.objects.select_related("invoice"), pk=pk, invoice=invoice_id)
    try:
        content = read_document(found)
    except FileNotFoundError as missing:
        raise Http404(_("Le fichier de ce document est introuvable.")) from missing
    except DocumentAlteredError:
        return _altered()
    is_pdf = found.role == Document.Role.PDF
    filename = found.invoice.pdf_filename if is_pdf else found.invoice.pdf_filename.removesuffix(".pdf") + ".xml"
    response = HttpResponse(content, content_type="application/pdf" if is_pdf else "application/xml")
    as_attachment = "telecharger" in request.GET or not is_pdf
    response["Content-Disposition"] = content_disposition_header(as_attachment, filename) or "inline"
    response["Cache-Control"] = "private, no-store"
    return response


@allowed(*VIEW)
@require_GET
def xml(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """The XML by itself: the one that came, or the one inside of the PDF. Staff never count as consulted."""
    invoice = get_object_or_404(Invoice.objects.select_related("document"), pk=invoice_id)
    source = xml_source_of(invoice)
    if source is None:
        raise Http404(_("Cette facture n’a pas de XML."))
    try:
        content = read_xml(source)
    except FileNotFoundError as missing:
        raise Http404(_("Le fichier de ce document est introuvable.")) from missing
    except DocumentAlteredError:
        return _altered()
    except UnreadableEInvoice as refusal:
        return HttpResponse(refusal.reason, content_type="text/plain; charset=utf-8", status=409)
    response = HttpResponse(content, content_type="application/xml")
    filename = invoice.pdf_filename.removesuffix(".pdf") + ".xml"
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


def _altered() -> HttpResponse:
    sentence = _("Le fichier enregistré ne correspond plus à son empreinte SHA-256 : il n’est pas montré.")
    return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=409)


@allowed(*RESEND)
@require_http_methods(["GET", "HEAD", "POST"])
def resend(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Renvoyer*: to whom, with or without the PDF; then once, whatever is pressed twice."""
    invoices = Invoice.objects.select_related("customer", "company", "document")
    invoice = get_object_or_404(invoices, pk=invoice_id)
    back = reverse("admin:invoices_invoice_change", args=[invoice.pk])
    try:
        plan = plan_resending(invoice)
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
        return redirect(back)
    form = _resend_form(request, plan)
    if request.method == "POST" and form.is_valid():
        _resend(request, invoice, plan, form.cleaned_data)
        return redirect(back)
    return render_page(
        request,
        "backoffice/invoices/resend.html",
        {
            "title": _("Renvoyer : %(invoice)s") % {"invoice": invoice},
            "invoice": invoice,
            "form": form,
            "plan": plan,
            "back": back,
        },
        status=422 if form.is_bound else 200,
    )


def _resend_form(request: HttpRequest, plan: ResendPlan) -> ResendForm:
    """To whom: all accounts are offered, those whose address is not in error are ticked."""
    bad = known_bad([account.login for account in plan.accounts])
    return ResendForm(
        request.POST or None,
        accounts=[(str(account.pk), _choice(account, bad)) for account in plan.accounts],
        initial={
            "sending": plan.sending,
            "attach_pdf": True,
            "accounts": [str(account.pk) for account in plan.accounts if account.login not in bad],
        },
    )


def _resend(request: HttpRequest, invoice: Invoice, plan: ResendPlan, chosen: dict[str, Any]) -> None:
    """Resend as ``chosen`` in a valid form, and say what was done or why nothing was."""
    accounts = [account for account in plan.accounts if str(account.pk) in set(chosen["accounts"])]
    try:
        count = resend_invoice(
            invoice=invoice, accounts=accounts, sending=chosen["sending"], attach_pdf=chosen["attach_pdf"]
        )
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
        return
    logins = ", ".join(account.login for account in accounts)
    log_change(request, invoice, _("Renvoyée à %(logins)s.") % {"logins": logins})
    queued = write_count(count, _("mail mis en file"), _("mails mis en file"))
    add_message(request, f"{queued}\u00a0: {logins}.")


def _choice(account: Account, bad: dict[str, str]) -> str:
    return _("%(login)s (adresse en erreur)") % {"login": account.login} if account.login in bad else account.login
