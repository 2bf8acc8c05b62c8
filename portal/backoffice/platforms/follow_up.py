"""Suivi plateforme: what waits for its submission, what a person must look at, and the buttons for both."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from invoices.documents.versions import VersionRefusedError, changed_buyer_address, publish_new_version
from invoices.files.csv_tables import Column
from invoices.models import Export, Invoice, LifecycleStatus, Platform, PlatformMessage, Submission
from invoices.money import write_count
from invoices.platforms.directory import unreachable_companies
from invoices.platforms.lifecycle import CONTRADICTED, LAST_STATUS, WHAT_TO_DO
from invoices.platforms.payments import notify_again
from invoices.platforms.submission import NotResendableError, awaiting_submission, queue_submissions, resend
from invoices.platforms.tasks import fetch_new_statuses, submit_due
from portal.backoffice.ui.downloads import is_too_long, send_xlsx
from portal.backoffice.ui.pages import (
    CAN_RUN,
    CAN_VIEW,
    add_message,
    allowed,
    has_any,
    log_change,
    render_page,
    staff_name,
)
from portal.backoffice.ui.workbooks import CHUNK
from portal.proof import proved_lately

SHOWN: Final = 100


def _first(found: "QuerySet[Any]") -> tuple[list[Any], int]:
    """The rows that are shown, and how many more there are."""
    rows = list(found[: SHOWN + 1])
    return rows[:SHOWN], max(found.count() - SHOWN, 0) if len(rows) > SHOWN else 0


def invoices_to_look_at() -> "QuerySet[Invoice]":
    """Invoices whose last status asks for somebody (207, 208, 210, 213, 501), or whose statuses contradict others."""
    return Invoice.objects.annotate(last_code=LAST_STATUS).filter(Q(last_code__in=list(WHAT_TO_DO)) | CONTRADICTED)


def _submissions(state: Submission.State) -> "QuerySet[Submission]":
    return Submission.objects.filter(state=state).select_related("invoice__customer", "platform")


def _judged() -> "QuerySet[Invoice]":
    found = invoices_to_look_at().select_related("customer").prefetch_related("statuses")
    return found.order_by("-issue_date", "-pk")


def _unread() -> "QuerySet[PlatformMessage]":
    return PlatformMessage.objects.exclude(problem="").select_related("platform").defer("content")


@allowed(*CAN_VIEW)
@require_GET
def follow_up(request: HttpRequest) -> HttpResponseBase:
    """The page."""
    rejected, waiting = _submissions(Submission.State.REJECTED), _submissions(Submission.State.DUE)
    unread = _unread()
    invoices, more_invoices = _first(_judged())
    context = {
        "title": _("Suivi plateforme"),
        "platforms": list(Platform.objects.all()),
        "unreachable": list(unreachable_companies()),
        "awaiting": awaiting_submission().count(),
        "rejected": _first(rejected),
        "waiting": _first(waiting),
        "judged": ([(invoice, *_reason_of(invoice)) for invoice in invoices], more_invoices),
        "unread": _first(unread),
        "may_act": has_any(request, CAN_RUN),
        "may_set_up": request.user.has_perm("invoices.view_platform"),
    }
    return render_page(request, "backoffice/platforms/follow_up.html", context)


def _reason_of(invoice: Any) -> tuple[LifecycleStatus | None, Any, LifecycleStatus | None]:
    """The status that asks for somebody, what is to be done, and the status that contradicts the others beside it."""
    statuses = invoice.statuses.all()
    odd = next((status for status in statuses if status.is_contradicted), None)
    if invoice.last_code in WHAT_TO_DO:
        certain = (status for status in statuses if not status.is_contradicted)
        last = next((status for status in certain if status.code == invoice.last_code), None)
        return last, WHAT_TO_DO[invoice.last_code], odd
    return odd, "" if odd is None else odd.finding, None


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A line of the page in a workbook; empty where it has no such thing."""

    what: str
    invoice: Invoice | None
    platform: Any
    at: datetime.datetime | None
    status: str
    reason: str
    to_do: str = ""


WORK_COLUMNS: Final[tuple[Column[WorkRow], ...]] = (
    Column(gettext_lazy("Quoi"), lambda row: row.what),
    Column(gettext_lazy("Facture"), lambda row: row.invoice and row.invoice.number),
    Column(gettext_lazy("Code client"), lambda row: row.invoice and row.invoice.customer.code),
    Column(gettext_lazy("Client"), lambda row: row.invoice and row.invoice.customer.name),
    Column(gettext_lazy("Montant TTC"), lambda row: row.invoice and row.invoice.total_with_vat),
    Column(gettext_lazy("Devise"), lambda row: row.invoice and row.invoice.currency),
    Column(gettext_lazy("Plateforme"), lambda row: row.platform and str(row.platform)),
    Column(gettext_lazy("Le"), lambda row: row.at),
    Column(gettext_lazy("Statut"), lambda row: row.status),
    Column(gettext_lazy("Motif"), lambda row: row.reason),
    Column(gettext_lazy("À faire"), lambda row: row.to_do),
)


