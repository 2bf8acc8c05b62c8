"""Paramétrage société: identity, bank, look, mails, e-invoices and public pages of the issuer."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from invoices.einvoices.tasks import request_checks
from invoices.exporting.exports import follow_rehearsal, recheck_company
from invoices.models import Company, Invoice
from invoices.money import write_count
from invoices.printing import LogoError, read_logo
from portal.backoffice.companies.preview import find_shown, show_saved, show_typed, suggested_invoices
from portal.backoffice.ui.directory import describe_company_lookup
from portal.backoffice.ui.lists import BackOfficeAdmin, ObjectPage
from portal.backoffice.ui.text_fields import IdentifierField, UpperField
from portal.bodies import accepts_files

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
# A file that the field refuses in its own words (5 Mo) is still read.
LOGO_ROOM = 20_000_000

NUMBERS_SHOWN = 5
# What the law asks of an issuer, beside the field that is empty (Company.missing_identity and missing_mentions).
OBLIGATORY = {
    "name": gettext_lazy("Obligatoire."),
    "legal_form": gettext_lazy("Obligatoire : SAS, SARL, EI, association…"),
    "address": gettext_lazy("Obligatoire, avec le code postal et la ville."),
    "siren": gettext_lazy("Obligatoire en France ; ailleurs, le numéro du registre dans « RCS ou RNE »."),
    "vat_identifier": gettext_lazy("Obligatoire, sinon le motif d’exonération (onglet TVA et e-facture)."),
    "share_capital": gettext_lazy("Obligatoire pour une société à capital (SAS, SARL, SA…) : « 10 000 € »"),
    "trade_register": gettext_lazy("Obligatoire pour une société commerciale : « RCS Lyon 123 456 789 »"),
}

SECTIONS: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    (
        "identite",
        gettext_lazy("Identité"),
        {
            "fields": (
                ("name", "legal_form", "share_capital"),
                ("siren", "siret", "vat_identifier"),
                "trade_register",
                ("address", "address_complement"),
                ("postcode", "city", "country"),
                ("email", "phone", "website"),
            ),
            "description": gettext_lazy(
                "Ces mentions sont imprimées sur chaque facture (article L. 441-9 du code de commerce)."
            ),
        },
    ),
    (
        "paiement",
        gettext_lazy("Paiement"),
        {
            "fields": (
                ("iban", "bic", "account_holder"),
                ("payment_terms", "payment_delay_days"),
                "late_penalty",
                "recovery_fee",
                "discount_terms",
            ),
            "description": gettext_lazy("L’IBAN donne aussi le QR code de virement sur l’espace client."),
        },
    ),
    (
        "apparence",
        gettext_lazy("Apparence"),
        {
            "fields": ("pdf_template", "logo", "colour", "legal_notice"),
            "description": gettext_lazy(
                "Le logo et la couleur paraissent sur les factures, l’espace client et les mails. La couleur est "
                "assombrie ou éclaircie d’elle-même là où elle ne se lirait pas."
            ),
        },
    ),
    (
        "tva",
        gettext_lazy("TVA et e-facture"),
        {
            "fields": (
                "vat_exemption",
                ("operations", "vat_on_debits"),
                "einvoice_from",
                "facturx_for_all",
                "allow_plain_pdf",
                ("platform_name", "platform", "directory_answer"),
            ),
            "description": gettext_lazy(
                "À compter de la date d’émission obligatoire, les factures aux professionnels français passent par une "
                "plateforme agréée."
            ),
        },
    ),
    (
        "mails",
        gettext_lazy("Mails"),
        {
            "fields": (("sender_name", "sender_email"), "reply_to", "rehearsal_address", "host"),
            "description": gettext_lazy(
                "Au nom de qui partent les mails. Vides : le nom et l’e-mail de la société, ou l’adresse du serveur."
            ),
        },
    ),
    (
        "pages",
        gettext_lazy("Pages publiques"),
        {
            "fields": ("publication_director", "hosting", "legal_page", "accessibility_page", "privacy_page"),
            "description": gettext_lazy("Vides : les textes du portail, remplis avec les données ci-dessus."),
        },
    ),
    (
        "langues",
        gettext_lazy("Langues"),
        {
            "fields": ("languages",),
            "description": gettext_lazy(
                "Le français est toujours proposé. Chaque client choisit sa langue dans son compte ; avant, elle est "
                "devinée de son pays. Les PDF sont figés dans la langue qu’il a alors, avec les mentions légales en "
                "français ; les messages prédéfinis ont un texte par langue."
            ),
        },
    ),
)


def preview_address(company: Company) -> str:
    """Where an invoice is drawn as ``company`` says, which may not be saved yet."""
    if company.pk is None:
        return reverse("admin:invoices_company_preview_new")
    return reverse("admin:invoices_company_preview", args=[company.pk])


class LogoInput(forms.ClearableFileInput):
    """The name of the stored file, without a link: documents have no address of their own."""

    template_name = "backoffice/companies/logo_input.html"

    def is_initial(self, value: Any) -> bool:
        """True where a logo is stored. Its address is not asked for: it has none."""
        return bool(value and getattr(value, "name", ""))


class TemplateChoice(forms.RadioSelect):
    """The templates to choose from, each with a picture of an invoice in it."""

    template_name = "backoffice/companies/template_choice.html"
    pictures = ""
    """The address of the pictures, which takes the name of a template."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With that address."""
        return {**super().get_context(name, value, attrs), "pictures": self.pictures}


