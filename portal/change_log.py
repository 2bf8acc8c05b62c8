"""Django's history of changes, and the trail: what the back-office does, and what rooms that do not know it do."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db import transaction
from django.db.models import Model

from customers.models import Account
from mailing.trail.acting import Actor, present_actor
from mailing.trail.actions import Action
from mailing.trail.recording import Act, record_all

_ACTIONS: Final = {ADDITION: Action.ADDED, CHANGE: Action.CHANGED, DELETION: Action.DELETED}
# Rows whose names, and the sentences about them, say nothing of a person.
_IMPERSONAL: Final = {
    "invoices.company",
    "invoices.export",
    "invoices.savedselection",
    "invoices.importbatch",
    "invoices.importmapping",
    "invoices.platform",
    "mailing.messagetemplate",
    "mailing.outboxcontrol",
    "auth.group",
}


@transaction.atomic
def log_changes(author_id: int, rows: Sequence[Model], sentence: str, *, flag: int = CHANGE) -> None:
    """Write into the history of each row that the account of ``author_id`` did ``sentence``; one statement for all.

    ``flag`` is one of Django's ADDITION, CHANGE and DELETION.
    """
    if rows:
        LogEntry.objects.log_actions(author_id, rows, flag, sentence)
        record_changes(author_id, rows, sentence, flag=flag)


def record_changes(author_id: int, rows: Iterable[Model], change: Any, *, flag: int = CHANGE) -> None:
    """Write into the trail what Django's history says: ``change`` is a sentence, or what a form changed, as a list."""
    actor = present_actor()
    if actor.account != author_id:
        login = Account.objects.filter(pk=author_id).values_list("login", flat=True).first()
        actor = Actor(author_id, login or "", actor.address)
    record_all([_act_on(row, change, flag) for row in rows], by=actor)


def _act_on(row: Model, change: Any, flag: int) -> Act:
    said = {"object": str(row)[:200], **({"change": change} if change and isinstance(change, str) else {})}
    details: dict[str, Any] = {"changes": [_without_names(part) for part in change]} if isinstance(change, list) else {}
    if row._meta.label_lower in _IMPERSONAL:
        return Act(_ACTIONS[flag], row, {**details, **said})
    return Act(_ACTIONS[flag], row, details, said)


def _without_names(part: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What a form did, in Django's words, without the row that an inline of it is about and what is in fields."""
    return {
        kind: {name: value for name, value in said.items() if name not in ("object", "values")}
        if isinstance(said, dict)
        else said
        for kind, said in part.items()
    }
