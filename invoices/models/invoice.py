"""Invoices and their lines."""

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from invoices.models.company import Company

if TYPE_CHECKING:
    from customers.models import Account


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    """Questions about invoices."""

    def published(self) -> Self:
        """Invoices that are in their customer's space."""
        return self.filter(published_at__isnull=False)

    def pending(self) -> Self:
        """Invoices that wait for their export."""
        return self.filter(published_at=None)

    def visible_to(self, account: "Account") -> Self:
        """Published invoices of the customers of ``account``: who may see is decided here and nowhere else."""
        if not account.is_authenticated or not account.is_active:
            return self.none()
        return self.published().filter(customer__accesses__account=account)

    def issued_between(self, start: Any, end: Any) -> Self:
        """Invoices issued from ``start`` to ``end``, both inclusive, both optional (``datetime.date`` or None)."""
        found = self
        if start is not None:
            found = found.filter(issue_date__gte=start)
        if end is not None:
            found = found.filter(issue_date__lte=end)
        return found


_LONGEST_IN_FILE_NAME = 180  # bytes


class Invoice(models.Model):
    """An invoice or a credit note of a company to a customer. Its identity is company + number."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("facture")
        CREDIT_NOTE = "credit_note", _("avoir")

    class Origin(models.TextChoices):
        CSV = "csv", _("fichier de l’ERP")
        CII = "cii", _("e-facture CII")
        UBL = "ubl", _("e-facture UBL")
        FACTURX = "facturx", _("Factur-X")
        PDF = "pdf", _("PDF de l’ERP")

    class CheckState(models.TextChoices):
        UNCHECKED = "unchecked", _("pas encore contrôlée")
        NOT_NEEDED = "not_needed", _("sans e-facture")
        RECEIVED = "received", _("reçue, gardée telle quelle")
        VALID = "valid", _("conforme")
        INVALID = "invalid", _("à corriger")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("société"))
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("client"))
    number = models.CharField(_("numéro"), max_length=100)
    kind = models.CharField(_("nature"), max_length=11, choices=Kind, default=Kind.INVOICE)
    type_code = models.CharField(_("type (UNTDID 1001)"), max_length=3, default="380")
    issue_date = models.DateField(_("date"))
    due_date = models.DateField(_("échéance"), null=True, blank=True)
    currency = models.CharField(_("devise"), max_length=3, default="EUR")
    purchase_order_reference = models.CharField(_("référence"), max_length=200, blank=True)
    total_without_vat = models.DecimalField(_("total HT"), max_digits=18, decimal_places=2)
    total_vat = models.DecimalField(_("total TVA"), max_digits=18, decimal_places=2)
    total_with_vat = models.DecimalField(_("total TTC"), max_digits=18, decimal_places=2)
    prepaid_amount = models.DecimalField(_("déjà payé"), max_digits=18, decimal_places=2, default=0)
    amount_due = models.DecimalField(_("net à payer"), max_digits=18, decimal_places=2)
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        verbose_name=_("facture corrigée"),
    )
    origin = models.CharField(_("origine"), max_length=7, choices=Origin, default=Origin.CSV)
    # What the columns above and the lines do not hold, by the names of invoices.en16931.model.InvoiceContent.
    details = models.JSONField(_("autres données"), default=dict, blank=True)
    content_hash = models.CharField(_("empreinte du contenu"), max_length=64, editable=False)
    # Of the cells of the tables that it came from, as they stood; see invoices.importing.tables.pairing.
    cells_hash = models.CharField(
        _("empreinte des cellules"), max_length=80, blank=True, default="", db_default="", editable=False
    )
    warnings = models.JSONField(_("avertissements"), default=list, blank=True)
    version = models.PositiveSmallIntegerField(_("version"), default=1, editable=False)
    imported_at = models.DateTimeField(_("importée le"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("modifiée le"), auto_now=True)
    published_at = models.DateTimeField(_("publiée le"), null=True, blank=True, editable=False)
    # The document that customers, mails and archives get: the last frozen version.
    document = models.OneToOneField(
        "Document",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="current_for",
        verbose_name=_("document"),
    )
    # What the rules said of its e-invoice, by the content that ``content_check`` names; see invoices.einvoices.checks.
    check_state = models.CharField(
        _("contrôle de l’e-facture"),
        max_length=10,
        choices=CheckState,
        default=CheckState.UNCHECKED,
        db_default=CheckState.UNCHECKED,
        editable=False,
    )
    content_check = models.ForeignKey(
        "ContentCheck",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="invoices",
        verbose_name=_("contrôle de contenu"),
    )
    # The moment at which what was checked was read: older than a change of invoice, customer or company, it is stale.
    checked_at = models.DateTimeField(_("contrôlée le"), null=True, blank=True, editable=False)
    first_consulted_at = models.DateTimeField(_("consultée le"), null=True, blank=True, editable=False)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("facture")
        verbose_name_plural = _("factures")
        ordering = ("-issue_date", "-number")
        indexes: ClassVar = [
            models.Index(
                fields=("customer", "-issue_date", "-number"),
                name="published_by_customer_and_date",
                condition=Q(published_at__isnull=False),
            ),
            models.Index(fields=("issue_date",), name="invoices_pending", condition=Q(published_at__isnull=True)),
            models.Index(fields=("-issue_date", "-number"), name="invoices_by_date"),
            models.Index(
                fields=("published_at",), name="invoices_by_publication", condition=Q(published_at__isnull=False)
            ),
            models.Index(fields=("customer", "-issue_date"), name="invoices_by_customer"),
            models.Index(
                fields=("published_at",),
                name="invoices_published_unchecked",
                condition=Q(published_at__isnull=False, check_state="unchecked"),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("company", "number"),
                name="one_invoice_per_company_and_number",
                violation_error_message=_("Cette société a déjà une facture de ce numéro."),
            ),
            models.CheckConstraint(
                condition=~Q(number=""),
                name="invoice_has_a_number",
                violation_error_message=_("Une facture a un numéro."),
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | Q(document__isnull=False),
                name="published_invoice_has_a_document",
                violation_error_message=_("Une facture publiée a un document figé."),
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                name="invoice_currency_is_a_code",
                violation_error_message=_("La devise est un code à trois lettres (EUR)."),
            ),
            models.CheckConstraint(
                condition=Q(corrects__isnull=True) | ~Q(corrects=F("pk")),
                name="invoice_does_not_correct_itself",
                violation_error_message=_("Une facture ne se corrige pas elle-même."),
            ),
        ]
        permissions: ClassVar = [
            ("import_invoices", _("Peut importer les fichiers de l’ERP")),
            ("export_invoices", _("Peut exporter les factures")),
            ("resend_invoice", _("Peut renvoyer une facture")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display().capitalize()} {gettext('N°')} {self.number}"

    @property
    def is_published(self) -> bool:
        """True once the invoice is in its customer's space."""
        return self.published_at is not None

    @property
    def is_credit_note(self) -> bool:
        """True for an «avoir»."""
        return self.kind == self.Kind.CREDIT_NOTE

    @property
    def signed_total_with_vat(self) -> Decimal:
        """What the invoice adds to a sum: a credit note states a positive amount (EN 16931) and takes it off."""
        return -self.total_with_vat if self.is_credit_note else self.total_with_vat

    @property
    def pdf_filename(self) -> str:
        """The name under which people get the PDF: ``Facture-18000135.pdf``.

        Short enough for a file, which has 255 bytes: a hundred Chinese characters are three hundred.
        """
        safe = "".join(char if char.isalnum() or char in "-_." else "-" for char in self.number)
        safe = safe.encode()[:_LONGEST_IN_FILE_NAME].decode(errors="ignore")
        return f"{'Avoir' if self.is_credit_note else 'Facture'}-{safe}.pdf"


