"""Piste d'audit: every act, found by who did it, what it was, when, and the invoice that it is about."""

import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Account
from invoices.files.csv_tables import Column
from invoices.models import Invoice
from mailing.trail.actions import Action
from mailing.trail.models import Entry
from portal.backoffice.administration.trail_words import describe_entry, describe_object
from portal.backoffice.ui.lists import LimitedPaginator, ReadOnlyAdmin

MONTHS: Final = 24
_MOST_NAMED: Final = 500


class ActionFilter(admin.SimpleListFilter):
    """What was done."""

    title = gettext_lazy("acte")
    parameter_name = "acte"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every act that there is."""
        return sorted(Action.choices, key=lambda choice: str(choice[1]))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        """The entries of that act."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class MonthFilter(admin.SimpleListFilter):
    """When: a month of the last two years."""

    title = gettext_lazy("mois")
    parameter_name = "mois"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The latest first."""
        return [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in _months()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Entry]) -> QuerySet[Entry]:
        """The entries of that month."""
        chosen = next((month for month in _months() if f"{month:%Y-%m}" == self.value()), None)
        if chosen is None:
            return queryset
        end = (chosen + datetime.timedelta(days=32)).replace(day=1)
        return queryset.filter(at__gte=_midnight(chosen), at__lt=_midnight(end))


def _months() -> list[datetime.date]:
    month = timezone.localdate().replace(day=1)
    found = [month]
    while len(found) < MONTHS:
        found.append((found[-1] - datetime.timedelta(days=1)).replace(day=1))
    return found


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time()))


@admin.register(Entry)
class TrailAdmin(ReadOnlyAdmin[Entry]):
    """The entries, the latest first; the database itself refuses a change."""

    list_display = ("when", "what", "about", "who", "way", "said", "place")
    list_display_links = None
    list_filter = (ActionFilter, MonthFilter)
    list_select_related = ("link", "personal")
    counted_plural = gettext_lazy("entrées de la piste d’audit")
    search_fields = ("object_id",)
    search_help_text = gettext_lazy("Qui (nom ou identifiant), ou n° de facture.")
    ordering = ("-pk",)
    paginator = LimitedPaginator

    def workbook_columns(self, request: HttpRequest) -> list[Column[Entry]]:
        """More than a page shows: what proves an entry."""
        return [
            Column(_("Date"), lambda entry: entry.at),
            Column(_("Acte"), lambda entry: entry.action_name),
            Column(_("Sorte d’objet"), lambda entry: entry.object_type),
            Column(_("Objet"), lambda entry: entry.object_id),
            Column(_("Qui"), _who),
            Column(_("Par"), lambda entry: entry.way),
            Column(_("En clair"), describe_entry),
            Column(_("Détails"), lambda entry: entry.details),
            Column(_("Rang"), _position),
            Column(_("Empreinte"), lambda entry: entry.sha256()),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        """With who did it, where the account is still there."""
        account = Account.objects.filter(pk=OuterRef("account"))
        return (
            super()
            .get_queryset(request)
            .annotate(who_name=Subquery(account.values("name")[:1]), who_login=Subquery(account.values("login")[:1]))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """The entries of the accounts of that name or login, and those about an invoice of that number."""
        text = search_term.strip()
        if not text:
            return queryset, False
        accounts = Account.objects.filter(Q(login__icontains=text) | Q(name__icontains=text))
        invoices = Invoice.objects.filter(number__iexact=text).values_list("pk", flat=True)[:_MOST_NAMED]
        about = Q(object_type=Invoice._meta.label_lower, object_id__in=[str(pk) for pk in invoices])
        return queryset.filter(Q(account__in=list(accounts.values_list("pk", flat=True)[:_MOST_NAMED])) | about), False

    @admin.display(description=gettext_lazy("date"), ordering="pk")
    def when(self, entry: Entry) -> str:
        """To the second."""
        return f"{timezone.localtime(entry.at):%d/%m/%Y %H:%M:%S}"

    @admin.display(description=gettext_lazy("acte"))
    def what(self, entry: Entry) -> str:
        """In words."""
        return entry.action_name

    @admin.display(description=gettext_lazy("objet"))
    def about(self, entry: Entry) -> str:
        """The kind of thing, and its key."""
        return describe_object(entry)

    @admin.display(description=gettext_lazy("détails"))
    def said(self, entry: Entry) -> str:
        """In a sentence, as long as what it says of persons is kept."""
        return describe_entry(entry) or "–"

    @admin.display(description=gettext_lazy("qui"))
    def who(self, entry: Entry) -> str:
        """The account; the login of one that is still there."""
        return _who(entry) or "–"

    @admin.display(description=gettext_lazy("rang"))
    def place(self, entry: Entry) -> str:
        """Its place in the chain."""
        return str(_position(entry) or "–")


def _position(entry: Entry) -> int | None:
    return entry.link.position if hasattr(entry, "link") else None


def _who(entry: Entry) -> str:
    name: str = getattr(entry, "who_name", "") or getattr(entry, "who_login", "") or ""
    return name or (f"#{entry.account}" if entry.account is not None else "")
