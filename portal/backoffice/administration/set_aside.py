"""Éléments mis de côté: inputs that stopped whatever reads them, and why; staff have them tried again."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.money import write_count
from invoices.platforms.following import look_again
from mailing.quarantine.models import SetAside
from portal.backoffice.ui.lists import NextStep, ReadOnlyAdmin
from portal.backoffice.ui.pages import add_message, log_change_of_all

TRY_AGAIN = "quarantine.change_setaside"


class StateFilter(admin.SimpleListFilter):
    """What waits for somebody, or what will be tried again by itself."""

    title = gettext_lazy("état")
    parameter_name = "etat"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Both."""
        return [("cote", _("mis de côté")), ("encore", _("encore essayés"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SetAside]) -> QuerySet[SetAside]:
        """The rows of the one that was chosen."""
        return queryset.filter(is_set_aside=self.value() == "cote") if self.value() else queryset


@admin.register(SetAside)
class SetAsideAdmin(ReadOnlyAdmin[SetAside]):
    """The list, and the button that has some of them tried again."""

    list_display = ("label", "loop", "state", "tries", "reason", "first_at", "last_at")
    list_display_links = None
    list_filter = (StateFilter, "loop")
    search_fields = ("label", "reason")
    search_help_text = gettext_lazy("Élément ou motif.")
    actions = ("try_again",)
    empty_sentence = gettext_lazy("Rien n’est mis de côté : tout ce qui arrive est traité.")
    next_step = NextStep(gettext_lazy("Revenir au tableau de bord"), "index", TRY_AGAIN)

    @admin.display(description=gettext_lazy("état"), ordering="is_set_aside")
    def state(self, row: SetAside) -> str:
        """Whether somebody is waited for."""
        return _("mis de côté") if row.is_set_aside else _("sera réessayé")

    def has_try_permission(self, request: HttpRequest) -> bool:
        """Who may have them tried again."""
        return request.user.has_perm(TRY_AGAIN)

    @admin.action(description=gettext_lazy("Réessayer"), permissions=["try"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[SetAside]) -> None:
        """Forget their tries: each is taken by its next run, as if it came again."""
        rows = list(queryset)
        log_change_of_all(request, rows, _("Nouvel essai demandé."))
        for row in rows:
            if row.loop == SetAside.Loop.STATUS and row.key.partition(":")[0].isdecimal():
                look_again(int(row.key.partition(":")[0]))
            row.delete()
        counted = write_count(len(rows), _("élément sera réessayé"), _("éléments seront réessayés"))
        add_message(request, f"{counted}.")
