"""Export WEB › Factures: the tab *Calendrier*, where saved selections run by themselves."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import Account
from invoices.exporting.choices import describe_criteria
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.schedules import next_moments, set_paused, set_schedule
from invoices.models import SavedSelection, ScheduledRun, SelectionSchedule
from portal.backoffice.exports.forms import clean_address
from portal.backoffice.ui.meanwhile import MeanwhileMixin
from portal.backoffice.ui.pages import (
    CAN_RUN,
    CAN_VIEW,
    acting_account,
    add_message,
    allowed,
    has_any,
    log_change,
    render_page,
)

RUNS_SHOWN = 12
MOMENTS_SHOWN = 3
MOST_ADDRESSES = 10

DayKind, Action = SelectionSchedule.DayKind, SelectionSchedule.Action


class ScheduleForm(MeanwhileMixin, forms.Form):
    """A day, an hour, what is done then, and who is notified."""

    day = forms.IntegerField(
        label=gettext_lazy("Jour"),
        min_value=1,
        max_value=31,
        widget=forms.NumberInput(attrs={"min": 1, "max": 31, "inputmode": "numeric"}),
        help_text=gettext_lazy("1 pour le premier ; un mois plus court s’arrête à son dernier jour."),
        error_messages={"required": gettext_lazy("Indiquez un jour, de 1 à 31.")},
    )
    day_kind = forms.ChoiceField(
        label=gettext_lazy("Compté en"),
        choices=[
            (DayKind.MONTH_DAY, gettext_lazy("jours du mois (le 5 est le 5 du mois)")),
            (DayKind.WORKING_DAY, gettext_lazy("jours ouvrés : du lundi au vendredi, sans les jours fériés de France")),
        ],
        widget=forms.RadioSelect,
    )
    hour = forms.TypedChoiceField(
        label=gettext_lazy("Heure"), choices=[(hour, f"{hour} h") for hour in range(24)], coerce=int
    )
    action = forms.ChoiceField(
        label=gettext_lazy("Ce qui est fait"),
        choices=[
            (Action.PREPARE, gettext_lazy("Préparer la liste : elle attend que quelqu’un l’exporte")),
            (Action.EXPORT, gettext_lazy("Préparer la liste, et l’exporter si tout est prêt")),
        ],
        widget=forms.RadioSelect,
    )
    addresses = forms.CharField(
        label=gettext_lazy("Prévenir par mail"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Une ou plusieurs adresses, séparées par des virgules."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"}),
    )
    use_required_attribute = False

    def __init__(self, *args: Any, criteria: Criteria, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_%s", "label_suffix": "", **kwargs})
        self.criteria = criteria

    def clean_addresses(self) -> list[str]:
        """Each address once; names the one that is none."""
        text: str = self.cleaned_data["addresses"]
        parts = [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
        addresses = list({address.lower(): address for address in map(_address, parts)}.values())
        if len(addresses) > MOST_ADDRESSES:
            raise ValidationError(
                _("Au plus %(most)d adresses ; une liste de diffusion de votre messagerie fait le reste."),
                params={"most": MOST_ADDRESSES},
            )
        return addresses

    def clean(self) -> dict[str, Any]:
        """Refuse dates that do not move: from the second run on there would be nothing."""
        if has_fixed_dates(self.criteria):
            raise ValidationError(
                _(
                    "Les dates de cette sélection sont fixes : elle exporterait toujours la même période. Choisissez-y "
                    "« Mois dernier », « Mois en cours » ou « Depuis le dernier export »."
                )
            )
        return self.cleaned_data


def _address(text: str) -> str:
    try:
        return clean_address(text)
    except ValidationError as error:
        raise ValidationError(f"« {text} » : {' '.join(error.messages)}") from error


def has_fixed_dates(criteria: Criteria) -> bool:
    """Whether the choices name days, which stay the same whenever they run."""
    return criteria.period == Period.FIXED and bool(criteria.start or criteria.end)


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A saved selection in the list: its period in words, its calendar if any, and its last run."""

    selection: SavedSelection
    period: str
    is_fixed: bool
    schedule: SelectionSchedule | None
    last: ScheduledRun | None

    @property
    def when(self) -> str:
        """The calendar in words; empty where there is none."""
        return describe_when(self.schedule) if self.schedule is not None else ""


