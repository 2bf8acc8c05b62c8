"""Every list of the back-office as a workbook: the columns that it shows, filtered and sorted as it is shown."""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from invoices.files.csv_tables import Column
from portal.backoffice.ui.downloads import is_too_long, send_xlsx
from portal.proof import proved_lately

# Rows that are read, and looked up for, at once.
CHUNK: Final = 2_000


class WorkbookList[M: Model](admin.ModelAdmin[M]):
    """A list with its workbook: a column that is added to the one is in the other."""

    # What a cell holds where the list shows a number or a date as words, by the name of the column.
    workbook_values: ClassVar[Mapping[str, Callable[[Any], object]]] = {}
    # Columns that the page has no room for.
    workbook_more: ClassVar[Sequence[Column[Any]]] = ()

    def workbook_columns(self, request: HttpRequest) -> list[Column[M]]:
        """The columns of the list, then :attr:`workbook_more`."""
        return [*(self._as_column(name) for name in self.get_list_display(request)), *self.workbook_more]

    def workbook_rows(self, rows: QuerySet[M]) -> Iterable[M]:
        """The rows as the columns read them; one that needs more looks it up for a chunk of them."""
        return rows.iterator(chunk_size=CHUNK)

    def workbook_url(self, changelist: Any) -> str:
        """The address of the workbook of what ``changelist`` shows, all its pages."""
        query = changelist.get_query_string(remove=[PAGE_VAR]).removeprefix("?")
        url = reverse(f"admin:{self._workbook_name}")
        return f"{url}?{query}" if query else url

    def as_xlsx(self, request: HttpRequest) -> HttpResponseBase:
        """The workbook; the list again where it is too long for one, with what to do, or asked for what cannot be."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return redirect(f"{url}?{ERROR_FLAG}=1")
        if is_too_long(request, _("filtrez-la, par mois par exemple, puis téléchargez."), rows):
            return redirect(f"{url}?{request.GET.urlencode()}")
        filename = f"{slugify(str(self.opts.verbose_name_plural))}-{timezone.localdate():%Y-%m-%d}.xlsx"
        return send_xlsx(self.workbook_columns(request), self.workbook_rows(rows), filename=filename)

    def get_urls(self) -> list[URLPattern]:
        """The workbook beside the list."""
        view = self.admin_site.admin_view(require_safe(proved_lately(self.as_xlsx)))
        return [path("liste.xlsx", view, name=self._workbook_name), *super().get_urls()]

    @property
    def _workbook_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_xlsx"

    def _as_column(self, name: Any) -> Column[M]:
        header = capfirst(str(label_for_field(name, self.model, self)))
        if given := self.workbook_values.get(name if isinstance(name, str) else name.__name__):
            return Column(header, given)
        return Column(header, lambda row: self._shown_value(name, row))

    def _shown_value(self, name: Any, row: M) -> object:
        """What the list shows of ``row``: numbers and dates as they are, a choice by its word, a badge without tags."""
        field, _attribute, value = lookup_field(name, row, self)
        if field is not None and getattr(field, "choices", None):
            return dict(field.flatchoices).get(value, value)
        match value:
            case bool():
                return _("oui") if value else _("non")
            case SafeString():
                return html.unescape(strip_tags(value))
            case Model():
                return str(value)
        return value
