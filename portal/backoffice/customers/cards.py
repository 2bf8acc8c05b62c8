"""The customer card and the lists of customers and contacts."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.card_changes import notify_customer_changed
from customers.card_trail import TRAILED, acts_of_card
from customers.models import BulkAction, Contact, Customer
from invoices.files.csv_tables import Column
from mailing.trail.recording import record_all
from portal.backoffice.customers import bulk_actions
from portal.backoffice.customers.filters import ACCESSES_OF_CUSTOMER, Address, Copies, Credentials
from portal.backoffice.customers.forms import CardContactForm, ContactForm, ContactFormSet, CustomerForm
from portal.backoffice.customers.invoices_tab import latest_invoices
from portal.backoffice.customers.web_tab import CardActions
from portal.backoffice.ui.bulk_starts import confirm_and_start
from portal.backoffice.ui.directory import describe_lookup, look_up_chosen
from portal.backoffice.ui.gone import leads_back
from portal.backoffice.ui.lists import BackOfficeAdmin, NextStep, ObjectPage


class ContactInline(admin.TabularInline[Contact, Customer]):
    """The contacts on the customer card."""

    model = Contact
    form = CardContactForm
    formset = ContactFormSet
    fields = ("name", "function", "email", "is_main")
    ordering = ("-is_main", "name")
    extra = 1  # one to fill in without JavaScript


@admin.register(Customer)
class CustomerAdmin(ObjectPage[Customer], BackOfficeAdmin[Customer]):
    """Clients."""

    empty_sentence = _(
        "Aucun client pour l’instant : ils arrivent avec les fichiers de l’ERP, ou s’ajoutent un par un."
    )
    next_step = NextStep(_("Importer des fichiers"), "invoices_importbatch_add", "invoices.import_invoices")
    form = CustomerForm
    list_display = ("code", "name", "kind", "invoice_copies", "email", "city", "has_credentials")
    list_display_links = ("code", "name")
    list_filter = ("kind", Copies, Address, Credentials, "is_public_body")
    search_fields = ("code", "name", "email", "city", "siren", "siret", "vat_identifier", "contacts__email")
    searches_by_keys = True
    search_help_text = _("Code, nom, e-mail (aussi celui d’un contact), ville, SIREN, SIRET ou n° de TVA")
    inlines = (ContactInline,)
    readonly_fields = ("directory_answer",)
    workbook_more = (
        Column(_("Adresse"), lambda customer: customer.address),
        Column(_("Complément"), lambda customer: customer.address_complement),
        Column(_("Code postal"), lambda customer: customer.postcode),
        Column(_("Pays"), lambda customer: customer.country),
        Column(_("Téléphone"), lambda customer: customer.phone),
        Column(_("SIREN"), lambda customer: customer.siren),
        Column(_("SIRET"), lambda customer: customer.siret),
        Column(_("N° de TVA"), lambda customer: customer.vat_identifier),
    )
    actions = ("dematerialise", "create_credentials", "send_credentials", "activate", "deactivate", "look_up_addresses")
    change_form_template = "backoffice/customers/card.html"
    fieldsets = (
        (
            _("Identité"),
            {"classes": ("entete",), "fields": (("code", "name"), ("kind", "is_public_body"))},
        ),
        (
            _("Coordonnées"),
            {
                "classes": ("entete",),
                "fields": (
                    ("email", "phone"),
                    ("address", "address_complement"),
                    ("postcode", "city", "country"),
                ),
            },
        ),
        (
            _("Identifiants légaux"),
            {
                "classes": ("entete",),
                "fields": (("siren", "siret", "vat_identifier"), ("electronic_address", "directory_answer")),
            },
        ),
        (_("Édition des factures"), {"classes": ("edition",), "fields": ("invoice_copies",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """With one access of the customer; asked whether there is one, PostgreSQL reads all accounts for 25 rows."""
        return super().get_queryset(request).annotate(one_access=Subquery(ACCESSES_OF_CUSTOMER.values("pk")[:1]))

    @admin.display(description=_("annuaire"))
    def directory_answer(self, customer: Customer) -> str:
        """What the directory said when it was last asked, with the addresses to choose from."""
        return describe_lookup(customer)

    @admin.action(description=_("Consulter l’annuaire"), permissions=["change"])
    def look_up_addresses(self, request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        """Ask the directory for the electronic addresses of the ticked customers."""
        said, level = look_up_chosen(queryset)
        self.message_user(request, said, level)

    @admin.display(description=_("identifiants"), boolean=True, ordering=Exists(ACCESSES_OF_CUSTOMER))
    def has_credentials(self, customer: Customer) -> bool:
        """Whether the customer has an account."""
        return getattr(customer, "one_access", None) is not None

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """Save, and keep in the trail what was there before."""
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            record_all(acts_of_card(obj, {name: form.initial.get(name, "") for name in TRAILED}))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the contacts, and call what derives something from the card and from them."""
        super().save_related(request, form, formsets, change)
        if change and (form.changed_data or any(formset.has_changed() for formset in formsets)):
            notify_customer_changed(form.instance)

    def has_credentials_permission(self, request: HttpRequest) -> bool:
        """Who may make and send credentials."""
        return request.user.has_perm("customers.manage_credentials")

    def get_actions(
        self, request: HttpRequest, action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST
    ) -> Any:
        """Without deleting many at once: most have invoices and stay, and thousands are no question for one page."""
        actions = super().get_actions(request, action_location)
        return {name: action for name, action in actions.items() if name != "delete_selected"}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The question; where something is on the customer, why he stays and what to do instead."""
        customer = self.get_object(request, object_id)
        if customer is not None and self.has_delete_permission(request, customer):
            held_by = self.get_deleted_objects([customer], request)[3]
            if held_by:
                messages.warning(
                    request,
                    gettext(
                        "%(customer)s ne peut être supprimé : des factures ou des listes à exporter s’appuient sur sa "
                        "fiche. Désactivez ses comptes, onglet WEB, pour lui fermer son espace."
                    )
                    % {"customer": customer},
                )
                return redirect("admin:customers_customer_change", customer.pk)
        return super().delete_view(request, object_id, extra_context)

    def get_urls(self) -> list[Any]:
        """The actions of the WEB tab, beside the admin's own pages."""
        return [*self._card_urls(), *super().get_urls()]

    def _card_urls(self) -> list[URLPattern]:
        card, wrap = CardActions(self), self.admin_site.admin_view
        accounts = "<int:customer_id>/comptes/"
        account = f"{accounts}<int:account_id>/"
        return [
            path(f"{accounts}creer/", wrap(leads_back(card.create)), name="customers_customer_create_account"),
            path(f"{account}envoyer/", wrap(leads_back(card.send)), name="customers_customer_send_account"),
            path(f"{account}reinitialiser/", wrap(leads_back(card.renew)), name="customers_customer_renew_account"),
            path(f"{account}montrer/", wrap(leads_back(card.reveal)), name="customers_customer_reveal_account"),
            path(f"{account}etat/", wrap(leads_back(card.set_state)), name="customers_customer_account_state"),
        ]

    def page_context(self, request: HttpRequest, obj: Customer | None) -> dict[str, Any]:
        """The card, with its tabs: those of a new customer wait for its first saving."""
        tabs: list[tuple[str, str | Promise]] = [
            ("entete", _("Entête")),
            ("contacts", _("Contacts")),
            ("edition", _("Édition")),
        ]
        context: dict[str, Any] = {"card_tabs": tabs}
        if obj is not None and self.has_view_permission(request, obj):
            if request.user.has_perm("customers.view_customeraccount"):
                tabs.append(("web", "WEB"))
                context.update(CardActions(self).context(request, obj))
            if request.user.has_perm("invoices.view_invoice"):
                tabs.append(("factures", _("Factures")))
                context["invoices_tab"] = latest_invoices(obj)
        return context

    @admin.action(description=_("Passer en D (démat)"), permissions=["change"])
    def dematerialise(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Flag D."""
        return confirm_and_start(
            self, request, queryset, BulkAction.Kind.DEMATERIALISE, bulk_actions.plan_dematerialise
        )

    @admin.action(description=_("Créer les identifiants"), permissions=["credentials"])
    def create_credentials(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Make accounts."""
        return confirm_and_start(self, request, queryset, BulkAction.Kind.CREATE, bulk_actions.plan_create)

    @admin.action(description=_("Envoyer les identifiants"), permissions=["credentials"])
    def send_credentials(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Send the credentials of the customers' accounts."""
        rows = bulk_actions.accounts_of(queryset)
        return confirm_and_start(self, request, queryset, BulkAction.Kind.SEND, bulk_actions.plan_send, rows=rows)

    @admin.action(description=_("Activer les comptes"), permissions=["credentials"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Open the customers' accounts."""
        rows = bulk_actions.accounts_of(queryset)
        return confirm_and_start(
            self, request, queryset, BulkAction.Kind.ACTIVATE, bulk_actions.plan_activate, rows=rows
        )

    @admin.action(description=_("Désactiver les comptes"), permissions=["credentials"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse:
        """Close the customers' accounts."""
        rows = bulk_actions.accounts_of(queryset)
        return confirm_and_start(
            self, request, queryset, BulkAction.Kind.DEACTIVATE, bulk_actions.plan_deactivate, rows=rows
        )


@admin.register(Contact)
class ContactAdmin(BackOfficeAdmin[Contact]):
    """Contacts of all customers."""

    empty_sentence = _("Aucun contact pour l’instant : ils s’ajoutent ici, ou sur la fiche du client.")
    next_step = NextStep(_("Ajouter un contact"), "customers_contact_add", "customers.add_contact")
    form = ContactForm
    list_display = ("name", "function", "email", "is_main", "customer")
    list_filter = ("is_main",)
    list_select_related = ("customer",)
    search_fields = ("name", "function", "email", "customer__code", "customer__name")
    searches_by_keys = True
    autocomplete_fields = ("customer",)
    workbook_more = (Column(_("Code client"), lambda contact: contact.customer.code),)
    fields = ("customer", "name", "function", "email", "is_main")

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """Save, and call what derives something from the customer's addresses."""
        super().save_model(request, obj, form, change)
        notify_customer_changed(obj.customer)

    def delete_model(self, request: HttpRequest, obj: Contact) -> None:
        """Delete, and call the same."""
        super().delete_model(request, obj)
        notify_customer_changed(obj.customer)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """By name: the order by customer would sort the whole table for one page."""
        return super().get_queryset(request).order_by("name", "pk")
