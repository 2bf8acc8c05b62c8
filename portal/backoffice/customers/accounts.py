"""Accounts of the customers' space, as a list of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Access, Account, BulkAction, CustomerAccount
from customers.services import close_sessions_of_closed, mails_of_credentials
from portal.backoffice.customers import bulk_actions
from portal.backoffice.customers.filters import AccountState
from portal.backoffice.ui.bulk_starts import confirm_and_start
from portal.backoffice.ui.lists import BackOfficeAdmin, KeyChoices, LabelledInlineFormSet, NextStep


class AccessFormSet(LabelledInlineFormSet[Access, CustomerAccount, ModelForm[Access]]):
    """The customers of one account."""


class AccessInline(KeyChoices[Access], admin.TabularInline[Access, CustomerAccount]):
    """Which customers the account sees."""

    model = Access
    fk_name = "account"
    formset = AccessFormSet
    fields = ("customer",)
    autocomplete_fields = ("customer",)
    extra = 0
    verbose_name = _("client vu par ce compte")
    verbose_name_plural = _("clients vus par ce compte")


@admin.register(CustomerAccount)
class CustomerAccountAdmin(BackOfficeAdmin[CustomerAccount]):
    """Comptes de l'espace client."""

    empty_sentence = _("Aucun compte pour l’instant : un export les crée, ou une action sur les clients cochés.")
    next_step = NextStep(_("Voir les clients"), "customers_customer_changelist", "customers.view_customer")
    list_display = (
        "login",
        "name",
        "is_active",
        "password_state",
        "last_login",
        "credentials_sent_at",
        "customer_count",
    )
    list_filter = (AccountState,)
    search_fields = ("login", "name", "customers__code", "customers__name")
    searches_by_keys = True
    search_help_text = _("Identifiant, nom, code ou raison sociale du client")
    fields = (
        "login",
        "name",
        "is_active",
        "notify_by_mail",
        "last_login",
        "credentials_sent_at",
        "credentials_mails",
        "password_state",
    )
    readonly_fields = ("login", "last_login", "credentials_sent_at", "credentials_mails", "password_state")
    inlines = (AccessInline,)
    actions = ("relaunch", "send_credentials", "activate", "deactivate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CustomerAccount]:
        """Customers' accounts only, each with how many customers it sees."""
        found: QuerySet[CustomerAccount] = super().get_queryset(request).filter(is_staff=False)
        seen = Access.objects.filter(account=OuterRef("pk")).order_by().values("account")
        # Counted for the rows of a page: joined, the accesses of all accounts would be.
        return found.annotate(customer_total=Coalesce(Subquery(seen.annotate(total=Count("pk")).values("total")), 0))

    def save_model(self, request: HttpRequest, obj: CustomerAccount, form: Any, change: bool) -> None:
        """An account that is closed here ends its sessions for good, as by every other action."""
        close_sessions_of_closed(obj, form.changed_data)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """An account begins on its customer's card, with its credentials."""
        return False

    def has_credentials_permission(self, request: HttpRequest) -> bool:
        """Who may make and send credentials."""
        return request.user.has_perm("customers.manage_credentials")

    @admin.display(description=_("clients"), ordering="customer_total")
    def customer_count(self, account: CustomerAccount) -> int:
        """How many customers the account sees."""
        return int(getattr(account, "customer_total", 0))

    @admin.display(description=_("mot de passe"))
    def password_state(self, account: CustomerAccount) -> Any:
        """A word on the password, never the password."""
        if account.has_expired_provisional:
            return _("provisoire, expiré")
        if account.must_change_password:
            return _("provisoire")
        return _("choisi")

    @admin.display(description=_("mails qui donnent le mot de passe"))
    def credentials_mails(self, account: CustomerAccount) -> str:
        """The mails by which the credentials left, newest first: when written, which one, where it is."""
        return format_html_join(
            mark_safe("<br>"),
            '{} : <a href="{}">{}</a> ({})',
            (
                (
                    date_format(timezone.localtime(mail.created_at), "d/m/Y H:i"),
                    reverse("admin:mailing_message_change", args=[mail.pk]),
                    mail.subject,
                    mail.label,
                )
                for mail in mails_of_credentials(account)
            ),
        ) or gettext("aucun")

    @admin.action(
        description=_("Renvoyer les identifiants (nouveau mot de passe provisoire)"), permissions=["credentials"]
    )
    def relaunch(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        """A new provisional password, sent again."""
        return confirm_and_start(self, request, queryset, BulkAction.Kind.RELAUNCH, bulk_actions.plan_relaunch)

    @admin.action(description=_("Envoyer les identifiants"), permissions=["credentials"])
    def send_credentials(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        """Send the credentials as they are."""
        return confirm_and_start(self, request, queryset, BulkAction.Kind.SEND, bulk_actions.plan_send)

    @admin.action(description=_("Activer les comptes"), permissions=["credentials"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        """Open the accounts."""
        return confirm_and_start(self, request, queryset, BulkAction.Kind.ACTIVATE, bulk_actions.plan_activate)

    @admin.action(description=_("Désactiver les comptes"), permissions=["credentials"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Account]) -> HttpResponse:
        """Close the accounts."""
        return confirm_and_start(self, request, queryset, BulkAction.Kind.DEACTIVATE, bulk_actions.plan_deactivate)
