"""Uploads of ERP files that wait for a confirmation, and the story of imports."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ImportBatch(models.Model):
    """Files given by a member of staff: checked first, imported once confirmed."""

    class State(models.TextChoices):
        CHECKED = "checked", _("à confirmer")
        IMPORTED = "imported", _("importé")
        REJECTED = "rejected", _("refusé")
        ABANDONED = "abandoned", _("abandonné")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("auteur")
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    state = models.CharField(_("état"), max_length=9, choices=State, default=State.CHECKED)
    # [{"name": as given, "storage_name": where it is kept}]
    files = models.JSONField(_("fichiers"), default=list)
    report = models.JSONField(_("rapport"), default=dict)
    created_at = models.DateTimeField(_("reçu le"), default=timezone.now, editable=False)
    finished_at = models.DateTimeField(_("terminé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return ", ".join(file["name"] for file in self.files)
