"""The way of an e-invoice in the back-office: its status, its hand-over to a platform, a new version of it."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from invoices.documents.versions import VersionRefusedError, publish_new_version
from invoices.einvoices.tasks import request_checks
from invoices.files.archives import GivenFile
from invoices.formats.extraction import MAX_PDF_BYTES
from invoices.models import Company, Export, Invoice, LifecycleStatus
from invoices.money import write_count
from invoices.platforms.handover import (
    Format,
    awaiting_handover,
    einvoices_to_hand_over,
    handover_archive,
    note_handed_over,
    warned_of,
    without_einvoice,
)
from invoices.platforms.lifecycle import StatusRefusedError, StatusReport, import_statuses, record_status
from portal.backoffice.platforms.forms import (
    STATUSES_MEGABYTES,
    HandoverForm,
    NewVersionForm,
    StatusFilesForm,
    StatusForm,
)
from portal.backoffice.ui.downloads import send_zip
from portal.backoffice.ui.pages import (
    CAN_RUN,
    add_message,
    allowed,
    log_change,
    log_change_of_all,
    render_page,
    staff_name,
)
from portal.bodies import accepts_files
from portal.notices import report_incomplete_archive
from portal.proof import proved_lately

TEMPLATE = "backoffice/platforms/form.html"
STATUSES_SHOWN = 200


def _page_of(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_change", args=[invoice.pk])


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def add_status(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Saisir un statut*, as the platform's pages show it."""
    invoice = get_object_or_404(Invoice, pk=invoice_id)
    form = StatusForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                status, is_new = record_status(
                    invoice=invoice,
                    code=form.cleaned_data["code"],
                    at=form.cleaned_data["at"],
                    reason=form.cleaned_data["reason"],
                    source=_("saisi dans le back-office"),
                    author_name=staff_name(request),
                )
                if status.is_contradicted:  # who types it can look first
                    raise StatusRefusedError(status.finding)
        except StatusRefusedError as refusal:
            lacks_reason = (
                form.cleaned_data["code"] in LifecycleStatus.NEED_A_REASON and not form.cleaned_data["reason"]
            )
            form.add_error("reason" if lacks_reason else "at", str(refusal))
        else:
            if is_new:
                log_change(request, invoice, _("Statut %(status)s.") % {"status": status.get_code_display()})
            add_message(
                request, _("%(invoice)s : %(status)s.") % {"invoice": invoice, "status": status.get_code_display()}
            )
            if status.finding:
                add_message(request, status.finding, level=messages.WARNING)
            return redirect(_page_of(invoice))
    context = {
        "title": _("Saisir un statut : %(invoice)s") % {"invoice": invoice},
        "lead": _(
            "Le statut est celui que montre la plateforme. Ses messages (CDAR) s’importent aussi, plusieurs à la fois."
        ),
        "other": (reverse("admin:export_web_statuses"), _("Importer des messages de statut")),
        "form": form,
        "button": _("Enregistrer le statut"),
        "back": _page_of(invoice),
    }
    return render_page(request, TEMPLATE, context, status=422 if form.is_bound else 200)


@accepts_files(STATUSES_MEGABYTES * 1024 * 1024)
@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def statuses(request: HttpRequest) -> HttpResponseBase:
    """*Importer des statuts*: the messages of a platform, each recorded whole or refused with its reason."""
    form = StatusFilesForm(request.POST, request.FILES) if request.method == "POST" else StatusFilesForm()
    report: StatusReport | None = None
    if form.is_bound and form.is_valid():
        given = [GivenFile(file.name or "", file.read()) for file in form.cleaned_data["messages"]]
        report = import_statuses(given, author_name=staff_name(request))
        for status in report.statuses:
            sentence = _("Statut %(status)s, importé : %(source)s.")
            log_change(
                request,
                status.invoice,
                sentence % {"status": status.get_code_display(), "source": status.source},
            )
        form = StatusFilesForm()
    context = {
        "title": _("Importer des statuts"),
        "form": form,
        "report": report,
        "shown": report.statuses[:STATUSES_SHOWN] if report else [],
        "hidden": max(report.recorded - STATUSES_SHOWN, 0) if report else 0,
    }
    return render_page(request, "backoffice/platforms/statuses.html", context, status=422 if form.is_bound else 200)


