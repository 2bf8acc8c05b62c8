"""Write into the trail, in the transaction of the act."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from django.db import transaction
from django.db.models import Model

from mailing.trail.acting import Actor, present_actor, present_way
from mailing.trail.actions import Action
from mailing.trail.models import Entry, PersonalValues, canonical_json, sha256_of

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to a row (or to none): ``details`` say nothing of persons, ``personal`` alone does."""

    action: Action
    on: Model | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


def record(
    action: Action,
    on: Model | None = None,
    *,
    details: Mapping[str, Any] | None = None,
    personal: Mapping[str, str] | None = None,
    by: Actor | None = None,
) -> None:
    """Record one act; ``by`` where it is not who the request is of. The caller's transaction holds both."""
    record_all([Act(action, on, details or {}, personal or {})], by=by)


@transaction.atomic(savepoint=False)
def record_all(acts: Iterable[Act], *, by: Actor | None = None) -> int:
    """Record ``acts`` of one actor, in two statements for some hundred; returns how many."""
    actor, way = by or present_actor(), present_way()
    count = 0
    for some in batched(acts, _AT_ONCE):
        kept = [_personal_of(act, actor) for act in some]
        entries = Entry.objects.bulk_create(
            Entry(
                action=act.action.value,
                object_type=act.on._meta.label_lower if act.on is not None else "",
                object_id=str(act.on.pk) if act.on is not None else "",
                account=actor.account,
                way=way,
                details=canonical_json(act.details),
                personal_sha256=sha256_of(values) if values else "",
            )
            for act, values in zip(some, kept, strict=True)
        )
        PersonalValues.objects.bulk_create(
            PersonalValues(entry_id=entry.pk, values=values)
            for entry, values in zip(entries, kept, strict=True)
            if values
        )
        count += len(entries)
    return count


def _personal_of(act: Act, actor: Actor) -> str:
    values = {"by": actor.login, "from": actor.address, **act.personal}
    said = {name: value for name, value in values.items() if value}
    return canonical_json({**said, "salt": secrets.token_hex(16)}) if said else ""
