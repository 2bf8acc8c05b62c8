"""The chain: each entry is given its place after the one before it, so that none can change, go or move unseen.

One process at a time chains, after the acts, which never wait for it: entries are taken as they are found committed.
"""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils.translation import gettext as _

from mailing.trail.models import BEGINNING, Entry, Link, PersonalValues, Root, link_sha256, sha256_of

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
    links = []
    for entry in found.order_by("pk")[:_AT_ONCE]:
        links.append(Link.after(previous, entry))
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
    """Note where the chain ends as the root of ``day``, once; None where nothing was chained since the last root."""
    last = Link.objects.order_by("-position").first()
    noted = Root.objects.aggregate(position=Max("position"))["position"] or 0
    if last is None or last.position <= noted or Root.objects.filter(day=day).exists():
        return None
    return Root.objects.create(day=day, position=last.position, sha256=last.sha256)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of the chain: ``kind`` is a key, ``sentence`` its French words."""

    kind: str
    position: int
    entry: int | None
    sentence: str


@dataclass(slots=True)
class TrailReport:
    """What a verification found; it ends at the first fault of the chain, after which nothing can be told."""

    checked: int = 0
    waiting: int = 0
    erased: int = 0
    roots: int = 0
    stamps: int = 0
    last_sha256: str = BEGINNING
    fault: Fault | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def verify_trail(*, on_progress: Callable[[int], None] = lambda checked: None) -> TrailReport:
    """Read the whole chain again, with a bounded memory, up to its first fault; then its roots."""
    report = TrailReport(waiting=unchained_entries().count())
    roots = {root.position: root for root in Root.objects.all()}
    for position, link, entry, personal in _read_chain():
        report.fault = (
            _fault_of(position, link, entry, report.last_sha256)
            or _fault_of_personal(link, entry, personal)
            or _fault_of_root(link, roots)
        )
        if report.fault is not None:
            return report
        report.checked, report.last_sha256 = position, link.sha256
        report.erased += bool(entry and entry.personal_sha256 and personal is None)
        report.roots += position in roots
        on_progress(report.checked)
    if beyond := [root for root in roots.values() if root.position > report.checked]:
        report.fault = Fault(
            "cut",
            report.checked + 1,
            None,
            _("La chaîne s’arrête au rang %(last)s ; la racine du %(day)s en connaît %(known)s.")
            % {"last": report.checked, "day": beyond[0].day.isoformat(), "known": beyond[0].position},
        )
    return report


def _read_chain() -> Iterator[tuple[int, Link, Entry | None, str | None]]:
    """Each link with the position it should have, its entry and the personal values, in some statements for 1,000."""
    done = expected = 0
    while links := list(Link.objects.filter(position__gt=done).order_by("position")[:_AT_ONCE]):
        keys = [link.entry_id for link in links]
        entries = Entry.objects.in_bulk(keys)
        personal = dict(PersonalValues.objects.filter(pk__in=keys).values_list("pk", "values"))
        for link in links:
            expected += 1
            yield expected, link, entries.get(link.entry_id), personal.get(link.entry_id)
        done = links[-1].position


def _fault_of(position: int, link: Link, entry: Entry | None, previous: str) -> Fault | None:
    said = {"position": position, "entry": link.entry_id}
    if link.position != position:
        sentence = _("Le maillon de rang %(position)s manque.") % said
        return Fault("missing-link", position, None, sentence)
    if entry is None:
        sentence = _("L’entrée %(entry)s (rang %(position)s) a été supprimée.") % said
        return Fault("missing", position, link.entry_id, sentence)
    if entry.sha256() != link.entry_sha256:
        sentence = _("L’entrée %(entry)s (rang %(position)s) a été modifiée.") % said
        return Fault("changed", position, link.entry_id, sentence)
    if link_sha256(position, previous, link.entry_sha256) != link.sha256:
        sentence = _("L’entrée %(entry)s n’est pas à sa place : le rang %(position)s ne suit pas le précédent.") % said
        return Fault("reordered", position, link.entry_id, sentence)
    return None


def _fault_of_personal(link: Link, entry: Entry | None, personal: str | None) -> Fault | None:
    if entry is None or personal is None or sha256_of(personal) == entry.personal_sha256:
        return None
    sentence = _("Les valeurs personnelles de l’entrée %(entry)s (rang %(position)s) ont été modifiées.")
    said = {"position": link.position, "entry": link.entry_id}
    return Fault("personal-changed", link.position, link.entry_id, sentence % said)


def _fault_of_root(link: Link, roots: dict[int, Root]) -> Fault | None:
    root = roots.get(link.position)
    if root is None or root.sha256 == link.sha256:
        return None
    sentence = _("La racine du %(day)s n’est pas celle de la chaîne au rang %(position)s.")
    said = {"position": link.position, "day": root.day.isoformat()}
    return Fault("root", link.position, link.entry_id, sentence % said)
