"""A bulk action taken back: what it changed and was not changed since is put back as it was."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.bulk_actions import notify_step
from customers.card_trail import acts_of_card
from customers.history import write_history
from customers.models import DEMATERIALISED, Access, Account, BulkAction, Customer, CustomerAccount
from customers.services import set_active
from mailing.trail.recording import record_all

Kind = BulkAction.Kind


@transaction.atomic
def undo_bulk_action(*, bulk_action: BulkAction, by: Account) -> int:
    """Put back what ``bulk_action`` changed; returns how many customers or accounts, 0 where it was undone before.

    What somebody has changed meanwhile stays: an account that was sent or used is not taken away again.
    """
    locked = BulkAction.objects.select_for_update().get(pk=bulk_action.pk)
    if not is_undoable(locked):
        return 0
    rows, customers = _UNDO[Kind(locked.kind)](locked.previous)
    if rows:
        write_history(by.pk, rows, _("Action groupée annulée : %(action)s.") % {"action": locked})
    locked.undone_at = timezone.now()
    locked.save(update_fields=["undone_at"])
    bulk_action.undone_at = locked.undone_at
    notify_step(locked, customers)
    return len(rows)


def is_undoable(bulk_action: BulkAction) -> bool:
    """True where it has ended, has changed something that can be put back, and was not undone before."""
    return bool(
        bulk_action.is_done and bulk_action.previous and bulk_action.undone_at is None and bulk_action.kind in _UNDO
    )


def _undo_dematerialise(previous: Sequence[Any]) -> tuple[list[Any], list[int]]:
    copies = defaultdict(list)
    for key, before in previous:
        copies[before].append(key)
    changed: list[Customer] = []
    for before, keys in copies.items():
        rows = list(Customer.objects.filter(pk__in=keys, invoice_copies=DEMATERIALISED).select_for_update())
        found = Customer.objects.filter(pk__in=[row.pk for row in rows])
        found.update(invoice_copies=before, updated_at=timezone.now())
        for row in rows:
            row.invoice_copies = before
        record_all(act for row in rows for act in acts_of_card(row, {"invoice_copies": DEMATERIALISED}))
        changed += rows
    return changed, [row.pk for row in changed]


def _undo_addresses(previous: Sequence[Any]) -> tuple[list[Any], list[int]]:
    given = dict(previous)
    found = Customer.objects.filter(pk__in=list(given)).select_for_update()
    rows = [row for row in found if row.email == given[row.pk]]
    Customer.objects.filter(pk__in=[row.pk for row in rows]).update(email="", updated_at=timezone.now())
    for row in rows:
        row.email = ""
    record_all(act for row in rows for act in acts_of_card(row, {"email": given[row.pk]}))
    return rows, [row.pk for row in rows]


def _undo_accounts(previous: Sequence[Any]) -> tuple[list[Any], list[int]]:
    """Accounts that were neither announced nor used are deleted; one that was there before loses the access alone."""
    customers: dict[int, Customer] = Customer.objects.in_bulk([key for key, _account, _is_new in previous])
    changed: dict[int, Customer] = {}
    for customer, account, is_new in previous:
        accesses = Access.objects.filter(account=account, customer=customer)
        if is_new:
            untouched = CustomerAccount.objects.filter(
                pk=account, is_staff=False, last_login=None, credentials_sent_at=None, must_change_password=True
            ).first()
            if untouched is None or not accesses.exists():
                continue
            if untouched.accesses.count() == 1:
                untouched.delete()
            else:
                accesses.delete()
        elif not accesses.delete()[0]:
            continue
        if customer in customers:
            changed[customer] = customers[customer]
    return list(changed.values()), list(changed)


def _undo_state(previous: Sequence[Any]) -> tuple[list[Any], list[int]]:
    keys = defaultdict(list)
    for key, was_active in previous:
        keys[was_active].append(key)
    changed: list[Account] = []
    for was_active, some in keys.items():
        rows = list(CustomerAccount.objects.filter(pk__in=some, is_staff=False).exclude(is_active=was_active))
        set_active(accounts=rows, is_active=was_active)
        changed += rows
    seen = Access.objects.filter(account__in=[row.pk for row in changed]).order_by("customer")
    return changed, list(seen.values_list("customer", flat=True).distinct())


_UNDO: dict[BulkAction.Kind, Callable[[Sequence[Any]], tuple[list[Any], list[int]]]] = {
    Kind.DEMATERIALISE: _undo_dematerialise,
    Kind.ADDRESS: _undo_addresses,
    Kind.CREATE: _undo_accounts,
    Kind.ACTIVATE: _undo_state,
    Kind.DEACTIVATE: _undo_state,
}
