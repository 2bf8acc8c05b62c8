"""What the lists of the back-office have in common."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE, DELETION
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR, ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from portal.backoffice.ui.changes import changed_values
from portal.backoffice.ui.meanwhile import MeanwhileMixin
from portal.backoffice.ui.searching import search_by_keys
from portal.backoffice.ui.workbooks import WorkbookList
from portal.change_log import record_changes

# A list shows its length up to here; beyond, «plus de 10 000», without counting a million rows for a footer.
COUNTED_ROWS = 10_000


_LARGEST_KEY = 2**63 - 1


def read_key(text: str) -> int:
    """The primary key that an address or a form names; 0, which no row has, whatever else somebody typed there."""
    # isdecimal, for "²".isdigit() is true and int("²") fails; a number that no column holds fails in the database.
    key = int(text) if text.isdecimal() and len(text) < 20 else 0
    return key if key <= _LARGEST_KEY else 0


class KeyAutocomplete(AutocompleteSelect):
    """A choice that is looked up; what no key can be is left out, which Django asks the database for."""

    def format_value(self, value: Any) -> Any:
        """The keys that are chosen, as texts."""
        return [key for key in super().format_value(value) if read_key(key)]


class KeyChoices[M: Model](admin.options.BaseModelAdmin[M]):
    """Named before an admin class with ``autocomplete_fields``: an address or a form may name anything for them."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field; one that is looked up with the widget above."""
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KeyAutocomplete(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class LimitedPaginator[M: Model](Paginator[M]):
    """Pages of a long list: counts no further than :data:`COUNTED_ROWS`, which is also how far one can leaf."""

    @cached_property
    def _rows_seen(self) -> int:
        # One row beyond distinguishes «10 000» from «more than 10 000».
        rows = self.object_list
        return rows.order_by()[: COUNTED_ROWS + 1].count() if isinstance(rows, QuerySet) else len(rows)

    @cached_property
    def count(self) -> int:
        """The number of rows, ``COUNTED_ROWS`` at most."""
        return min(self._rows_seen, COUNTED_ROWS)

    @property
    def is_limited(self) -> bool:
        """True where there are more rows than were counted: the page then says «more than»."""
        return self._rows_seen > COUNTED_ROWS


@dataclass(frozen=True, slots=True)
class NextStep:
    """What fills an empty list: a page of the back-office, by its name, for those with ``permission``."""

    label: "str | Promise"
    url_name: str
    permission: str

    @property
    def url(self) -> str:
        """The address of the page."""
        return reverse(f"admin:{self.url_name}")


class HouseChangeList(ChangeList):
    """Django's list; a default order of several columns is marked on none of them, and left by the first choice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # To add the filters in use to a link, Django resolves its address among all of the site: twice for each row.
        self.row_query, self.preserved_filters = self.preserved_filters, ""

    def url_for_result(self, result: Model) -> str:
        """The page of a row, which leads back to the list with the filters in use."""
        url = super().url_for_result(result)
        return f"{url}?{self.row_query}" if self.row_query else url

    def get_ordering_field_columns(self) -> dict[int, Literal["desc", "asc"]]:
        """The columns that the list is sorted by, by their place."""
        columns = super().get_ordering_field_columns()
        return columns if ORDER_VAR in self.params or len(columns) < 2 else {}


class BackOfficeAdmin[M: Model](KeyChoices[M], WorkbookList[M]):
    """A list of 25 lines that counts once, and forms whose history is written by Django."""

    # What is said where the list is empty, and what to do then.
    empty_sentence: "str | Promise" = ""
    next_step: NextStep | None = None
    # What several rows are called, where the list is called otherwise («piste d’audit»).
    counted_plural: "str | Promise" = ""

    list_per_page = 25
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    save_on_top = False
    # False where the form itself says what was saved meanwhile.
    keeps_meanwhile = True
    # Where the table is long and a field of ``search_fields`` is in another one.
    searches_by_keys = False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        """The rows that are searched; whether one may come twice."""
        if not self.searches_by_keys or not search_term.strip():
            return super().get_search_results(request, queryset, search_term)
        fields = self.get_search_fields(request)
        return queryset.filter(search_by_keys(self.model, list(fields), search_term)), False

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kwargs: Any) -> Any:
        """Pages of the list; what a search finds is counted no further than one leafs, for counting reads every row."""
        found = LimitedPaginator if request.GET.get(SEARCH_VAR) else self.paginator
        return found(queryset, per_page, *args, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list as a class."""
        return HouseChangeList

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        """The form; that of an object which is there keeps what was saved while it was open."""
        form = super().get_form(request, obj, change, **kwargs)
        if not change or not self.keeps_meanwhile:
            return form
        return type(form.__name__, (MeanwhileMixin, form), {"__module__": form.__module__})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save what hangs on the object, and say what was changed by others meanwhile."""
        super().save_related(request, form, formsets, change)
        kept = [
            label for each in (form, *(row for rows in formsets for row in rows)) for label in getattr(each, "kept", ())
        ]
        if kept:
            sentence = _("Modifié entre-temps par ailleurs, et gardé ainsi : %(fields)s.") % {"fields": ", ".join(kept)}
            self.message_user(request, sentence, messages.INFO)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; a year or a page that no calendar and no column holds is an address to be put right, no error."""
        try:
            changelist: Any = super().get_changelist_instance(request)
        except (OverflowError, ValueError, DataError) as error:
            raise IncorrectLookupParameters from error
        step = self.next_step
        changelist.next_step = step if step is not None and request.user.has_perm(step.permission) else None
        changelist.workbook_url = self.workbook_url(changelist)
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list under its own name, instead of Django's «Select … to change»."""
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A title that is French whatever the name («Ajouter : utilisateur»), instead of «Ajout de utilisateur»."""
        title = _("Ajouter : %(name)s") % {"name": self.opts.verbose_name}
        return super().add_view(request, form_url, {"title": title, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The title of the window says what kind of row it is, instead of «Affichage de import»."""
        title = capfirst(str(self.opts.verbose_name))
        return super().change_view(request, object_id, form_url, {"title": title, **(extra_context or {})})

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's message; a field that was changed is there with what stood in it and what is in it now."""
        message: Any = super().construct_change_message(request, form, formsets, add)
        if not add and isinstance(message, list) and form.changed_data:
            values = changed_values(form)
            for part in message:
                if "name" not in part.get("changed", {"name": ""}):
                    part["changed"]["values"] = values
        return message

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Into Django's history, and into the trail."""
        record_changes(request.user.pk or 0, [obj], message, flag=ADDITION)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Into Django's history, and into the trail."""
        record_changes(request.user.pk or 0, [obj], message, flag=CHANGE)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Into Django's history, and into the trail."""
        record_changes(request.user.pk or 0, queryset, "", flag=DELETION)
        return super().log_deletions(request, queryset)


class LabelledInlineFormSet[M: Model, P: Model, F: ModelForm[Any]](BaseInlineFormSet[M, P, F]):
    """Rows of a table of fields: the head of the column is no label to a screen reader, so each field says its own."""

    def add_fields(self, form: F, index: int | None) -> None:
        """Name every field of the row."""
        super().add_fields(form, index)
        for name, field in form.fields.items():
            label = field.label or form._meta.model._meta.get_field(name).verbose_name
            field.widget.attrs.setdefault("aria-label", str(label))


class ReadOnlyAdmin[M: Model](BackOfficeAdmin[M]):
    """What is written by the product and only read by people."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """None is added by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """None is changed."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """None is deleted."""
        return False


class ObjectPage[M: Model](admin.ModelAdmin[M]):
    """The page of one object that shows more than its fields; named before the admin that it completes."""

    def page_context(self, request: HttpRequest, obj: M | None) -> dict[str, Any]:
        """What the template needs beside the fields of ``obj``; None where the object is new or not there."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's page, with :meth:`page_context`; what the caller gives goes before it."""
        context = self.page_context(request, self.get_object(request, object_id) if object_id else None)
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})
