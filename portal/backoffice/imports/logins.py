"""Addresses that the ERP changed on cards: what becomes of the login that stands on the former one, by one click."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from customers.login_moves import Move, MoveRefused, find_old_logins, move_login
from customers.models import Customer
from invoices.models import ImportBatch
from mailing.addresses import normalise_address

CREDENTIALS = "customers.manage_credentials"
SEE_IMPORTS = ("invoices.import_invoices", "invoices.view_importbatch")


def addresses_of(changes: list[dict[str, Any]], request: HttpRequest, batch: ImportBatch) -> list[dict[str, Any]]:
    """The ``changes`` of a report, each with what its reader may do about the login, the proposed one first."""
    is_done = batch.state == ImportBatch.State.IMPORTED
    logins = find_old_logins((each["customer"], each["former"], each["now"]) for each in changes) if is_done else {}
    may_move = request.user.has_perm(CREDENTIALS)
    rows = []
    for place, each in enumerate(changes):
        old = logins.get((each["customer"], normalise_address(each["former"])))
        moves: list[Move] = []
        if old is not None and may_move and not each.get("move"):
            moves = [Move.FOLLOW, Move.KEEP, Move.CLOSE] if old.may_follow else [Move.KEEP, Move.CLOSE]
        decided = Move(each["move"]).label if each.get("move") in Move.values else ""
        rows.append({**each, "place": place, "login": old, "moves": moves, "decided": decided})
    return rows


@require_POST
def move_address(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """*Suivre*, *Garder* or *Fermer* for one changed address of a report."""
    sees_imports = any(map(request.user.has_perm, SEE_IMPORTS))
    if not request.user.has_perm(CREDENTIALS) or not sees_imports:
        raise PermissionDenied
    with transaction.atomic():
        batch = get_object_or_404(
            ImportBatch.objects.select_for_update(), pk=batch_id, state=ImportBatch.State.IMPORTED
        )
        changes, place = batch.report.get("new_addresses", []), request.POST.get("place", "")
        move = request.POST.get("move", "")
        if not place.isascii() or not place.isdigit() or len(place) > 9 or int(place) >= len(changes):
            raise Http404
        if move not in Move.values:
            raise Http404
        change = changes[int(place)]
        customer = Customer.objects.filter(pk=change["customer"]).first()
        if customer is None:
            raise Http404
        try:
            done = move_login(customer=customer, former=change["former"], now=change["now"], move=Move(move))
        except MoveRefused as problem:
            messages.warning(request, str(problem))
        else:
            change["move"] = move
            batch.save(update_fields=["report"])
            messages.success(request, done)
    return redirect("admin:invoices_importbatch_change", batch_id)
