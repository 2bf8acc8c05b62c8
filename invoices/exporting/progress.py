"""How far an export is, how fast it goes and when it will end."""

import datetime
from dataclasses import dataclass

from django.db.models import Count, Min
from django.utils.translation import gettext as _

from invoices.exporting.counts import ExportCounts, count_items
from invoices.models import Export, ExportItem

# The speed is that of the last minute: a pause or a night do not count.
WINDOW = datetime.timedelta(seconds=60)
# Less than this says nothing of the speed: the first lines wait for the processes to start.
FEWEST_LINES = 3
SOME_LINES, SOME_TIME = 10, datetime.timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Progress:
    """The figures of a run at a moment. ``per_minute`` and ``seconds_left`` are None where they are not known (yet)."""

    figures: ExportCounts
    per_minute: int | None = None
    seconds_left: int | None = None
    is_moving: bool = False

    @property
    def total(self) -> int:
        """Lines that the run does in all."""
        return self.figures.total

    @property
    def percentage(self) -> int:
        """Rounded down: 100 is said when all is done."""
        return 100 if not self.total else self.figures.done * 100 // self.total

    @property
    def time_left(self) -> str:
        """«encore 2 min environ»; empty where it is not known."""
        if self.seconds_left is None:
            return ""
        if self.seconds_left < 60:
            return _("encore moins d’une minute")
        return _("encore %(duration)s environ") % {"duration": write_duration(round(self.seconds_left, -1))}


def measure_progress(export: Export, now: datetime.datetime, figures: ExportCounts | None = None) -> Progress:
    """Where ``export`` is at ``now``, by two queries; one where its ``figures`` are known."""
    figures = count_items(export) if figures is None else figures
    if export.state != Export.State.RUNNING or not figures.remaining:
        return Progress(figures)
    recent = ExportItem.objects.filter(export=export, finished_at__gt=now - WINDOW).aggregate(
        count=Count("pk"), first=Min("finished_at")
    )
    if not recent["count"]:
        return Progress(figures)
    since = recent["first"] - datetime.timedelta(seconds=1)
    if export.started_at is not None and export.started_at > now - WINDOW:
        # The first lines come together after a start: they say nothing of the speed by themselves.
        since = min(since, export.started_at)
    since = max(since, now - WINDOW)
    if recent["count"] < FEWEST_LINES or (recent["count"] < SOME_LINES and now - since < SOME_TIME):
        return Progress(figures, is_moving=True)
    per_second = recent["count"] / max((now - since).total_seconds(), 1.0)
    return Progress(figures, max(round(per_second * 60), 1), round(figures.remaining / per_second), is_moving=True)


def write_duration(seconds: float) -> str:
    """«42 s», «3 min 20 s», «1 h 05 min»."""
    total = max(round(seconds), 0)
    if total < 60:
        return f"{total}\u00a0s"
    minutes, rest = divmod(total, 60)
    if minutes < 60:
        return f"{minutes}\u00a0min {rest:02}\u00a0s" if rest else f"{minutes}\u00a0min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}\u00a0h {minutes:02}\u00a0min"


def run_duration(export: Export) -> str:
    """How long the run took from its start to its end, pauses included; empty before its end."""
    if export.started_at is None or export.finished_at is None:
        return ""
    return write_duration((export.finished_at - export.started_at).total_seconds())
