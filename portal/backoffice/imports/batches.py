"""Importer: the ERP's files are given, checked as ``import_erp --dry-run`` does, confirmed, imported."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from operator import itemgetter
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from customers.models import Account
from invoices.files.csv_tables import Column
from invoices.importing.batches import (
    NotKeptError,
    TooLateError,
    abandon_batch,
    accept_replacement,
    confirm_batch,
    describe_progress,
    receive_files,
)
from invoices.importing.report import replaced_thing
from invoices.importing.report_text import describe_rate, group_alike
from invoices.models import Company, ImportBatch
from invoices.money import write_amount
from portal.backoffice.imports.columns import columns, printed
from portal.backoffice.imports.logins import addresses_of, followers, move_address, move_addresses
from portal.backoffice.ui.downloads import send_csv, send_xlsx
from portal.backoffice.ui.file_fields import SeveralFilesField
from portal.backoffice.ui.lists import NextStep, ObjectPage, ReadOnlyAdmin
from portal.backoffice.ui.worker import is_worker_silent
from portal.bodies import accepts_files
from portal.proof import proved_lately

IMPORT = "invoices.import_invoices"
MAX_MEGABYTES = 500
SHOWN = 200
# What the journal of an import says of a rate.
_SUMS = ("net", "vat", "gross")
# Of the refusals in a report, on the page and as a file.
REFUSAL_COLUMNS: tuple[Column[dict[str, Any]], ...] = (
    Column(gettext_lazy("fichier"), itemgetter("file")),
    Column(gettext_lazy("ligne"), itemgetter("line"), is_amount=True),
    Column(gettext_lazy("colonne"), itemgetter("column")),
    Column(gettext_lazy("valeur"), itemgetter("value"), most=80),
    Column(gettext_lazy("motif"), itemgetter("reason")),
    Column(gettext_lazy("correction"), lambda row: row.get("correction", "")),
)
WORDS = {
    "customers": gettext_lazy("Clients"),
    "contacts": gettext_lazy("Contacts"),
    "invoices": gettext_lazy("Factures"),
    "lines": gettext_lazy("Lignes"),
}


class UploadForm(forms.Form):
    """What is given, and what the rows that name no company belong to."""

    documents = SeveralFilesField(
        most_megabytes=MAX_MEGABYTES,
        label=gettext_lazy("Fichiers de l’ERP"),
        help_text=gettext_lazy(
            "clients, contacts, factures et lignes (CSV, XLSX), e-factures (Factur-X, CII, UBL), PDF, archives ZIP."
        ),
        error_messages={
            "required": gettext_lazy("Choisissez au moins un fichier."),
            "empty": gettext_lazy("Un des fichiers est vide."),
        },
    )
    company = forms.ModelChoiceField(
        label=gettext_lazy("Société des factures qui n’en nomment pas"),
        queryset=Company.objects.none(),
        required=False,
        empty_label=gettext_lazy("la société par défaut"),
    )
    create_companies = forms.BooleanField(
        label=gettext_lazy("Créer les sociétés émettrices qui ne sont pas encore connues"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        company = self.fields["company"]
        assert isinstance(company, forms.ModelChoiceField)
        company.queryset = Company.objects.all()


@admin.register(ImportBatch)
class ImportBatchAdmin(ObjectPage[ImportBatch], ReadOnlyAdmin[ImportBatch]):
    """The imports: a new one, those that wait for a confirmation, those of before."""

    empty_sentence = gettext_lazy("Aucun import pour l’instant.")
    next_step = NextStep(gettext_lazy("Importer des fichiers"), "invoices_importbatch_add", "invoices.import_invoices")
    list_display = ("created_at", "__str__", "state", "author_name", "finished_at")
    list_display_links = ("created_at", "__str__")
    list_filter = ("state",)
    change_form_template = "backoffice/imports/report.html"
    change_list_template = "backoffice/imports/changelist.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        """The latest first; reports of thousands of refusals are read one at a time."""
        found = super().get_queryset(request)
        return found.defer("report") if self._is_list(request) else found

    def _is_list(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and match.url_name in {"invoices_importbatch_changelist", "invoices_importbatch_xlsx"}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Who may import."""
        return request.user.has_perm(IMPORT)

    def has_view_permission(self, request: HttpRequest, obj: ImportBatch | None = None) -> bool:
        """Who may see imports, or make them."""
        return super().has_view_permission(request, obj) or request.user.has_perm(IMPORT)

    def get_urls(self) -> list[Any]:
        """Confirming, abandoning, and the refusals as a file."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:batch_id>/confirmer/", wrap(self.confirm), name="invoices_importbatch_confirm"),
            path("<uuid:batch_id>/abandonner/", wrap(self.abandon), name="invoices_importbatch_abandon"),
            path("<uuid:batch_id>/identifiant/", wrap(move_address), name="invoices_importbatch_login"),
            path("<uuid:batch_id>/identifiants/", wrap(move_addresses), name="invoices_importbatch_logins"),
            path("<uuid:batch_id>/remplacer/", wrap(self.replace), name="invoices_importbatch_replace"),
            path("<uuid:batch_id>/colonnes/<int:number>/", wrap(columns), name="invoices_importbatch_columns"),
            path(
                "<uuid:batch_id>/colonnes/<int:number>/facture/<int:place>/",
                wrap(printed),
                name="invoices_importbatch_printed",
            ),
            path(
                "<uuid:batch_id>/refus.csv",
                wrap(require_safe(proved_lately(self.refusals))),
                name="invoices_importbatch_refusals",
            ),
            path(
                "<uuid:batch_id>/refus.xlsx",
                wrap(require_safe(proved_lately(self.refusals_xlsx))),
                name="invoices_importbatch_refusals_xlsx",
            ),
            *super().get_urls(),
        ]

    @accepts_files(MAX_MEGABYTES * 1024 * 1024)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """*Importer*: give the files."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_bound and form.is_valid():
            company = form.cleaned_data["company"]
            try:
                batch = receive_files(
                    files=form.cleaned_data["documents"],
                    author=_author(request),
                    create_companies=form.cleaned_data["create_companies"],
                    company=(company.siren or company.name) if company else "",
                )
            except NotKeptError as error:
                form.add_error("documents", str(error))
            else:
                self.log_addition(request, batch, _("Fichiers reçus pour contrôle."))
                return redirect("admin:invoices_importbatch_change", batch.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Importer les fichiers de l’ERP"),
            "opts": self.opts,
            "form": form,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/imports/upload.html", context)

    def page_context(self, request: HttpRequest, obj: ImportBatch | None) -> dict[str, Any]:
        """The report: what would be done, what was refused and why; then what was done."""
        extra: dict[str, Any] = {}
        if obj is not None and obj.report:
            report = obj.report
            refusals = group_alike(report["rejected"])[:SHOWN]
            may_replace = obj.state == ImportBatch.State.CHECKED and request.user.has_perm(IMPORT)
            replaceable = report.get("replaceable", {}) if may_replace else {}
            extra = {
                "counts": [
                    (label, report["created"][key], report["updated"][key], report["unchanged"][key])
                    for key, label in WORDS.items()
                ],
                "refusal_columns": REFUSAL_COLUMNS,
                "rejected": [
                    (
                        [(column, column.shown(each.shown)) for column in REFUSAL_COLUMNS],
                        replaceable.get(str(each.at), ""),
                    )
                    for each in refusals
                ],
                "has_replaceable": bool(replaceable),
                "good": _good_ones(report),
                "journal": _journal(report.get("journal") or {}),
                "new_addresses": addresses_of(report.get("new_addresses", [])[:SHOWN], request, obj),
                "more_addresses": max(len(report.get("new_addresses", [])) - SHOWN, 0),
                "followers": len(followers(report.get("new_addresses", []), request, obj)),
                "ignored": _ignored(report.get("ignored", [])[:SHOWN]),
                "skipped": [(_place(each), each["reason"]) for each in report.get("skipped", [])[:SHOWN]],
                "skips": report.get("skips", 0),
                "more_skipped": max(report.get("skips", 0) - SHOWN, 0),
                "warnings": [
                    ([(column, column.shown(row)) for column in REFUSAL_COLUMNS], "")
                    for row in report.get("warnings", [])[:SHOWN]
                ],
                "hidden": max(report.get("rejections", 0) - sum(each.number for each in refusals), 0),
                "rejections": report.get("rejections", 0),
                "notices": report.get("notices", []),
                "to_map": report.get("to_map", []) if obj.state == ImportBatch.State.CHECKED else [],
            }
        extra["may_import"] = request.user.has_perm(IMPORT)
        extra["progress"] = describe_progress(obj) if obj is not None and obj.is_underway else ""
        extra["is_worker_silent"] = obj is not None and obj.is_underway and is_worker_silent()
        return extra

    def confirm(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """*Confirmer l'import*."""
        return self._decide(request, batch_id, lambda batch: confirm_batch(batch=batch), _("Import confirmé."))

    def replace(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """*Remplacer*: an invoice takes the place of the unpublished one of its number, or a card becomes another's."""
        replaced = request.POST.get("invoice", "")
        is_card, name = replaced_thing(replaced)
        done = (
            _("Fiche client %(number)s : remplacement accepté.")
            if is_card
            else _("Facture %(number)s : remplacement accepté.")
        )
        return self._decide(
            request,
            batch_id,
            lambda batch: accept_replacement(batch=batch, replaced=replaced),
            done % {"number": name},
        )

    def abandon(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """*Abandonner*: the files are forgotten."""
        report = _("Import abandonné : rien n’a été écrit, les fichiers sont effacés.")
        return self._decide(
            request, batch_id, lambda batch: abandon_batch(batch=batch), _("Import abandonné."), report=report
        )

    def _decide(
        self,
        request: HttpRequest,
        batch_id: UUID,
        decide: Callable[[ImportBatch], object],
        done: str,
        *,
        report: str = "",
    ) -> HttpResponse:
        """Have ``decide`` done unless it is too late; ``done`` goes into the history, ``report`` to who asks."""
        batch = self._batch(request, batch_id)
        if batch is None:
            return HttpResponseNotAllowed(["POST"])
        try:
            decide(batch)
        except TooLateError as problem:
            messages.warning(request, str(problem))
        else:
            self.log_change(request, batch, done)
            if report:
                messages.success(request, report)
        return redirect("admin:invoices_importbatch_change", batch.pk)

    def _batch(self, request: HttpRequest, batch_id: UUID) -> ImportBatch | None:
        """The batch to decide on; None where the request is no POST. Raises PermissionDenied, Http404."""
        if not request.user.has_perm(IMPORT):
            raise PermissionDenied
        return get_object_or_404(ImportBatch, pk=batch_id) if request.method == "POST" else None

    def refusals(self, request: HttpRequest, batch_id: UUID) -> HttpResponse:
        """All refusals as CSV, for the one who mends the ERP's export."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch, pk=batch_id)
        return send_csv(REFUSAL_COLUMNS, batch.report.get("rejected", []), filename="refus.csv")

    def refusals_xlsx(self, request: HttpRequest, batch_id: UUID) -> HttpResponseBase:
        """The same as a workbook."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        batch = get_object_or_404(ImportBatch, pk=batch_id)
        return send_xlsx(REFUSAL_COLUMNS, batch.report.get("rejected", []), filename="refus.xlsx")


def _totals(rates: list[dict[str, str]]) -> list[list[str]]:
    """The sums of the currencies that have several rates: without VAT, of VAT, with VAT."""
    by_currency: dict[str, list[dict[str, str]]] = {}
    for each in rates:
        by_currency.setdefault(each["currency"], []).append(each)
    return [
        [write_amount(sum(Decimal(each[name]) for each in some) or Decimal(0), currency) for name in _SUMS]
        for currency, some in by_currency.items()
        if len(some) > 1
    ]


def _journal(journal: dict[str, Any]) -> dict[str, Any] | None:
    """What the page says of the invoices: period, totals by rate, gaps, and the selection opened on them."""
    if not journal.get("invoices"):
        return None
    days = {name: journal[name] for name in ("start", "end")}
    return {
        "start": datetime.date.fromisoformat(journal["start"]),
        "end": datetime.date.fromisoformat(journal["end"]),
        "rates": [
            (
                describe_rate(each["rate"]),
                *(write_amount(Decimal(each[name]), each["currency"]) for name in _SUMS),
            )
            for each in journal["rates"]
        ],
        "totals": _totals(journal["rates"]),
        "has_more_gaps": journal.get("has_more_gaps", False),
        "gaps": [first if first == last else f"{first} – {last}" for first, last in journal["gaps"]],
        "selection": f"{reverse('admin:export_web')}?{urlencode(days)}",
    }


def _ignored(columns: list[dict[str, str]]) -> list[tuple[str, str]]:
    """The columns that are not used, by table."""
    found: dict[str, list[str]] = {}
    for each in columns:
        table = f"{each['file']} ({each['sheet']})" if each["sheet"] else each["file"]
        found.setdefault(table, []).append(f"« {each['column']} »")
    return [(table, ", ".join(names)) for table, names in found.items()]


def _place(skipped: dict[str, Any]) -> str:
    if not skipped["line"]:
        return str(skipped["file"])
    return _("%(file)s, ligne %(line)s") % {"file": skipped["file"], "line": skipped["line"]}


def _good_ones(report: dict[str, Any]) -> int:
    """How many *bonnes* the button to import names: invoices, or where there are none cards and contacts."""
    counts: dict[str, int] = {thing: report["created"][thing] + report["updated"][thing] for thing in WORDS}
    return counts["invoices"] or counts["customers"] + counts["contacts"]


def _author(request: HttpRequest) -> Account:
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user
