"""The company that issues invoices: «Paramétrage société»."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.identifiers import (
    check_bic,
    check_iban,
    check_siren,
    check_siret,
    check_vat_identifier,
    validate_country,
)
from invoices.en16931.vat import FRENCH_COUNTRIES
from invoices.printing.layouts import DEFAULT_TEMPLATE, template_labels

UNNAMED: Final = "Société à paramétrer"
"""The company of a new installation's first invoices, until somebody says who issues them."""

PAGES: Final = ("legal_page", "accessibility_page", "privacy_page")
"""The fields of the public pages whose text a company may write itself."""
PICTURE_SUFFIXES: Final = ("png", "jpg", "jpeg", "svg")

# Forms that must state a share capital and a register, by their initials or in full: commercial companies (code de
# commerce, art. R. 123-237 and R. 123-238) and civil ones (decree 78-704, art. 32).
_FORMS_WITH_CAPITAL: Final = re.compile(
    r"\b(SASU?|SARL|EURL|SA|SCA|SEL(ARL|AS|AFA|CA)(U)?|SE|SCI|SCCV|SCM|SCP|SCEA|EARL)\b"
    r"|\bSOCI[EÉ]T[EÉ] (PAR ACTIONS|[AÀ] RESPONSABILIT[EÉ] LIMIT[EÉ]E|ANONYME|EUROP[EÉ]ENNE|CIVILE)\b"
)
# Forms that must state a register only: their members answer for the debts themselves.
_FORMS_WITH_REGISTER: Final = re.compile(r"\b(SNC|SCS)\b|\bSOCI[EÉ]T[EÉ] EN (NOM COLLECTIF|COMMANDITE SIMPLE)\b")

# A sole trader has these words beside his name on all that he sends (code de commerce, art. R. 526-27).
_SOLE_TRADER: Final = re.compile(r"\bEI\b|\bENTREPRENEUR INDIVIDUEL\b|\bENTREPRISE INDIVIDUELLE\b")


