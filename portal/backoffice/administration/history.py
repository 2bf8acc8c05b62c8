"""The history: who changed what, and when."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Account, StaffAccount
from portal.backoffice.ui.changes import describe_values
from portal.backoffice.ui.lists import LimitedPaginator, ReadOnlyAdmin, read_key

# The applications whose things are in the menus; the history itself and the queue of tasks do not change by hand.
NAMED = ("auth", "customers", "invoices", "mailing")


class ActionFilter(admin.ChoicesFieldListFilter):
    """Added, changed, removed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("action")


class TypeFilter(admin.SimpleListFilter):
    """What was changed: the things that people know by name, not every table that there is."""

    title = gettext_lazy("ce qui a changé")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The models of the menus, and accounts, which some actions are noted on as such."""
        registered = [model for model in apps.get_models() if model_admin.admin_site.is_registered(model)]
        models = [model for model in registered if model._meta.app_label in NAMED]
        types = ContentType.objects.get_for_models(*models, Account, for_concrete_models=False)
        words = ((str(kind.pk), capfirst(str(model._meta.verbose_name))) for model, kind in types.items())
        return sorted(words, key=lambda word: word[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """The changes of such things."""
        key = read_key(self.value() or "")
        return queryset.filter(content_type=key) if key else queryset


class UserFilter(admin.SimpleListFilter):
    """Who changed something: a member of staff, gone ones too."""

    title = gettext_lazy("utilisateur")
    parameter_name = "utilisateur"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The names of the members of staff."""
        staff = StaffAccount.objects.filter(is_staff=True).order_by("name", "login")
        return [(str(user.pk), user.name or user.login) for user in staff]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """What that person did."""
        key = read_key(self.value() or "")
        return queryset.filter(user=key) if key else queryset


@admin.register(LogEntry)
class HistoryAdmin(ReadOnlyAdmin[LogEntry]):
    """Who changed what, and when. The latest first, which is by key: the table has no index on the time."""

    list_display_links = None
    list_filter = (("action_flag", ActionFilter), TypeFilter, UserFilter, "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__login", "user__name")
    searches_by_keys = True
    search_help_text = gettext_lazy("Objet, action ou utilisateur.")
    ordering = ("-pk",)
    paginator = LimitedPaginator
    workbook_values: ClassVar = {"time": lambda entry: entry.action_time}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, named as in the menu."""
        return super().changelist_view(request, {"title": _("Historique"), **(extra_context or {})})

    def get_list_display(self, request: HttpRequest) -> tuple[str | Callable[[LogEntry], str | bool], ...]:
        """Its columns; a thing leads to its page for those who may see that."""

        @admin.display(description=_("objet"))
        def thing(entry: LogEntry) -> str:
            url = None if entry.is_deletion() else entry.get_admin_url()
            kind = entry.content_type
            if not url or kind is None or not request.user.has_perm(f"{kind.app_label}.view_{kind.model}"):
                return entry.object_repr
            return format_html('<a href="{}">{}</a>', url, entry.object_repr)

        return ("time", "who", "what", thing, "change")

    @admin.display(description=gettext_lazy("date"), ordering="pk")
    def time(self, entry: LogEntry) -> str:
        """When, to the minute."""
        return f"{localtime(entry.action_time):%d/%m/%Y %H:%M}"

    @admin.display(description=gettext_lazy("utilisateur"))
    def who(self, entry: LogEntry) -> str:
        """The name of the member of staff."""
        return entry.user.get_full_name() or entry.user.get_username()

    @admin.display(description=gettext_lazy("type"))
    def what(self, entry: LogEntry) -> str:
        """What kind of thing, in the words of the menus."""
        model = entry.content_type.model_class() if entry.content_type else None
        return str(model._meta.verbose_name) if model else "–"

    @admin.display(description=gettext_lazy("action"))
    def change(self, entry: LogEntry) -> str:
        """What was done, in a sentence."""
        return describe_values(entry) or entry.get_change_message() or entry.get_action_flag_display()
