"""Encaissements: what was received, typed for one invoice or given as a table; the platform is notified (212)."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from invoices.importing.payments import PaymentReport, import_payments
from invoices.models import Invoice
from invoices.money import write_amount, write_count
from invoices.platforms.payments import PaymentRefusedError, queue_payment_statuses, record_payment
from invoices.platforms.tasks import submit_due
from portal.backoffice.platforms.forms import PaymentFileForm, PaymentForm
from portal.backoffice.ui.pages import CAN_RUN, add_message, allowed, log_change, render_page, staff_name
from portal.bodies import accepts_files

MOST_BYTES = 20_000_000


def _told(queued: int) -> str:
    if not queued:
        return ""
    submit_due.enqueue()
    return _(" %(statuses)s à la plateforme.") % {
        "statuses": write_count(queued, _("statut 212 part"), _("statuts 212 partent"))
    }


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def add_payment(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Saisir un encaissement* of one invoice."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    back = reverse("admin:invoices_invoice_change", args=[invoice.pk])
    form = PaymentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            payment, is_new = record_payment(
                invoice=invoice,
                date=form.cleaned_data["date"],
                amount=form.cleaned_data["amount"],
                source=_("saisi dans le back-office"),
                author_name=staff_name(request),
            )
        except PaymentRefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            said = write_amount(payment.amount, invoice.currency)
            if is_new:
                log_change(request, invoice, _("Encaissement de %(amount)s.") % {"amount": said})
            told = _told(queue_payment_statuses(author_name=staff_name(request)))
            add_message(request, _("%(invoice)s : %(amount)s encaissés.") % {"invoice": invoice, "amount": said} + told)
            return redirect(back)
    context = {
        "title": _("Saisir un encaissement : %(invoice)s") % {"invoice": invoice},
        "lead": _(
            "Pour des prestations sans option pour les débits, la plateforme reçoit le statut 212 Encaissée avec le "
            "montant par taux de TVA."
        ),
        "form": form,
        "button": _("Enregistrer l’encaissement"),
        "back": back,
    }
    return render_page(request, "backoffice/platforms/form.html", context, status=422 if form.is_bound else 200)


@accepts_files(MOST_BYTES)
@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def payment_file(request: HttpRequest) -> HttpResponseBase:
    """*Importer des encaissements*: a table, each row recorded or refused with its reason."""
    form = PaymentFileForm(request.POST, request.FILES) if request.method == "POST" else PaymentFileForm()
    report: PaymentReport | None = None
    if form.is_bound and form.is_valid():
        given = form.cleaned_data["file"]
        report = import_payments(given.read(), given.name or "", author_name=staff_name(request))
        for payment in report.payments:
            said = write_amount(payment.amount, payment.invoice.currency)
            log_change(request, payment.invoice, _("Encaissement de %(amount)s, importé.") % {"amount": said})
        recorded = write_count(len(report.payments), _("encaissement enregistré"), _("encaissements enregistrés"))
        add_message(request, f"{recorded}." + _told(queue_payment_statuses(author_name=staff_name(request))))
        form = PaymentFileForm()
    context = {
        "title": _("Importer des encaissements"),
        "lead": _("Une facture, une date, un montant par ligne. Le même fichier deux fois ne change rien."),
        "form": form,
        "rejected": report.rejected if report else [],
        "button": _("Importer les encaissements"),
        "back": reverse("admin:platform_follow_up"),
    }
    return render_page(request, "backoffice/platforms/form.html", context, status=422 if form.is_bound else 200)
