"""Addresses that mail servers refused for good, until somebody corrects them."""

import datetime
import uuid
from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Final

from django.db.models import F, QuerySet
from django.utils import timezone

from mailing.addresses import normalise_address
from mailing.models import FailedAddress

# Addresses per statement: well below what both databases take.
BATCH = 1000

# The kind of mails to an address that somebody has just replaced: that they come back is no news about it.
TO_FORMER_ADDRESS: Final = "moved"


def known_bad(addresses: Iterable[str]) -> dict[str, str]:
    """Of ``addresses``, as they are written, those refused for good and not corrected since → the reason."""
    by_form: dict[str, list[str]] = {}
    for address in addresses:
        by_form.setdefault(normalise_address(address), []).append(address)
    return {
        written: reason
        for chunk in batched(by_form, BATCH)
        for form, reason in FailedAddress.objects.filter(address__in=chunk, resolved_at__isnull=True).values_list(
            "address", "reason"
        )
        for written in by_form[form]
    }


def mark_address_failed(address: str, reason: str, message: uuid.UUID | None, now: datetime.datetime) -> None:
    """Remember that a mail server refused ``address`` for good; one row per address, its failures counted."""
    row, created = FailedAddress.objects.get_or_create(
        address=normalise_address(address),
        defaults={"reason": reason, "message_id": message, "first_failed_at": now, "last_failed_at": now},
    )
    if not created:
        FailedAddress.objects.filter(pk=row.pk).update(
            reason=reason, message_id=message, failures=F("failures") + 1, last_failed_at=now, resolved_at=None
        )


def resolve_address(address: str) -> bool:
    """Mark ``address`` as corrected; True where it was in error."""
    return bool(
        FailedAddress.objects.filter(address=normalise_address(address), resolved_at__isnull=True).update(
            resolved_at=timezone.now()
        )
    )


def failed_addresses(start: int = 0, stop: int | None = None) -> Iterator[tuple[str, str, datetime.datetime]]:
    """Addresses in error, the latest first, ``start`` to ``stop``: address, reason, time of the last failure."""
    found = FailedAddress.objects.filter(resolved_at__isnull=True).order_by("-last_failed_at", "pk")
    yield from found.values_list("address", "reason", "last_failed_at")[start:stop]


def unresolved_addresses() -> QuerySet[FailedAddress]:
    """The addresses that are in error now."""
    return FailedAddress.objects.filter(resolved_at__isnull=True)


def count_failed_addresses() -> int:
    """How many addresses are in error now."""
    return unresolved_addresses().count()
