"""Administration: rights and history."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from mailing.admin_lists import BackOfficeAdmin, LimitedPaginator, ReadOnlyAdmin

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


@admin.register(LogEntry)
class HistoryAdmin(ReadOnlyAdmin[LogEntry]):
    """Who changed what, and when."""

    list_display = ("action_time", "user", "content_type", "object_repr", "get_change_message")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__login")
    date_hierarchy = "action_time"
    paginator = LimitedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """The latest first."""
        return super().get_queryset(request).order_by("-action_time")
