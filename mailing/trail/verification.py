"""The trail read again: the chain, the personal values, the roots and their time-stamps, up to the first fault."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import OperationalError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from mailing.trail.actions import Action
from mailing.trail.chain import unchained_entries
from mailing.trail.ends import End, find_lost_end
from mailing.trail.models import (
    BEGINNING,
    Entry,
    Link,
    PersonalValues,
    Root,
    TimeStamp,
    canonical_json,
    link_sha256,
    sha256_of,
)
from mailing.trail.stamps import TimeStampError, check_stamp, describe_stamp

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of the chain: ``kind`` is a key, ``sentence`` its French words."""

    kind: str
    position: int
    entry: int | None
    sentence: str


@dataclass(slots=True)
class TrailReport:
    """What a verification found; it ends at the first fault of the chain, after which nothing is known."""

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


def verify_trail(
    *, known: Iterable[End] = (), on_progress: Callable[[int], None] = lambda checked: None
) -> TrailReport:
    """Read the whole chain again, with a bounded memory, up to its first fault; then its roots and ``known`` ends."""
    report = TrailReport(waiting=unchained_entries().count())
    roots: dict[int, list[Root]] = {}
    for root in Root.objects.select_related("stamp"):
        roots.setdefault(root.position, []).append(root)
    for position, link, entry, personal in _read_chain():
        sealing = roots.pop(position, [])
        report.fault = (
            _fault_of(position, link, entry, report.last_sha256)
            or _fault_of_personal(link, entry, personal)
            or next(filter(None, (_fault_of_root(link, root) for root in sealing)), None)
        )
        if report.fault is not None:
            return report
        report.checked, report.last_sha256 = position, link.sha256
        report.erased += bool(entry and entry.personal_sha256 and personal is None)
        report.roots += len(sealing)
        report.stamps += sum(hasattr(root, "stamp") for root in sealing)
        on_progress(report.checked)
    report.fault = (
        _fault_of_lost_root(report.checked, roots)
        or _fault_of_stamps()
        or _fault_of_lost_personal()
        or _fault_of_end(known)
    )
    return report


def _fault_of_lost_root(last: int, roots: dict[int, list[Root]]) -> Fault | None:
    """The first of the ``roots`` that are at no position of the chain, whose end is ``last``."""
    for position, (root, *_others) in sorted(roots.items()):
        said = {"last": last, "day": root.day.isoformat(), "known": position}
        if position > last:
            sentence = _("La chaîne s’arrête au rang %(last)s ; la racine du %(day)s en connaît %(known)s.") % said
            return Fault("cut", last + 1, None, sentence)
        return Fault("root", position, None, _("La racine du %(day)s n’est à aucun rang de la chaîne.") % said)
    return None


def _fault_of_stamps() -> Fault | None:
    """The first stamp that is no longer what the trail kept of it; those of before have no such entry."""
    stamps = {str(stamp.root_id): stamp for stamp in TimeStamp.objects.select_related("root")}
    for entry in Entry.objects.filter(action=Action.ROOT_STAMPED).order_by("pk"):
        stamp = stamps.get(entry.object_id)
        try:
            is_kept = stamp is not None and canonical_json(describe_stamp(stamp)) == entry.details
        except Root.DoesNotExist:
            is_kept = False
        if not is_kept:
            sentence = _("L’horodatage de la racine du %(day)s n’est plus celui que note l’entrée %(entry)s.")
            return Fault("stamp", 0, entry.pk, sentence % {"day": entry.object_id, "entry": entry.pk})
    return None


def _fault_of_lost_personal() -> Fault | None:
    lost = PersonalValues.objects.filter(~Exists(Entry.objects.filter(pk=OuterRef("pk")))).first()
    if lost is None:
        return None
    sentence = _("Des valeurs personnelles sont celles de l’entrée %(entry)s, qui n’existe pas.") % {"entry": lost.pk}
    return Fault("personal-changed", 0, lost.pk, sentence)


def _fault_of_end(known: Iterable[End]) -> Fault | None:
    lost = find_lost_end(known, _sha256_at)
    return Fault("known-end", lost[0].position, None, lost[1]) if lost else None


def _sha256_at(position: int) -> str:
    return Link.objects.filter(position=position).values_list("sha256", flat=True).first() or ""


def _read_chain() -> Iterator[tuple[int, Link, Entry | None, str | None]]:
    """Each link with the position it should have, its entry and the personal values, in some statements for 1,000."""
    done = expected = 0
    while links := list(Link.objects.filter(position__gt=done).order_by("position")[:_AT_ONCE]):
        keys = [link.entry_id for link in links]
        entries = _read_entries(keys)
        personal = _read_personal(keys)
        for link in links:
            expected += 1
            yield expected, link, entries.get(link.entry_id), personal.get(link.entry_id)
        done = links[-1].position


def _read_entries(keys: list[int]) -> dict[int, Entry]:
    """The entries of ``keys``; without its values one that cannot be read, since SQLite keeps any bytes in a column."""
    try:
        return Entry.objects.in_bulk(keys)
    except (OperationalError, ValueError, TypeError):
        if len(keys) == 1:
            return {key: Entry(pk=key) for key in Entry.objects.filter(pk__in=keys).values_list("pk", flat=True)}
    return {key: entry for each in keys for key, entry in _read_entries([each]).items()}


def _read_personal(keys: list[int]) -> dict[int, str]:
    """The personal values of the entries of ``keys``; empty ones where they cannot be read, as above."""
    found = PersonalValues.objects.filter(pk__in=keys)
    try:
        return dict(found.values_list("pk", "values"))
    except OperationalError:
        if len(keys) == 1:
            return dict.fromkeys(found.values_list("pk", flat=True), "")
    return {key: values for each in keys for key, values in _read_personal([each]).items()}


def _sha256_of_entry(entry: Entry) -> str:
    """The fingerprint of ``entry``; empty where a value of it is none of its kind."""
    try:
        return entry.sha256()
    except (AttributeError, TypeError, ValueError):
        return ""


def _fault_of(position: int, link: Link, entry: Entry | None, previous: str) -> Fault | None:
    said = {"position": position, "entry": link.entry_id}
    if link.position != position:
        sentence = _("Le maillon de rang %(position)s manque.") % said
        return Fault("missing-link", position, None, sentence)
    if entry is None:
        sentence = _("L’entrée %(entry)s (rang %(position)s) a été supprimée.") % said
        return Fault("missing", position, link.entry_id, sentence)
    if _sha256_of_entry(entry) != link.entry_sha256:
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


def _fault_of_root(link: Link, root: Root) -> Fault | None:
    if root.sha256 != link.sha256:
        sentence = _("La racine du %(day)s n’est pas celle de la chaîne au rang %(position)s.")
        said = {"position": link.position, "day": root.day.isoformat()}
        return Fault("root", link.position, link.entry_id, sentence % said)
    if hasattr(root, "stamp"):
        try:
            check_stamp(root.stamp)
        except TimeStampError as error:
            return Fault("stamp", link.position, link.entry_id, str(error))
    return None
