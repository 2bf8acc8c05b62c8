"""The customer card and the lists of customers and contacts."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from customers.models import Contact, Customer
from mailing.admin_lists import BackOfficeAdmin


class ContactInline(admin.TabularInline[Contact, Customer]):
    """The contacts on the customer card."""

    model = Contact
    fields = ("name", "function", "email", "is_main")
    extra = 0


@admin.register(Customer)
class CustomerAdmin(BackOfficeAdmin[Customer]):
    """Clients."""

    list_display = ("code", "name", "kind", "invoice_copies", "email", "city")
    list_filter = ("kind", "invoice_copies", "is_public_body")
    search_fields = ("code", "name", "email", "city", "siren", "siret", "vat_identifier")
    inlines = (ContactInline,)
    fieldsets = (
        (_("Identité"), {"classes": ("entete",), "fields": ("code", "name", "kind", "is_public_body")}),
        (
            _("Coordonnées"),
            {
                "classes": ("entete",),
                "fields": ("email", "phone", "address", "address_complement", "postcode", "city", "country"),
            },
        ),
        (
            _("Identifiants légaux"),
            {"classes": ("entete",), "fields": ("siren", "siret", "vat_identifier", "electronic_address")},
        ),
        (_("Édition des factures"), {"classes": ("edition",), "fields": ("invoice_copies",)}),
    )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The card, with its tabs."""
        tabs = [("entete", _("Entête")), ("contacts", _("Contacts")), ("edition", _("Édition"))]
        return super().changeform_view(request, object_id, form_url, {"card_tabs": tabs, **(extra_context or {})})


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
