"""The calendar of a saved selection, and what each of its runs came to."""

from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from invoices.models.export import Export, SavedSelection


class SelectionScheduleQuerySet(models.QuerySet["SelectionSchedule"]):
    """Questions about calendars."""

    def due(self, now: object) -> Self:
        """Calendars whose moment has come, and that do not rest after an error."""
        return self.filter(Q(retry_at=None) | Q(retry_at__lte=now), is_paused=False, next_at__lte=now)


class SelectionSchedule(models.Model):
    """When a saved selection runs by itself, what it does then, and who is notified («calendrier»)."""

    class DayKind(models.TextChoices):
        MONTH_DAY = "month_day", _("jour du mois")
        WORKING_DAY = "working_day", _("jour ouvré du mois")

    class Action(models.TextChoices):
        PREPARE = "prepare", _("préparer la liste")
        EXPORT = "export", _("préparer et exporter si tout est prêt")

    selection = models.OneToOneField(
        SavedSelection, on_delete=models.CASCADE, related_name="schedule", verbose_name=_("sélection enregistrée")
    )
    day_kind = models.CharField(_("compté en"), max_length=11, choices=DayKind, default=DayKind.MONTH_DAY)
    day = models.PositiveSmallIntegerField(
        _("jour"), default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    hour = models.PositiveSmallIntegerField(_("heure"), default=6, validators=[MaxValueValidator(23)])
    action = models.CharField(_("ce qui est fait"), max_length=7, choices=Action, default=Action.PREPARE)
    addresses = models.JSONField(_("adresses prévenues"), default=list, blank=True)
    is_paused = models.BooleanField(_("en pause"), default=False)
    next_at = models.DateTimeField(_("prochain passage"))
    # After an error: how often the run of next_at was tried, and until when it rests.
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    retry_at = models.DateTimeField(_("essayé de nouveau à"), null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("auteur")
    )
    author_name = models.CharField(_("auteur"), max_length=254, blank=True)

    objects = SelectionScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendrier")
        verbose_name_plural = _("calendriers")
        ordering = ("next_at", "pk")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(day__gte=1, day__lte=31, hour__lte=23),
                name="a_schedule_names_a_day_and_an_hour",
                violation_error_message=_("Le jour va de 1 à 31, l’heure de 0 à 23."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.selection} – {self.get_action_display()}"


class ScheduledRun(models.Model):
    """One run of a calendar («passage»): for which moment, what it came to, and whether that was announced."""

    class Outcome(models.TextChoices):
        STARTED = "started", _("export lancé")
        PREPARED = "prepared", _("liste préparée")
        NOTHING = "nothing", _("rien à exporter")
        FAILED = "failed", _("en échec")

    COLOURS: ClassVar = {
        Outcome.STARTED: "accepted",
        Outcome.PREPARED: "queued",
        Outcome.NOTHING: "cancelled",
        Outcome.FAILED: "failed",
    }

    schedule = models.ForeignKey(
        SelectionSchedule, on_delete=models.CASCADE, related_name="runs", verbose_name=_("calendrier")
    )
    due_at = models.DateTimeField(_("prévu le"))
    # How many moments of the calendar this one run makes up for; 1 where none was missed.
    covers = models.PositiveSmallIntegerField(_("passages rattrapés"), default=1)
    ran_at = models.DateTimeField(_("fait le"), default=timezone.now)
    outcome = models.CharField(_("résultat"), max_length=8, choices=Outcome)
    export = models.ForeignKey(
        Export, on_delete=models.SET_NULL, null=True, blank=True, related_name="scheduled_runs", verbose_name=_("liste")
    )
    # Of an export that was started: when its result was announced. The other outcomes are announced at once.
    told_at = models.DateTimeField(_("résultat annoncé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("passage")
        verbose_name_plural = _("passages")
        ordering = ("-ran_at", "-pk")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("schedule", "due_at"), name="a_moment_of_a_schedule_runs_once"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule.selection} – {timezone.localtime(self.due_at):%d/%m/%Y %H:%M}"

    @property
    def colour(self) -> str:
        """The state of the palette (``static/house.css``) that its outcome is shown in."""
        return self.COLOURS[self.Outcome(self.outcome)]
