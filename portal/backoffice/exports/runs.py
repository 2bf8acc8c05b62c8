"""The run of an export: started, watched, paused, cancelled, retried; and its bordereau as page, CSV and PDF."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from invoices.exporting.exports import (
    NothingToDoError,
    cancel_export,
    check_store_for,
    pause_export,
    retry_failed_mails,
    retry_failures,
)
from invoices.exporting.items import count_recipients, iterate_outcomes, load_items, with_mails
from invoices.exporting.progress import measure_progress
from invoices.exporting.report import (
    REPORT_COLUMNS,
    Bordereau,
    read_bordereau,
    write_csv,
    write_pdf,
)
from invoices.exporting.run.tasks import start_export_in_workers
from invoices.exporting.trials import send_trial_list
from invoices.models import Export, ExportItem, Invoice
from invoices.money import write_count
from invoices.store.probing import StoreUnavailableError
from mailing.alignment import question_before
from portal.backoffice.exports.list_filters import STATES, ListFilter, page_of_lines
from portal.backoffice.ui.downloads import is_too_long, send_xlsx, zip_of
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
    staff_name,
)
from portal.backoffice.ui.worker import is_worker_silent
from portal.proof import proved_lately

State, ItemState = Export.State, ExportItem.State


def _export(number: int) -> Export:
    return get_object_or_404(Export.objects.select_related("selection"), number=number)


@allowed(*CAN_RUN)
@require_POST
def start(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Exporter*, *Reprendre*: of two people who press at once, one starts it and the other gets a message."""
    export = _export(number)
    is_resumed = export.state == State.PAUSED
    if not ExportItem.objects.ready().filter(export=export).exists() and not is_resumed:
        add_message(request, _("Aucune ligne n’est prête : corrigez ou cochez des lignes."), level=messages.WARNING)
        return redirect("admin:export_web_list", number=number)
    if export.state == State.DRAFT:
        ready = ExportItem.objects.ready().filter(export=export).count()
        questions = [*_changed_since(request, ready), *_doubts_before(request, export)]
        if questions:
            return _ask_before_starting(request, export, questions, ready)
    try:
        check_store_for(export)
        start_export_in_workers(export=export)
    except StoreUnavailableError as error:
        add_message(request, _("%(error)s L’export n’est pas lancé.") % {"error": error}, level=messages.ERROR)
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
    else:
        log_change(request, export, _("Export repris.") if is_resumed else _("Export lancé."))
    return redirect("admin:export_web_list", number=number)


def _changed_since(request: HttpRequest, ready: int) -> list[str]:
    """Say so where the list was changed, in another tab or by others, since the page with the button was opened."""
    shown = read_key(request.POST.get("ready", ""))
    if "ready" not in request.POST or shown == ready:
        return []
    words = {
        "shown": write_count(shown, _("facture prête"), _("factures prêtes")),
        "ready": ready,
    }
    return [
        _("Cette liste a changé entre-temps : votre page montrait %(shown)s, il y en a maintenant %(ready)d.") % words
    ]


def _doubts_before(request: HttpRequest, export: Export) -> list[str]:
    """What to ask once before mails leave that a large provider may refuse, all of them."""
    if request.POST.get("confirm") == "yes":
        return []
    question = question_before(lambda: count_recipients(export))
    return [question] if question else []


def _ask_before_starting(request: HttpRequest, export: Export, questions: list[str], ready: int) -> HttpResponseBase:
    """The ``questions`` on a page, with a button to export the lines that are ``ready`` all the same."""
    if request.POST.get("ready", str(ready)) == str(ready):
        title, button = _("Lancer l’export n° %(number)s sans preuve d’origine ?"), _("Exporter quand même")
    else:
        title = _("Lancer l’export n° %(number)s tel qu’il est maintenant ?")
        button = _("Exporter %(ready)s") % {"ready": write_count(ready, _("facture"), _("factures"))}
    return render_page(
        request,
        "backoffice/exports/confirm.html",
        {
            "title": title % {"number": export.number},
            "tab": "export",
            "sentences": questions,
            "hidden": [("confirm", "yes"), ("ready", str(ready))],
            "action": reverse("admin:export_web_start", args=[export.number]),
            "button": button,
            "is_dangerous": True,
            "back": reverse("admin:export_web_list", args=[export.number]),
        },
    )


