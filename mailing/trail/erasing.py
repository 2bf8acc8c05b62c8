"""Personal values of the trail, forgotten after their time or with their person; the entries stay in the chain."""

import datetime
from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from mailing.trail.actions import Action
from mailing.trail.models import Entry, PersonalValues

SIGN_INS = (Action.SIGNED_IN, Action.SIGN_IN_REFUSED, Action.SIGNED_OUT)


def erase_of_sign_ins(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget who signed in, or tried, from where, before that moment; how many entries."""
    return _erase(Q(at__lt=before, action__in=SIGN_INS), dry_run=dry_run)


def erase_of_acts(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget the persons of all other acts before that moment; how many entries."""
    return _erase(Q(at__lt=before) & ~Q(action__in=SIGN_INS), dry_run=dry_run)


def erase_of_person(account: int, objects: Iterable[str], *, login: str) -> int:
    """Forget what entries by the account, about it under a name of its model, or that say its login, say of persons."""
    about = Q(object_type__in=list(objects), object_id=str(account))
    said = PersonalValues.objects.filter(values__contains=login).delete()[0]
    return said + _erase(Q(account=account) | about, dry_run=False)


def _erase(entries: Q, *, dry_run: bool) -> int:
    found = PersonalValues.objects.filter(Exists(Entry.objects.filter(entries, pk=OuterRef("pk"))))
    return found.count() if dry_run else found.delete()[0]