@accepts_files(MAX_PDF_BYTES)
@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def new_version(request: HttpRequest, invoice_id: UUID) -> HttpResponseBase:
    """*Publier une nouvelle version*: the same amounts, said right; the earlier versions stay."""
    invoices = Invoice.objects.select_related("customer", "company", "document", "content_check")
    invoice = get_object_or_404(invoices, pk=invoice_id)
    form = NewVersionForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            document = publish_new_version(
                invoice=invoice,
                reason=form.cleaned_data["reason"],
                author_name=staff_name(request),
                pdf=form.cleaned_data["pdf"],
            )
        except VersionRefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            request_checks()
            log_change(
                request,
                invoice,
                _("Version %(number)d publiée : %(reason)s") % {"number": document.version, "reason": document.reason},
            )
            add_message(
                request,
                _("%(invoice)s : version %(number)d publiée.") % {"invoice": invoice, "number": document.version},
            )
            return redirect(_page_of(invoice))
    context = {
        "title": _("Nouvelle version : %(invoice)s") % {"invoice": invoice},
        "lead": _(
            "Le client voit la nouvelle version à la place de l’ancienne, qui reste consultable. Les montants ne "
            "changent pas : d’autres montants demandent un avoir. Aucun mail ne part."
        ),
        "form": form,
        "button": _("Publier la nouvelle version"),
        "back": _page_of(invoice),
    }
    return render_page(request, TEMPLATE, context, status=422 if form.is_bound else 200)


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
@proved_lately
def hand_over(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Remettre à la plateforme*: the e-invoices of an export as a ZIP, each marked as handed over once it has left."""
    export = get_object_or_404(Export, number=number)
    back = reverse("admin:export_web_bordereau", args=[export.number])
    platforms = einvoices_to_hand_over(export, again=True).order_by().values_list("company__platform_name", flat=True)
    form = HandoverForm(request.POST or None, initial={"platform": next(iter(platforms.distinct()[:1]), "")})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["form"]
        invoices = einvoices_to_hand_over(export, form=_format(chosen), again=form.cleaned_data["again"])
        if count := invoices.count():
            files = write_count(count, _("e-facture"), _("e-factures"))
            if chosen == HandoverForm.NO_FILES:
                _note_without_files(request, form, invoices, export)
                log_change(request, export, _("Notées comme remises sans fichier : %(files)s.") % {"files": files})
                return redirect(back)
            log_change(request, export, _("Archive pour la plateforme demandée : %(files)s.") % {"files": files})
            return _archive(request, form, invoices, export, name=f"remise-export-{export.number}-{chosen}.zip")
        add_message(request, _("Cet export n’a aucune e-facture à remettre."), level=messages.WARNING)
        return redirect(back)
    context = {
        "title": _("Remettre à la plateforme : %(export)s") % {"export": export},
        "lead": _("À remettre : %(due)d ; déjà remises : %(done)d ; sans e-facture : %(plain)d.%(warned)s")
        % {
            "due": (due := einvoices_to_hand_over(export).count()),
            "done": einvoices_to_hand_over(export, again=True).count() - due,
            "plain": without_einvoice(export).count(),
            "warned": _write_warned(warned_of(einvoices_to_hand_over(export)).count()),
        },
        "form": form,
        "button": _("Remettre"),
        "back": back,
    }
    return render_page(request, TEMPLATE, context, status=422 if form.is_bound else 200)


def _write_warned(warned: int) -> str:
    if not warned:
        return ""
    files = write_count(warned, _("e-facture à remettre porte"), _("e-factures à remettre portent"))
    return _(" %(files)s des avertissements du contrôle : la colonne « warnings » du manifeste les donne.") % {
        "files": files
    }


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
@proved_lately
def hand_over_all(request: HttpRequest) -> HttpResponseBase:
    """*Remettre tout*: all that the law sends through a platform and that waits, whatever its export."""
    back = f"{reverse('admin:invoices_invoice_changelist')}?etat=a-remettre"
    waiting = awaiting_handover()
    platforms = list(waiting.order_by().values_list("company__platform_name", flat=True).distinct()[:2])
    # Of several companies, each has its own platform: an empty field says so.
    form = HandoverForm(request.POST or None, initial={"platform": platforms[0] if len(platforms) == 1 else ""})
    del form.fields["again"]
    count = waiting.count()
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["form"]
        if not count:
            add_message(request, _("Plus aucune facture n’attend sa remise."), level=messages.WARNING)
            return redirect(back)
        if chosen == HandoverForm.NO_FILES:
            _note_without_files(request, form, waiting, None)
            return redirect(back)
        files = write_count(count, _("e-facture"), _("e-factures"))
        companies = list(Company.objects.filter(pk__in=waiting.order_by().values("company")))
        log_change_of_all(request, companies, _("Archive pour la plateforme demandée : %(files)s.") % {"files": files})
        return _archive(request, form, waiting, None, name=f"remise-{timezone.localdate():%Y-%m-%d}-{chosen}.zip")
    context = {
        "title": _("Remettre tout à la plateforme"),
        "lead": _(
            "%(count)s : publiées, à transmettre par une plateforme et pas encore remises. Chacune est notée comme "
            "remise une fois l’archive téléchargée en entier.%(warned)s"
        )
        % {
            "count": write_count(count, _("facture"), _("factures")),
            "warned": _write_warned(warned_of(waiting).count()),
        },
        "form": form,
        "button": _("Remettre"),
        "back": back,
    }
    return render_page(request, TEMPLATE, context, status=422 if form.is_bound else 200)


def _format(chosen: str) -> Format:
    """The files that are asked for; what reached the platform without us counts as whole e-invoices."""
    return Format.FACTURX if chosen == HandoverForm.NO_FILES else Format(chosen)


def _note_without_files(
    request: HttpRequest, form: HandoverForm, invoices: "QuerySet[Invoice]", export: Export | None
) -> None:
    """Mark ``invoices`` as handed over, each in its own history too, and say how many."""
    sentence = _("Notée comme remise à la plateforme, sans fichier.")
    marked = note_handed_over(
        invoices,
        export=export,
        platform=form.cleaned_data["platform"].strip(),
        author_name=staff_name(request),
        on_marked=lambda marked: log_change_of_all(request, marked, sentence),
    )
    noted = write_count(marked, _("e-facture notée comme remise"), _("e-factures notées comme remises"))
    add_message(request, f"{noted}.")


def _archive(
    request: HttpRequest, form: HandoverForm, invoices: "QuerySet[Invoice]", export: Export | None, *, name: str
) -> HttpResponseBase:
    """The ZIP of ``invoices``, marked once it was read whole."""
    return send_zip(
        handover_archive(
            invoices,
            form=_format(form.cleaned_data["form"]),
            export=export,
            platform=form.cleaned_data["platform"].strip(),
            author_name=staff_name(request),
            unavailable=partial(report_incomplete_archive, request, name),
        ),
        filename=name,
    )
