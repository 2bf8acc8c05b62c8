"""The filters of the list to export, as the address says them: by state, by reason, by part of a number or a name."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Self

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.exporting.counts import ExportCounts
from invoices.exporting.items import filter_items
from invoices.exporting.reasons import reasons_to_fix, row_of, select_to_fix
from invoices.models import Export, ExportItem, Invoice
from portal.backoffice.ui.searching import search_within

ItemState, Reason = ExportItem.State, ExportItem.Reason
# Of the lines that are left out, those that need no correction; ``left_out`` in an address means the others.
SET_ASIDE = "set_aside"
# Lines of every state, asked for: an address without a state leaves the choice to the page.
ALL = "toutes"
SEARCHED = ("number", "customer__name", "customer__code")
STATES = (
    (str(ItemState.READY), gettext_lazy("prêtes")),
    (str(ItemState.LEFT_OUT), gettext_lazy("à corriger")),
    (SET_ASIDE, gettext_lazy("écartées")),
    (str(ItemState.EXCLUDED), gettext_lazy("décochées")),
    (str(ItemState.CLAIMED), gettext_lazy("en cours")),
    (str(ItemState.PUBLISHED), gettext_lazy("publiées")),
    (str(ItemState.FAILED), gettext_lazy("en échec")),
)
"""The states by which lines are filtered, as addresses and people call them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen, with how many lines it shows."""

    label: str
    count: int
    url: str
    is_current: bool


LINES_PER_PAGE = 25
# What a search finds is counted up to here; a word that all lines have would have all of them read for a number.
MOST_FOUND = 500


@dataclass(frozen=True, slots=True)
class ShownCount:
    """How many lines are shown, on this page and the others; with ``is_limited`` there are more than that."""

    total: int
    ready: int
    excluded: int
    is_limited: bool = False


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What of a list is shown; all of it where everything is empty."""

    state: str = ""
    reason: str = ""
    search: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """The filter of an address; what it does not know counts for nothing."""
        state, reason = query.get("etat", ""), query.get("motif", "")
        return cls(
            state=state if state in dict(STATES) else "",
            reason=reason if reason in Reason.values else "",
            search=query.get("q", "").strip(),
        )

    @classmethod
    def of_page(cls, query: QueryDict, export: Export, figures: ExportCounts) -> Self:
        """The filter of an address, as a page is opened: where it asks for nothing, what is about to leave.

        The list is checked and then exported: of one that has not left, the lines that are ready; else all of them.
        """
        is_asked = not {"etat", "motif", "q"}.isdisjoint(query)
        if is_asked or export.state != Export.State.DRAFT or not figures.ready:
            return cls.from_query(query)
        return cls(state=str(ItemState.READY))

    @property
    def reasons(self) -> list[str]:
        """The reasons of the lines that it shows; empty where it shows lines of any."""
        if self.reason:
            return [self.reason]
        if self.state in (ItemState.LEFT_OUT, SET_ASIDE):
            return reasons_to_fix(is_to_fix=self.state == ItemState.LEFT_OUT)
        return []

    def find(self, export: Export) -> QuerySet[ExportItem, Any]:
        """The primary keys of the lines that it shows, in the order of the list."""
        state = str(ItemState.LEFT_OUT) if self.state == SET_ASIDE else self.state
        wanted = search_within(Invoice, SEARCHED, "invoice", self.search) if self.search else None
        return filter_items(export, state=state, reasons=self.reasons, wanted=wanted)

    def count_shown(self, keys: QuerySet[ExportItem, Any], figures: ExportCounts) -> ShownCount:
        """How many lines it shows, and how many of them are ticked and unticked; ``keys`` are what it finds.

        From the figures of the list; the database is asked only where it searches, which no figure knows, and then no
        further than :data:`MOST_FOUND`.
        """
        if self.search:
            states = Counter(keys.order_by().values_list("state", flat=True)[: MOST_FOUND + 1])
            total = min(states.total(), MOST_FOUND)
            ready, excluded = states[str(ItemState.READY)], states[str(ItemState.EXCLUDED)]
            return ShownCount(total, ready, excluded, is_limited=states.total() > MOST_FOUND)
        if self.reason:
            is_left_out = self.state in ("", ItemState.LEFT_OUT, SET_ASIDE)
            return ShownCount(figures.left_out.get(self.reason, 0) if is_left_out else 0, 0, 0)
        ready, excluded = (self.state in ("", state) for state in (ItemState.READY, ItemState.EXCLUDED))
        return ShownCount(_count_by_state(figures)[self.state], figures.ready * ready, figures.excluded * excluded)

    def after_ticks(self, *, excluded: bool) -> Self:
        """The filter that goes on showing the lines of this one, once all of them were unticked or ticked."""
        before, after = (ItemState.READY, ItemState.EXCLUDED) if excluded else (ItemState.EXCLUDED, ItemState.READY)
        return replace(self, state=str(after)) if self.state == before else self

    @property
    def query(self) -> str:
        """The filter as an address says it; empty for all lines."""
        values = {"etat": self.state, "motif": self.reason, "q": self.search}
        return urlencode({name: value for name, value in values.items() if value})

    def state_choices(self, figures: ExportCounts) -> list[Choice]:
        """«Toutes», then each state that occurs."""
        counts = _count_by_state(figures)
        choices = [
            Choice(
                str(label),
                counts[state],
                f"?{urlencode({'etat': state or ALL})}",
                is_current=state == self.shown_state,
            )
            for state, label in (("", _("toutes")), *STATES)
        ]
        return [*choices[:1], *(choice for choice in choices[1:] if choice.count or choice.is_current)]

    @property
    def shown_state(self) -> str:
        """The state chosen; a reason alone says whether its lines are to be corrected or set aside."""
        row = row_of(self.reason)
        if row is None or self.state not in ("", ItemState.LEFT_OUT, SET_ASIDE):
            return self.state
        return str(ItemState.LEFT_OUT) if row.is_to_fix else SET_ASIDE

    def reason_choices(self, figures: ExportCounts) -> list[Choice]:
        """Each reason that occurs among the lines to correct, or among those set aside, where these are shown."""
        if self.shown_state not in (ItemState.LEFT_OUT, SET_ASIDE):
            return []
        counts = select_to_fix(figures.left_out, is_to_fix=self.shown_state == ItemState.LEFT_OUT)
        return [
            Choice(
                str(Reason(reason).label),
                count,
                f"?{urlencode({'etat': self.shown_state, 'motif': reason})}",
                is_current=reason == self.reason,
            )
            for reason, count in counts.items()
        ]


def page_of_lines(request: HttpRequest, keys: QuerySet[ExportItem, Any], count: int) -> "Page[Any]":
    """The page of the address; ``keys`` are those of all lines, and ``count`` of them need not be counted again."""
    paginator = Paginator(keys, LINES_PER_PAGE)
    paginator.__dict__["count"] = count
    return paginator.get_page(request.GET.get("page"))


def _count_by_state(figures: ExportCounts) -> dict[str, int]:
    return {
        "": figures.candidates,
        str(ItemState.READY): figures.ready,
        str(ItemState.LEFT_OUT): figures.to_fix,
        SET_ASIDE: figures.set_aside,
        str(ItemState.EXCLUDED): figures.excluded,
        str(ItemState.CLAIMED): figures.claimed,
        str(ItemState.PUBLISHED): figures.published,
        str(ItemState.FAILED): figures.failed,
    }
