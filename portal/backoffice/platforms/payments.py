"""Encaissements: what was received, typed for one invoice or given as a table; the platform is notified (212)."""

import re
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from invoices.files.csv_tables import Column
from invoices.importing.payments import PaymentReport, import_payments
from invoices.models import Invoice, Payment
from invoices.money import write_amount, write_count
from invoices.platforms.payments import PaymentRefusedError, queue_payment_statuses, record_payment
from invoices.platforms.tasks import submit_due
from portal.backoffice.platforms.forms import PaymentFileForm, PaymentForm
from portal.backoffice.ui.downloads import is_too_long, send_xlsx
from portal.backoffice.ui.pages import CAN_RUN, CAN_VIEW, add_message, allowed, log_change, render_page, staff_name
from portal.backoffice.ui.workbooks import CHUNK
from portal.bodies import accepts_files
from portal.proof import proved_lately

MOST_BYTES = 20_000_000
COLUMNS: Final[tuple[Column[Payment], ...]] = (
    Column(gettext_lazy("Facture"), lambda payment: payment.invoice.number),
    Column(gettext_lazy("Code client"), lambda payment: payment.invoice.customer.code),
    Column(gettext_lazy("Client"), lambda payment: payment.invoice.customer.name),
    Column(gettext_lazy("Encaissé le"), lambda payment: payment.date),
    Column(gettext_lazy("Montant"), lambda payment: payment.amount),
    Column(gettext_lazy("Devise"), lambda payment: payment.invoice.currency),
    Column(gettext_lazy("Statut 212"), lambda payment: _word_of_status(payment)),
    Column(gettext_lazy("Origine"), lambda payment: payment.source),
    Column(gettext_lazy("Par"), lambda payment: payment.author_name),
    Column(gettext_lazy("Saisi le"), lambda payment: payment.created_at),
)


def _word_of_status(payment: Payment) -> str:
    """What became of the notice to the platform; empty where the law asks for none."""
    latest = max(payment.submissions.all(), key=lambda submission: submission.pk, default=None)
    return str(latest.get_state_display()) if latest is not None else ""


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def payments_xlsx(request: HttpRequest) -> HttpResponseBase:
    """Every payment as a workbook, the latest first; ``?annee=2026``: those of a year."""
    rows = Payment.objects.select_related("invoice__customer").prefetch_related("submissions")
    year = request.GET.get("annee", "")
    if re.fullmatch(r"(?:19|20)[0-9]{2}", year, re.ASCII):
        rows = rows.filter(date__year=int(year))
    if is_too_long(request, _("téléchargez-la par année, avec ?annee=2026 à la fin de l’adresse."), rows):
        return redirect("admin:platform_follow_up")
    name = f"encaissements-{timezone.localdate():%Y-%m-%d}.xlsx"
    return send_xlsx(COLUMNS, rows.iterator(chunk_size=CHUNK), filename=name)


def _send_queued(queued: int) -> str:
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
            form.add_error(refusal.field, str(refusal))
        else:
            said = write_amount(payment.amount, invoice.currency)
            if is_new:
                log_change(request, invoice, _("Encaissement de %(amount)s.") % {"amount": said})
            sent = _send_queued(queue_payment_statuses(author_name=staff_name(request)))
            add_message(request, _("%(invoice)s : %(amount)s encaissés.") % {"invoice": invoice, "amount": said} + sent)
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
        add_message(request, f"{recorded}." + _send_queued(queue_payment_statuses(author_name=staff_name(request))))
        form = PaymentFileForm()
    context = {
        "title": _("Importer des encaissements"),
        "lead": _("Une facture, une date, un montant par ligne. Le même fichier deux fois ne change rien."),
        "other": (reverse("admin:platform_payments_xlsx"), _("Tous les encaissements (XLSX)")),
        "form": form,
        "rejected": report.rejected if report else [],
        "button": _("Importer les encaissements"),
        "back": reverse("admin:platform_follow_up"),
    }
    return render_page(request, "backoffice/platforms/form.html", context, status=422 if form.is_bound else 200)