class InvoiceLine(models.Model):
    """A line (BG-25)."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines", verbose_name=_("facture"))
    position = models.PositiveIntegerField(_("rang"))
    identifier = models.CharField(_("n° de ligne"), max_length=50, blank=True)
    item_code = models.CharField(_("article"), max_length=200, blank=True)
    name = models.TextField(_("désignation"))
    quantity = models.DecimalField(_("quantité"), max_digits=24, decimal_places=8, null=True, blank=True)
    unit = models.CharField(_("unité"), max_length=10, blank=True)
    net_price = models.DecimalField(_("prix unitaire HT"), max_digits=24, decimal_places=8, null=True, blank=True)
    discount_percentage = models.DecimalField(_("remise (%)"), max_digits=7, decimal_places=4, null=True, blank=True)
    vat_category = models.CharField(_("catégorie de TVA"), max_length=2, blank=True)
    vat_rate = models.DecimalField(_("taux de TVA"), max_digits=7, decimal_places=4, null=True, blank=True)
    net_amount = models.DecimalField(_("montant HT"), max_digits=18, decimal_places=2)
    details = models.JSONField(_("autres données"), default=dict, blank=True)

    class Meta:
        verbose_name = _("ligne")
        verbose_name_plural = _("lignes")
        ordering = ("invoice", "position")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("invoice", "position"), name="one_line_per_position"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name}"
