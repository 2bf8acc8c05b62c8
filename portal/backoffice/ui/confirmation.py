"""Bulk actions ask first: a page that counts what will happen and to whom, then the deed, then a report.

An action is written in two halves::

    @admin.action(description=_("Réessayer"), permissions=["change"])
    def retry(self, request, queryset):
        plan = Plan(title=…, sentence=…, button=…, count=…, groups=…)
        if not is_confirmed(request, plan):
            return ask(self, request, queryset, plan)
        …  # do it, log it, report it
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.admin import ActionLocation, ModelAdmin, helpers
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

# The field of the page that distinguishes its showings.
KEY = "confirmation_key"
# How many names a confirmation shows of each group; the count says the rest.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the chosen rows: a French sentence, how many they are, and the first of them by name."""

    sentence: str
    count: int
    names: tuple[str, ...] = ()

    @property
    def hidden(self) -> int:
        """How many are not shown by name."""
        return self.count - len(self.names)


def make_group(sentence: str, names: Iterable[str], *, count: int) -> Group:
    """A group that shows the first :data:`SHOWN` of ``names``."""
    return Group(sentence, count, tuple(islice(names, SHOWN)))


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick on the confirmation page, sent as ``name=1``."""

    name: str
    label: str
    is_ticked: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A line to fill in on the confirmation page; nothing is done without it."""

    name: str
    label: str
    hint: str = ""
    most: int = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """What an action will do. ``count`` rows change; with 0 there is nothing to confirm.

    ``under_way`` are the bulk actions that do the same to other chosen rows already: the page leads to them.
    """

    title: str
    sentence: str
    button: str
    count: int
    groups: Sequence[Group] = field(default=())
    warning: str = ""
    choices: Sequence[Choice] = field(default=())
    texts: Sequence[Text] = field(default=())
    under_way: Sequence[Model] = field(default=())


def is_confirmed(request: HttpRequest, plan: Plan) -> bool:
    """True where the person has read this very count and pressed the button.

    Where the rows changed meanwhile the count differs, and the page is shown again.
    """
    confirmed = request.POST.get("confirmed_count")
    if confirmed is None:
        return False
    if confirmed != str(plan.count):
        messages.warning(request, _("La liste a changé entre-temps : vérifiez avant de confirmer."))
        return False
    if any(not request.POST.get(text.name, "").strip() for text in plan.texts):
        return False  # the page says which, beside its field
    return plan.count > 0


def pressed_key(request: HttpRequest) -> UUID | None:
    """What names one showing of the page: pressed twice there, it is one deed. None: no such page."""
    try:
        return UUID(request.POST.get(KEY, ""))
    except ValueError:
        return None


def ask[M: Model](
    model_admin: ModelAdmin[M], request: HttpRequest, queryset: QuerySet[Any], plan: Plan
) -> TemplateResponse:
    """The confirmation page of ``plan`` for the chosen rows ``queryset`` of an action.

    The page posts to the address it came from, with the filters of the list.
    """
    # Django gives the actions of a change form a prefix of their own.
    prefix = f"{ActionLocation.CHANGE_FORM.value}-"
    prefix = prefix if f"{prefix}action" in request.POST else ""
    if request.POST.get("select_across") == "1":
        fields = [(helpers.ACTION_CHECKBOX_NAME, "0"), (f"{prefix}select_across", "1")]
    else:
        fields = [(helpers.ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)]
    fields.append((f"{prefix}action", _pressed_action(request, f"{prefix}action")))
    address = request.get_full_path()
    return ask_page(model_admin, request, plan, fields=fields, post_to=address, back=address)


def ask_page[M: Model](
    model_admin: ModelAdmin[M],
    request: HttpRequest,
    plan: Plan,
    *,
    fields: Sequence[tuple[str, str]],
    post_to: str,
    back: str,
) -> TemplateResponse:
    """A confirmation page of a view of one's own: what it sends (names and values), where to, and the way back."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": plan.title,
        "opts": model_admin.opts,
        "plan": plan,
        "fields": [*fields, (KEY, str(uuid4()))],
        "texts": [(text, request.POST.get(text.name, "")[: text.most]) for text in plan.texts],
        "is_incomplete": "confirmed_count" in request.POST,
        "post_to": post_to,
        "back": back,
    }
    return TemplateResponse(request, "backoffice/ui/confirmation.html", context)


def _pressed_action(request: HttpRequest, field_name: str) -> str:
    """The action whose button was pressed: a list has one menu of actions above it, and may have one below."""
    values = request.POST.getlist(field_name)
    index = request.POST.get("index", "")
    return values[int(index)] if index.isdecimal() and int(index) < len(values) else values[0]
