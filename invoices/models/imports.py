"""Uploads of ERP files that wait for a confirmation, and the story of imports."""

import datetime
import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mailing import leases


class ImportBatchQuerySet(models.QuerySet["ImportBatch"]):
    """Questions about imports."""

    def claimable(self, now: datetime.datetime) -> Self:
        """Batches with work to do that no one has in hand: never begun, or in the hands of one whose lease ended."""
        return self.filter(leases.is_free(now), state__in=ImportBatch.UNDERWAY)

    def called_before(self, moment: datetime.datetime) -> Self:
        """Batches for which no worker was called since ``moment``."""
        return self.annotate(last_call=Coalesce("called_at", "created_at")).filter(last_call__lte=moment)


class ImportBatch(models.Model):
    """Files given by a member of staff: checked first, imported once confirmed."""

    class State(models.TextChoices):
        RECEIVED = "received", _("en cours de contrôle")
        CHECKED = "checked", _("à confirmer")
        IMPORTING = "importing", _("en cours d’import")
        IMPORTED = "imported", _("importé")
        REJECTED = "rejected", _("refusé")
        ABANDONED = "abandoned", _("abandonné")

    UNDERWAY: ClassVar = (State.RECEIVED, State.IMPORTING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("auteur")
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    state = models.CharField(_("état"), max_length=9, choices=State, default=State.RECEIVED)
    # [{"name": as given, "storage_name": where it is kept, "size": bytes}]
    files = models.JSONField(_("fichiers"), default=list)
    # What import_erp receives besides: {"create_companies": bool, "company": name or SIREN}.
    options = models.JSONField(_("options"), default=dict)
    report = models.JSONField(_("rapport"), default=dict)
    # How far the work in hand is, for the one who waits: {"stage": French word, "done": number}.
    progress = models.JSONField(_("avancement"), default=dict)
    lease_until = models.DateTimeField(_("réservé jusqu’à"), null=True, blank=True)
    # When a worker was last called for it, and how many began the work in hand.
    called_at = models.DateTimeField(_("appelé le"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    created_at = models.DateTimeField(_("reçu le"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("terminé le"), null=True, blank=True)

    objects = ImportBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        names = ", ".join(file["name"] for file in self.files)
        return names if len(names) <= 120 else f"{names[:119]}…"

    @property
    def is_underway(self) -> bool:
        """True while a worker checks or imports the files."""
        return self.state in self.UNDERWAY

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file["size"] for file in self.files)

    @property
    def will_change(self) -> int:
        """How many things the report says would be created or updated."""
        counts = [*self.report.get("created", {}).values(), *self.report.get("updated", {}).values()]
        return sum(counts)


class ImportMapping(models.Model):
    """What each column of a table of an ERP is, as a person has said once: used silently for the next of its shape."""

    name = models.CharField(_("nom"), max_length=100)
    company = models.ForeignKey(
        "Company",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="import_mappings",
        verbose_name=_("société"),
        help_text=_("Vide : pour toutes les sociétés."),
    )
    # SHA-256 of the names of the columns, in their order.
    fingerprint = models.CharField(_("empreinte"), max_length=64, editable=False)
    # The names as they were written, and of each which of our columns it is («ligne.designation»), or nothing.
    headers = models.JSONField(_("en-têtes"), default=list)
    fields = models.JSONField(_("colonnes"), default=list)
    # Names of customers that the table writes without a code, in search form, and the code of each one's card.
    customers = models.JSONField(_("clients"), default=dict, blank=True)
    # What the person saw who said so (mapping.layout.Confirmed): later tables may show more.
    confirmed = models.JSONField(
        _("constaté"),
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        editable=False,
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("créé le"), default=timezone.now, editable=False)
    used_at = models.DateTimeField(_("dernier emploi"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("format d’import")
        verbose_name_plural = _("formats d’import")
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("fingerprint", "company"),
                name="one_mapping_per_shape_and_company",
                violation_error_message=_("Ces en-têtes ont déjà un format pour cette société."),
            ),
            models.UniqueConstraint(
                fields=("fingerprint",),
                condition=models.Q(company=None),
                name="one_mapping_per_shape_for_all",
                violation_error_message=_("Ces en-têtes ont déjà un format pour toutes les sociétés."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def places(self) -> dict[str, list[int]]:
        """The place of each of our columns; a tax may be in several columns, one a rate."""
        found: dict[str, list[int]] = {}
        for index, name in enumerate(self.fields):
            if name:
                found.setdefault(name, []).append(index)
        return found
