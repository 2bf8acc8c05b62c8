"""Paramétrage société: identity, bank, look, mails, e-invoices and public pages of the issuer."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from invoices.einvoices.tasks import request_checks
from invoices.exporting.exports import follow_rehearsal, recheck_company
from invoices.models import Company, Invoice
from invoices.models.company import PAGES
from invoices.money import write_count
from portal.backoffice.companies.form import LOGOS, SECTIONS, CompanyForm, preview_address
from portal.backoffice.companies.preview import find_shown, show_saved, show_typed, suggested_invoices
from portal.backoffice.ui.directory import describe_company_lookup
from portal.backoffice.ui.lists import BackOfficeAdmin, ObjectPage
from portal.bodies import accepts_files

# A file that the field refuses in its own words (5 Mo) is still read.
LOGO_ROOM = 20_000_000

NUMBERS_SHOWN = 5


@admin.register(Company)
class CompanyAdmin(ObjectPage[Company], BackOfficeAdmin[Company]):
    """The issuing company, or companies."""

    counted_plural = gettext_lazy("sociétés")
    form = CompanyForm
    list_display = ("name", "default_word", "siren", "city", "pdf_template")
    search_fields = ("name", "siren")
    actions = ("make_default",)
    readonly_fields = ("directory_answer",)
    change_form_template = "backoffice/companies/company.html"

    def get_fieldsets(self, request: HttpRequest, obj: Company | None = None) -> Any:
        """One fieldset per tab. Who only reads has the name of the logo: Django would show an address, it has none."""
        fieldsets = [(title, {"classes": (key,), **options}) for key, title, options in SECTIONS]
        if obj is not None and not self.has_change_permission(request, obj):
            for _title, options in fieldsets:
                options["fields"] = tuple(
                    f"{name}_name" if name in LOGOS else name
                    for name in options["fields"]
                    if name != "page_translations"
                )
        return fieldsets

    @admin.display(description=gettext_lazy("logo"), empty_value="-")
    def logo_name(self, company: Company) -> str:
        """The name of the file."""
        return company.logo.name or ""

    @admin.display(description=gettext_lazy("logo sur fond sombre"), empty_value="-")
    def dark_logo_name(self, company: Company) -> str:
        """The name of the file."""
        return company.dark_logo.name or ""

    @admin.display(description=gettext_lazy("son adresse dans l’annuaire (BT-34)"))
    def directory_answer(self, company: Company) -> str:
        """Where statuses are sent to, as the directory says when it was last asked."""
        return describe_company_lookup(company)

    @admin.display(description=gettext_lazy("par défaut"), boolean=True, ordering="is_default")
    def default_word(self, company: Company) -> bool:
        """Whether it issues what names no company."""
        return company.is_default

    def save_model(self, request: HttpRequest, obj: Company, form: Any, change: bool) -> None:
        """Save, and have the e-invoices checked that say something else now."""
        super().save_model(request, obj, form, change)
        if not form.changed_data:
            return
        follow_rehearsal()
        recheck_company(company=obj)
        request_checks()
        self._say_what_is_missing(request, obj)
        if {"languages", "page_translations", *PAGES} & set(form.changed_data):
            self._say_untranslated(request, obj)

    def _say_what_is_missing(self, request: HttpRequest, company: Company) -> None:
        """Say what the law asks for and is not filled in, and which invoices wait for it."""
        if missing := company.missing_identity():
            waiting = Invoice.objects.pending().filter(company=company, origin=Invoice.Origin.CSV)
            count = waiting.count()
            first = ", ".join(waiting.order_by("issue_date", "number").values_list("number", flat=True)[:NUMBERS_SHOWN])
            held = _("Aucune facture n’attend encore.")
            if count:
                words = write_count(count, _("facture ne peut pas"), _("factures ne peuvent pas"))
                more = _("…") if count > NUMBERS_SHOWN else "."
                held = _("%(count)s être exportée%(s)s : %(numbers)s%(more)s") % {
                    "count": words,
                    "s": "s" if count >= 2 else "",
                    "numbers": first,
                    "more": more,
                }
            sentence = _("Identité incomplète, il manque : %(missing)s.") % {"missing": ", ".join(missing)}
            self.message_user(request, f"{sentence} {held}", messages.WARNING)
        if mentions := company.missing_mentions():
            self.message_user(
                request,
                _("La forme juridique %(form)s oblige à mentionner aussi : %(mentions)s.")
                % {"form": company.legal_form, "mentions": ", ".join(mentions)},
                messages.WARNING,
            )

    def _say_untranslated(self, request: HttpRequest, company: Company) -> None:
        """Say which pages customers of another language read in French."""
        names = dict(settings.LANGUAGES)
        for language, pages in company.missing_page_texts().items():
            self.message_user(
                request,
                _("Pages publiques sans texte (%(language)s) : %(pages)s. Elles paraissent en français.")
                % {"language": names[language], "pages": ", ".join(pages)},
                messages.WARNING,
            )

    def has_delete_permission(self, request: HttpRequest, obj: Company | None = None) -> bool:
        """The default company stays; another one only goes while nothing is on it (the database says so)."""
        return super().has_delete_permission(request, obj) and (obj is None or not obj.is_default)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list."""
        return super().changelist_view(request, {"title": _("Paramétrage société"), **(extra_context or {})})

    def get_actions(
        self, request: HttpRequest, action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST
    ) -> Any:
        """Without deleting many at once: it would take the default company along."""
        actions = super().get_actions(request, action_location)
        return {name: action for name, action in actions.items() if name != "delete_selected"}

    def page_context(self, request: HttpRequest, obj: Company | None) -> dict[str, Any]:
        """The settings in tabs, one per subject, with what they make of an invoice."""
        company = obj or Company()
        return {
            "section_tabs": [(key, title) for key, title, _options in SECTIONS],
            "preview_address": preview_address(company),
            "preview_caption": find_shown(request, company).caption,
            "preview_invoices": suggested_invoices(request, company) if company.pk else [],
        }

    def get_urls(self) -> list[Any]:
        """The preview, beside the admin's own pages."""
        preview = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.preview))
        pages = super().get_urls()
        for page in (preview, *(each.callback for each in pages if isinstance(each, URLPattern))):
            accepts_files(LOGO_ROOM)(page)
        return [
            path("apercu/", preview, name="invoices_company_preview_new"),
            path("<int:company_id>/apercu/", preview, name="invoices_company_preview"),
            *pages,
        ]

    def preview(self, request: HttpRequest, company_id: int | None = None) -> HttpResponse:
        """An invoice as the saved settings make it, or (POST) as those in the form would."""
        company = None if company_id is None else get_object_or_404(Company, pk=company_id)
        may_type = self.has_add_permission(request) if company is None else self.has_change_permission(request, company)
        if request.method == "POST":
            if not may_type:
                raise PermissionDenied
            form = self.get_form(request, company, change=company is not None)
            return show_typed(request, form(request.POST, request.FILES, instance=company or Company()))
        if not (may_type or self.has_view_permission(request, company)):
            raise PermissionDenied
        return show_saved(request, company or Company())

    @admin.action(description=gettext_lazy("Choisir comme société par défaut"), permissions=["change"])
    def make_default(self, request: HttpRequest, queryset: QuerySet[Company]) -> None:
        """One company is the default one: it issues what names no company, and lends the portal its look."""
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Cochez une seule société."), messages.WARNING)
            return
        with transaction.atomic():
            Company.objects.filter(is_default=True).update(is_default=False)
            Company.objects.filter(pk=chosen[0].pk).update(is_default=True)
            follow_rehearsal()
            self.log_change(request, chosen[0], _("Choisie comme société par défaut."))
        self.message_user(request, _("%(name)s est la société par défaut.") % {"name": chosen[0].name})
