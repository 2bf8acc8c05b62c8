"""Groups and what they may do."""

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from portal.backoffice.ui.lists import BackOfficeAdmin

admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(BackOfficeAdmin[Group], GroupAdmin):
    """Groups and what they may do: read by those who give them, changed by superusers.

    Whoever could change the rights of a group that he belongs to would give himself any right.
    """

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
