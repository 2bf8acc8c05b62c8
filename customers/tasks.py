"""Tasks of the workers about accounts.

A queue only wakes a worker up: how far a gesture came stands in the database.
"""

import datetime

from django.db import transaction
from django.db.models import Q
from django.tasks import task
from django.utils import timezone

from customers.gestures import LEASE, carry_out, fits_a_request
from customers.models import Gesture

CALL_AGAIN_AFTER = datetime.timedelta(minutes=5)


@task
def carry_out_gesture(gesture_pk: str) -> int:
    """Do the gesture from where it stands; returns how many rows it has done since its beginning."""
    gesture = Gesture.objects.filter(pk=gesture_pk).first()
    return carry_out(gesture).position if gesture is not None else 0


def start_gesture(gesture: Gesture) -> Gesture:
    """Do a small gesture now, and wake a worker up for a large one."""
    if fits_a_request(gesture):
        return carry_out(gesture)
    transaction.on_commit(lambda: carry_out_gesture.enqueue(str(gesture.pk)))
    return gesture


def wake_stalled_gestures() -> int:
    """Wake a worker up for gestures that nobody takes: its worker died, or its call was lost. Returns how many."""
    now = timezone.now()
    stalled = Gesture.objects.claimable(now).filter(
        Q(lease_until=None) | Q(lease_until__lt=now), created_at__lt=now - LEASE
    )
    for gesture in stalled:
        # Workers may only be busy: one call more every few minutes is enough.
        Gesture.objects.filter(pk=gesture.pk, state=Gesture.State.WAITING).update(lease_until=now + CALL_AGAIN_AFTER)
        carry_out_gesture.enqueue(str(gesture.pk))
    return len(stalled)