def _work_rows() -> Iterator[WorkRow]:
    """All that the page lists, in its order; the page itself stops at a hundred of each."""
    for line in _submissions(Submission.State.REJECTED).iterator(chunk_size=CHUNK):
        state = line.get_state_display()
        yield WorkRow(_("Dépôt rejeté"), line.invoice, line.platform, line.answered_at, state, line.reason)
    for invoice in _judged().iterator(chunk_size=CHUNK):
        status, to_do, odd = _reason_of(invoice)
        for each, follows in ((status, to_do), (odd, odd.finding if odd is not None else "")):
            if each is not None:
                word, reason = each.get_code_display(), each.reason
                yield WorkRow(_("Facture à reprendre"), invoice, None, each.at, word, reason, str(follows))
    for line in _submissions(Submission.State.DUE).iterator(chunk_size=CHUNK):
        state = line.get_state_display()
        yield WorkRow(_("En attente de remise"), line.invoice, line.platform, line.created_at, state, line.reason)
    for message in _unread().iterator(chunk_size=CHUNK):
        yield WorkRow(_("Message non pris"), None, message.platform, message.at, "", message.problem)


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def follow_up_xlsx(request: HttpRequest) -> HttpResponseBase:
    """All that is to be done as a workbook."""
    lists = (_submissions(Submission.State.REJECTED), _judged(), _submissions(Submission.State.DUE), _unread())
    if is_too_long(request, _("traitez d’abord ce que la page montre, le plus ancien en tête."), *lists):
        return redirect("admin:platform_follow_up")
    return send_xlsx(WORK_COLUMNS, _work_rows(), filename=f"suivi-plateforme-{timezone.localdate():%Y-%m-%d}.xlsx")


@allowed(*CAN_RUN)
@require_POST
def submit(request: HttpRequest) -> HttpResponseBase:
    """*Remettre maintenant*: queue what waits (of one export, where it is named) and wake a worker up."""
    number = request.POST.get("export", "")
    export = get_object_or_404(Export, number=number) if number.isdecimal() else None
    queued = queue_submissions(awaiting_submission(export), export=export, author_name=staff_name(request))
    submit_due.enqueue()
    if queued:
        sentence = write_count(queued, _("facture part vers sa plateforme"), _("factures partent vers leur plateforme"))
        add_message(request, f"{sentence}.")
        if export is not None:
            log_change(request, export, _("Remise par l’interface demandée : %(files)s.") % {"files": queued})
    else:
        add_message(request, _("Aucune facture n’attend sa remise."), level=messages.WARNING)
    if export is not None:
        return redirect("admin:export_web_bordereau", number=export.number)
    return redirect("admin:platform_follow_up")


@allowed(*CAN_RUN)
@require_POST
def fetch(request: HttpRequest) -> HttpResponseBase:
    """*Relever les statuts*: by a worker, at once."""
    Platform.objects.update(paused_until=None)
    fetch_new_statuses.enqueue()
    add_message(request, _("Les plateformes sont interrogées : les statuts paraissent ici dans un instant."))
    return redirect("admin:platform_follow_up")


@allowed(*CAN_RUN)
@require_POST
def send_again(request: HttpRequest, pk: int) -> HttpResponseBase:
    """*Remettre à nouveau* what the platform rejected: the invoice as it is now, or the status of a payment.

    Where the customer's electronic address was corrected meanwhile, the invoice first gets a version that says so.
    """
    parts = ("invoice__customer", "invoice__company", "invoice__document__printed", "invoice__content_check")
    submission = get_object_or_404(Submission.objects.select_related(*parts), pk=pk)
    invoice = submission.invoice
    try:
        if submission.payment_id is not None:
            notify_again(submission, author_name=staff_name(request))
        else:
            if submission.can_be_resent:
                _mend_address(request, invoice)
            resend(submission, author_name=staff_name(request))
    except (NotResendableError, VersionRefusedError) as refusal:
        add_message(request, str(refusal), level=messages.WARNING)
    else:
        submit_due.enqueue()
        log_change(request, invoice, _("Remise à nouveau à la plateforme demandée."))
        add_message(request, _("%(invoice)s part à nouveau vers la plateforme.") % {"invoice": invoice})
    return redirect(reverse("admin:invoices_invoice_change", args=[submission.invoice_id]))


def _mend_address(request: HttpRequest, invoice: Invoice) -> None:
    changed = changed_buyer_address(invoice)
    if changed is None:
        return
    reason = _("Adresse électronique de l’acheteur : %(new)s au lieu de %(old)s.") % {
        "old": changed[0] or _("aucune"),
        "new": changed[1] or _("aucune"),
    }
    document = publish_new_version(invoice=invoice, reason=reason, author_name=staff_name(request))
    log_change(
        request, invoice, _("Version %(number)d publiée : %(reason)s") % {"number": document.version, "reason": reason}
    )