def _is_stated(*values: str) -> bool:
    return any(value.strip() for value in values)


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text that a company wrote for a public page; ``is_substitute`` where it is in another language than asked."""

    text: str
    language: str
    is_substitute: bool = False


class CompanyQuerySet(models.QuerySet["Company"]):
    """Questions about companies."""

    def incomplete(self) -> "list[Company]":
        """The companies whose legal identity lacks something, so that nothing can be frozen in their name."""
        return [company for company in self if company.missing_identity()]

    def languages(self) -> list[str]:
        """The languages besides French that these companies offer, in the order of the settings. One query."""
        offered = {code for codes in self.values_list("languages", flat=True) for code in codes}
        return [code for code, _name in settings.LANGUAGES if code in offered and code != settings.LANGUAGE_CODE]


class Company(models.Model):
    """An issuer (BG-4): identity, legal mentions, payment terms, look. One is the default; several are possible."""

    class Operations(models.TextChoices):
        GOODS = "B", _("livraisons de biens")
        SERVICES = "S", _("prestations de services")
        BOTH = "M", _("biens et services")

    # The templates are declared in invoices.printing.layouts alone.
    PdfTemplate = models.TextChoices(  # type: ignore[call-overload]
        "PdfTemplate", [(name.upper(), (name, label)) for name, label in template_labels()]
    )

    name = models.CharField(_("raison sociale"), max_length=200)
    is_default = models.BooleanField(_("société par défaut"), default=False)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    vat_identifier = models.CharField(_("n° de TVA"), max_length=30, blank=True)
    legal_form = models.CharField(_("forme juridique"), max_length=100, blank=True, help_text=_("SAS, SARL, EI…"))
    share_capital = models.CharField(_("capital social"), max_length=50, blank=True, help_text=_("« 10 000 € »"))
    trade_register = models.CharField(
        _("RCS ou RNE"), max_length=100, blank=True, help_text=_("« RCS Lyon 123 456 789 »")
    )
    address = models.CharField(_("adresse"), max_length=300, blank=True)
    address_complement = models.CharField(_("complément d’adresse"), max_length=300, blank=True)
    postcode = models.CharField(_("code postal"), max_length=20, blank=True)
    city = models.CharField(_("ville"), max_length=100, blank=True)
    country = models.CharField(
        _("pays"),
        max_length=2,
        default="FR",
        validators=[validate_country],
    )
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("téléphone"), max_length=50, blank=True)
    website = models.URLField(_("site web"), blank=True)
    logo = models.FileField(
        _("logo"),
        upload_to="logos/",
        blank=True,
        validators=[FileExtensionValidator(PICTURE_SUFFIXES)],
        help_text=_("PNG, JPEG ou SVG."),
    )
    dark_logo = models.FileField(
        _("logo sur fond sombre"),
        upload_to="logos/",
        blank=True,
        default="",
        db_default="",
        validators=[FileExtensionValidator(PICTURE_SUFFIXES)],
        help_text=_(
            "Pour l’espace client et la gestion quand l’appareil affiche en sombre. "
            "Vide : le logo, sur une plaque claire. Les factures gardent le logo."
        ),
    )
    colour = models.CharField(
        _("couleur"),
        max_length=7,
        default="#1f4e79",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}\Z", _("Une couleur s’écrit #rrggbb."))],
    )
    pdf_template = models.CharField(
        _("modèle de facture"), max_length=10, choices=template_labels, default=DEFAULT_TEMPLATE
    )

    iban = models.CharField("IBAN", max_length=34, blank=True)
    bic = models.CharField("BIC", max_length=11, blank=True)
    account_holder = models.CharField(_("titulaire du compte"), max_length=70, blank=True)
    payment_terms = models.CharField(_("conditions de paiement"), max_length=300, blank=True)
    payment_delay_days = models.PositiveSmallIntegerField(
        _("délai de paiement (jours)"),
        null=True,
        blank=True,
        help_text=_("Donne l’échéance des factures qui n’en portent pas."),
    )
    late_penalty = models.TextField(
        _("pénalités de retard"),
        blank=True,
        default="En cas de retard de paiement, pénalités exigibles au taux de trois fois l’intérêt légal.",
    )
    recovery_fee = models.TextField(
        _("indemnité de recouvrement"),
        blank=True,
        default="Indemnité forfaitaire pour frais de recouvrement en cas de retard de paiement : 40 €.",
        help_text=_("Jamais imprimée pour un particulier."),
    )
    discount_terms = models.TextField(_("escompte"), blank=True, default="Pas d’escompte pour paiement anticipé.")
    legal_notice = models.TextField(
        _("autres mentions"), blank=True, help_text=_("Imprimées au pied de chaque facture.")
    )
    vat_exemption = models.CharField(
        _("motif d’exonération de TVA"),
        max_length=300,
        blank=True,
        help_text=_("« TVA non applicable, art. 293 B du CGI »"),
    )
    operations = models.CharField(_("nature des opérations"), max_length=1, choices=Operations, default=Operations.BOTH)
    vat_on_debits = models.BooleanField(_("option pour la TVA d’après les débits"), default=False)

    einvoice_from = models.DateField(
        _("émission électronique obligatoire à compter du"),
        null=True,
        blank=True,
        help_text=_("1ᵉʳ septembre 2026 pour les grandes entreprises et les ETI, 1ᵉʳ septembre 2027 pour les autres."),
    )
    facturx_for_all = models.BooleanField(_("Factur-X pour tous les clients"), default=False)
    allow_plain_pdf = models.BooleanField(
        _("laisser partir le PDF simple quand l’e-facture n’est pas conforme"), default=True
    )
    platform_name = models.CharField(_("plateforme agréée"), max_length=100, blank=True)
    platform = models.ForeignKey(
        "invoices.Platform",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="companies",
        verbose_name=_("connexion à la plateforme"),
        help_text=_("Vide : les factures sont remises par fichiers."),
    )

    host = models.CharField(
        _("nom d’hôte de son espace client"),
        max_length=253,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "« factures.exemple.fr » : ses clients y voient ses pages et ses factures seules. "
            "Vide : l’adresse du portail."
        ),
    )
    sender_name = models.CharField(_("nom de l’expéditeur des mails"), max_length=100, blank=True)
    sender_email = models.EmailField(_("adresse de l’expéditeur"), blank=True)
    reply_to = models.EmailField(_("répondre à"), blank=True)

    # Codes of settings.LANGUAGES; French is never missing, and so is not among them.
    languages = models.JSONField(_("langues proposées aux clients"), default=list, blank=True)

    # Of the default company: every mail of the installation goes to this address instead of its customers.
    rehearsal_address = models.EmailField(
        _("recette : tous les mails vont à"),
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "Tant qu’une adresse est ici, aucun client ne reçoit de mail et chaque page porte un bandeau. "
            "Sur la société par défaut."
        ),
    )

    publication_director = models.CharField(
        _("directeur de la publication"),
        max_length=200,
        blank=True,
        help_text=_("Nom affiché dans les mentions légales (loi n° 2004-575 du 21 juin 2004)."),
    )
    hosting = models.CharField(
        _("hébergeur"),
        max_length=300,
        blank=True,
        help_text=_("Nom, adresse et téléphone de l’hébergeur du portail."),
    )
    legal_page = models.TextField(_("page « Mentions légales »"), blank=True)
    accessibility_page = models.TextField(_("page « Accessibilité »"), blank=True)
    privacy_page = models.TextField(_("page « Données personnelles »"), blank=True)
    # By language, then by page (PAGES): {"en": {"legal_page": "…"}}. The French texts are the fields above.
    page_translations = models.JSONField(
        _("textes dans les autres langues"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
    )
    updated_at = models.DateTimeField(_("modifié le"), auto_now=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("société")
        verbose_name_plural = _("paramétrage société")
        ordering = ("-is_default", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("is_default",),
                condition=Q(is_default=True),
                name="one_default_company",
                violation_error_message=_("Une autre société est déjà celle par défaut."),
            ),
            models.UniqueConstraint(
                fields=("siren",),
                condition=~Q(siren=""),
                name="one_company_per_siren",
                violation_error_message=_("Une autre société porte déjà ce SIREN."),
            ),
            models.UniqueConstraint(
                fields=("host",),
                condition=~Q(host=""),
                name="one_company_per_host",
                violation_error_message=_("Une autre société a déjà ce nom d’hôte."),
            ),
            models.CheckConstraint(
                condition=~Q(name=""), name="company_has_a_name", violation_error_message=_("Une société a un nom.")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The first company is the default one, and issues the invoices that were imported before it was known."""
        if self._state.adding and self.name != UNNAMED and (unnamed := Company.objects.filter(name=UNNAMED).first()):
            self.pk, self.is_default, self._state.adding = unnamed.pk, unnamed.is_default, False
            kwargs.pop("force_insert", None)
        if not self.is_default and not Company.objects.filter(is_default=True).exclude(pk=self.pk).exists():
            self.is_default = True
        super().save(*args, **kwargs)

    def missing_identity(self) -> list[str]:
        """What of the legal identity of an issuer is missing, as French words; empty where it is complete.

        Name and address, SIREN or its equivalent abroad, VAT number or why there is none, legal form (CGI ann. II
        art. 242 nonies A; code de commerce, art. L. 441-9, R. 123-237 and R. 123-238).
        """
        is_french = self.country in FRENCH_COUNTRIES
        has_address = (
            _is_stated(self.address) and _is_stated(self.city) and (_is_stated(self.postcode) or not is_french)
        )
        abroad = () if is_french else (self.trade_register, self.vat_identifier)
        stated = (
            (_("raison sociale"), self.name != UNNAMED and _is_stated(self.name)),
            (_("adresse"), has_address),
            (_("SIREN") if is_french else _("numéro d’immatriculation"), _is_stated(self.siren, self.siret, *abroad)),
            (_("n° de TVA ou motif d’exonération"), _is_stated(self.vat_identifier, self.vat_exemption)),
            (_("forme juridique"), _is_stated(self.legal_form)),
        )
        return [str(words) for words, is_there in stated if not is_there]

    def own_text(self, page: str, language: str) -> OwnText | None:
        """What the company wrote itself for ``page`` (of PAGES), French where ``language`` lacks; None for nothing."""
        if language != settings.LANGUAGE_CODE and (text := self._translated(page, language)):
            return OwnText(text, language)
        french = getattr(self, page)
        return (
            OwnText(french, settings.LANGUAGE_CODE, is_substitute=language != settings.LANGUAGE_CODE)
            if french
            else None
        )

    def missing_page_texts(self) -> dict[str, list[str]]:
        """The names of the pages that were written in French only, by offered language; empty where none lacks."""
        missing = {
            language: [
                str(self._meta.get_field(page).verbose_name)  # type: ignore[union-attr]
                for page in PAGES
                if getattr(self, page) and not self._translated(page, language)
            ]
            for language in self.languages
        }
        return {language: pages for language, pages in missing.items() if pages}

    def _translated(self, page: str, language: str) -> str:
        return str(self.page_translations.get(language, {}).get(page, "")).strip()

    def missing_mentions(self) -> list[str]:
        """What the company's legal form obliges it to state besides its identity and is missing, as French words."""
        form = self.legal_form.replace(".", "").upper()
        has_capital = _FORMS_WITH_CAPITAL.search(form) is not None
        is_registered = has_capital or _FORMS_WITH_REGISTER.search(form) is not None
        is_named_so = (
            not _SOLE_TRADER.search(form) or _SOLE_TRADER.search(self.name.replace(".", "").upper()) is not None
        )
        stated = (
            (_("« EI » à côté du nom, dans la raison sociale"), is_named_so),
            (_("capital social"), not has_capital or _is_stated(self.share_capital)),
            (_("RCS"), not is_registered or _is_stated(self.trade_register)),
        )
        return [str(words) for words, is_there in stated if not is_there]

    def clean(self) -> None:
        """Normalise identifiers and check them by their check digits; a platform that is connected has a name."""
        errors: dict[str, str] = {}
        if self.platform is not None and not self.platform_name:
            self.platform_name = self.platform.name
        checks = {
            "siren": check_siren,
            "siret": check_siret,
            "vat_identifier": check_vat_identifier,
            "iban": check_iban,
            "bic": check_bic,
        }
        for field, check in checks.items():
            value, problem = check(getattr(self, field))
            setattr(self, field, value)
            if problem:
                errors[field] = problem
        if errors:
            raise ValidationError(errors)
