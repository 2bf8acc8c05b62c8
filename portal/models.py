"""Open sessions, what is counted to limit tries, which installation this is, its first steps."""

from typing import ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Session(AbstractBaseSession):
    """A session as Django keeps it, and whose it is: so that its owner sees it and closes it."""

    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="sessions",
        verbose_name=_("compte"),
    )
    device = models.CharField(_("appareil"), max_length=200, blank=True)
    opened_at = models.DateTimeField(_("ouverte le"), default=timezone.now)
    seen_at = models.DateTimeField(_("vue le"), default=timezone.now)

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes: ClassVar = [models.Index(fields=("account", "-seen_at"), name="sessions_by_account")]

    def __str__(self) -> str:
        return self.device or str(_("appareil inconnu"))


class Attempts(models.Model):
    """How often something was tried in a span of time: counted in the database, since many processes serve."""

    key = models.CharField(_("clé"), max_length=100)
    window_start = models.DateTimeField(_("depuis"))
    count = models.PositiveIntegerField(_("essais"), default=0)

    class Meta:
        verbose_name = _("essais comptés")
        verbose_name_plural = _("essais comptés")
        indexes: ClassVar = [models.Index(fields=("window_start",), name="attempts_by_start")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("key", "window_start"), name="one_count_per_key_and_window"),
        ]

    def __str__(self) -> str:
        return f"{self.key} : {self.count}"


class Installation(models.Model):
    """What this database knows of the installation that fills it: one row, of key ``ONLY``."""

    ONLY = 1

    key_fingerprint = models.CharField(_("empreinte de la clé"), max_length=64)
    noted_at = models.DateTimeField(_("notée le"), auto_now=True)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_installation_per_database"),
        ]

    def __str__(self) -> str:
        return self.key_fingerprint[:8]


class SkippedStep(models.Model):
    """A first step («Premiers pas») that somebody set aside for the whole installation."""

    key = models.CharField(_("étape"), max_length=20, primary_key=True)
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)
    skipped_at = models.DateTimeField(_("passée le"), default=timezone.now)

    class Meta:
        verbose_name = _("étape passée")
        verbose_name_plural = _("étapes passées")
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
