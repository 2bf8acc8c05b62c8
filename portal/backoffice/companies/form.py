"""The form of a company, in sections: what its fields are for, and the checks that only a person's typing needs."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http.request import validate_host
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.models import Company
from invoices.models.company import PAGES
from invoices.printing import LogoError, read_logo
from portal.backoffice.companies.page_texts import PageTextsField
from portal.backoffice.ui.text_fields import IdentifierField, UpperField

_HOST = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
LOGOS = ("logo", "dark_logo")
# What the law asks of an issuer, beside the field that is empty (Company.missing_identity and missing_mentions).
OBLIGATORY = {
    "name": gettext_lazy("Obligatoire."),
    "legal_form": gettext_lazy("Obligatoire : SAS, SARL, EI, association…"),
    "address": gettext_lazy("Obligatoire, avec le code postal et la ville."),
    "siren": gettext_lazy("Obligatoire en France ; ailleurs, le numéro du registre dans « RCS ou RNE »."),
    "vat_identifier": gettext_lazy("Obligatoire, sinon le motif d’exonération (onglet TVA et e-facture)."),
    "share_capital": gettext_lazy("Obligatoire pour une société à capital (SAS, SARL, SCI…) : « 10 000 € »"),
    "trade_register": gettext_lazy("Obligatoire pour une société commerciale ou civile : « RCS Lyon 123 456 789 »"),
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
            "fields": ("pdf_template", "logo", "dark_logo", "colour", "legal_notice"),
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
            "fields": ("publication_director", "hosting", *PAGES, "page_translations"),
            "description": gettext_lazy(
                "Vides : les textes du portail, remplis avec les données ci-dessus, dans la langue du client. Un texte "
                "qui manque dans une langue paraît en français, et la page le dit."
            ),
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


def logo_address(company: Company, name: str) -> str:
    """Where the picture in the field ``name`` is shown, another address after each change; empty without one."""
    if company.pk is None or not getattr(company, name):
        return ""
    query = {"societe": company.pk, **({"fond": "sombre"} if name == "dark_logo" else {})}
    return f"{reverse('logo')}?{urlencode({**query, 'v': int(company.updated_at.timestamp())})}"


class LogoInput(forms.ClearableFileInput):
    """The name of the stored file, and the picture on the ground where it will be seen; without a link to it."""

    template_name = "backoffice/companies/logo_input.html"
    stored = ""
    """The address of the picture that is stored, if one is."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With that address, and the ground."""
        context = super().get_context(name, value, attrs)
        return {**context, "stored": self.stored, "ground": "dark" if name == "dark_logo" else "light"}

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

    page_translations = PageTextsField(label=gettext_lazy("Textes dans les autres langues"), required=False)

    class Meta:
        model = Company
        fields = ("name", *LOGOS, "colour", "pdf_template")  # the card adds its own
        widgets = {
            **dict.fromkeys(LOGOS, LogoInput),
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
        if "page_translations" in self.fields:
            self.fields["page_translations"].widget.company = self.instance
        for name in LOGOS:
            if name in self.fields:
                self.fields[name].widget.stored = logo_address(self.instance, name)

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
        return self._clean_picture("logo")

    def clean_dark_logo(self) -> Any:
        """As the first one: it is never printed, and one table of checks holds for both."""
        return self._clean_picture("dark_logo")

    def clean(self) -> dict[str, Any]:
        """A logo for dark schemes goes beside the other, which every page needs."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("dark_logo") and "logo" in cleaned and not cleaned["logo"]:
            self.add_error("dark_logo", _("Donnez aussi le logo : celui-ci ne sert que sur fond sombre."))
        return cleaned

    def _clean_picture(self, name: str) -> Any:
        logo = self.cleaned_data[name]
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
