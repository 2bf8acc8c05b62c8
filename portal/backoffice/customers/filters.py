"""Filters of the lists of customers and accounts, in the users' words."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Access, Account, AccountQuerySet, Customer, CustomerQuerySet


class Copies(admin.SimpleListFilter):
    """Whether the invoices are delivered electronically."""

    title = _("factures à éditer")
    parameter_name = "copies"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The two ways."""
        return (("d", _("D (démat)")), ("papier", _("papier")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer] | None:
        """The chosen way."""
        assert isinstance(queryset, CustomerQuerySet)
        if self.value() == "d":
            return queryset.dematerialised()
        if self.value() == "papier":
            return queryset.exclude(pk__in=Customer.objects.dematerialised().values("pk"))
        return None


class Address(admin.SimpleListFilter):
    """Whether there is an address to write to: the customer's own or a contact's."""

    title = _("adresse e-mail")
    parameter_name = "adresse"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """With or without."""
        return (("sans", _("sans adresse")), ("avec", _("avec adresse")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer] | None:
        """Those with or without."""
        assert isinstance(queryset, CustomerQuerySet)
        if self.value() == "sans":
            return queryset.without_address()
        if self.value() == "avec":
            return queryset.exclude(pk__in=Customer.objects.without_address().values("pk"))
        return None


ACCESSES_OF_CUSTOMER = Access.objects.filter(customer=OuterRef("pk"), account__is_staff=False)


class Credentials(admin.SimpleListFilter):
    """Whether the customer has an account."""

    title = _("identifiants")
    parameter_name = "identifiants"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """With or without."""
        return (("sans", _("sans identifiants")), ("avec", _("avec identifiants")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer] | None:
        """Those with or without."""
        if self.value() == "sans":
            return queryset.filter(~Exists(ACCESSES_OF_CUSTOMER))
        if self.value() == "avec":
            return queryset.filter(Exists(ACCESSES_OF_CUSTOMER))
        return None


class AccountState(admin.SimpleListFilter):
    """The states that ask for an action."""

    title = _("état")
    parameter_name = "etat"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        """The states of the users' list."""
        return (
            ("jamais", _("jamais connecté")),
            ("expire", _("mot de passe provisoire expiré")),
            ("desactive", _("désactivé")),
            ("actif", _("actif")),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> QuerySet[Account] | None:
        """The accounts in the chosen state."""
        assert isinstance(queryset, AccountQuerySet)
        match self.value():
            case "jamais":
                return queryset.never_connected()
            case "expire":
                return queryset.with_expired_provisional(timezone.now())
            case "desactive":
                return queryset.filter(is_active=False)
            case "actif":
                return queryset.filter(is_active=True)
        return None
