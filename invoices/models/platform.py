"""Approved platforms: how one is reached, what was submitted to it, what it sent, and the payments it hears of."""

import datetime
import uuid
from typing import ClassVar, Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.credentials import decrypt_secret, encrypt_secret
from customers.models import Customer
from invoices.models.company import Company
from invoices.models.document import Document
from invoices.models.export import Export
from invoices.models.invoice import Invoice
from mailing import leases


class Platform(models.Model):
    """An approved platform («plateforme agréée») with the interface that the norm gives all of them."""

    class Signature(models.TextChoices):
        STANDARD = "standard", _("Standard Webhooks (webhook-signature)")
        HEXADECIMAL = "hexadecimal", _("HMAC-SHA256 en hexadécimal (x-signature)")
        NONE = "none", _("pas de rappels : interroger seulement")

    name = models.CharField(_("nom"), max_length=100, unique=True)
    flow_url = models.URLField(
        _("adresse du service des flux"), help_text=_("Ce qui précède « /v1/flows » : https://…/afnor-flow")
    )
    directory_url = models.URLField(
        _("adresse du service d’annuaire"), blank=True, help_text=_("Ce qui précède « /v1/directory-line ».")
    )
    token_url = models.URLField(_("adresse des jetons (OAuth2)"))
    client_id = models.CharField(_("identifiant du client (client_id)"), max_length=200)
    # Encrypted; see set_client_secret. The same for the secret of the callbacks.
    client_secret = models.TextField(_("secret du client"), editable=False)
    scope = models.CharField(_("portée (scope)"), max_length=200, blank=True)
    callback_secret = models.TextField(_("secret des rappels"), blank=True, editable=False)
    callback_key = models.UUIDField(_("clé d’adresse des rappels"), default=uuid.uuid4, unique=True, editable=False)
    signature = models.CharField(_("signature des rappels"), max_length=11, choices=Signature, default=Signature.NONE)
    submits_by_itself = models.BooleanField(
        _("remettre les factures dès leur export"),
        default=False,
        help_text=_("Sinon, la remise se demande : bouton du bordereau, ou « manage.py submit_invoices »."),
    )
    # What one platform does otherwise than the others: a named switch each.
    searches_tracking_id = models.BooleanField(
        _("retrouve un dépôt par son trackingId"),
        default=True,
        help_text=_("Sinon, les dépôts récents sont tous relus avant un nouvel envoi."),
    )
    takes_processing_rule = models.BooleanField(_("accepte la règle de traitement (processingRule)"), default=True)
    secret_in_body = models.BooleanField(
        _("attend le secret dans le corps de la demande de jeton"),
        default=False,
        help_text=_("Sinon, dans l’en-tête Authorization (client_secret_basic)."),
    )
    settle_seconds = models.PositiveSmallIntegerField(
        _("attente avant de rechercher un dépôt interrompu (secondes)"),
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("Le temps qu’il faut à la plateforme pour trouver un dépôt qu’elle vient d’accepter."),
    )
    polled_until = models.DateTimeField(_("relevée jusqu’au"), null=True, blank=True, editable=False)
    polled_at = models.DateTimeField(_("interrogée le"), null=True, blank=True, editable=False)
    paused_until = models.DateTimeField(_("en pause jusqu’à"), null=True, blank=True, editable=False)
    problem = models.TextField(_("dernière difficulté"), blank=True, editable=False)
    created_at = models.DateTimeField(_("créée le"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("modifiée le"), auto_now=True)

    class Meta:
        verbose_name = _("plateforme agréée")
        verbose_name_plural = _("plateformes agréées")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def set_client_secret(self, secret: str) -> None:
        """Keep ``secret``, encrypted under the key of the installation."""
        self.client_secret = encrypt_secret(secret)

    def read_client_secret(self) -> str | None:
        """The secret in clear; None where no key of the installation opens it."""
        return decrypt_secret(self.client_secret)

    def set_callback_secret(self, secret: str) -> None:
        """Keep the secret that callbacks are signed with, encrypted; nothing for none."""
        self.callback_secret = encrypt_secret(secret) if secret else ""

    def read_callback_secret(self) -> str | None:
        """The secret of the callbacks in clear; None where there is none or no key opens it."""
        return decrypt_secret(self.callback_secret) if self.callback_secret else None


class Payment(models.Model):
    """Money that was received for an invoice, as staff typed or imported it."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments", verbose_name=_("facture"))
    date = models.DateField(_("encaissé le"))
    amount = models.DecimalField(_("montant"), max_digits=14, decimal_places=2)
    source = models.CharField(_("origine"), max_length=200, blank=True)
    author_name = models.CharField(_("par"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("saisi le"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("encaissement")
        verbose_name_plural = _("encaissements")
        ordering = ("-date", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("invoice", "date", "amount"),
                name="one_payment_per_invoice_date_and_amount",
                violation_error_message=_("Cet encaissement est déjà enregistré."),
            ),
            models.CheckConstraint(
                condition=~Q(amount=0),
                name="a_payment_is_not_zero",
                violation_error_message=_("Un encaissement ne peut pas être nul."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} – {self.date:%d/%m/%Y} – {self.amount}"


class SubmissionQuerySet(models.QuerySet["Submission"]):
    """Questions about submissions."""

    def live(self) -> Self:
        """Those that count: on their way, delivered or accepted."""
        return self.filter(state__in=Submission.LIVE)

    def claimable(self, now: datetime.datetime) -> Self:
        """Those that a process may take at this time of the database: due, or in the hands of one that stopped."""
        return self.filter(
            Q(state=Submission.State.DUE) | Q(leases.has_ended(now), state=Submission.State.CLAIMED),
            Q(not_before__isnull=True) | Q(not_before__lte=now),
            Q(platform__paused_until__isnull=True) | Q(platform__paused_until__lte=now),
        )

    def of_invoices(self) -> Self:
        """Those of invoices, not those of statuses."""
        return self.filter(payment__isnull=True)


class Submission(models.Model):
    """A line on its way to a platform: an invoice, or the status of a payment, and what became of it."""

    class State(models.TextChoices):
        DUE = "due", _("à remettre")
        CLAIMED = "claimed", _("en cours de remise")
        SENT = "sent", _("remise")
        ACCEPTED = "accepted", _("acceptée")
        REJECTED = "rejected", _("rejetée")
        RESENT = "resent", _("retransmise")

    LIVE: ClassVar = (State.DUE, State.CLAIMED, State.SENT, State.ACCEPTED)

    class Syntax(models.TextChoices):
        """Names of the interface."""

        FACTURX = "Factur-X", "Factur-X"
        CII = "CII", "CII"
        UBL = "UBL", "UBL"
        CDAR = "CDAR", "CDAR"

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("plateforme")
    )
    invoice = models.ForeignKey(
        Invoice, on_delete=models.PROTECT, related_name="submissions", verbose_name=_("facture")
    )
    # The version of the invoice that is submitted, and the file of it that is: the PDF, or the XML that came.
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("document")
    )
    source = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("fichier")
    )
    export = models.ForeignKey(
        Export, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions", verbose_name=_("export")
    )
    # Of the status of a payment: its message, as it is sent.
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions", verbose_name="212"
    )
    content = models.TextField(_("message"), blank=True)
    syntax = models.CharField(_("syntaxe"), max_length=8, choices=Syntax)
    processing_rule = models.CharField(_("règle de traitement"), max_length=20)
    tracking_id = models.CharField("trackingId", max_length=80, unique=True)
    sha256 = models.CharField(_("empreinte SHA-256"), max_length=64)
    filename = models.CharField(_("fichier remis"), max_length=200)
    flow_id = models.CharField(_("n° de flux"), max_length=100, blank=True)
    state = models.CharField(_("état"), max_length=8, choices=State, default=State.DUE)
    reason = models.TextField(_("motif"), blank=True)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("remplace")
    )
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    # True from the first moment at which the platform may have it: it is then searched for before it is sent.
    may_be_there = models.BooleanField(_("peut être arrivée"), default=False)
    not_before = models.DateTimeField(_("pas avant"), null=True, blank=True)
    claimed_by = models.CharField(_("en cours chez"), max_length=100, blank=True)
    lease_until = models.DateTimeField(_("réservée jusqu’à"), null=True, blank=True)
    author_name = models.CharField(_("par"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("demandée le"), default=timezone.now, editable=False)
    sent_at = models.DateTimeField(_("remise le"), null=True, blank=True)
    answered_at = models.DateTimeField(_("acceptée ou rejetée le"), null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("dépôt sur une plateforme")
        verbose_name_plural = _("dépôts sur les plateformes")
        ordering = ("-pk",)
        indexes: ClassVar = [
            models.Index(
                fields=("platform", "id"), name="submissions_claimable", condition=Q(state__in=("due", "claimed"))
            ),
            models.Index(fields=("state",), name="submissions_by_state"),
            models.Index(fields=("platform", "flow_id"), name="submissions_by_flow"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("invoice",),
                condition=Q(payment__isnull=True, state__in=("due", "claimed", "sent", "accepted")),
                name="an_invoice_is_submitted_once",
            ),
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(state__in=("due", "claimed", "sent", "accepted")),
                name="a_payment_is_told_once",
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=False) | ~Q(content=""), name="a_submission_has_something_to_send"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} → {self.platform}"

    @property
    def can_be_resent(self) -> bool:
        """True where the platform rejected it and nothing took its place."""
        return self.state == self.State.REJECTED


class PlatformMessage(models.Model):
    """A message of the life cycle that a platform sent, kept as it came; read once."""

    platform = models.ForeignKey(
        Platform, on_delete=models.PROTECT, related_name="messages", verbose_name=_("plateforme")
    )
    flow_id = models.CharField(_("n° de flux"), max_length=100)
    content = models.BinaryField(_("contenu"))
    sha256 = models.CharField(_("empreinte SHA-256"), max_length=64)
    problem = models.TextField(_("difficulté"), blank=True)
    invoices = models.ManyToManyField(Invoice, related_name="platform_messages", verbose_name=_("factures"), blank=True)
    at = models.DateTimeField(_("reçu le"), default=timezone.now)

    class Meta:
        verbose_name = _("message d’une plateforme")
        verbose_name_plural = _("messages des plateformes")
        ordering = ("-pk",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("platform", "flow_id"), name="one_message_per_platform_and_flow"),
        ]

    def __str__(self) -> str:
        return f"{self.platform} – {self.flow_id}"


class DirectoryLookup(models.Model):
    """What the directory said of a customer, or of a company itself, when it was last asked."""

    class Outcome(models.TextChoices):
        FOUND = "found", _("une adresse")
        SEVERAL = "several", _("plusieurs adresses")
        NOT_FOUND = "not_found", _("introuvable dans l’annuaire")
        CLOSED = "closed", _("fermée dans l’annuaire")
        OTHER_PLATFORM = "other_platform", _("autre adresse (changement de plateforme)")

    customer = models.OneToOneField(
        Customer, on_delete=models.CASCADE, null=True, blank=True, related_name="directory_lookup"
    )
    company = models.OneToOneField(
        Company, on_delete=models.CASCADE, null=True, blank=True, related_name="directory_lookup"
    )
    siren = models.CharField("SIREN", max_length=9)
    outcome = models.CharField(_("réponse"), max_length=14, choices=Outcome)
    # [{"address", "siret", "routing_code", "name", "is_open", "platform"}]
    lines = models.JSONField(_("adresses"), default=list)
    source = models.CharField(_("origine"), max_length=200, blank=True)
    at = models.DateTimeField(_("consulté le"), default=timezone.now)

    class Meta:
        verbose_name = _("consultation de l’annuaire")
        verbose_name_plural = _("consultations de l’annuaire")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False, company__isnull=True)
                | Q(customer__isnull=True, company__isnull=False),
                name="a_lookup_is_of_a_customer_or_a_company",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer or self.company} – {self.get_outcome_display()}"
