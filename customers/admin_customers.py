"""The customer card and the lists of customers and contacts."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from customers.models import Contact, Customer
from mailing.admin_lists import BackOfficeAdmin


@admin.register(Customer)
class CustomerAdmin(BackOfficeAdmin[Customer]):
    """Clients."""

    list_display = ("code", "name", "kind", "invoice_copies", "email", "city")
    list_filter = ("kind", "invoice_copies", "is_public_body")
    search_fields = ("code", "name", "email", "city", "siren", "siret", "vat_identifier")


@admin.register(Contact)
class ContactAdmin(BackOfficeAdmin[Contact]):
    """Contacts of all customers."""

    list_display = ("name", "function", "email", "is_main", "customer")
    list_filter = ("is_main",)
    list_select_related = ("customer",)
    search_fields = ("name", "function", "email", "customer__code", "customer__name")
    autocomplete_fields = ("customer",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """By name: the order by customer would sort the whole table for one page."""
        return super().get_queryset(request).order_by("name", "pk")
