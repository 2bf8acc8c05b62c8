"""The filters of the list to export, as the address says them: by state, by reason, by part of a number or a name."""

from dataclasses import dataclass, replace
from typing import Any, Self

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from invoices.exporting.counts import ExportCounts
from invoices.exporting.items import filter_items
from invoices.models import Export, ExportItem

ItemState, Reason = ExportItem.State, ExportItem.Reason


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen, with how many lines it shows."""

    label: str
    count: int
    url: str
    is_current: bool


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
            state=state if state in ItemState.values else "",
            reason=reason if reason in Reason.values else "",
            search=query.get("q", "").strip(),
        )

    def find(self, export: Export) -> Any:
        """The primary keys of the lines that it shows, in the order of the list."""
        return filter_items(
            export,
            state=self.state,
            reason=self.reason,
            search=self.search,
            with_exported=self.state != ItemState.LEFT_OUT,
        )

    def count(self, figures: ExportCounts) -> int:
        """How many lines it shows, from the figures of the list: without its search, which no figure knows."""
        if self.reason:
            return figures.left_out.get(self.reason, 0) if self.state in ("", ItemState.LEFT_OUT) else 0
        return _count_by_state(figures)[self.state]

    def count_ticks(self, export: Export, figures: ExportCounts) -> tuple[int, int]:
        """How many lines that it shows are ticked and unticked; asks the database only where it searches."""
        if not self.search:
            shown = ("", ItemState.READY), ("", ItemState.EXCLUDED)
            if self.reason:
                return 0, 0
            ready, excluded = (self.state in states for states in shown)
            return figures.ready * ready, figures.excluded * excluded
        counts = ExportItem.objects.filter(pk__in=self.find(export).order_by()).aggregate(
            ready=Count("pk", filter=Q(state=ItemState.READY)),
            excluded=Count("pk", filter=Q(state=ItemState.EXCLUDED)),
        )
        return counts["ready"], counts["excluded"]

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
        """«Toutes», then each state that occurs; what has left already is a filter of its own."""
        words = [
            ("", _("toutes")),
            (str(ItemState.READY), _("prêtes")),
            (str(ItemState.LEFT_OUT), _("à corriger")),
            (str(ItemState.EXCLUDED), _("décochées")),
            (str(ItemState.CLAIMED), _("en cours")),
            (str(ItemState.PUBLISHED), _("publiées")),
            (str(ItemState.FAILED), _("en échec")),
        ]
        exported = str(Reason.ALREADY_EXPORTED)
        counts = _count_by_state(figures)
        choices = [
            Choice(
                label,
                counts[state],
                f"?{urlencode({'etat': state})}" if state else "?",
                is_current=state == self.state and self.reason != exported,
            )
            for state, label in words
        ]
        url = f"?{urlencode({'etat': ItemState.LEFT_OUT, 'motif': exported})}"
        choices.append(
            Choice(_("déjà exportées"), count_exported(figures), url, is_current=self.reason == exported),
        )
        return [choice for choice in choices if choice.count or choice.is_current or choice.url == "?"]

    def reason_choices(self, figures: ExportCounts) -> list[Choice]:
        """Each reason that occurs among the lines to correct."""
        return [
            Choice(
                str(Reason(reason).label),
                count,
                f"?{urlencode({'etat': ItemState.LEFT_OUT, 'motif': reason})}",
                is_current=reason == self.reason,
            )
            for reason, count in figures.left_out.items()
            if reason != Reason.ALREADY_EXPORTED
        ]


def count_exported(figures: ExportCounts) -> int:
    """Lines whose invoice has left by another list already."""
    return figures.left_out.get(str(Reason.ALREADY_EXPORTED), 0)


def count_to_fix(figures: ExportCounts) -> int:
    """Lines that somebody has to correct before they can leave."""
    return figures.left_out_total - count_exported(figures)


def _count_by_state(figures: ExportCounts) -> dict[str, int]:
    return {
        "": figures.candidates,
        str(ItemState.READY): figures.ready,
        str(ItemState.LEFT_OUT): count_to_fix(figures),
        str(ItemState.EXCLUDED): figures.excluded,
        str(ItemState.CLAIMED): figures.claimed,
        str(ItemState.PUBLISHED): figures.published,
        str(ItemState.FAILED): figures.failed,
    }
