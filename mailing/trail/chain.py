"""The chain: each entry is given its place after the one before it, so that none can change, go or move unseen.

One process at a time chains, after the acts, which never wait for it: entries are taken as they are found committed.
"""

import datetime

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from mailing.quarantine.tries import Loop, Tries
from mailing.trail.actions import Action
from mailing.trail.models import BEGINNING, Entry, Link, Root

_AT_ONCE = 1000
# The key of PostgreSQL's lock: «trail» in hexadecimal.
_LOCK = 0x747261696C
# A transaction may be kept long after its entry was written: entries of the last day are looked at again.
_LATE = datetime.timedelta(days=1)


def chain_new_entries() -> int:
    """Give each entry that has none its place in the chain; how many. Nothing where another process does so now."""
    count = 0
    while chained := _chain_some():
        count += chained
    return count


@transaction.atomic
def _chain_some() -> int:
    if not _is_alone():
        return 0
    last = Link.objects.order_by("-position").first()
    found = unchained_entries()
    if last is not None:
        found = found.filter(at__gte=last.at - _LATE)
    previous = (last.position, last.sha256) if last is not None else (0, BEGINNING)
    links: list[Link] = []
    tries = Tries(Loop.TRAIL)
    aside = [int(key) for key in tries.set_aside_keys()]
    for entry in found.exclude(pk__in=aside).order_by("pk")[:_AT_ONCE]:

        def add(previous: tuple[int, str] = previous, entry: Entry = entry) -> None:
            links.append(Link.after(previous, entry))

        if tries.attempt(entry.pk, str(entry.pk), add):
            previous = (links[-1].position, links[-1].sha256)
    Link.objects.bulk_create(links)
    return len(links)


def _is_alone() -> bool:
    """True where this transaction alone chains; on SQLite there is one writer at a time."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (is_alone,) = cursor.fetchone()
    return bool(is_alone)


def unchained_entries() -> "QuerySet[Entry]":
    """Entries without their place in the chain yet."""
    return Entry.objects.filter(~Exists(Link.objects.filter(entry=OuterRef("pk"))))


@transaction.atomic
def note_root(day: datetime.date) -> Root | None:
    """Note where the chain ends as the root of ``day``, once; None where nothing was chained since the last root.

    The entry that the stamp of the last root made asks for no other root, which would be stamped again.
    """
    last = Link.objects.order_by("-position").first()
    noted = Root.objects.aggregate(position=Max("position"))["position"] or 0
    chained = Link.objects.filter(position__gt=noted).exclude(entry__action=Action.ROOT_STAMPED)
    if last is None or not chained.exists() or Root.objects.filter(day=day).exists():
        return None
    return Root.objects.create(day=day, position=last.position, sha256=last.sha256)
