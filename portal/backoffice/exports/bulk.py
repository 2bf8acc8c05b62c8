"""Export WEB › Factures: the lines of a list corrected by the hundred, and taken back until the list leaves."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import BulkAction
from invoices.exporting.bulk_corrections import (
    KINDS,
    BulkCorrection,
    BulkCorrectionDone,
    correct_all,
    corrections_made,
    customers_without_address,
    find_bulk_corrections,
    undo_correction,
)
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.reasons import Correction
from invoices.models import Export
from portal.backoffice.exports.corrections import CORRECTIONS, may_correct
from portal.backoffice.exports.pasted_addresses import ReadAddresses, read_addresses
from portal.backoffice.ui.lists import read_key
from portal.backoffice.ui.pages import CAN_RUN, acting_account, add_message, allowed, log_change, render_page

# Fields of the page of addresses: what is pasted has no such limit.
FIELDS_SHOWN = 200
FIELD = "adresse_"


@dataclass(frozen=True, slots=True)
class Offer:
    """A button of the list: what it does to how many, or the page where addresses are typed."""

    correction: BulkCorrection
    label: str

    @property
    def has_page(self) -> bool:
        """True where something is to be typed."""
        return self.correction.kind is Correction.ADDRESS


def _label(kind: Correction, count: int) -> str:
    """What the button of a correction says, in the number of its customers."""
    match kind:
        case Correction.DEMATERIALISE:
            words = ngettext("Passer le client en D", "Passer les %(count)d clients en D", count)
        case Correction.CREDENTIALS:
            words = ngettext("Créer le compte", "Créer les %(count)d comptes", count)
        case Correction.ACTIVATE:
            words = ngettext("Réactiver le compte", "Réactiver les %(count)d comptes", count)
        case _:
            words = ngettext("Saisir l’adresse", "Saisir les %(count)d adresses", count)
    return words % {"count": count}


def offer_bulk_corrections(request: HttpRequest, export: Export) -> list[Offer]:
    """What the signed-in member of staff may correct at once in ``export``."""
    return [
        Offer(correction, _label(correction.kind, correction.customers))
        for correction in find_bulk_corrections(export)
        if may_correct(request, correction.kind)
    ]


def bulk_corrections_made(request: HttpRequest, export: Export) -> list[BulkCorrectionDone]:
    """The last corrections by the hundred, with whether the signed-in member of staff may take them back."""
    corrections = {action: kind for kind, action in KINDS.items()}
    return [
        BulkCorrectionDone(
            done.action, done.is_undoable and may_correct(request, corrections[BulkAction.Kind(done.action.kind)])
        )
        for done in corrections_made(export)
    ]


@allowed(*CAN_RUN)
@require_POST
def correct(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Passer les N clients en D*, *Créer les N comptes*, *Réactiver les N comptes*."""
    export = get_object_or_404(Export, number=number)
    kind = request.POST.get("fix", "")
    if kind not in KINDS or kind == Correction.ADDRESS:
        raise Http404
    if not may_correct(request, kind):
        raise PermissionDenied
    _correct(request, export, Correction(kind))
    return redirect("admin:export_web_list", number=number)


def _correct(request: HttpRequest, export: Export, kind: Correction, addresses: dict[int, str] | None = None) -> None:
    try:
        action = correct_all(export=export, kind=kind, author=acting_account(request), addresses=addresses)
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
        return
    if action is None:
        add_message(request, _("Ces lignes ont déjà été corrigées."), level=messages.INFO)
        return
    log_change(request, export, _("Correction groupée : %(action)s (%(count)d).") % _words(action))
    if action.is_done:
        add_message(request, _("%(action)s : %(changed)d sur %(count)d.") % _words(action))
        for name, reason in action.skipped[:5]:
            add_message(request, f"{name} : {reason}", level=messages.WARNING)
    else:
        add_message(request, _("%(action)s : commencé, %(count)d en tout.") % _words(action), level=messages.INFO)


def _words(action: BulkAction) -> dict[str, Any]:
    return {"action": action, "count": action.total, "changed": action.changed}


@allowed(*CAN_RUN)
@require_POST
def undo(request: HttpRequest, number: int, action: UUID) -> HttpResponseBase:
    """*Annuler*: what a correction by the hundred changed is put back, while the list has not left."""
    export = get_object_or_404(Export, number=number)
    found = get_object_or_404(BulkAction, pk=action)
    kind = next((kind for kind, action in KINDS.items() if action == found.kind), None)
    if kind is None or not may_correct(request, kind):
        raise PermissionDenied
    try:
        count = undo_correction(export=export, action_pk=str(action), by=acting_account(request))
    except BulkAction.DoesNotExist:
        raise Http404 from None
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
    else:
        words = {"action": found, "count": count}
        sentence = _("Annulé : %(action)s (%(count)d remis comme avant).") % words
        log_change(request, export, sentence)
        add_message(request, sentence)
    return redirect("admin:export_web_list", number=number)


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def addresses(request: HttpRequest, number: int) -> HttpResponseBase:
    """The addresses of all customers of the list who have none: a table to fill in, and a place to paste them.

    Good ones are kept whatever is wrong with others, which stay on the page with what is wrong.
    """
    export = get_object_or_404(Export, number=number)
    if not request.user.has_perm(CORRECTIONS[Correction.ADDRESS].permission):
        raise PermissionDenied
    if request.method != "POST":
        return _addresses_page(request, export, ReadAddresses(), {})
    typed = {
        read_key(name.removeprefix(FIELD)): value[:254]
        for name, value in request.POST.items()
        if name.startswith(FIELD) and isinstance(value, str)
    }
    pasted = request.POST.get("colle", "")
    read = read_addresses(pasted=pasted, typed=typed, customers=customers_without_address(export))
    if read.good:
        _correct(request, export, Correction.ADDRESS, read.good)
    if read.bad_lines or read.bad_fields:
        return _addresses_page(request, export, read, typed)
    if not read.good:
        add_message(request, _("Aucune adresse n’a été donnée."), level=messages.INFO)
    return redirect("admin:export_web_list", number=number)


def _addresses_page(
    request: HttpRequest, export: Export, read: ReadAddresses, typed: dict[int, str]
) -> HttpResponseBase:
    """The table to fill in, with what was ``typed`` where it is bad."""
    left = customers_without_address(export)
    shown = [
        (
            customer,
            typed.get(customer.pk, "") if customer.pk in read.bad_fields else "",
            read.bad_fields.get(customer.pk),
        )
        for customer in left[:FIELDS_SHOWN]
    ]
    count = left.count()
    context = {
        "title": _("Adresses à saisir, export n° %(number)s") % {"number": export.number},
        "tab": "export",
        "export": export,
        "rows": shown,
        "count": count,
        "hidden": max(count - len(shown), 0),
        "bad_lines": read.bad_lines,
        "pasted": "\n".join(line for _number, line, _reason in read.bad_lines),
        "field": FIELD,
    }
    status = 422 if read.bad_lines or read.bad_fields else 200
    return render_page(request, "backoffice/exports/addresses.html", context, status=status)