class LanguagesField(forms.MultipleChoiceField):
    """Languages to tick; an empty one represents none."""

    def to_python(self, value: Any) -> list[str]:
        """The codes that were ticked."""
        return [code for code in super().to_python(value) if code]


class CompanyForm(forms.ModelForm[Company]):
    """The form of the company; the logo is looked at as the printer will."""

    languages = LanguagesField(
        label=gettext_lazy("langues proposées aux clients, outre le français"),
        choices=[(code, name) for code, name in settings.LANGUAGES if code != settings.LANGUAGE_CODE],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    class Meta:
        model = Company
        fields = ("name", "logo", "colour", "pdf_template")  # the card adds its own
        widgets = {
            "logo": LogoInput,
            "colour": forms.TextInput(attrs={"type": "color"}),
            "pdf_template": TemplateChoice,
        }
        field_classes = {
            "country": UpperField,
            **dict.fromkeys(("siren", "siret", "vat_identifier", "iban", "bic"), IdentifierField),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, words in OBLIGATORY.items():
            if name in self.fields:
                self.fields[name].help_text = words
        if "pdf_template" in self.fields:
            self.fields["pdf_template"].widget.pictures = preview_address(self.instance)

    def clean_host(self) -> str:
        """A name under which this portal answers, and that is not its own."""
        host = str(self.cleaned_data["host"]).strip().lower().rstrip(".")
        if not host:
            return ""
        if not _HOST.fullmatch(host):
            raise ValidationError(_("Un nom d’hôte seul, sans https:// ni chemin : « factures.exemple.fr »."))
        if host == urlsplit(settings.PORTAL_URL).hostname:
            raise ValidationError(_("C’est l’adresse du portail lui-même : laissez vide."))
        if not validate_host(host, settings.ALLOWED_HOSTS):
            raise ValidationError(
                _(
                    "Le portail ne répond pas sous ce nom : ajoutez %(host)s à ALLOWED_HOSTS (et au certificat), "
                    "redémarrez, puis enregistrez."
                )
                % {"host": host}
            )
        return host

    def clean_logo(self) -> Any:
        """A picture that can be printed, and that is what its name says."""
        logo = self.cleaned_data["logo"]
        if isinstance(logo, UploadedFile):
            data = logo.read()
            logo.seek(0)
            try:
                read_logo(data)
            except LogoError as problem:
                raise ValidationError(str(problem)) from None
            if (logo.name or "").lower().endswith(".svg") != (data.lstrip()[:1] == b"<"):
                raise ValidationError(_("L’extension du logo ne dit pas ce qu’il est."))
        return logo


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
                options["fields"] = tuple("logo_name" if name == "logo" else name for name in options["fields"])
        return fieldsets

    @admin.display(description=gettext_lazy("logo"), empty_value="-")
    def logo_name(self, company: Company) -> str:
        """The name of the file."""
        return company.logo.name or ""

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

    def _say_what_is_missing(self, request: HttpRequest, company: Company) -> None:
        """Say what the law asks for and is not filled in, and which invoices wait for it."""
        if missing := company.missing_identity():
            waiting = Invoice.objects.pending().filter(company=company, origin=Invoice.Origin.CSV)
            count = waiting.count()
            first = ", ".join(waiting.order_by("issue_date", "number").values_list("number", flat=True)[:NUMBERS_SHOWN])
            held = _("Aucune facture n’attend encore.")
            if count:
                words = write_count(count, _("facture ne peut pas"), _("factures ne peuvent pas"))
                more = _("…") if count > NUMBERS_SHOWN else ""
                held = _("%(count)s être exportée%(s)s : %(numbers)s%(more)s.") % {
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
