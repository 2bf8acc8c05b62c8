"""Accounts of the customers' space, and the users of the back-office."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from customers.models import CustomerAccount, StaffAccount
from mailing.admin_lists import BackOfficeAdmin


@admin.register(CustomerAccount)
class CustomerAccountAdmin(BackOfficeAdmin[CustomerAccount]):
    """Comptes de l'espace client."""

    list_display = ("login", "name", "is_active", "last_login", "credentials_sent_at")
    list_filter = ("is_active",)
    search_fields = ("login", "name")
    fields = ("login", "name", "is_active", "notify_by_mail")
    readonly_fields = ("login",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerAccount]:
        """Customers' accounts only."""
        return super().get_queryset(request).filter(is_staff=False)


@admin.register(StaffAccount)
class StaffAccountAdmin(BackOfficeAdmin[StaffAccount]):
    """Users of the back-office."""

    list_display = ("login", "name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "groups")
    search_fields = ("login", "name")
    fields = ("login", "name", "is_active", "groups")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffAccount]:
        """Staff only."""
        return super().get_queryset(request).filter(is_staff=True)