@allowed(*CAN_RUN)
@require_POST
def trial(request: HttpRequest, number: int) -> HttpResponseBase:
    """*M'envoyer un essai*: the first mails of the list go to the signed-in person; nothing is published."""
    reader = acting_account(request)
    count = send_trial_list(export=_export(number), reader=reader)
    if count:
        words = {
            "mails": write_count(count, _("mail d’essai écrit"), _("mails d’essai écrits")),
            "address": reader.login,
        }
        add_message(request, _("%(mails)s pour %(address)s : rien n’est publié, aucun client n’a rien reçu.") % words)
    else:
        sentence = _("Cette liste n’écrirait aucun mail : aucune ligne prête, ou « sans mail » a été choisi.")
        add_message(request, sentence, level=messages.WARNING)
    return redirect("admin:export_web_list", number=number)


@allowed(*CAN_RUN)
@require_POST
def pause(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Pause*: the lines in hand end, the others wait."""
    export = _export(number)
    if export.state == State.RUNNING:
        pause_export(export=export)
        log_change(request, export, _("Export mis en pause."))
        add_message(request, _("L’export n° %(number)s est en pause.") % {"number": number})
    return redirect("admin:export_web_list", number=number)


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Annuler*, after a question: what is published stays published."""
    export = _export(number)
    if export.state not in (State.DRAFT, State.RUNNING, State.PAUSED):
        add_message(request, _("L’export n° %(number)s est déjà terminé.") % {"number": number}, level=messages.WARNING)
        return redirect("admin:export_web_list", number=number)
    if request.method == "POST":
        cancel_export(export=export)
        log_change(request, export, _("Export annulé."))
        add_message(request, _("L’export n° %(number)s est annulé.") % {"number": number})
        return redirect("admin:export_web_list", number=number)
    figures = measure_progress(export, timezone.now()).figures
    done = write_count(figures.published, _("facture déjà publiée le reste."), _("factures déjà publiées le restent."))
    waiting = write_count(
        figures.remaining,
        _("facture prête attendra une autre liste."),
        _("factures prêtes attendront une autre liste."),
    )
    return render_page(
        request,
        "backoffice/exports/confirm.html",
        {
            "title": _("Annuler l’export n° %(number)s ?") % {"number": number},
            "tab": "export",
            "sentences": [done, waiting],
            "button": _("Annuler l’export"),
            "is_dangerous": True,
            "back": reverse("admin:export_web_list", args=[number]),
        },
    )


@allowed(*CAN_VIEW)
@require_GET
def progress(request: HttpRequest, number: int) -> HttpResponseBase:
    """The progress region alone, asked for again and again while the run lasts."""
    export, now = _export(number), timezone.now()
    return render(
        request,
        "backoffice/exports/progress.html",
        {
            "export": export,
            "progress": measure_progress(export, now),
            "is_worker_silent": export.state == State.RUNNING and is_worker_silent(now),
        },
    )


@allowed(*CAN_RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, number: int) -> HttpResponseBase:
    """*Réessayer les échecs*: failed lines and mails that did not arrive, and nothing else."""
    export = _export(number)
    if export.state not in (State.DONE, State.CANCELLED, State.PAUSED):
        add_message(request, _("L’export n’est pas terminé : rien à réessayer encore."), level=messages.WARNING)
        return redirect("admin:export_web_list", number=number)
    if request.method == "POST":
        return _retry(request, export)
    head = read_bordereau(export)
    return render_page(
        request,
        "backoffice/exports/confirm.html",
        {
            "title": _("Réessayer les échecs de l’export n° %(number)s ?") % {"number": number},
            "tab": "export",
            "sentences": [*_what_fails(head), *_doubts(export)],
            "button": _("Réessayer les échecs") if head.failures else "",
            "back": reverse("admin:export_web_bordereau", args=[number]),
        },
    )


def _doubts(export: Export) -> list[str]:
    question = question_before(lambda: count_recipients(export, ItemState.FAILED))
    return [question] if question else []


def _what_fails(head: Bordereau) -> list[str]:
    if not head.failures:
        return [_("Rien n’est en échec.")]
    sentences = []
    if failed := head.figures.failed:
        again = _("facture en échec sera exportée de nouveau."), _("factures en échec seront exportées de nouveau.")
        sentences.append(write_count(failed, *again))
    if head.failed_mails:
        again = _("mail qui n’est pas arrivé sera renvoyé."), _("mails qui ne sont pas arrivés seront renvoyés.")
        sentences.append(write_count(head.failed_mails, *again))
    return [*sentences, _("Les autres lignes et les autres mails ne bougent pas.")]


def _retry(request: HttpRequest, export: Export) -> HttpResponseBase:
    lines = retry_failures(export=export)
    mails = retry_failed_mails(export=export, by=staff_name(request))
    if not lines and not mails:
        add_message(request, _("Rien n’est en échec."), level=messages.INFO)
        return redirect("admin:export_web_bordereau", number=export.number)
    done = _("Échecs remis en file : %(lines)s, %(mails)s.") % {
        "lines": write_count(lines, _("facture"), _("factures")),
        "mails": write_count(mails, _("mail"), _("mails")),
    }
    log_change(request, export, done)
    add_message(request, done)
    if not lines:
        return redirect("admin:export_web_bordereau", number=export.number)
    try:
        start_export_in_workers(export=export)
    except NothingToDoError as error:
        add_message(request, str(error), level=messages.WARNING)
    return redirect("admin:export_web_list", number=export.number)


@allowed(*CAN_VIEW)
@require_GET
def bordereau(request: HttpRequest, number: int) -> HttpResponseBase:
    """The report: what was asked, by whom, and what became of each line."""
    export = _export(number)
    head = read_bordereau(export)
    chosen = ListFilter.from_query(request.GET)
    keys = chosen.find(export)
    shown = chosen.count_shown(keys, head.figures)
    page = page_of_lines(request, keys, shown.total)
    return render_page(
        request,
        "backoffice/exports/report.html",
        {
            "title": _("Bordereau d’export n° %(number)s") % {"number": number},
            "tab": "export",
            "export": export,
            "head": head,
            "state": chosen.state,
            "states": STATES,
            "page": page,
            "page_range": page.paginator.get_elided_page_range(page.number),
            "is_limited": shown.is_limited,
            "query": chosen.query,
            "lines": with_mails(load_items(page)),
            "may_act": has_any(request, CAN_RUN),
            "is_ended": export.state in (State.DONE, State.CANCELLED, State.PAUSED),
        },
    )


def _download(response: HttpResponseBase, filename: str) -> HttpResponseBase:
    response.headers["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def bordereau_csv(request: HttpRequest, number: int) -> HttpResponseBase:
    """The report for a spreadsheet, written as it is sent: any number of lines in flat memory."""
    export = _export(number)
    response = StreamingHttpResponse(write_csv(export), content_type="text/csv; charset=utf-8")
    return _download(response, f"bordereau-export-{number}.csv")


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def bordereau_xlsx(request: HttpRequest, number: int) -> HttpResponseBase:
    """The report as a workbook, with the columns of the CSV."""
    export = _export(number)
    if is_too_long(request, _("téléchargez-la en CSV, qui n’a pas de limite."), export.items.all()):
        return redirect("admin:export_web_bordereau", number)
    return send_xlsx(REPORT_COLUMNS, iterate_outcomes(export), filename=f"bordereau-export-{number}.xlsx")


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def bordereau_pdf(request: HttpRequest, number: int) -> HttpResponseBase:
    """The report on paper."""
    return _download(
        HttpResponse(write_pdf(_export(number)), content_type="application/pdf"), f"bordereau-export-{number}.pdf"
    )


@allowed(*CAN_VIEW)
@require_GET
@proved_lately
def published_pdfs(request: HttpRequest, number: int) -> HttpResponseBase:
    """The PDFs that the export published, as one file."""
    export = _export(number)
    published = Invoice.objects.published().filter(items__export=export, items__state=ItemState.PUBLISHED)
    if not published.exists():
        add_message(request, _("Cet export n’a publié aucune facture."), level=messages.WARNING)
        return redirect("admin:export_web_bordereau", number=number)
    return zip_of(request, published, filename=f"Factures-export-{number}.zip")
