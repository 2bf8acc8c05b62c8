"""Export WEB › Factures: the tabs *Sélection* and *Script*."""

import datetime
import sys
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import ADDITION, DELETION
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from invoices.exporting.choices import CHOICE_BY_NAME, criteria_of, describe_criteria, values_of
from invoices.exporting.command_line import (
    arguments_for,
    arguments_for_profile,
    cron_line,
    schedule_for,
    shell_command,
    systemd_units,
)
from invoices.exporting.counts import count_many
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.exports import create_export, last_export_day
from invoices.exporting.progress import run_duration
from invoices.exporting.reasons import select_to_fix
from invoices.exporting.selection import SelectionCount, count_selection
from invoices.models import Export, ExportItem, Invoice, SavedSelection
from mailing.estimates import estimate_rows
from mailing.forecasts import describe_sending_time
from portal.backoffice.exports.forms import SavedSelectionForm, SelectionForm, SelectionNameForm
from portal.backoffice.ui.lists import read_key
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

RUNS_SHOWN = 30
# What the screen asks of the address: the choices of the form, or something to begin with.
REOPEN_SELECTION = "selection"
REOPEN_EXPORT = "export"
START_AFRESH = "neuf"
# Of the first list of an installation: no customer has credentials yet, and «M'envoyer un essai» shows the mail.
FIRST_CHOICES = Criteria(generate_credentials=True, notify=True)
KEPT_BY_QUESTION = (*CHOICE_BY_NAME, REOPEN_SELECTION, "action")
"""What a question before a list sends again with its answer."""


