"""Leases: who has a row in hand, and until when. One rule for mails, lines of an export, imports and bulk actions.

A row that somebody works on has ``lease_until``. A worker that lives renews it; where it died the lease ends, and
another worker takes the row. All times are those of the database: the clocks of two machines may be minutes apart, and
a worker whose clock is fast would take from another what that one still has in hand.
"""

import datetime
from typing import Any

from django.db import connection
from django.db.models import Model, Q, QuerySet
from django.utils import timezone


def database_now() -> datetime.datetime:
    """The time of the database server, aware. SQLite has no clock of its own: it is this machine's there."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        # Not the beginning of the transaction, which a long one leaves far behind.
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime.datetime)
    return now


def wait_for_turn(number: int) -> None:
    """Wait until no other transaction is past this call with ``number``; on SQLite there is one writer at a time."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def has_ended(now: datetime.datetime) -> Q:
    """Rows in the hands of a worker that has not renewed its lease in time."""
    return Q(lease_until__lt=now)


def is_held(now: datetime.datetime) -> Q:
    """Rows in living hands."""
    return Q(lease_until__gte=now)


def is_free(now: datetime.datetime) -> Q:
    """Rows without a worker: never leased, or the lease has ended."""
    return Q(lease_until=None) | has_ended(now)


def lock[M: Model](rows: QuerySet[M]) -> QuerySet[M]:
    """``rows`` without those that another worker takes at this moment; on SQLite there is one writer at a time."""
    if not connection.features.has_select_for_update_skip_locked:
        return rows
    return rows.select_for_update(skip_locked=True, of=("self",))


def take(rows: QuerySet[Any], *, now: datetime.datetime, length: datetime.timedelta, **values: Any) -> int:
    """Lease ``rows``, setting ``values`` with it; how many there still were. Their condition is asked once more."""
    return rows.update(lease_until=now + length, **values)


def renew(rows: QuerySet[Any], *, now: datetime.datetime, length: datetime.timedelta, **values: Any) -> int:
    """Say that ``rows`` are still in living hands; the caller selects those that are his. How many were."""
    return rows.update(lease_until=now + length, **values)


def release(rows: QuerySet[Any], **values: Any) -> int:
    """End the lease of ``rows``, setting ``values`` with it; how many there were."""
    return rows.update(lease_until=None, **values)
