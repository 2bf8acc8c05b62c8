"""Exports: the list made of a selection, its lines, and which mail went to whom."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Account, Customer
from invoices.models.document import Document
from invoices.models.invoice import Invoice
from mailing import leases


class SavedSelection(models.Model):
    """Choices kept under a name («profil»), with a period that may be relative («mois dernier»)."""

    name = models.CharField(_("nom"), max_length=100, unique=True)
    criteria = models.JSONField(_("critères"), default=dict)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("auteur")
    )
    created_at = models.DateTimeField(_("créée le"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("modifiée le"), auto_now=True)

    class Meta:
        verbose_name = _("sélection enregistrée")
        verbose_name_plural = _("sélections enregistrées")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Export(models.Model):
    """A list of invoices to export («diffusion») and the story of its run."""

    class State(models.TextChoices):
        DRAFT = "draft", _("liste à exporter")
        RUNNING = "running", _("en cours")
        PAUSED = "paused", _("en pause")
        CANCELLED = "cancelled", _("annulée")
        DONE = "done", _("terminée")

    # Started and not ended: its ready lines are its own, and other lists leave them to it.
    UNDER_WAY: ClassVar = (State.RUNNING, State.PAUSED)

    number = models.PositiveIntegerField(_("numéro"), unique=True)
    state = models.CharField(_("état"), max_length=9, choices=State, default=State.DRAFT)
    # The choices of the screen, by the names of invoices.exporting.criteria.Criteria.
    criteria = models.JSONField(_("critères"), default=dict)
    selection = models.ForeignKey(
        SavedSelection,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="exports",
        verbose_name=_("sélection enregistrée"),
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="exports",
        verbose_name=_("auteur"),
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    # Versions of the message templates and of the PDF template at the start of the run: {"invoice": 3, …}.
    template_versions = models.JSONField(_("versions des modèles"), default=dict, blank=True)
    # Why a professional's invoice leaves by mail only although it should go through a platform (logged).
    mail_only_reason = models.TextField(_("dérogation à la plateforme agréée"), blank=True)
    # Why a run waits and goes on by itself: the store of documents takes nothing.
    trouble = models.TextField(_("en attente parce que"), blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(_("créée le"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("commencée le"), null=True, blank=True)
    finished_at = models.DateTimeField(_("terminée le"), null=True, blank=True)
    # What its lines add up to once it has ended, by invoices.exporting.kept; nothing while that is still to be counted.
    kept_figures = models.JSONField(_("chiffres gardés"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("listes exportées")
        ordering = ("-number",)
        indexes: ClassVar = [models.Index(fields=("state",), name="exports_by_state")]

    def __str__(self) -> str:
        return f"Export n° {self.number}"


class ExportCustomer(models.Model):
    """What a list holds of one customer: who receives, or why no one does. One row serves all his invoices."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="customers", verbose_name=_("export"))
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="export_rows", verbose_name=_("client")
    )
    # Empty where the customer's invoices can leave; else a value of ExportItem.Reason.
    reason = models.CharField(_("motif"), max_length=20, blank=True)
    # [{"address", "name", "account": id or null, "status": "mail" | "no_account" | "disabled" | "generate" | …}]
    recipients = models.JSONField(_("destinataires"), default=list)

    class Meta:
        verbose_name = _("client d’un export")
        verbose_name_plural = _("clients d’un export")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("export", "customer"), name="one_row_per_export_and_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.export} – {self.customer}"


class ExportItemQuerySet(models.QuerySet["ExportItem"]):
    """Questions about lines of lists."""

    def ready(self) -> Self:
        """Lines that will be exported."""
        return self.filter(state=ExportItem.State.READY)

    def claimable(self, now: Any) -> Self:
        """Lines that a worker may take: ready, or in the hands of one whose lease has ended."""
        return self.filter(Q(state=ExportItem.State.READY) | Q(leases.has_ended(now), state=ExportItem.State.CLAIMED))