@allowed(*CAN_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def selection(request: HttpRequest) -> HttpResponseBase:
    """The choices; with POST, the list is made or the choices are saved under a name."""
    reopened = _reopened(request)
    if request.method == "POST":
        return _act(request, reopened)
    last = _last_of_this_person(request, reopened)
    form = _form_of(request.GET, reopened, last)
    count = None
    if not form.is_bound:
        criteria = criteria_of(form.initial).resolve_period(timezone.localdate(), last_export_day())
        # All of a million invoices are counted beside the page, or when somebody asks.
        if not (criteria.has_all_dates and estimate_rows(Invoice)):
            count = count_selection(criteria)
    elif form.is_valid():
        count = count_selection(form.criteria_today())
    name_form = SelectionNameForm(reopened=reopened, initial={"name": reopened.name if reopened else ""})
    return _page(request, form, name_form, reopened, count, last=last)


def _last_of_this_person(request: HttpRequest, reopened: SavedSelection | None) -> Export | None:
    """The last list of whoever asks, whose choices the screen begins with where the address names no others."""
    if reopened is not None or not {"period", REOPEN_EXPORT, START_AFRESH}.isdisjoint(request.GET):
        return None
    return Export.objects.filter(author=acting_account(request)).order_by("-number").first()


def _choices_again(criteria: Criteria) -> Criteria:
    """``criteria`` for another month: without its days, nor the reason that excused one list from the platform."""
    return replace(criteria, start=None, end=None, mail_only_reason="")


def _act(request: HttpRequest, reopened: SavedSelection | None) -> HttpResponseBase:
    action = request.POST.get("action")
    if action != "count" and not has_any(request, CAN_RUN):
        raise PermissionDenied
    wants_save = action == "save"
    form = SelectionForm(request.POST)
    if wants_save and reopened is not None:
        form = SavedSelectionForm(request.POST, initial=_values_of(reopened))
    name_form = SelectionNameForm(
        request.POST if wants_save else None,
        reopened=reopened,
        initial={"name": request.POST.get("name") or (reopened.name if reopened else "")},
    )
    is_valid = form.is_valid()
    if not is_valid or (wants_save and not name_form.is_valid()):
        count = count_selection(form.criteria_today()) if is_valid else None
        return _page(request, form, name_form, reopened, count, status=422)
    if action == "count":
        return _page(request, form, name_form, reopened, count_selection(form.criteria_today()))
    if wants_save:
        return _save(request, form.criteria(), name_form.cleaned_data["name"], reopened)
    return _create(request, form, name_form, reopened)


def _save(request: HttpRequest, criteria: Criteria, name: str, reopened: SavedSelection | None) -> HttpResponseBase:
    row = reopened or SavedSelection(author=acting_account(request))
    is_new = row.pk is None
    row.name, row.criteria = name, criteria.to_json()
    row.save()
    log_change(request, row, _("Sélection enregistrée."), **({"flag": ADDITION} if is_new else {}))
    add_message(request, _("La sélection « %(name)s » est enregistrée.") % {"name": name})
    return redirect(f"{reverse('admin:export_web')}?{REOPEN_SELECTION}={row.pk}")


def _create(
    request: HttpRequest, form: SelectionForm, name_form: SelectionNameForm, reopened: SavedSelection | None
) -> HttpResponseBase:
    criteria = form.criteria_today()
    count = count_selection(criteria)
    if not count.candidates:
        form.add_error(None, ValidationError(_("Aucune facture ne correspond à ces choix : la liste serait vide.")))
        return _page(request, form, name_form, reopened, count, status=422)
    if not count.ready and request.POST.get("confirm") != "yes":
        return _ask_before_creating(request, count)
    is_unchanged = reopened is not None and Criteria.from_json(reopened.criteria) == form.criteria()
    export = create_export(
        criteria=criteria, author=acting_account(request), selection=reopened if is_unchanged else None
    )
    log_change(request, export, _("Liste à exporter créée."), flag=ADDITION)
    return redirect("admin:export_web_list", number=export.number)


def _ask_before_creating(request: HttpRequest, count: SelectionCount) -> HttpResponseBase:
    """Ask before a list is made that has nothing to export."""
    reasons = [
        _("%(reason)s : %(count)s") % {"reason": ExportItem.Reason(reason).label, "count": number}
        for reason, number in count.left_out.items()
    ]
    hidden = [(name, value) for name, values in request.POST.lists() for value in values if name in KEPT_BY_QUESTION]
    return render_page(
        request,
        "backoffice/exports/confirm.html",
        {
            "title": _("Créer une liste où rien n’est prêt ?"),
            "tab": "selection",
            "sentences": [_("Aucune facture de cette sélection ne peut partir pour l’instant."), *reasons],
            "hidden": [*hidden, ("confirm", "yes")],
            "action": reverse("admin:export_web"),
            "button": _("Créer la liste pour la corriger"),
            "back": f"{reverse('admin:export_web')}?{urlencode(hidden)}",
        },
    )


def _reopened(request: HttpRequest) -> SavedSelection | None:
    key = request.POST.get(REOPEN_SELECTION) or request.GET.get(REOPEN_SELECTION) or ""
    return SavedSelection.objects.filter(pk=read_key(key)).first()


def _form_of(query: QueryDict, reopened: SavedSelection | None, last: Export | None) -> SelectionForm:
    """The form with what the address says (its own fields, a saved selection, an export), else as ``last`` time."""
    if "period" in query:
        return SelectionForm(query)
    criteria = Criteria()
    number = query.get(REOPEN_EXPORT, "")
    if reopened is not None:
        criteria = Criteria.from_json(reopened.criteria)
    elif export := Export.objects.filter(number=read_key(number)).first():
        criteria = Criteria.from_json(export.criteria)
    elif last is not None:
        criteria = _choices_again(Criteria.from_json(last.criteria))
    elif not Export.objects.exists():
        criteria = FIRST_CHOICES
    return SelectionForm(initial=values_of(_with_days(criteria, query)))


def _with_days(criteria: Criteria, query: QueryDict) -> Criteria:
    """``criteria`` for the days that the address names without any other choice, as the page of an import does."""
    try:
        start, end = (datetime.date.fromisoformat(str(query[name])) for name in ("start", "end"))
        return replace(criteria, period=Period.FIXED, start=start, end=end, kind="")
    except (KeyError, ValueError):
        return criteria


def _page(
    request: HttpRequest,
    form: SelectionForm,
    name_form: SelectionNameForm,
    reopened: SavedSelection | None,
    count: SelectionCount | None,
    *,
    last: Export | None = None,
    status: int = 200,
) -> HttpResponseBase:
    return render_page(
        request,
        "backoffice/exports/selection.html",
        {
            "title": _("Export WEB › Factures"),
            "tab": "selection",
            "form": form,
            "name_form": name_form,
            "reopened": reopened,
            "marks": SavedSelectionForm(initial=_values_of(reopened)).marks if reopened is not None else "",
            "saved": SavedSelection.objects.only("name"),
            "count": _count_context(count),
            "query": _query_of(form),
            "may_act": has_any(request, CAN_RUN),
            "last_export": last_export_day(),
            "choices_of": last,
            "start_afresh": START_AFRESH,
        },
        status=status,
    )


def _values_of(row: SavedSelection) -> dict[str, Any]:
    return values_of(Criteria.from_json(row.criteria))


def _query_of(form: SelectionForm) -> str:
    """The choices as the query of an address, for the other tab; empty where nothing was chosen yet."""
    values = form.data if form.is_bound else form.initial
    chosen = {name: str(values.get(name, "")) for name in form.fields if values.get(name)}
    return urlencode({"period": str(Period.FIXED), **chosen})


def _count_context(count: SelectionCount | None) -> dict[str, Any] | None:
    """The figures in the words of the screen: what is ready, what to correct, what is set aside, and why."""
    if count is None:
        return None
    to_fix, set_aside = (select_to_fix(count.left_out, is_to_fix=wanted) for wanted in (True, False))
    return {
        "ready": count.ready,
        "to_fix": sum(to_fix.values()),
        "set_aside": sum(set_aside.values()),
        "exported_before": set_aside.get(str(ExportItem.Reason.ALREADY_EXPORTED), 0),
        "reasons": [(ExportItem.Reason(reason).label, number) for reason, number in (to_fix | set_aside).items()],
        "without_credentials": to_fix.get(str(ExportItem.Reason.NO_CREDENTIALS), 0),
        "generate": CHOICE_BY_NAME["generate_credentials"].label,
        "candidates": count.candidates,
        "mails": count.mails,
        "credentials": count.credentials,
        "sending_time": describe_sending_time(count.mails, count.destinations),
    }


@allowed(*CAN_VIEW)
@require_GET
def count(request: HttpRequest) -> HttpResponseBase:
    """The figures beside the choices, as a fragment: asked for while choosing."""
    form = SelectionForm(request.GET)
    figures = count_selection(form.criteria_today()) if form.is_valid() else None
    return render(request, "backoffice/exports/count.html", {"count": _count_context(figures), "form": form})


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_selection(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Forget a saved selection, after a question; the exports that it made stay."""
    row = get_object_or_404(SavedSelection, pk=pk)
    if request.method == "POST":
        log_change(request, row, _("Sélection supprimée."), flag=DELETION)
        name = row.name
        row.delete()
        add_message(request, _("La sélection « %(name)s » est supprimée.") % {"name": name})
        return redirect("admin:export_web")
    return render_page(
        request,
        "backoffice/exports/confirm.html",
        {
            "title": _("Supprimer la sélection « %(name)s » ?") % {"name": row.name},
            "tab": "selection",
            "sentences": [
                _("Si elle tourne seule, son calendrier est supprimé avec elle."),
                _("Les tâches planifiées qui se servent de ce nom (--profile) s’arrêteront sur une erreur."),
                _("Les exports déjà faits avec elle restent."),
            ],
            "button": _("Supprimer"),
            "is_dangerous": True,
            "back": f"{reverse('admin:export_web')}?{REOPEN_SELECTION}={row.pk}",
        },
    )


@allowed(*CAN_VIEW)
@require_GET
def script(request: HttpRequest) -> HttpResponseBase:
    """The same selection as a command line, for a scheduler; and what ran by itself."""
    reopened = _reopened(request)
    form = _form_of(request.GET, reopened, None)
    is_valid = not form.is_bound or form.is_valid()
    criteria = Criteria()
    if form.is_bound and is_valid:
        criteria = form.criteria()
    elif reopened is not None:
        criteria = Criteria.from_json(reopened.criteria)
    if not is_valid:
        add_message(
            request, _("Le script ne peut pas être écrit : corrigez d’abord la sélection."), level=messages.ERROR
        )
    return render_page(
        request,
        "backoffice/exports/script.html",
        {
            "title": _("Export WEB › Factures"),
            "tab": "script",
            "query": request.GET.urlencode(),
            "is_valid": is_valid,
            "choices": describe_criteria(criteria),
            "is_fixed": criteria.period == Period.FIXED and bool(criteria.start or criteria.end),
            "reopened": reopened,
            "script": _scripts(arguments_for(criteria), criteria, _("Export des factures")),
            "profiles": [_script_of_profile(row) for row in SavedSelection.objects.all()],
            "runs": _runs_without_author(),
        },
    )


def _script_of_profile(row: SavedSelection) -> tuple[Any, ...]:
    """A saved selection, its choices as sentences, and its command lines."""
    kept = Criteria.from_json(row.criteria)
    title = _("Export des factures : %(name)s") % {"name": row.name}
    return row, describe_criteria(kept), _scripts(arguments_for_profile(row.name), kept, title)


def _runs_without_author() -> list[tuple[Any, ...]]:
    """The latest exports that a scheduler started, with their counts and durations."""
    runs = list(Export.objects.filter(author=None).select_related("selection").order_by("-number")[:RUNS_SHOWN])
    counts = count_many(runs)
    return [(run, counts[run.pk], run_duration(run)) for run in runs]


def _scripts(arguments: list[str], criteria: Criteria, description: str) -> dict[str, str]:
    """The texts to copy."""
    schedule = schedule_for(criteria.period)
    where = {"folder": str(settings.BASE_DIR), "python": sys.executable}
    service, timer = systemd_units(arguments, schedule, description=description, **where)
    return {
        "command": shell_command(arguments, **where),
        "cron": cron_line(arguments, schedule, **where),
        "service": service,
        "timer": timer,
    }
