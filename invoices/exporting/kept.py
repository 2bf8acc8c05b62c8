"""What the lines of a list that has ended add up to, kept with it: a page need not count 40,000 lines again.

The lines of such a list change in two ways: somebody starts it again, or a line that had left its invoice to another
list learns what became of it. Both forget what was kept, and the next sweep of a worker counts it again.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from invoices.models import Delivery, Export, ExportItem

# Lists that one sweep counts: those of years, after an upgrade, take several.
LISTS_PER_SWEEP = 20


def kept_groups(export: Export) -> list[dict[str, Any]] | None:
    """Lines, mails and credentials by state and reason, as :func:`group_lines` gives them; None where none are kept."""
    kept = _kept(export)
    return None if kept is None else list(kept["groups"])


def kept_sums(export: Export, state: str) -> dict[str, tuple[int, Decimal]] | None:
    """Count and sum of the invoices per currency, of the lines in ``state`` or of all; None where none are kept."""
    kept = _kept(export)
    if kept is None:
        return None
    found: dict[str, tuple[int, Decimal]] = {}
    for row in kept["sums"]:
        if state in ("", row["state"]):
            count, total = found.get(row["currency"], (0, Decimal("0.00")))
            found[row["currency"]] = count + row["count"], total + Decimal(row["total"])
    return dict(sorted(found.items()))


def templates_of(export: Export) -> list[str]:
    """The PDF templates of what was published, sorted; one query at most."""
    kept = _kept(export)
    return _templates(export) if kept is None else list(kept["templates"])


def _templates(export: Export) -> list[str]:
    published = ExportItem.objects.filter(export=export, state=ExportItem.State.PUBLISHED).order_by()
    return sorted(published.exclude(document__template="").values_list("document__template", flat=True).distinct())


def count_messages(export: Export) -> int | None:
    """How many mails announced the list: those of its run, which are kept, and those sent again since."""
    kept = _kept(export)
    return None if kept is None else int(kept["messages"]) + _messages(export).filter(sending__gt=0).count()


def _kept(export: Export) -> dict[str, Any] | None:
    # An export that runs again has lines that move, whatever is there.
    return export.kept_figures if export.state == Export.State.DONE else None


def keep_figures_of_ended_exports() -> int:
    """Count the lists that have ended and are not counted yet, some of them; returns how many were."""
    waiting = Export.objects.filter(state=Export.State.DONE, kept_figures__isnull=True).order_by("-number")
    counted = 0
    for key in list(waiting.values_list("pk", flat=True)[:LISTS_PER_SWEEP]):
        with transaction.atomic():
            # Whoever changes lines of a list that has ended holds its row, and forgets what is kept.
            export = waiting.select_for_update().filter(pk=key).first()
            if export is not None:
                export.kept_figures = _add_up(export)
                export.save(update_fields=["kept_figures"])
                counted += 1
    return counted


def _add_up(export: Export) -> dict[str, Any]:
    items = ExportItem.objects.filter(export=export).order_by()
    sums = items.values_list("state", "invoice__currency").annotate(Count("pk"), Sum("invoice__total_with_vat"))
    return {
        "groups": [
            {name: value for name, value in row.items() if name != "export"} for row in group_lines([export.pk])
        ],
        "sums": [
            {"state": state, "currency": currency, "count": count, "total": str(total or Decimal("0.00"))}
            for state, currency, count, total in sums
        ],
        "templates": _templates(export),
        "messages": _messages(export).filter(sending=0).count(),
    }


def group_lines(exports: Iterable[int]) -> Any:
    """Lines of ``exports`` (primary keys) by list, state and reason, with their mails and credentials; one query."""
    return (
        ExportItem.objects.filter(export__in=list(exports))
        .order_by()
        .values("export", "state", "reason")
        .annotate(count=Count("pk"), mails=Sum("mails"), credentials=Sum("credentials"))
    )


def _messages(export: Export) -> QuerySet[Delivery, Any]:
    return Delivery.objects.filter(item__export=export).order_by().values("message").distinct()
