"""A bulk action of a list: confirmed, started once, reported on its page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from customers.bulk_actions import bulk_actions_under_way, create_bulk_action
from customers.models import Account, BulkAction
from customers.tasks import start_bulk_action
from portal.backoffice.ui.confirmation import Plan, ask, is_confirmed, make_group, pressed_key
from portal.backoffice.ui.lists import BackOfficeAdmin

ALSO_SENDS: Final = "also_sends"

# What becomes of some rows, and the primary keys of those that change.
MakePlan = Callable[[Any], tuple[Plan, Sequence[Any]]]


def confirm_and_start[M: Model](
    model_admin: BackOfficeAdmin[M],
    request: HttpRequest,
    queryset: QuerySet[Any],
    kind: str,
    make_plan: MakePlan,
    *,
    rows: QuerySet[Any] | None = None,
    given: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Ask first; once confirmed, start the bulk action and lead to its report.

    ``queryset`` is what was ticked; ``rows`` what the action is about where that is something else. ``given`` is what
    was chosen with it. The button pressed twice starts it once, and leads to the same report; rows that such a bulk
    action has in hand are left to it.
    """
    key = pressed_key(request)
    if key is not None and BulkAction.objects.filter(pk=key).exists():
        return redirect("admin:customers_bulkaction_change", key)
    plan, targets = _plan_the_free(queryset if rows is None else rows, kind, make_plan)
    if not is_confirmed(request, plan):
        return ask(model_admin, request, queryset, plan)
    bulk_action = create_bulk_action(
        kind=kind,
        targets=[str(key) if isinstance(key, UUID) else key for key in targets],
        author=request.user if isinstance(request.user, Account) else None,
        also_sends=request.POST.get(ALSO_SENDS) == "1",
        given=given,
        key=key,
    )
    start_bulk_action(bulk_action)
    return redirect("admin:customers_bulkaction_change", bulk_action.pk)


def _plan_the_free(rows: QuerySet[Any], kind: str, make_plan: MakePlan) -> tuple[Plan, Sequence[Any]]:
    """The plan of the rows that no bulk action of ``kind`` has in hand, which says how many one has."""
    running = bulk_actions_under_way(kind)
    taken = {target for action in running for target in action.targets}
    held = rows.filter(pk__in=taken).count() if taken else 0
    if not held:
        return make_plan(rows)
    plan, targets = make_plan(rows.exclude(pk__in=taken))
    group = make_group(_("Déjà en cours : laissés à l’action groupée qui les traite"), (), count=held)
    return replace(plan, groups=[*plan.groups, group], under_way=running), targets
