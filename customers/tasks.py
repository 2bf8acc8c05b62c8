"""Tasks of the workers about accounts.

A queue only wakes a worker up: how far a bulk action came is in the database.
"""

import datetime

from django.db import transaction
from django.tasks import task

from customers.bulk_actions import LEASE, fits_a_request, run_bulk_action
from customers.models import BulkAction
from mailing import leases
from mailing.leases import database_now

CALL_AGAIN_AFTER = datetime.timedelta(minutes=5)


@task
def carry_out_gesture(bulk_action_pk: str) -> int:
    """Do the bulk action from where it is; returns how many rows it has done since its beginning."""
    bulk_action = BulkAction.objects.filter(pk=bulk_action_pk).first()
    return run_bulk_action(bulk_action).position if bulk_action is not None else 0


def start_bulk_action(bulk_action: BulkAction) -> BulkAction:
    """Do a small bulk action now, and wake a worker up for a large one."""
    if fits_a_request(bulk_action):
        return run_bulk_action(bulk_action)
    transaction.on_commit(lambda: carry_out_gesture.enqueue(str(bulk_action.pk)))
    return bulk_action


def wake_stalled_bulk_actions() -> int:
    """Wake a worker up for bulk actions without a worker: its worker died, or its call was lost. Returns how many."""
    now = database_now()
    stalled = BulkAction.objects.claimable(now).filter(leases.is_free(now), created_at__lt=now - LEASE)
    for bulk_action in stalled:
        # Workers may only be busy: one call more every few minutes is enough.
        waiting = BulkAction.objects.filter(pk=bulk_action.pk, state=BulkAction.State.WAITING)
        leases.take(waiting, now=now, length=CALL_AGAIN_AFTER)
        carry_out_gesture.enqueue(str(bulk_action.pk))
    return len(stalled)
