"""Entries of the trail with what leads from each to the root of a day: verified by anybody, without the database."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Model, QuerySet

from mailing.trail.models import BEGINNING, Entry, Link, PersonalValues, Root

# Links of one day that go into a file; a busier day is proved by verify_trail alone.
_LONGEST: Final = 200_000


def entries_about(row: Model) -> "QuerySet[Entry]":
    """What the trail records of ``row``, in its order."""
    about = Entry.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk))
    return about.select_related("link", "personal").order_by("pk")


def entries_by(account: int) -> "QuerySet[Entry]":
    """What the account of that key did, the latest first."""
    return Entry.objects.filter(account=account).order_by("-pk")


def personal_of(entry: Entry) -> str | None:
    """The personal values of ``entry`` as they were hashed; None where there are none, or no more."""
    kept: PersonalValues | None = getattr(entry, "personal", None)
    return kept.values if kept is not None else None


def as_evidence(entries: list[Entry]) -> list[dict[str, Any]]:
    """``entries`` as plain values, each with its link, where it has one, and the link before."""
    links = {entry.pk: entry.link for entry in entries if hasattr(entry, "link")}
    before = [link.position - 1 for link in links.values()]
    previous = dict(Link.objects.filter(position__in=before).values_list("position", "sha256"))
    return [
        {
            "entree": entry.canonical(),
            "acte": entry.action_name,
            "personnel": personal_of(entry),
            "maillon": {
                "position": links[entry.pk].position,
                "previous": previous.get(links[entry.pk].position - 1, BEGINNING),
                "entry_sha256": links[entry.pk].entry_sha256,
                "sha256": links[entry.pk].sha256,
            }
            if entry.pk in links
            else None,
        }
        for entry in entries
    ]


def chains_to_roots(entries: list[Entry]) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """For each day that seals some of ``entries``: fingerprints from the first to its root, and the stamp."""
    waiting = sorted(entry.link.position for entry in entries if hasattr(entry, "link"))
    while waiting:
        root = Root.objects.filter(position__gte=waiting[0]).order_by("position").select_related("stamp").first()
        if root is None:
            return
        first = waiting[0]
        waiting = [position for position in waiting if position > root.position]
        if root.position - first >= _LONGEST:
            continue
        previous = Link.objects.filter(position=first - 1).values_list("sha256", flat=True).first()
        between = Link.objects.filter(position__gte=first, position__lte=root.position).order_by("position")
        stamp = getattr(root, "stamp", None)
        chain = {
            "day": root.day.isoformat(),
            "first": first,
            "previous": previous or BEGINNING,
            "entries": list(between.values_list("entry_sha256", flat=True)),
            "root": root.sha256,
        }
        yield chain, bytes(stamp.answer) if stamp is not None else None
