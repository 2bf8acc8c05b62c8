"""Addresses that the ERP changed on cards: what becomes of the login that is on the former one, by one click."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from customers.login_moves import Move, MoveRefused, OldLogin, find_old_logins, move_login
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
        hint = _what_it_means(old, each["now"]) if is_done and not decided else ""
        rows.append({**each, "place": place, "hint": hint, "moves": moves, "decided": decided})
    return rows


def _what_it_means(old: OldLogin | None, now: str) -> str:
    """What a changed address means for the account of its customer, in French."""
    if old is None:
        return _("Aucun compte ouvert n’a l’ancienne adresse : rien à décider.")
    if old.others:
        return ngettext(
            "Ce compte sert aussi un autre client : il ne suit pas.",
            "Ce compte sert aussi %(number)s autres clients : il ne suit pas.",
            old.others,
        ) % {"number": old.others}
    if not now:
        return _("La fiche n’a plus d’adresse.")
    return "" if old.is_free else _("La nouvelle adresse a déjà son compte.")


def followers(changes: list[dict[str, Any]], request: HttpRequest, batch: ImportBatch) -> list[dict[str, Any]]:
    """The ``changes`` on which nothing was decided and whose login can follow: it serves no other customer."""
    if batch.state != ImportBatch.State.IMPORTED or not request.user.has_perm(CREDENTIALS):
        return []
    open_ones = [each for each in changes if not each.get("move")]
    logins = find_old_logins((each["customer"], each["former"], each["now"]) for each in open_ones)
    found = ((each, logins.get((each["customer"], normalise_address(each["former"])))) for each in open_ones)
    return [each for each, old in found if old is not None and old.may_follow]


@require_POST
def move_addresses(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """*Faire suivre*: all logins of a report that serve no other customer, at once."""
    with transaction.atomic():
        batch = _decided_batch(request, batch_id)
        moved = 0
        for change in followers(batch.report.get("new_addresses", []), request, batch):
            customer = Customer.objects.filter(pk=change["customer"]).first()
            try:
                if customer is not None:
                    move_login(customer=customer, former=change["former"], now=change["now"], move=Move.FOLLOW)
            except MoveRefused:
                continue  # two cards took the same address: the page says so
            change["move"] = str(Move.FOLLOW)
            moved += 1
        batch.save(update_fields=["report"])
    messages.success(
        request,
        ngettext(
            "%(number)s compte suit la nouvelle adresse ; l’ancienne en est prévenue par mail.",
            "%(number)s comptes suivent la nouvelle adresse ; les anciennes en sont prévenues par mail.",
            moved,
        )
        % {"number": moved},
    )
    return redirect("admin:invoices_importbatch_change", batch_id)


def _decided_batch(request: HttpRequest, batch_id: UUID) -> ImportBatch:
    """The import whose report is in hand, locked. Raises PermissionDenied, Http404."""
    sees_imports = any(map(request.user.has_perm, SEE_IMPORTS))
    if not request.user.has_perm(CREDENTIALS) or not sees_imports:
        raise PermissionDenied
    return get_object_or_404(ImportBatch.objects.select_for_update(), pk=batch_id, state=ImportBatch.State.IMPORTED)


@require_POST
def move_address(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """*Suivre*, *Garder* or *Fermer* for one changed address of a report."""
    with transaction.atomic():
        batch = _decided_batch(request, batch_id)
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
