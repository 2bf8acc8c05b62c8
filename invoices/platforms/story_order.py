"""What cannot be so in the story of an e-invoice, and which of its statuses make its state all the same.

Platforms, buyers and people date statuses by clocks and by what they know: a payment before the deposit, a rejection of
what is paid. All is kept as it was received. What contradicts the rest gets a sentence, and never makes a wrong state:

- What a buyer does (204 to 212) supposes that the invoice was delivered. Dated before its delivery (200 to 203), it
  comes after it all the same.
- A platform does not reject (213, 501) what the buyer has dealt with: such a rejection waits for a person.
- After a rejection the buyer has nothing to deal with until the invoice is deposited again.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.models import Invoice, LifecycleStatus, Submission

Code = LifecycleStatus.Code

_DELIVERY: Final = (Code.SUBMITTED, Code.ISSUED, Code.RECEIVED, Code.MADE_AVAILABLE)
_OF_THE_BUYER: Final = tuple(code for code in Code if Code.TAKEN_CHARGE <= code <= Code.PAID)
REJECTIONS: Final = (Code.REJECTED, Code.INADMISSIBLE)
_AFTER: Final = datetime.timedelta(milliseconds=1)


@dataclass(slots=True)
class Place:
    """Where a status is in the story: ``ranked_at`` where that is not its time."""

    ranked_at: datetime.datetime | None = None
    is_contradicted: bool = False
    findings: list[str] = field(default_factory=list)


def places(
    statuses: Iterable[LifecycleStatus],
    *,
    is_double: Callable[[LifecycleStatus], bool],
    is_deposited_after: Callable[[LifecycleStatus], bool] = lambda rejection: False,
) -> list[Place]:
    """The place of each of ``statuses``, all of one invoice and in their order, the first one first.

    ``is_double``: whether a status refuses a second delivery, which says nothing of the first. ``is_deposited_after``:
    whether the platform took the invoice again after a rejection, though no status says so.
    """
    found = list(statuses)
    said = [Place() for _status in found]
    part: list[int] = []  # those since the last rejection that counts
    rejection: LifecycleStatus | None = None
    for place, status in enumerate(found):
        if status.code not in REJECTIONS or is_double(status):
            part.append(place)
            continue
        dealt_with = [found[each] for each in part if found[each].code in _OF_THE_BUYER and found[each].at < status.at]
        if dealt_with:
            said[place].is_contradicted = True
            said[place].findings.append(
                _("Daté après %(other)s : la plateforme ne rejette pas ce que l’acheteur a traité. Voyez avec elle.")
                % {"other": _words(dealt_with[-1])}
            )
            continue
        _settle_delivery(found, said, part, rejection)
        part, rejection = [], status
    is_again = rejection is not None and bool(part) and is_deposited_after(rejection)
    _settle_delivery(found, said, part, None if is_again else rejection)
    return said


def _settle_delivery(
    found: Sequence[LifecycleStatus], said: Sequence[Place], part: Sequence[int], rejection: LifecycleStatus | None
) -> None:
    """Place what the buyer did after the delivery that it supposes, of the statuses ``part`` after ``rejection``."""
    delivery = [place for place in part if found[place].code in _DELIVERY]
    if not delivery:
        for place in part:
            if rejection is not None and found[place].code in _OF_THE_BUYER:
                said[place].is_contradicted = True
                sentence = _("Daté après %(other)s, sans nouveau dépôt. Voyez avec la plateforme.")
                said[place].findings.append(sentence % {"other": _words(rejection)})
        return
    first, last = found[delivery[0]], found[delivery[-1]]
    # What came within the second of the last delivery, after it, stays after what is moved there.
    early = [
        place
        for place in part
        if found[place].code in _OF_THE_BUYER
        and (found[place].at < last.at or (found[place].at == last.at and place > delivery[-1]))
    ]
    for number, place in enumerate(early, start=1):
        said[place].ranked_at = last.at + number * _AFTER
        if found[place].at < first.at:
            sentence = _("Daté avant le dépôt (%(other)s) : il compte après. Vérifiez sa date.")
            said[place].findings.append(sentence % {"other": _words(first)})


def _words(status: LifecycleStatus) -> str:
    at = timezone.localtime(status.at)
    return _("%(status)s du %(date)s") % {"status": status.get_code_display(), "date": f"{at:%d/%m/%Y %H:%M}"}


def settle(invoice: Invoice, *, is_double: Callable[[LifecycleStatus], bool]) -> None:
    """Note on each status of ``invoice`` where it is and what contradicts it, as all of them say now.

    One statement where nothing changes; the caller holds the row of the invoice.
    """
    received_in = ("at", F("listed_at").asc(nulls_first=True), "code", "pk")
    found = list(LifecycleStatus.objects.filter(invoice=invoice).order_by(*received_in))
    changed = []

    def is_deposited_after(rejection: LifecycleStatus) -> bool:
        accepted = Submission.objects.of_invoices().filter(invoice=invoice, state=Submission.State.ACCEPTED)
        return accepted.filter(replaces__isnull=False, answered_at__gt=rejection.at).exists()

    placed = places(found, is_double=is_double, is_deposited_after=is_deposited_after)
    for status, place in zip(found, placed, strict=True):
        values = {
            "ranked_at": place.ranked_at,
            "is_contradicted": place.is_contradicted,
            "order_finding": " ".join(place.findings),
        }
        if any(getattr(status, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(status, name, value)
            changed.append(status)
    if changed:
        LifecycleStatus.objects.bulk_update(changed, ["ranked_at", "is_contradicted", "order_finding"])
