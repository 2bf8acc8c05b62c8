"""Adresses en erreur: one work list, where an address is corrected and what did not arrive leaves again."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.failed_addresses import WrongAddress, correct_and_resend, list_wrong_addresses
from invoices.files.csv_tables import Column
from mailing.addresses import InvalidAddressError
from mailing.failed_addresses import count_failed_addresses, resolve_address, unresolved_addresses
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.backoffice.ui.downloads import is_too_long, send_csv, send_xlsx
from portal.backoffice.ui.lists import read_key
from portal.backoffice.ui.pages import acting_account, log_change
from portal.proof import proved_lately

MANAGE_ACCOUNTS = "customers.manage_credentials"
CAN_VIEW = "mailing.view_failedaddress"
CAN_RUN = ("mailing.change_failedaddress", "customers.change_customer")
PER_PAGE = 50
NAMED_INVOICES = 5
COLUMNS: tuple[Column[WrongAddress], ...] = (
    Column(gettext_lazy("code"), lambda wrong: wrong.customer and wrong.customer.code),
    Column(gettext_lazy("client"), lambda wrong: wrong.customer and wrong.customer.name),
    Column(gettext_lazy("adresse"), lambda wrong: wrong.address),
    Column(gettext_lazy("motif"), lambda wrong: wrong.reason),
    Column(gettext_lazy("dernier échec"), lambda wrong: wrong.failed_at),
    Column(gettext_lazy("factures"), lambda wrong: " ".join(invoice.number for invoice in wrong.invoices)),
)


@require_safe
def work_list(request: HttpRequest) -> HttpResponse:
    """The addresses in error that wait for a correction."""
    if not request.user.has_perm(CAN_VIEW):
        raise PermissionDenied
    return _page(request)


@require_POST
def correct(request: HttpRequest) -> HttpResponse:
    """*Enregistrer et renvoyer*; a refused address is shown beside its field, and stays in it."""
    if not request.user.has_perms(CAN_RUN):
        raise PermissionDenied
    customer = Customer.objects.filter(pk=read_key(request.POST.get("customer", ""))).first()
    if customer is None:
        messages.warning(request, _("Ce client a été supprimé entre-temps : rien n’a été fait."))
        return redirect(_here(request))
    old, new = request.POST.get("address", ""), request.POST.get("new", "")
    try:
        done = correct_and_resend(
            customer=customer, old=old, new=new, moves_login=request.user.has_perm(MANAGE_ACCOUNTS)
        )
    except (InvalidAddressError, NothingToDoError) as problem:
        return _page(request, refused=(old, customer.pk, new, str(problem)))
    sentence = _("Adresse corrigée : %(old)s devient %(new)s.") % {"old": old, "new": new.strip()}
    log_change(request, customer, sentence)
    resent = ngettext("%(count)d mail renvoyé.", "%(count)d mails renvoyés.", done.mails) % {"count": done.mails}
    messages.success(request, f"{sentence} {done.notice or resent}")
    return redirect(_here(request))


@require_POST
def forget(request: HttpRequest) -> HttpResponse:
    """An address without a use leaves the list."""
    if not request.user.has_perms(CAN_RUN):
        raise PermissionDenied
    address = request.POST.get("address", "")
    if resolve_address(address):
        sentence = _("%(address)s est retirée de la liste.") % {"address": address}
        LogEntry.objects.create(
            user=acting_account(request),
            content_type=ContentType.objects.get_by_natural_key("mailing", "failedaddress"),
            object_repr=address[:200],
            action_flag=CHANGE,
            change_message=sentence,
        )
        record(Action.DELETED, personal={"object": address, "change": sentence})
        messages.success(request, sentence)
    return redirect(_here(request))


@require_safe
@proved_lately
def work_list_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole list for a spreadsheet, one line per address and customer."""
    if not request.user.has_perm(CAN_VIEW):
        raise PermissionDenied
    return send_csv(COLUMNS, list_wrong_addresses(), filename="adresses-en-erreur.csv")


@require_safe
@proved_lately
def work_list_xlsx(request: HttpRequest) -> HttpResponseBase:
    """The same as a workbook."""
    if not request.user.has_perm(CAN_VIEW):
        raise PermissionDenied
    if is_too_long(request, _("téléchargez-la en CSV, qui n’a pas de limite."), unresolved_addresses()):
        return redirect(_here(request))
    return send_xlsx(COLUMNS, list_wrong_addresses(), filename="adresses-en-erreur.xlsx")


def _here(request: HttpRequest) -> str:
    """The page of the list from which one came."""
    page = request.GET.get("page", "")
    return reverse("admin:failed_addresses") + (f"?page={page}" if page.isdecimal() else "")


def _page(request: HttpRequest, refused: tuple[str, int, str, str] | None = None) -> HttpResponse:
    count = count_failed_addresses()
    page = Paginator(range(count), PER_PAGE).get_page(request.GET.get("page"))
    start = page.start_index() - 1 if count else 0
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(list_wrong_addresses(start, start + PER_PAGE)):
        is_refused = refused is not None and row.customer is not None and refused[:2] == (row.address, row.customer.pk)
        rows.append(
            {
                "number": number,
                "wrong": row,
                "named": row.invoices[:NAMED_INVOICES],
                "more": max(len(row.invoices) - NAMED_INVOICES, 0),
                "typed": refused[2] if refused and is_refused else "",
                "problem": refused[3] if refused and is_refused else "",
            }
        )
    context = {
        **admin.site.each_context(request),
        "title": _("Adresses en erreur"),
        "rows": rows,
        "count": count,
        "page": page,
        "may_act": request.user.has_perms(CAN_RUN),
    }
    return TemplateResponse(request, "backoffice/mail/failed_addresses.html", context, status=422 if refused else 200)
