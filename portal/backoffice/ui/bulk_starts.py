"""A bulk action of a list: confirmed, started once, reported on its page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from customers.bulk_actions import create_bulk_action
from customers.models import Account, BulkAction
from customers.tasks import start_bulk_action
from portal.backoffice.ui.confirmation import Plan, ask, is_confirmed, pressed_key
from portal.backoffice.ui.lists import BackOfficeAdmin

ALSO_SENDS: Final = "also_sends"


def confirm_and_start[M: Model](
    model_admin: BackOfficeAdmin[M],
    request: HttpRequest,
    queryset: QuerySet[Any],
    kind: str,
    plan: Plan,
    targets: Sequence[Any],
    *,
    given: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Ask first; once confirmed, start the bulk action on ``targets`` and lead to its report.

    ``given`` is what was chosen with it. The button pressed twice starts it once, and leads to the same report.
    """
    key = pressed_key(request)
    if key is not None and BulkAction.objects.filter(pk=key).exists():
        return redirect("admin:customers_bulkaction_change", key)
    if not is_confirmed(request, plan):
        return ask(model_admin, request, queryset, plan)
    bulk_action = create_bulk_action(
        kind=kind,
        targets=targets,
        author=request.user if isinstance(request.user, Account) else None,
        also_sends=request.POST.get(ALSO_SENDS) == "1",
        given=given,
        key=key,
    )
    start_bulk_action(bulk_action)
    return redirect("admin:customers_bulkaction_change", bulk_action.pk)
