"""Bulk actions ask first: a page that counts what will happen and to whom, then the deed, then a report.

An action is written in two halves::

    @admin.action(description=_("Réessayer"), permissions=["change"])
    def retry(self, request, queryset):
        plan = Plan(title=…, sentence=…, button=…, count=…, groups=…)
        if not is_confirmed(request, plan):
            return ask(self, request, queryset, plan)
        …  # do it, log it, tell it
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.contrib import messages
from django.contrib.admin import ActionLocation, ModelAdmin, helpers
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

# How many names a confirmation shows of each group; the count says the rest.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the chosen rows: a French sentence, how many they are, and the first of them by name."""

    sentence: str
    count: int
    names: tuple[str, ...] = ()
    is_left_out: bool = False

    @property
    def hidden(self) -> int:
        """How many are not shown by name."""
        return self.count - len(self.names)


def make_group(sentence: str, names: Iterable[str], *, count: int, is_left_out: bool = False) -> Group:
    """A group that shows the first :data:`SHOWN` of ``names``."""
    return Group(sentence, count, tuple(islice(names, SHOWN)), is_left_out)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action will do. ``count`` rows change; with 0 there is nothing to confirm."""

    title: str
    sentence: str
    button: str
    count: int
    groups: Sequence[Group] = field(default=())
    warning: str = ""
    is_dangerous: bool = False


def is_confirmed(request: HttpRequest, plan: Plan) -> bool:
    """True where the person has read this very count and pressed the button.

    Where the rows changed meanwhile the count differs, and the page is shown again.
    """
    told = request.POST.get("confirmed_count")
    if told is None:
        return False
    if told != str(plan.count):
        messages.warning(request, _("La liste a changé entre-temps : vérifiez avant de confirmer."))
        return False
    return plan.count > 0


def ask[M: Model](
    model_admin: ModelAdmin[M], request: HttpRequest, queryset: QuerySet[M], plan: Plan, **extra: Any
) -> TemplateResponse:
    """The confirmation page of ``plan`` for the chosen rows ``queryset``.

    The page posts to the address it came from, with the filters of the list; ``extra`` goes to the template.
    """
    across = request.POST.get("select_across") == "1"
    # Django gives the actions of a change form a prefix of their own.
    prefix = f"{ActionLocation.CHANGE_FORM.value}-"
    prefix = prefix if f"{prefix}action" in request.POST else ""
    chosen = [] if across else request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": plan.title,
        "opts": model_admin.model._meta,
        "plan": plan,
        "chosen": chosen,
        "across": across,
        "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "action_field": f"{prefix}action",
        "action": _pressed_action(request, f"{prefix}action"),
        "back": request.get_full_path(),
        **extra,
    }
    return TemplateResponse(request, "gestion/confirmation.html", context)


def _pressed_action(request: HttpRequest, field_name: str) -> str:
    """The action whose button was pressed: a list has one menu of actions above it, and may have one below."""
    values = request.POST.getlist(field_name)
    index = request.POST.get("index", "")
    return values[int(index)] if index.isdigit() and int(index) < len(values) else values[0]
