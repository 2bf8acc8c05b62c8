"""The way of an e-invoice through a platform: handed over, and the statuses that come back."""

from typing import ClassVar

from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from invoices.models.document import Document
from invoices.models.export import Export
from invoices.models.invoice import Invoice


class Handover(models.Model):
    """A document was written for a platform."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="handovers", verbose_name=_("facture"))
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+", verbose_name=_("document"))
    export = models.ForeignKey(
        Export, on_delete=models.PROTECT, null=True, blank=True, related_name="handovers", verbose_name=_("export")
    )
    platform = models.CharField(_("plateforme"), max_length=100, blank=True)
    filename = models.CharField(_("fichier remis"), max_length=200)
    author_name = models.CharField(_("par"), max_length=254, blank=True)
    at = models.DateTimeField(_("remise le"), default=timezone.now)

    class Meta:
        verbose_name = _("remise à la plateforme")
        verbose_name_plural = _("remises à la plateforme")
        ordering = ("-at",)
        constraints: ClassVar = [models.UniqueConstraint(fields=("document",), name="one_handover_per_document")]

    def __str__(self) -> str:
        return f"{self.invoice} – {self.filename}"


class LifecycleStatus(models.Model):
    """A status of the life cycle of an e-invoice (XP Z12-012), as a platform or a person gave it.

    The order of several: by their time, the last one first. Messages give it to the second, and platforms write several
    in one; of the same time, that one comes later which the platform listed later (``listed_at``, to the millisecond,
    the platform's own sequence). Where it is not known (typed, read from a file), what is listed comes after what is
    not, then the life cycle decides: its codes rise, and those that end a delivery (213, 501) are above all others.
    Last, the order in which they were noted here. What cannot be so (``invoices.platforms.story_order``) has a place of
    its own (``ranked_at``), or makes no state (``is_contradicted``), and says why.
    """

    class Code(models.TextChoices):
        SUBMITTED = "200", _("200 Déposée")
        ISSUED = "201", _("201 Émise par la plateforme")
        RECEIVED = "202", _("202 Reçue par la plateforme")
        MADE_AVAILABLE = "203", _("203 Mise à disposition")
        TAKEN_CHARGE = "204", _("204 Prise en charge")
        APPROVED = "205", _("205 Approuvée")
        PARTLY_APPROVED = "206", _("206 Approuvée partiellement")
        DISPUTED = "207", _("207 En litige")
        SUSPENDED = "208", _("208 Suspendue")
        COMPLETED = "209", _("209 Complétée")
        REFUSED = "210", _("210 Refusée")
        PAYMENT_SENT = "211", _("211 Paiement transmis")
        PAID = "212", _("212 Encaissée")
        REJECTED = "213", _("213 Rejetée")
        INADMISSIBLE = "501", _("501 Irrecevable")

    NEED_A_REASON: ClassVar = (
        Code.PARTLY_APPROVED,
        Code.DISPUTED,
        Code.SUSPENDED,
        Code.REFUSED,
        Code.REJECTED,
        Code.INADMISSIBLE,
    )

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="statuses", verbose_name=_("facture"))
    code = models.CharField(_("statut"), max_length=3, choices=Code)
    reason = models.TextField(_("motif"), blank=True)
    source = models.CharField(_("origine"), max_length=200, blank=True)
    author_name = models.CharField(_("par"), max_length=254, blank=True)
    at = models.DateTimeField(_("le"), default=timezone.now)
    # When the platform put the message in its list of changes; null for what was typed or read from a file.
    listed_at = models.DateTimeField(_("listée par la plateforme le"), null=True, blank=True, editable=False)

    # What a payment brought (212), VAT included, in the invoice's currency; null where no amount is given.
    received = models.DecimalField(
        _("montant encaissé"), max_digits=18, decimal_places=2, null=True, blank=True, editable=False
    )
    ranked_at = models.DateTimeField(_("compte comme du"), null=True, blank=True, editable=False)
    is_contradicted = models.BooleanField(_("contredit"), default=False, db_default=False, editable=False)
    order_finding = models.TextField(_("remarque"), blank=True, default="", db_default="", editable=False)
    amount_finding = models.TextField(
        _("remarque sur le montant"), blank=True, default="", db_default="", editable=False
    )

    class Meta:
        verbose_name = _("statut de cycle de vie")
        verbose_name_plural = _("statuts de cycle de vie")
        ordering = (Coalesce("ranked_at", "at").desc(), F("listed_at").desc(nulls_last=True), "-code", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("invoice", "code", "at"), name="one_status_per_invoice_code_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice} – {self.get_code_display()}"

    @property
    def finding(self) -> str:
        """What is odd about it, in words; nothing where it is as it should be."""
        return " ".join(filter(None, (self.order_finding, self.amount_finding)))
