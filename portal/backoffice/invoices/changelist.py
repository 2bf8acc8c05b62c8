"""Factures: the list and the page of one."""

import calendar
import datetime
import re
from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import FETCH_RAISE, Max, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from invoices.exporting.bulk_invoices import NEW_VERSIONS, REASON, RESEND, WITH_PDF
from invoices.exporting.items import MailStatus, mails_of
from invoices.files.csv_tables import Column
from invoices.models import Invoice
from invoices.money import write_amount
from invoices.platforms.handover import awaiting_handover, hands_over
from portal.backoffice.invoices import bulk, evidence
from portal.backoffice.invoices import detail as views
from portal.backoffice.ui.bulk_starts import confirm_and_start
from portal.backoffice.ui.downloads import zip_of
from portal.backoffice.ui.lists import HouseChangeList, LimitedPaginator, NextStep, ReadOnlyAdmin, read_key
from portal.backoffice.ui.pages import CAN_RUN, has_any, render_page
from portal.backoffice.ui.pages import RESEND as RESEND_RIGHT
from portal.backoffice.ui.workbooks import CHUNK
from portal.proof import ask_for_proof
from portal.sessions import is_proved_lately

TO_HAND_OVER = "a-remettre"
YEARS_SHOWN = 15
_PERIOD = re.compile(r"(?P<year>[1-9][0-9]{3})(?:-(?P<month>0[1-9]|1[0-2]))?")


class StateFilter(admin.SimpleListFilter):
    """The state of invoices."""

    title = gettext_lazy("état")
    parameter_name = "etat"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The words of the states."""
        words = [
            ("pending", _("en attente d’export")),
            ("published", _("publiée")),
            ("consulted", _("consultée")),
            ("unread", _("publiée, jamais consultée")),
        ]
        return [*words, (TO_HAND_OVER, _("à remettre à la plateforme"))] if hands_over() else words

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """The invoices in the chosen state."""
        match self.value():
            case "pending":
                return queryset.filter(published_at=None)
            case "published":
                return queryset.filter(published_at__isnull=False)
            case "consulted":
                return queryset.filter(first_consulted_at__isnull=False)
            case "unread":
                return queryset.filter(published_at__isnull=False, first_consulted_at=None)
            case value if value == TO_HAND_OVER:
                return queryset.filter(pk__in=awaiting_handover().order_by().values("pk"))
        return queryset


class PeriodFilter(admin.SimpleListFilter):
    """Invoices of a year or a month, between the first and the last that there are: two looks into an index.

    Django's own hierarchy of dates reads every invoice to know in which months there are some.
    """

    title = gettext_lazy("date de facture")
    parameter_name = "periode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """This month, the one before, then years; the months of the year that is chosen are below it."""
        today = timezone.localdate()
        before = today.replace(day=1) - datetime.timedelta(days=1)
        words = [(f"{today:%Y-%m}", _("mois en cours")), (f"{before:%Y-%m}", _("mois dernier"))]
        ends = Invoice.objects.aggregate(first=Min("issue_date"), last=Max("issue_date"))
        if ends["first"] is None:
            return words
        chosen = (self.value() or "")[:4]
        first, last = ends["first"].year, ends["last"].year
        for year in range(last, max(first, last - YEARS_SHOWN + 1) - 1, -1):
            words.append((f"{year:04}", f"{year}"))
            if f"{year:04}" == chosen:
                months = (datetime.date(year, month, 1) for month in range(1, 13))
                words += [(f"{month:%Y-%m}", date_format(month, "F Y")) for month in months]
        return words

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """The invoices issued in it; all of them where it is no year and no month."""
        found = _PERIOD.fullmatch(self.value() or "")
        if found is None:
            return queryset
        year, month = int(found["year"]), int(found["month"] or 0)
        start = datetime.date(year, month or 1, 1)
        end = datetime.date(year, month or 12, calendar.monthrange(year, month or 12)[1])
        return queryset.filter(issue_date__range=(start, end))


class CustomerFilter(admin.SimpleListFilter):
    """The invoices of one customer: chosen by a link from a card or a line, shown only then."""

    title = gettext_lazy("client")
    parameter_name = "client"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The customer of the address, and no other: 20,000 names make no menu."""
        key = self.value() or ""
        found = Customer.objects.filter(pk=read_key(key)).first()
        return [(key, str(found) if found else _("client inconnu"))] if key else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        """His invoices."""
        key = self.value()
        if not key:
            return queryset
        return queryset.filter(customer=read_key(key))


