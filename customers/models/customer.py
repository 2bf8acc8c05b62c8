"""Customers as the ERP knows them, and their contacts."""

from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.identifiers import check_siren, check_siret, check_vat_identifier, differing_number, validate_country
from customers.searching import search_key

DEMATERIALISED = "D"


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Questions about customers."""

    def dematerialised(self) -> Self:
        """Customers whose invoices are delivered electronically (D)."""
        return self.filter(invoice_copies=DEMATERIALISED)

    def without_address(self) -> Self:
        """Customers with neither an address of their own nor a contact's."""
        contacts = Contact.objects.filter(customer=OuterRef("pk")).exclude(email="")
        return self.filter(~Exists(contacts), email="")


class Customer(models.Model):
    """A buyer, as the ERP knows it."""

    class Kind(models.TextChoices):
        PROFESSIONAL = "professional", _("professionnel")
        INDIVIDUAL = "individual", _("particulier")

    code = models.CharField(_("code"), max_length=50, unique=True)
    name = models.CharField(_("raison sociale"), max_length=200)
    kind = models.CharField(_("type"), max_length=12, choices=Kind, default=Kind.PROFESSIONAL)
    is_public_body = models.BooleanField(_("personne publique (Chorus Pro)"), default=False)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
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
    phone = models.CharField(_("téléphone"), max_length=50, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    vat_identifier = models.CharField(_("n° de TVA intracommunautaire"), max_length=30, blank=True)
    electronic_address = models.CharField(
        _("adresse électronique de facturation"),
        max_length=100,
        blank=True,
        help_text=_("Adresse de l’annuaire de la facturation électronique, si elle diffère du SIREN."),
    )
    invoice_copies = models.CharField(
        _("nombre de factures à éditer"),
        max_length=3,
        default="1",
        help_text=_("D : démat, les factures sont déposées sur l’espace client. Un nombre : exemplaires papier."),
        validators=[RegexValidator(r"^(D|\d{1,3})\Z", _("Saisissez D (démat) ou un nombre d’exemplaires papier."))],
    )
    contested_by = models.JSONField(
        _("n° que l’ERP donne à ce code"),
        default=dict,
        blank=True,
        editable=False,
        db_default=models.Value({}, models.JSONField()),
    )
    """What a table of customers last said of this code, where it was refused as another company's (fields by name)."""
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("modifié le"), auto_now=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        ordering = ("code",)
        indexes: ClassVar = [
            models.Index(fields=("kind", "invoice_copies"), name="customers_by_kind"),
            models.Index(Lower("name"), name="customers_by_name"),
            models.Index(Lower("email"), name="customers_by_email"),
            models.Index(fields=("siren",), name="customers_by_siren", condition=~Q(siren="")),
            models.Index(fields=("vat_identifier",), name="customers_by_vat", condition=~Q(vat_identifier="")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(code="") & ~Q(name=""),
                name="customer_has_code_and_name",
                violation_error_message=_("Un client a un code et une raison sociale."),
            ),
            models.CheckConstraint(
                condition=Q(invoice_copies="D") | Q(invoice_copies__regex=r"^[0-9]+$"),
                name="customer_copies_are_d_or_a_number",
                violation_error_message=_("Saisissez D (démat) ou un nombre d’exemplaires papier."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def is_dematerialised(self) -> bool:
        """True where the invoices are delivered electronically (D)."""
        return self.invoice_copies == DEMATERIALISED

    @property
    def is_professional(self) -> bool:
        """True for companies and public bodies."""
        return self.kind == self.Kind.PROFESSIONAL

    @property
    def contested_number(self) -> tuple[str, str, str] | None:
        """The field, number of the ERP and number of this card by which they are two companies; None where they agree.

        Whoever corrects the card ends it, and so does a table that agrees with the card.
        """
        return differing_number(self.contested_by, self.numbers) if self.contested_by else None

    @property
    def numbers(self) -> dict[str, str]:
        """SIREN, SIRET and VAT number by the names of their fields."""
        return {"siren": self.siren, "siret": self.siret, "vat_identifier": self.vat_identifier}

    def clean(self) -> None:
        """Normalise what people type; check SIREN, SIRET and VAT numbers by their check digits."""
        self.invoice_copies = self.invoice_copies.strip().upper()
        self.email = self.email.strip()
        self.country = self.country.strip().upper()
        errors: dict[str, str] = {}
        self.siren, problem = check_siren(self.siren)
        if problem:
            errors["siren"] = problem
        self.siret, problem = check_siret(self.siret)
        if problem:
            errors["siret"] = problem
        elif self.siret and self.siren and not self.siret.startswith(self.siren):
            errors["siret"] = str(_("Le SIRET %(siret)s n’est pas de ce SIREN.") % {"siret": self.siret})
        self.vat_identifier, problem = check_vat_identifier(self.vat_identifier)
        if problem:
            errors["vat_identifier"] = problem
        if errors:
            raise ValidationError(errors)


class Contact(models.Model):
    """A person or a desk at the customer's."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts", verbose_name=_("client"))
    name = models.CharField(_("nom"), max_length=200)
    function = models.CharField(_("fonction"), max_length=200, blank=True)
    function_key = models.CharField(max_length=200, blank=True, editable=False)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    is_main = models.BooleanField(_("interlocuteur principal"), default=False)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ("customer", "-is_main", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("customer",),
                condition=Q(is_main=True),
                name="one_main_contact_per_customer",
                violation_error_message=_("Ce client a déjà un interlocuteur principal."),
            ),
            models.UniqueConstraint(
                "customer",
                Lower("email"),
                condition=~Q(email=""),
                name="one_contact_per_customer_and_address",
                violation_error_message=_("Ce client a déjà un contact à cette adresse."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.function})" if self.function else self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the searched form of the function beside the function."""
        self.function_key = search_key(self.function)
        super().save(*args, **kwargs)
