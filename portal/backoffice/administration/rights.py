"""Groups and what they may do."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.backoffice.ui.lists import BackOfficeAdmin

# What is somebody's to decide; tables of libraries are no one's, but where a group has a right on one it keeps it.
OURS = ("customers", "invoices", "mailing", "trail", "quarantine", "auth", "admin")
_VERBS = {
    "view": gettext_lazy("voir"),
    "add": gettext_lazy("ajouter"),
    "change": gettext_lazy("modifier"),
    "delete": gettext_lazy("supprimer"),
}


class RightsField(forms.ModelMultipleChoiceField[Permission]):
    """Rights in French: Django writes «Can view customer» into the database."""

    def label_from_instance(self, obj: Any) -> str:
        """«Client : voir»; a right of our own says itself what it is."""
        verb = _VERBS.get(obj.codename.partition("_")[0])
        of_django = obj.codename.partition("_")[2] == obj.content_type.model
        return f"{capfirst(obj.content_type.name)} : {verb}" if verb and of_django else str(obj.name)


admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(BackOfficeAdmin[Group], GroupAdmin):
    """Groups and what they may do: read by those who give them, changed by superusers.

    Whoever could change the rights of a group that he belongs to would give himself any right.
    """

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Boxes to tick, each with what it is about and what may be done to it."""
        if db_field.name != "permissions":
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        ours = Q(content_type__app_label__in=OURS) | Q(group__isnull=False)
        rights = Permission.objects.filter(pk__in=Permission.objects.filter(ours).values("pk"))
        ordered = rights.select_related("content_type").order_by("content_type__app_label", "content_type", "codename")
        return RightsField(queryset=ordered, required=False, label=_("Droits"), widget=forms.CheckboxSelectMultiple)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers only."""
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """Superusers only."""
        return _is_superuser(request)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))
