"""The figures of exports: how many lines are in which state, by one query for any number of lists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from invoices.exporting.kept import group_lines, kept_groups
from invoices.exporting.reasons import order_reasons, select_to_fix
from invoices.models import Export, ExportItem


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """The state of an export."""

    ready: int
    claimed: int
    published: int
    failed: int
    left_out: dict[str, int]
    excluded: int
    mails: int
    credentials: int

    @property
    def remaining(self) -> int:
        """Lines still to be done."""
        return self.ready + self.claimed

    @property
    def done(self) -> int:
        """Lines that reached an end in the run."""
        return self.published + self.failed

    @property
    def total(self) -> int:
        """Lines that the run does in all."""
        return self.done + self.remaining

    @property
    def left_out_total(self) -> int:
        """Lines left out, whatever the reason."""
        return sum(self.left_out.values())

    @property
    def to_fix(self) -> int:
        """Lines that staff can and should correct: «à corriger»."""
        return sum(select_to_fix(self.left_out).values())

    @property
    def set_aside(self) -> int:
        """Lines left out for good, as those on paper and those exported before: «écartées»."""
        return self.left_out_total - self.to_fix

    @property
    def exported_before(self) -> int:
        """Of those set aside, the lines whose invoice has left by another list."""
        return self.left_out.get(str(ExportItem.Reason.ALREADY_EXPORTED), 0)

    @property
    def candidates(self) -> int:
        """All lines of the list."""
        return self.total + self.excluded + self.left_out_total


def count_items(export: Export) -> ExportCounts:
    """The figures of ``export``, by one query at most."""
    return count_many([export])[export.pk]


def count_many(exports: Collection[Export]) -> dict[int, ExportCounts]:
    """The figures of each of ``exports`` by its primary key, by one query; none where all of them are kept."""
    found: dict[int, dict[tuple[str, str], Mapping[str, Any]]] = {export.pk: {} for export in exports}
    to_count = []
    for export in exports:
        groups = kept_groups(export)
        if groups is None:
            to_count.append(export.pk)
        else:
            found[export.pk] = {(group["state"], group["reason"]): group for group in groups}
    for row in group_lines(to_count) if to_count else ():
        found[row["export"]][row["state"], row["reason"]] = row
    return {pk: _figures(groups) for pk, groups in found.items()}


def _figures(groups: dict[tuple[str, str], Mapping[str, Any]]) -> ExportCounts:
    states: dict[str, int] = {}
    for (state, _reason), row in groups.items():
        states[state] = states.get(state, 0) + row["count"]
    reasons = {reason: row["count"] for (state, reason), row in groups.items() if state == ExportItem.State.LEFT_OUT}
    return ExportCounts(
        ready=states.get(ExportItem.State.READY, 0),
        claimed=states.get(ExportItem.State.CLAIMED, 0),
        published=states.get(ExportItem.State.PUBLISHED, 0),
        failed=states.get(ExportItem.State.FAILED, 0),
        left_out=order_reasons(reasons),
        excluded=states.get(ExportItem.State.EXCLUDED, 0),
        mails=sum(row["mails"] or 0 for row in groups.values()),
        credentials=sum(row["credentials"] or 0 for row in groups.values()),
    )