class InvoiceChangeList(HouseChangeList):
    """The lines of a page with the mails that announced them: two queries for the page."""

    def get_results(self, request: HttpRequest) -> None:
        """Add ``announcing_mails`` to each row."""
        super().get_results(request)
        self.result_list = _with_mails(list(self.result_list))


def _with_mails(rows: Sequence[Any]) -> Sequence[Any]:
    """The invoices ``rows``, each with the mails that announced it as ``announcing_mails``."""
    mails = mails_of([row.pk for row in rows])
    for row in rows:
        row.announcing_mails = mails.get(row.pk, [])
    return rows


def mail_badges(mails: list[MailStatus]) -> SafeString:
    """The states of mails as words in their colours, the same state once with its count."""
    counts: dict[tuple[str, str], int] = {}
    for mail in mails:
        if mail.state is not None:
            key = (mail.state.state, mail.state.label)
            counts[key] = counts.get(key, 0) + 1
    return format_html_join(
        " ",
        '<span class="state state--{}">{}{}</span>',
        ((state, label, f" × {count}" if count > 1 else "") for (state, label), count in counts.items()),
    )


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin[Invoice]):
    """Invoices come from the ERP and leave by the export: here they are read, and sent again when asked for."""

    empty_sentence = gettext_lazy("Aucune facture pour l’instant : elles arrivent avec les fichiers de l’ERP.")
    next_step = NextStep(gettext_lazy("Importer des fichiers"), "invoices_importbatch_add", "invoices.import_invoices")
    list_display = ("number", "issue_date", "customer_link", "kind", "total", "state", "mails", "first_consulted_at")
    list_display_links = ("number",)
    list_filter = (StateFilter, PeriodFilter, "kind", CustomerFilter, "company")
    search_fields = ("number", "customer__name", "customer__code")
    searches_by_keys = True
    list_select_related = ("customer",)
    actions = ("download_pdfs", "resend", "new_versions")
    ordering = ("-issue_date", "-number")
    paginator = LimitedPaginator
    change_list_template = "backoffice/invoices/changelist.html"
    workbook_values: ClassVar = {"total": lambda invoice: invoice.total_with_vat}
    workbook_more = (
        Column(gettext_lazy("Devise"), lambda invoice: invoice.currency),
        Column(gettext_lazy("Total HT"), lambda invoice: invoice.total_without_vat),
        Column(gettext_lazy("Net à payer"), lambda invoice: invoice.amount_due),
        Column(gettext_lazy("Échéance"), lambda invoice: invoice.due_date),
        Column(gettext_lazy("Code client"), lambda invoice: invoice.customer.code),
        Column(gettext_lazy("Publiée le"), lambda invoice: invoice.published_at),
    )

    def workbook_rows(self, rows: QuerySet[Invoice]) -> Iterator[Invoice]:
        """With the mails that announced them, by one query for many."""
        for some in batched(rows.iterator(chunk_size=CHUNK), CHUNK):
            yield from _with_mails(some)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; that of what is to be handed over has a button for all of it."""
        extra = {"is_to_hand_over": request.GET.get(StateFilter.parameter_name) == TO_HAND_OVER}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Rows with their mails."""
        return InvoiceChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        """Without what a list does not show; a query per row would be an error."""
        return super().get_queryset(request).defer("details", "warnings").fetch_mode(FETCH_RAISE)

    @admin.display(description=gettext_lazy("client"), ordering="customer__code")
    def customer_link(self, invoice: Invoice) -> SafeString:
        """The customer, as a filter of this list."""
        return format_html('<a href="?client={}">{}</a>', invoice.customer_id, invoice.customer)

    @admin.display(description=gettext_lazy("montant TTC"), ordering="total_with_vat")
    def total(self, invoice: Invoice) -> SafeString:
        """The total with VAT."""
        return format_html('<span class="amount">{}</span>', write_amount(invoice.total_with_vat, invoice.currency))

    @admin.display(description=gettext_lazy("état"), ordering="published_at")
    def state(self, invoice: Invoice) -> SafeString:
        """Published or waiting."""
        css, word = ("published", _("publiée")) if invoice.is_published else ("queued", _("en attente"))
        return format_html('<span class="state state--{}">{}</span>', css, word)

    @admin.display(description=gettext_lazy("mails"), empty_value="")
    def mails(self, invoice: Invoice) -> SafeString:
        """The state of its mails."""
        return mail_badges(getattr(invoice, "announcing_mails", []))

    @admin.action(description=gettext_lazy("Télécharger les PDF (ZIP)"), permissions=["view"])
    def download_pdfs(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponseBase | None:
        """The frozen PDF of each chosen invoice."""
        published = queryset.filter(published_at__isnull=False)
        if not published.exists():
            self.message_user(request, _("Aucune de ces factures n’est publiée."), messages.WARNING)
            return None
        if not is_proved_lately(request):
            return ask_for_proof(request)
        return zip_of(request, published, filename=f"Factures-{timezone.localdate():%Y-%m-%d}.zip")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Who may send an invoice again may send many."""
        return has_any(request, RESEND_RIGHT)

    def has_run_permission(self, request: HttpRequest) -> bool:
        """Who may export, and publish another version."""
        return has_any(request, CAN_RUN)

    @admin.action(description=gettext_lazy("Renvoyer par mail"), permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        """Send the chosen invoices again to the accounts of their customers."""
        if bulk.is_too_much(request, queryset):
            return None
        given = bulk.chosen_with(request, WITH_PDF)
        return confirm_and_start(self, request, queryset, RESEND, bulk.plan_resend, given=given)

    @admin.action(description=gettext_lazy("Publier une nouvelle version"), permissions=["run"])
    def new_versions(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        """Another version of the chosen invoices whose content was corrected since."""
        if bulk.is_too_much(request, queryset):
            return None
        given = bulk.chosen_with(request, REASON)
        return confirm_and_start(self, request, queryset, NEW_VERSIONS, bulk.plan_versions, given=given)

    def get_urls(self) -> list[URLPattern]:
        """The frozen documents, and sending again."""
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:invoice_id>/document/<int:pk>/", wrap(views.document), name="invoices_invoice_document"),
            path("<uuid:invoice_id>/xml/", wrap(views.xml), name="invoices_invoice_xml"),
            path("<uuid:invoice_id>/renvoyer/", wrap(views.resend), name="invoices_invoice_resend"),
            path("<uuid:invoice_id>/piste/", wrap(evidence.audit_trail), name="invoices_invoice_audit_trail"),
            path("<uuid:invoice_id>/preuve/", wrap(evidence.dossier), name="invoices_invoice_dossier"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one invoice."""
        found = self.get_object(request, object_id)
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        invoice = Invoice.objects.select_related(
            "customer", "company", "document__printed", "corrects", "content_check"
        ).get(pk=found.pk)
        context = {
            **views.invoice_context(request, invoice),
            "title": str(invoice),
            "original": invoice,
            "opts": self.opts,
            "customer_url": self._customer_url(invoice),
            **(extra_context or {}),
        }
        return render_page(request, "backoffice/invoices/detail.html", context)

    def _customer_url(self, invoice: Invoice) -> str:
        return reverse("admin:customers_customer_change", args=[invoice.customer_id])