def describe_when(schedule: SelectionSchedule) -> str:
    """«le 1er jour ouvré du mois à 6 h», «le 5 du mois à 14 h»."""
    number = _("1er") if schedule.day == 1 else str(schedule.day)
    if schedule.day_kind == DayKind.WORKING_DAY:
        number = _("1er") if schedule.day == 1 else f"{schedule.day}e"
        return _("le %(number)s jour ouvré du mois à %(hour)d h") % {"number": number, "hour": schedule.hour}
    return _("le %(number)s du mois à %(hour)d h") % {"number": number, "hour": schedule.hour}


@allowed(*CAN_VIEW)
@require_GET
def schedules(request: HttpRequest) -> HttpResponseBase:
    """Saved selections with their next run and their last one, and the latest runs of all."""
    lines = _lines()
    runs = ScheduledRun.objects.select_related("schedule__selection", "export")[:RUNS_SHOWN]
    return render_page(
        request,
        "backoffice/exports/schedules.html",
        {
            "title": _("Export WEB › Factures"),
            "tab": "schedule",
            "lines": lines,
            "active": sum(line.schedule is not None and not line.schedule.is_paused for line in lines),
            "runs": list(runs),
            "may_act": has_any(request, CAN_RUN),
        },
    )


def _lines() -> list[ScheduleLine]:
    selections = list(SavedSelection.objects.select_related("schedule"))
    latest = SelectionSchedule.objects.annotate(latest=Max("runs")).values("latest")
    by_schedule = {run.schedule_id: run for run in ScheduledRun.objects.filter(pk__in=latest).select_related("export")}
    lines = []
    for selection in selections:
        schedule = getattr(selection, "schedule", None)
        criteria = Criteria.from_json(selection.criteria)
        last = by_schedule.get(schedule.pk) if schedule is not None else None
        period = describe_criteria(criteria)[0][1]
        lines.append(ScheduleLine(selection, period, has_fixed_dates(criteria), schedule, last))
    return lines


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def schedule(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The calendar of one saved selection: asked, and kept."""
    selection = get_object_or_404(SavedSelection.objects.select_related("schedule"), pk=pk)
    current: SelectionSchedule | None = getattr(selection, "schedule", None)
    criteria = Criteria.from_json(selection.criteria)
    account = acting_account(request)
    form = ScheduleForm(
        request.POST if request.method == "POST" else None, criteria=criteria, initial=_values_of(current, account)
    )
    if form.is_valid():
        kept = set_schedule(selection=selection, author=account, **form.cleaned_data)
        sentence = _("« %(name)s » tournera %(when)s.") % {"name": selection.name, "when": describe_when(kept)}
        log_change(request, selection, sentence)
        add_message(request, sentence)
        return redirect("admin:export_web_schedules")
    return render_page(
        request,
        "backoffice/exports/schedule.html",
        {
            "title": _("Calendrier de « %(name)s »") % {"name": selection.name},
            "tab": "schedule",
            "selection": selection,
            "choices": describe_criteria(criteria),
            "is_fixed": has_fixed_dates(criteria),
            "schedule": current,
            "moments": next_moments(current, MOMENTS_SHOWN) if current is not None and not current.is_paused else [],
            "form": form,
        },
        status=422 if form.is_bound else 200,
    )


def _values_of(current: SelectionSchedule | None, account: Account) -> dict[str, Any]:
    """What the form shows: the calendar as it is, or the first working day for whoever asks."""
    if current is None:
        own = account.login if "@" in account.login else ""
        return {"day": 1, "day_kind": DayKind.WORKING_DAY, "hour": 6, "action": Action.PREPARE, "addresses": own}
    return {
        "day": current.day,
        "day_kind": current.day_kind,
        "hour": current.hour,
        "action": current.action,
        "addresses": ", ".join(current.addresses),
    }


@allowed(*CAN_RUN)
@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponseBase:
    """*Mettre en pause* and *Reprendre*: what went by during a pause is not made up for."""
    current = get_object_or_404(SelectionSchedule.objects.select_related("selection"), selection=pk)
    is_paused = request.POST.get("pause") != "non"
    set_paused(schedule=current, is_paused=is_paused)
    sentence = (_("Calendrier de « %(name)s » en pause.") if is_paused else _("Calendrier de « %(name)s » repris.")) % {
        "name": current.selection.name
    }
    log_change(request, current.selection, sentence)
    add_message(request, sentence)
    return redirect("admin:export_web_schedules")


@allowed(*CAN_RUN)
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Take the calendar away; the selection and the exports that it made stay."""
    current = get_object_or_404(SelectionSchedule.objects.select_related("selection"), selection=pk)
    sentence = _("« %(name)s » ne tourne plus seule.") % {"name": current.selection.name}
    log_change(request, current.selection, sentence)
    current.delete()
    add_message(request, sentence)
    return redirect("admin:export_web_schedules")
