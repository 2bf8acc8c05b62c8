"""Export WEB › Factures, tab *Export*: the list, its ticks, its corrections on the spot, its previews."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invoices.exporting.choices import describe_criteria
from invoices.exporting.counts import ExportCounts, count_items, count_many
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import recheck_customer, set_excluded
from invoices.exporting.items import ListLine, iterate_lines, load_items, sum_by_currency, with_recipients
from invoices.exporting.progress import measure_progress, run_duration
from invoices.exporting.reasons import row_of
from invoices.exporting.selection import RecipientStatus
from invoices.files.csv_tables import Column
from invoices.importing.buyers import printed_buyer_problem
from invoices.models import Export, ExportItem
from invoices.money import write_count
from portal.backoffice.exports.bulk import bulk_corrections_made, offer_bulk_corrections
from portal.backoffice.exports.corrections import CORRECTIONS, apply_correction, correction_form, may_correct
from portal.backoffice.exports.list_filters import ListFilter, ShownCount, page_of_lines
from portal.backoffice.ui.downloads import is_too_long, send_xlsx
from portal.backoffice.ui.lists import read_key
from portal.backoffice.ui.pages import CAN_RUN, CAN_VIEW, add_message, allowed, has_any, log_change, render_page
from portal.backoffice.ui.worker import is_worker_silent
from portal.proof import proved_lately

LISTS_SHOWN = 10
# The amounts of more invoices are added up beside the page.
LINES_SUMMED_AT_ONCE = 5_000
State, ItemState, Reason = Export.State, ExportItem.State, ExportItem.Reason
CORRECTABLE = (State.DRAFT, State.PAUSED)
UNDER_WAY = Export.UNDER_WAY


@dataclass(frozen=True, slots=True)
class BulkTickButton:
    """A button that unticks or ticks every line of the list as it is filtered."""

    excluded: bool
    label: str


@dataclass(slots=True)
class ShownLine:
    """A line with what corrects it; ``form`` is None where nothing is to be typed."""

    line: ListLine
    correction: str = ""
    label: Any = ""
    form: BaseForm | None = None

    @property
    def other_buyer(self) -> str:
        """What differs of the printed buyer from the card; empty where nothing does."""
        return printed_buyer_problem(self.line.item.invoice)

    # Sentences of every line are made here: blocktranslate reads its message again for each.
    @property
    def tick_label(self) -> str:
        """What the box of the line does, for who hears the page."""
        return _("Exporter la facture %(number)s") % {"number": self.line.item.invoice.number}

    @property
    def preview_label(self) -> str:
        """What the link at the end of the line opens, for who hears the page."""
        return _("Aperçu de la facture %(number)s : PDF et mail") % {"number": self.line.item.invoice.number}


@allowed(*CAN_VIEW)
@require_GET
def exports(request: HttpRequest) -> HttpResponseBase:
    """The tab *Export*: what runs, the lists that wait, the last ones that left."""
    open_lists = list(
        Export.objects.filter(state__in=(State.RUNNING, State.PAUSED, State.DRAFT)).order_by("-number")[:LISTS_SHOWN]
    )
    ended = list(Export.objects.filter(state__in=(State.DONE, State.CANCELLED)).order_by("-number")[:LISTS_SHOWN])
    figures = count_many([*open_lists, *ended])
    return render_page(
        request,
        "backoffice/exports/changelist.html",
        {
            "title": _("Export WEB › Factures"),
            "tab": "export",
            "running": [(row, figures[row.pk]) for row in open_lists if row.state in UNDER_WAY],
            "drafts": [(row, figures[row.pk]) for row in open_lists if row.state == State.DRAFT],
            "ended": [(row, figures[row.pk], run_duration(row)) for row in ended],
            "may_act": has_any(request, CAN_RUN),
        },
    )


@allowed(*CAN_VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def export_list(request: HttpRequest, number: int) -> HttpResponseBase:
    """The list with its filters; with POST, a customer of it is corrected on the spot."""
    export = get_object_or_404(Export.objects.select_related("selection"), number=number)
    if request.method != "POST":
        return _list_page(request, export)
    if not has_any(request, CAN_RUN):
        raise PermissionDenied
    return _correct(request, export)


def _correct(request: HttpRequest, export: Export) -> HttpResponseBase:
    back = _here(request, export)
    key = read_key(request.POST.get("item", ""))
    item = ExportItem.objects.select_related("invoice__customer").filter(export=export, pk=key).first()
    if item is None or export.state not in CORRECTABLE:
        add_message(request, _("Cette ligne ne peut plus être corrigée ici."), level=messages.WARNING)
        return redirect(back)
    # The reason as it is: somebody may have corrected the customer meanwhile.
    row = row_of(item.reason)
    correction = row.correction if row is not None else None
    if correction is None or correction != request.POST.get("fix"):
        add_message(request, _("Cette ligne a déjà été corrigée."), level=messages.INFO)
        return redirect(back)
    customer = item.invoice.customer
    criteria = Criteria.from_json(export.criteria)
    form = correction_form(correction, item.pk, customer, criteria, data=request.POST)
    if form is not None and not form.is_valid():
        return _list_page(request, export, broken={item.pk: form}, status=422)
    done = apply_correction(request, correction, customer, criteria, form)
    if done:
        log_change(request, customer, _("%(what)s (export n° %(number)s)") % {"what": done, "number": export.number})
    ready = recheck_customer(export=export, customer_id=customer.pk)
    add_message(request, f"{customer} : {done or _('rien à changer')} – {_count_ready(ready)}")
    return redirect(f"{back}#ligne-{item.pk}")


def _count_ready(count: int) -> str:
    if not count:
        return _("ses factures restent à corriger.")
    return write_count(count, _("facture prête."), _("factures prêtes."))


def _here(request: HttpRequest, export: Export) -> str:
    """The list with the filters of the address in use."""
    url = reverse("admin:export_web_list", args=[export.number])
    return f"{url}?{request.GET.urlencode()}" if request.GET else url


def _list_page(
    request: HttpRequest, export: Export, *, broken: dict[int, BaseForm] | None = None, status: int = 200
) -> HttpResponseBase:
    figures = count_items(export)
    asked = ListFilter.from_query(request.GET)
    # A line whose correction was refused is shown whatever its state.
    chosen = asked if broken else ListFilter.of_page(request.GET, export, figures)
    keys = chosen.find(export)
    shown = chosen.count_shown(keys, figures)
    page = page_of_lines(request, keys, shown.total)
    criteria = Criteria.from_json(export.criteria)
    may_act = has_any(request, CAN_RUN)
    is_open = may_act and export.state == State.DRAFT
    is_correctable = may_act and export.state in CORRECTABLE
    context = {
        "title": _("Export n° %(number)s") % {"number": export.number},
        "tab": "export",
        "export": export,
        "figures": figures,
        "choices": describe_criteria(criteria),
        "criteria": criteria,
        "page": page,
        "is_limited": shown.is_limited,
        "page_range": page.paginator.get_elided_page_range(page.number),
        "query": _query_without_page(request),
        "here": f"?{request.GET.urlencode()}",
        "shown_query": chosen.query,
        "lines": [
            _shown(request, line, criteria, broken or {}, is_correctable=is_correctable)
            for line in with_recipients(export, load_items(page))
        ],
        "ticks": _offered_ticks(shown) if is_open else [],
        "broken": broken,
        "is_open": is_open,
        "may_act": may_act,
        "may_see_customers": has_any(request, ("customers.view_customer",)),
        **_filters(asked, chosen, figures),
        **_bulk_corrections(request, export, is_correctable=is_correctable),
        **_progress(export, figures),
    }
    return render_page(request, "backoffice/exports/list.html", context, status=status)


def _filters(asked: ListFilter, chosen: ListFilter, figures: ExportCounts) -> dict[str, Any]:
    """What the list is filtered by, and may be; a search finds lines of any state unless one was ``asked`` for."""
    return {
        "states": chosen.state_choices(figures),
        "reasons": chosen.reason_choices(figures),
        "state": asked.state,
        "reason": asked.reason,
        "search": asked.search,
    }


def _bulk_corrections(request: HttpRequest, export: Export, *, is_correctable: bool) -> dict[str, Any]:
    """The corrections offered for all lines at once, and those that were made."""
    made = bulk_corrections_made(request, export) if is_correctable else []
    offers = offer_bulk_corrections(request, export) if is_correctable else []
    return {
        "bulk_offers": offers,
        "bulk_made": made,
        "is_bulk_running": any(not done.action.is_done for done in made)
        or any(offer.correction.under_way is not None for offer in offers),
    }


def _progress(export: Export, figures: ExportCounts) -> dict[str, Any]:
    """How far the export is, its sums unless they are asked for beside the page, and what runs before it."""
    now = timezone.now()
    is_summed_later = export.state != State.DONE and figures.ready > LINES_SUMMED_AT_ONCE
    return {
        "sums": None if is_summed_later else sum_by_currency(export, _summed_state(export)),
        "others": list(Export.objects.filter(state__in=UNDER_WAY).exclude(pk=export.pk)[:LISTS_SHOWN]),
        "progress": measure_progress(export, now, figures),
        "is_worker_silent": export.state in (State.DRAFT, State.RUNNING) and is_worker_silent(now),
    }


def _summed_state(export: Export) -> str:
    """The state of the lines whose amounts the head of the list adds up; empty for all of them."""
    return str(ItemState.READY) if export.state == State.DRAFT else ""


LINE_COLUMNS: tuple[Column[ListLine], ...] = (
    Column(gettext_lazy("Facture"), lambda line: line.item.invoice.number),
    Column(gettext_lazy("Date"), lambda line: line.item.invoice.issue_date),
    Column(gettext_lazy("Code client"), lambda line: line.item.invoice.customer.code),
    Column(gettext_lazy("Client"), lambda line: line.item.invoice.customer.name),
    Column(gettext_lazy("Montant TTC"), lambda line: line.item.invoice.total_with_vat),
    Column(gettext_lazy("Devise"), lambda line: line.item.invoice.currency),
    Column(gettext_lazy("État"), lambda line: line.badge.word),
    Column(gettext_lazy("Motif"), lambda line: line.sentence or line.item.error),
    Column(
        gettext_lazy("Destinataires"),
        lambda line: ", ".join(f"{address} ({word})" if word else address for address, word in line.shown_recipients),
    ),
)
"""The columns of the workbook of a list."""


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def list_xlsx(request: HttpRequest, number: int) -> HttpResponseBase:
    """The lines as a workbook: what the page is filtered to, all its pages, and every line where nothing is asked."""
    export = get_object_or_404(Export, number=number)
    keys = ListFilter.from_query(request.GET).find(export)
    if is_too_long(request, _("filtrez-la, par état ou par motif, puis téléchargez."), keys):
        url = reverse("admin:export_web_list", args=[number])
        return redirect(f"{url}?{request.GET.urlencode()}")
    return send_xlsx(LINE_COLUMNS, iterate_lines(export, keys), filename=f"lignes-export-{number}.xlsx")


@allowed(*CAN_VIEW)
@require_GET
def sums(request: HttpRequest, number: int) -> HttpResponseBase:
    """The amounts of a long list, as a fragment: asked for beside its page, which does not wait for them."""
    export = get_object_or_404(Export, number=number)
    return render(request, "backoffice/exports/sums.html", {"sums": sum_by_currency(export, _summed_state(export))})


def _shown(
    request: HttpRequest, line: ListLine, criteria: Criteria, broken: dict[int, BaseForm], *, is_correctable: bool
) -> ShownLine:
    item, correction = line.item, line.row.correction if line.row is not None else None
    if correction is None or not is_correctable or not may_correct(request, correction):
        return ShownLine(line)
    bad = next((row["address"] for row in line.recipients if row["status"] == RecipientStatus.BAD_ADDRESS), "")
    form = broken.get(item.pk) or correction_form(correction, item.pk, item.invoice.customer, criteria, old=bad)
    return ShownLine(line, correction, CORRECTIONS[correction].label, form)


def _offered_ticks(shown: ShownCount) -> list[BulkTickButton]:
    """What can be done to all lines that are shown, on this page and the others; each button says to how many."""
    if shown.is_limited:
        # How many of them are ticked is not known; a button that changes nothing says so.
        return [
            BulkTickButton(excluded=False, label=_("Cocher toutes les lignes trouvées")),
            BulkTickButton(excluded=True, label=_("Décocher toutes les lignes trouvées")),
        ]
    offered = []
    if shown.excluded:
        label = write_count(shown.excluded, _("ligne"), _("lignes"))
        offered.append(BulkTickButton(excluded=False, label=_("Cocher %(lines)s") % {"lines": label}))
    if shown.ready:
        label = write_count(shown.ready, _("ligne"), _("lignes"))
        offered.append(BulkTickButton(excluded=True, label=_("Décocher %(lines)s") % {"lines": label}))
    return offered


def _query_without_page(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("page", None)
    return query.urlencode()


@allowed(*CAN_RUN)
@require_POST
def tick(request: HttpRequest, number: int) -> HttpResponseBase:
    """Keep the ticks of the page: of the lines that were ``shown``, those ``ticked`` leave and the others do not.

    With the ticks ``before``, as the page showed them, only the boxes that were changed on it count: the others are as
    somebody else may have left them meanwhile.
    """
    export = get_object_or_404(Export, number=number)
    shown = {read_key(text) for text in request.POST.getlist("shown")}
    ticked = {read_key(text) for text in request.POST.getlist("ticked")} & shown
    if "before" in request.POST:
        shown &= ticked ^ {read_key(text) for text in request.POST.getlist("before")}
    off = set_excluded(export=export, items=shown - ticked, excluded=True)
    on = set_excluded(export=export, items=ticked & shown, excluded=False)
    if off or on:
        words = {
            "off": write_count(off, _("ligne décochée"), _("lignes décochées")),
            "on": write_count(on, _("ligne cochée"), _("lignes cochées")),
        }
        log_change(request, export, _("%(off)s, %(on)s.") % words)
        # The script that keeps each tick at once shows it in the line itself.
        if request.headers.get("X-Requested-With") != "XMLHttpRequest":
            add_message(request, _("%(off)s, %(on)s.") % words)
    elif export.state != State.DRAFT:
        add_message(request, _("La liste est déjà partie : ses lignes ne changent plus."), level=messages.WARNING)
    return redirect(_here(request, export))


@allowed(*CAN_RUN)
@require_POST
def tick_all(request: HttpRequest, number: int) -> HttpResponseBase:
    """Untick or tick every line of the list as it is filtered, on whichever page; the other button takes it back."""
    export = get_object_or_404(Export, number=number)
    chosen = ListFilter.from_query(request.GET)
    excluded = request.POST.get("cocher") != "oui"
    count = set_excluded(export=export, items=chosen.find(export).order_by(), excluded=excluded)
    if count:
        changed = (_("ligne décochée"), _("lignes décochées")) if excluded else (_("ligne cochée"), _("lignes cochées"))
        words = f"{write_count(count, *changed)}{_kept_words(chosen)}."
        log_change(request, export, words)
        add_message(request, words)
    elif export.state != State.DRAFT:
        add_message(request, _("La liste est déjà partie : ses lignes ne changent plus."), level=messages.WARNING)
    else:
        add_message(request, _("Aucune ligne n’a changé."), level=messages.INFO)
    query = chosen.after_ticks(excluded=excluded).query
    url = reverse("admin:export_web_list", args=[number])
    return redirect(f"{url}?{query}" if query else url)


def _kept_words(chosen: ListFilter) -> str:
    """Of which lines it was said: « (recherche « durand ») »."""
    return _(" (recherche « %(search)s »)") % {"search": chosen.search} if chosen.search else ""
