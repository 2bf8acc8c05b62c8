"""Tabs that are added to the customer card, each by the module that fills it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from customers.models import Customer

TabContext = Callable[[HttpRequest, Customer], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CardTab:
    """A tab: its id in the page, its label, the template of its panel, what that shows, and who may see it."""

    identifier: str
    label: "str | Promise"
    template: str
    context: TabContext
    permission: str


_tabs: dict[str, CardTab] = {}


def register_card_tab(tab: CardTab) -> None:
    """Add ``tab`` to the customer card; the last one of an identifier holds."""
    _tabs[tab.identifier] = tab


def card_tabs(request: HttpRequest) -> list[CardTab]:
    """The added tabs that the signed-in person may see."""
    return [tab for tab in _tabs.values() if request.user.has_perm(tab.permission)]
