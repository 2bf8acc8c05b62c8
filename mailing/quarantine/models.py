"""One table for the tries of all loops; a row exists only while an input fails."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SetAside(models.Model):
    """An input that failed: how often, why, and whether its loop passes over it until somebody has it tried again."""

    class Loop(models.TextChoices):
        """What reads the input."""

        MAILER = "mailer", _("envoi des mails")
        RETURNS = "returns", _("lecture des mails revenus")
        FOLDER = "folder", _("dossier surveillé")
        BULK_ACTION = "bulk_action", _("actions groupées")
        SUBMISSION = "submission", _("remise aux plateformes")
        STATUS = "status", _("statuts des plateformes")
        PAYMENT = "payment", _("statuts de paiement")
        DIRECTORY = "directory", _("consultation de l’annuaire")
        SCHEDULE = "schedule", _("calendriers d’export")
        TRAIL = "trail", _("chaînage de la piste d’audit")
        STAMP = "stamp", _("horodatage de la piste d’audit")
        PURGE = "purge", _("purge des données personnelles")

    loop = models.CharField(_("traitement"), max_length=20, choices=Loop)
    key = models.CharField(_("clé"), max_length=200)
    label = models.CharField(_("élément"), max_length=200)
    tries = models.PositiveIntegerField(_("essais"), default=0)
    reason = models.TextField(_("motif"), blank=True)
    is_set_aside = models.BooleanField(_("mis de côté"), default=False)
    first_at = models.DateTimeField(_("depuis le"), default=timezone.now, editable=False)
    last_at = models.DateTimeField(_("dernier essai"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("élément mis de côté")
        verbose_name_plural = _("éléments mis de côté")
        ordering = ("-last_at", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("loop", "key"), name="an_input_is_counted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_loop_display()} : {self.label}"
