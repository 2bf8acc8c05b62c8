"""Corrections of a list by the hundred: all customers who have one reason, at once, and taken back until it leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import uuid4

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from customers.bulk_actions import bulk_actions_under_way, create_bulk_action, without_those_of
from customers.bulk_undo import is_undoable, undo_bulk_action
from customers.models import Account, BulkAction, Customer
from customers.recipients import find_recipients_of
from customers.tasks import start_bulk_action
from invoices.einvoices.tasks import request_checks
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import NothingToDoError, recheck_open_lists
from invoices.exporting.reasons import REASONS, Correction
from invoices.models import Export, ExportItem

State, ItemState = Export.State, ExportItem.State
CORRECTABLE: Final = (State.DRAFT, State.PAUSED)
# The corrections that can be made at once, and what does each.
KINDS: Final = {
    Correction.DEMATERIALISE: BulkAction.Kind.DEMATERIALISE,
    Correction.CREDENTIALS: BulkAction.Kind.CREATE,
    Correction.ACTIVATE: BulkAction.Kind.ACTIVATE,
    Correction.ADDRESS: BulkAction.Kind.ADDRESS,
}
_REASONS: Final = {
    str(row.reason): row.correction for row in REASONS if row.correction is not None and row.correction in KINDS
}
_ORIGIN: Final = "export"
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class BulkCorrection:
    """A correction that can be made at once: of how many customers, and of how many lines.

    ``under_way`` is the bulk action that has all of its customers in hand; ``customers`` does not count those that one
    has.
    """

    kind: Correction
    customers: int
    lines: int
    under_way: BulkAction | None = None


@dataclass(frozen=True, slots=True)
class BulkCorrectionDone:
    """A correction by the hundred that was asked for; ``is_undoable`` while the list has not left."""

    action: BulkAction
    is_undoable: bool


def find_bulk_corrections(export: Export) -> list[BulkCorrection]:
    """What can be corrected at once in ``export``, in the order of the reasons; few queries."""
    if export.state not in CORRECTABLE:
        return []
    rows = (
        ExportItem.objects.filter(export=export, state=ItemState.LEFT_OUT, reason__in=_REASONS)
        .order_by()
        .values_list("reason")
        .annotate(Count("invoice__customer", distinct=True), Count("pk"))
    )
    counts = {reason: (customers, lines) for reason, customers, lines in rows}
    running = _under_way()
    return [
        _without_running(export, BulkCorrection(kind, *counts[reason]), running[KINDS[kind]])
        for reason, kind in _REASONS.items()
        if reason in counts
    ]


def _under_way() -> dict[str, list[BulkAction]]:
    found: dict[str, list[BulkAction]] = {kind: [] for kind in KINDS.values()}
    for action in BulkAction.objects.filter(kind__in=found).exclude(state=BulkAction.State.DONE):
        found[action.kind].append(action)
    return found


def _without_running(export: Export, correction: BulkCorrection, running: list[BulkAction]) -> BulkCorrection:
    """``correction`` of the customers that no bulk action has in hand."""
    if not running:
        return correction
    asked = _targets(export, correction.kind)
    left = without_those_of(running, asked)
    if not left:
        return replace(correction, under_way=running[0])
    return replace(correction, customers=correction.customers - len(asked) + len(left))


def customers_to_correct(export: Export, kind: Correction) -> "QuerySet[Customer]":
    """The customers of the lines that ``kind`` would correct, by code."""
    reasons = [reason for reason, known in _REASONS.items() if known is kind]
    lines = ExportItem.objects.filter(export=export, state=ItemState.LEFT_OUT, reason__in=reasons).order_by()
    return Customer.objects.filter(pk__in=lines.values("invoice__customer")).order_by("code")


def customers_without_address(export: Export) -> "QuerySet[Customer]":
    """The customers whose address is to be given, by code; not those whose address a bulk action is writing."""
    asked = customers_to_correct(export, Correction.ADDRESS)
    taken = {key for action in bulk_actions_under_way(BulkAction.Kind.ADDRESS) for key in action.targets}
    return asked.exclude(pk__in=taken) if taken else asked


def correct_all(
    *, export: Export, kind: Correction, author: Account, addresses: Mapping[int, str] | None = None
) -> BulkAction | None:
    """Correct every customer who has the reason of ``kind``; None where no customer has it any more.

    ``addresses`` are those of the customers (by primary key) for ``Correction.ADDRESS``; others are left. Small
    corrections are made at once, large ones by a worker; the lines are judged again with each step. Raises
    NothingToDoError where the list has left, or where a bulk action has all of them in hand.
    """
    if export.state not in CORRECTABLE:
        raise NothingToDoError(_("La liste est déjà partie : ses lignes ne changent plus."))
    targets = _targets(export, kind, addresses)
    if not targets:
        return None
    key = uuid4()
    action = create_bulk_action(
        kind=KINDS[kind],
        targets=targets,
        author=author,
        origin=_origin(export.pk),
        contacts=Criteria.from_json(export.criteria).contacts if kind is Correction.CREDENTIALS else None,
        given=addresses,
        key=key,
    )
    if action.pk != key:
        words = {"action": action, "done": action.position, "total": action.total}
        raise NothingToDoError(_("%(action)s : déjà en cours, %(done)d sur %(total)d.") % words)
    return start_bulk_action(action)


def _targets(export: Export, kind: Correction, addresses: Mapping[int, str] | None = None) -> list[int]:
    """What ``kind`` is done to: the customers to correct (of ``addresses`` alone), or their closed accounts."""
    customers = customers_to_correct(export, kind)
    if addresses is not None:
        customers = customers.filter(pk__in=list(addresses))
    if kind is not Correction.ACTIVATE:
        return list(customers.values_list("pk", flat=True))
    found = find_recipients_of(customers, Criteria.from_json(export.criteria).contacts).values()
    accounts = [one.account for each in found for one in each.recipients if one.account is not None]
    return sorted({account.pk for account in accounts if not account.is_active})


def corrections_made(export: Export) -> list[BulkCorrectionDone]:
    """The last corrections by the hundred of ``export``, newest first."""
    found = BulkAction.objects.filter(origin=_origin(export.pk), undone_at=None).order_by("-created_at")[:SHOWN]
    is_open = export.state == State.DRAFT
    return [BulkCorrectionDone(action, is_open and is_undoable(action)) for action in found]


@transaction.atomic
def undo_correction(*, export: Export, action_pk: str, by: Account) -> int:
    """Take a correction by the hundred back; returns how many customers or accounts changed.

    Raises NothingToDoError where the list has left, BulkAction.DoesNotExist where it had no such correction.
    """
    # Whoever starts the list waits here, or has started it before.
    locked = Export.objects.select_for_update().get(pk=export.pk)
    action = BulkAction.objects.get(pk=action_pk, origin=_origin(export.pk))
    if locked.state != State.DRAFT:
        raise NothingToDoError(_("La liste est déjà partie : cette correction ne s’annule plus."))
    return undo_bulk_action(bulk_action=action, by=by)


def recheck_after_step(bulk_action: BulkAction, customers: Sequence[int]) -> None:
    """Judge the lines of the customers again that a step has changed, in every list that has not left."""
    if customers:
        recheck_open_lists(customers)
        request_checks()


def _origin(pk: int) -> str:
    return f"{_ORIGIN}:{pk}"
