"""Listes déjà exportées: every list with its outcome."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.exporting.counts import ExportCounts, count_many
from invoices.exporting.progress import run_duration
from invoices.files.csv_tables import Column
from invoices.models import Export
from invoices.money import write_count
from portal.backoffice.ui.lists import HouseChangeList, LimitedPaginator, NextStep, ReadOnlyAdmin
from portal.backoffice.ui.workbooks import CHUNK

STATE_CSS = {
    Export.State.DRAFT: "new",
    Export.State.RUNNING: "claimed",
    Export.State.PAUSED: "deferred",
    Export.State.CANCELLED: "cancelled",
    Export.State.DONE: "accepted",
}


class ExportChangeList(HouseChangeList):
    """The lists of a page with their figures, by one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Add ``figures`` to each row."""
        super().get_results(request)
        self.result_list = _with_counts(list(self.result_list))


def _with_counts(rows: Sequence[Any]) -> Sequence[Any]:
    """The exports ``rows``, each with its counts as ``figures``."""
    figures = count_many(rows)
    for row in rows:
        row.figures = figures[row.pk]
    return rows


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin[Export]):
    """Lists that were made, and what became of them."""

    empty_sentence = gettext_lazy("Aucune liste pour l’instant : elle se prépare sur l’écran d’export.")
    next_step = NextStep(gettext_lazy("Ouvrir l’écran d’export"), "export_web", "invoices.view_export")
    list_display = ("number", "created_at", "state_badge", "outcome", "who", "selection", "duration")
    list_filter = ("state", "created_at", "selection")
    list_select_related = ("selection", "author")
    search_fields = ("=number", "author_name", "selection__name")
    date_hierarchy = "created_at"
    ordering = ("-number",)
    paginator = LimitedPaginator
    workbook_more = (
        Column(gettext_lazy("Publiées"), lambda export: export.figures.published),
        Column(gettext_lazy("En échec"), lambda export: export.figures.failed),
        Column(gettext_lazy("À corriger"), lambda export: export.figures.to_fix),
        Column(gettext_lazy("Écartées"), lambda export: export.figures.set_aside),
        Column(gettext_lazy("Mails"), lambda export: export.figures.mails),
        Column(gettext_lazy("Commencée le"), lambda export: export.started_at),
        Column(gettext_lazy("Terminée le"), lambda export: export.finished_at),
    )

    def workbook_rows(self, rows: QuerySet[Export]) -> Iterator[Export]:
        """With their counts, by one query for many."""
        for some in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
            yield from _with_counts(some)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Rows with their figures."""
        return ExportChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        """All lists."""
        return super().get_queryset(request)

    @admin.display(description=gettext_lazy("état"), ordering="state")
    def state_badge(self, export: Export) -> SafeString:
        """The state as a word in its colour."""
        css = STATE_CSS[Export.State(export.state)]
        return format_html('<span class="state state--{}">{}</span>', css, export.get_state_display())

    @admin.display(description=gettext_lazy("résultat"))
    def outcome(self, export: Export) -> str:
        """«54 publiées, 1 en échec, 2 à corriger, 12 écartées»."""
        return outcome_of(export.figures)  # type: ignore[attr-defined] # added by ExportChangeList

    @admin.display(description=gettext_lazy("auteur"), ordering="author_name")
    def who(self, export: Export) -> str:
        """Who made the list: a person, or the command line."""
        return export.author_name

    @admin.display(description=gettext_lazy("durée"))
    def duration(self, export: Export) -> str:
        """How long the run took."""
        return run_duration(export)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list while it has not left, its bordereau afterwards."""
        export = self.get_object(request, object_id)
        if export is None:
            raise Http404
        is_ended = export.state in (Export.State.DONE, Export.State.CANCELLED)
        return redirect("admin:export_web_bordereau" if is_ended else "admin:export_web_list", number=export.number)


def outcome_of(figures: ExportCounts) -> str:
    """What a list holds or has done, in a few words."""
    parts = [
        (figures.remaining, _("prête"), _("prêtes")),
        (figures.published, _("publiée"), _("publiées")),
        (figures.failed, _("en échec"), _("en échec")),
        (figures.to_fix, _("à corriger"), _("à corriger")),
        (figures.set_aside, _("écartée"), _("écartées")),
        (figures.mails, _("mail"), _("mails")),
    ]
    return ", ".join(write_count(count, singular, several) for count, singular, several in parts if count)