class ExportItem(models.Model):
    """A line («pièce») of a list: an invoice, and what became of it."""

    class State(models.TextChoices):
        READY = "ready", _("prête")
        LEFT_OUT = "left_out", _("à corriger")
        EXCLUDED = "excluded", _("décochée")
        CLAIMED = "claimed", _("en cours")
        PUBLISHED = "published", _("publiée")
        FAILED = "failed", _("en échec")

    class Reason(models.TextChoices):
        NOT_DEMATERIALISED = "not_dematerialised", _("pas en D (démat)")
        ALREADY_EXPORTED = "already_exported", _("déjà exportée")
        IN_ANOTHER_LIST = "in_another_list", _("déjà prise par une autre liste")
        COMPANY_INCOMPLETE = "company_incomplete", _("identité de la société incomplète")
        NO_CONTACT = "no_contact", _("aucun contact retenu")
        NO_ADDRESS = "no_address", _("aucune adresse e-mail")
        ACCOUNT_DISABLED = "account_disabled", _("compte désactivé")
        NO_CREDENTIALS = "no_credentials", _("pas d’identifiants de connexion")
        BAD_ADDRESS = "bad_address", _("adresse en erreur")
        NOT_COMPLIANT = "not_compliant", _("e-facture non conforme")
        PLATFORM_REQUIRED = "platform_required", _("à transmettre par une plateforme agréée")
        NOT_IN_DIRECTORY = "not_in_directory", _("introuvable dans l’annuaire")
        CLOSED_IN_DIRECTORY = "directory_closed", _("adresse fermée dans l’annuaire")
        ADDRESS_TO_CHOOSE = "address_to_choose", _("plusieurs adresses dans l’annuaire")
        OTHER_PLATFORM = "other_platform", _("autre adresse dans l’annuaire (changement de plateforme)")

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="items", verbose_name=_("export"))
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="items", verbose_name=_("facture"))
    state = models.CharField(_("état"), max_length=9, choices=State)
    reason = models.CharField(_("motif"), max_length=20, choices=Reason, blank=True)
    error = models.TextField(_("erreur"), blank=True)
    # What the report says of a line that left otherwise than wanted: the plain PDF of an e-invoice with findings.
    note = models.TextField(_("remarque"), blank=True, default="", db_default="")
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, null=True, blank=True, related_name="items", verbose_name=_("document")
    )
    mails = models.PositiveSmallIntegerField(_("mails écrits"), default=0)
    credentials = models.PositiveSmallIntegerField(_("identifiants générés"), default=0)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    claimed_by = models.CharField(_("en cours chez"), max_length=100, blank=True)
    lease_until = models.DateTimeField(_("réservée jusqu’à"), null=True, blank=True)
    finished_at = models.DateTimeField(_("terminée le"), null=True, blank=True)

    objects = ExportItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("pièce")
        verbose_name_plural = _("pièces")
        ordering = ("export", "pk")
        indexes: ClassVar = [
            models.Index(fields=("export", "state", "reason"), name="items_by_export_and_state"),
            models.Index(fields=("export", "id"), name="items_claimable", condition=Q(state__in=("ready", "claimed"))),
            models.Index(fields=("export", "id"), name="items_in_their_order"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("export", "invoice"), name="one_line_per_export_and_invoice"),
            models.UniqueConstraint(
                fields=("invoice",), condition=Q(state="published"), name="an_invoice_is_published_once"
            ),
            models.CheckConstraint(
                condition=Q(state="left_out") | Q(reason=""), name="only_left_out_lines_have_a_reason"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(document__isnull=False), name="published_line_has_a_document"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.export} – {self.invoice}"


class Delivery(models.Model):
    """Which mail announced an exported invoice to whom."""

    item = models.ForeignKey(ExportItem, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("pièce"))
    account = models.ForeignKey(
        Account, on_delete=models.SET_NULL, null=True, related_name="deliveries", verbose_name=_("compte")
    )
    address = models.CharField(_("adresse"), max_length=254)
    message = models.ForeignKey(
        "mailing.Message", on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("message")
    )
    # 0 for the run's own mail; 1, 2… for each wanted re-send.
    sending = models.PositiveSmallIntegerField(_("envoi"), default=0)

    class Meta:
        verbose_name = _("envoi")
        verbose_name_plural = _("envois")
        ordering = ("pk",)
        indexes: ClassVar = [
            models.Index(fields=("item",), name="deliveries_sent_again", condition=Q(sending__gt=0)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("item", "address", "sending"), name="one_mail_per_line_and_recipient_and_sending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} → {self.address}"
