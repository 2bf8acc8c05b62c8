"""The run of an export from the back-office: started once, watched, paused, cancelled, retried; its bordereau."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoices.documents import rendering
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import cancel_export, create_export, pause_export, start_export
from invoices.exporting.progress import Progress, measure_progress, write_duration
from invoices.exporting.run.worker import claim_lines, run_lines
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing import outbox
from mailing.heartbeats import record_heartbeat, remove_heartbeat
from mailing.models import Message
from tests.support.back_office import BACKEND, SCREEN, words
from tests.support.back_office import list_url as url
from tests.support.factories import make_company, make_customer, make_invoice, make_staff
from tests.support.pdf_structure import text_of

pytestmark = pytest.mark.django_db

State, ItemState = Export.State, ExportItem.State
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
Commits = Callable[..., Any]


@pytest.fixture(autouse=True)
def work_in_this_process(settings: Any) -> None:
    """Tasks are done where they are asked for."""
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}


def make_list(count: int = 1, criteria: Criteria = FULL) -> Export:
    for _number in range(count):
        make_invoice()
    return create_export(criteria=criteria, author_name="Nathalie Blanc")


def run(export: Export) -> Export:
    """Start the list and do it here."""
    run_lines(start_export(export=export))
    export.refresh_from_db()
    return export


def state_of(export: Export) -> str:
    return Export.objects.get(pk=export.pk).state


# ─── Started, watched ────────────────────────────────────────────────────────────────────────────────────────────────
def test_exporter_does_the_list_in_the_workers_and_says_how_it_ended(
    staff_client: Client, django_capture_on_commit_callbacks: Commits
) -> None:
    export = make_list(2)

    with django_capture_on_commit_callbacks(execute=True):
        response = staff_client.post(url(export, "exporter/"))

    assert response["Location"] == url(export)
    assert state_of(export) == State.DONE
    page = words(staff_client.get(url(export)))
    assert "2 factures publiées" in page
    assert "0 en échec · 2 mails écrits · 2 identifiants générés" in page
    assert "Ouvrir le bordereau d’export" in page
    assert "Export lancé." in LogEntry.objects.values_list("change_message", flat=True)


def test_two_people_who_press_at_once_export_each_line_once(
    staff_client: Client, django_capture_on_commit_callbacks: Commits
) -> None:
    export = make_list(3)
    colleague = Client()
    colleague.force_login(make_staff("bis@aquila.example"), backend=BACKEND)

    with django_capture_on_commit_callbacks(execute=True):
        first = staff_client.post(url(export, "exporter/"), follow=True)
        second = colleague.post(url(export, "exporter/"), follow=True)

    assert "Export n° 1" in words(first)
    assert "L’export n° 1 est déjà « en cours »." in words(second)
    assert Document.objects.count() == 3
    assert Delivery.objects.count() == 3
    assert Message.objects.count() == 3


def test_two_lists_of_the_same_invoices_export_each_invoice_once(
    staff_client: Client, django_capture_on_commit_callbacks: Commits
) -> None:
    export, other = make_list(2), create_export(criteria=FULL)

    with django_capture_on_commit_callbacks(execute=True):
        staff_client.post(url(export, "exporter/"))
        staff_client.post(url(other, "exporter/"))

    assert {item.state for item in export.items.all()} == {ItemState.PUBLISHED}
    assert {(item.state, item.reason) for item in other.items.all()} == {(ItemState.LEFT_OUT, "already_exported")}
    assert Document.objects.count() == Message.objects.count() == 2


def test_a_list_without_a_ready_line_does_not_start(staff_client: Client) -> None:
    make_invoice(customer=make_customer(invoice_copies="1"))
    export = create_export(criteria=FULL)

    response = staff_client.post(url(export, "exporter/"), follow=True)

    assert "Aucune ligne n’est prête" in words(response)
    assert state_of(export) == State.DRAFT


def test_progress_tells_how_far_and_asks_again_until_the_end(staff_client: Client) -> None:
    export = start_export(export=make_list(3))
    ExportItem.objects.filter(pk__in=[export.items.order_by("pk")[0].pk]).update(
        state=ItemState.FAILED, finished_at=timezone.now()
    )

    running = staff_client.get(url(export, "avancement/"))
    page = staff_client.get(url(export))
    pause_export(export=export)
    paused = staff_client.get(url(export, "avancement/"))

    assert "1 sur 3 factures" in words(running)
    assert "33 %" in words(running)
    assert "1 en échec" in words(running)
    assert 'data-refresh="1000"' in running.content.decode()
    assert '<progress class="progress" max="3" value="1"' in page.content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page.content.decode()
    assert f'data-leave="{url(export)}"' in paused.content.decode()
    assert "data-refresh=" not in paused.content.decode()
    assert "http-equiv" not in staff_client.get(url(export)).content.decode()


def test_the_pace_is_that_of_the_last_minute() -> None:
    export = start_export(export=make_list(4))
    now = timezone.now()
    lines = list(export.items.order_by("pk"))
    old, recent = lines[0], lines[1]
    ExportItem.objects.filter(pk=old.pk).update(state=ItemState.FAILED, finished_at=now - timedelta(hours=9))
    ExportItem.objects.filter(pk=recent.pk).update(state=ItemState.FAILED, finished_at=now - timedelta(seconds=9))

    progress = measure_progress(export, now)

    # One line in the ten seconds since the first of the minute (and one more, in which it was made): six a minute.
    assert progress.per_minute == 6
    assert progress.seconds_left == 20
    assert progress.time_left == "encore moins d’une minute"
    assert measure_progress(export, now + timedelta(minutes=5)) == Progress(progress.figures)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (42, "42 s"), (60, "1 min"), (200, "3 min 20 s"), (3900, "1 h 05 min"), (-5, "0 s")],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert write_duration(seconds).replace("\u00a0", " ") == said


def test_a_missing_worker_is_said_before_and_during_the_run(staff_client: Client, settings: Any) -> None:
    settings.TASKS_BACKEND = "database"
    export = make_list()
    warning = "Aucun processus d’export ne s’est signalé depuis une minute"

    assert warning in words(staff_client.get(url(export)))
    record_heartbeat("machine:1", "export")
    assert warning not in words(staff_client.get(url(export)))
    start_export(export=export)
    assert warning not in words(staff_client.get(url(export, "avancement/")))
    remove_heartbeat("machine:1")
    assert warning in words(staff_client.get(url(export, "avancement/")))


def test_a_run_is_found_again_at_the_top_of_the_tab_and_on_other_lists(staff_client: Client) -> None:
    export = start_export(export=make_list())
    other = make_list()

    assert "Export n° 1 en cours" in words(staff_client.get(f"{SCREEN}export/"))
    assert "Export n° 1 : en cours." in words(staff_client.get(url(other)))
    assert state_of(export) == State.RUNNING


def test_pause_and_resume(staff_client: Client, django_capture_on_commit_callbacks: Commits) -> None:
    export = start_export(export=make_list(2))

    response = staff_client.post(url(export, "pause/"), follow=True)
    assert "L’export n° 1 est en pause." in words(response)
    assert state_of(export) == State.PAUSED
    with django_capture_on_commit_callbacks(execute=True):
        staff_client.post(url(export, "exporter/"))

    assert state_of(export) == State.DONE
    messages = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    assert messages == ["Export mis en pause.", "Export repris."]


def test_cancelling_asks_first_and_keeps_what_is_published(staff_client: Client) -> None:
    export = start_export(export=make_list(10))
    claimed = claim_lines(export, worker="w")
    ExportItem.objects.filter(pk__in=[item.pk for item in claimed[1:]]).update(state=ItemState.READY, claimed_by="")
    ExportItem.objects.filter(pk=claimed[0].pk).update(state=ItemState.FAILED, error="x")

    question = words(staff_client.get(url(export, "annuler/")))
    staff_client.post(url(export, "annuler/"))
    again = staff_client.get(url(export, "annuler/"), follow=True)

    assert "0 facture déjà publiée le reste." in question
    assert "9 factures prêtes attendront une autre liste." in question
    assert state_of(export) == State.CANCELLED
    assert "L’export n° 1 est déjà terminé." in words(again)
    assert "export annulé" in words(staff_client.get(url(export)))


# ─── Failures ────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_retrying_touches_only_the_failures(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Commits
) -> None:
    export = make_list(2)
    good, bad = export.items.order_by("pk")
    render = rendering.render_document

    def fail_one(invoice: Invoice, *einvoice: Any) -> Any:
        if invoice.pk == bad.invoice_id:
            raise ValueError("encre vide")
        return render(invoice, *einvoice)

    monkeypatch.setattr("invoices.exporting.run.freezing.render_document", fail_one)
    run(export)
    monkeypatch.undo()
    document = Document.objects.get(invoice=good.invoice)
    assert "encre vide" in words(staff_client.get(url(export, "bordereau/")))

    question = words(staff_client.get(url(export, "relancer/")))
    with django_capture_on_commit_callbacks(execute=True):
        response = staff_client.post(url(export, "relancer/"), follow=True)

    assert "1 facture en échec sera exportée de nouveau." in question
    assert "mail qui n’est pas arrivé" not in question
    assert "Échecs remis en file : 1 facture, 0 mail." in words(response)
    assert {item.state for item in export.items.all()} == {ItemState.PUBLISHED}
    assert Document.objects.get(invoice=good.invoice) == document
    assert Message.objects.count() == 2


def test_retrying_sends_again_the_mails_that_did_not_arrive_and_no_other(staff_client: Client) -> None:
    export = run(make_list(4))
    mails = [delivery.message_id for delivery in Delivery.objects.order_by("pk")]
    now = timezone.now()
    arrived = {"state": "accepted", "accepted_at": now, "next_attempt_at": None}
    Message.objects.filter(pk=mails[0]).update(**arrived)
    Message.objects.filter(pk=mails[1]).update(state="rejected", next_attempt_at=None, reason="550")
    Message.objects.filter(pk=mails[2]).update(state="cancelled", next_attempt_at=None)
    Message.objects.filter(pk=mails[3]).update(state="bounced", accepted_at=now, next_attempt_at=None, bounced_at=now)
    page = words(staff_client.get(url(export, "bordereau/")))
    assert "1 envoyée 1 rejetée 1 revenue 1 abandonnée" in page
    assert "Réessayer les échecs (2 échecs)" in page

    response = staff_client.post(url(export, "relancer/"), follow=True)

    assert "Échecs remis en file : 0 facture, 2 mails." in words(response)
    assert [outbox.states_of(mails)[mail].state for mail in mails] == ["accepted", "queued", "cancelled", "queued"]
    assert state_of(export) == State.DONE
    assert "Rien n’est en échec." in words(staff_client.get(url(export, "relancer/")))


def test_a_run_that_has_not_ended_is_not_retried(staff_client: Client) -> None:
    export = start_export(export=make_list())

    assert "L’export n’est pas terminé" in words(staff_client.get(url(export, "relancer/"), follow=True))


# ─── Bordereau ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_bordereau_says_what_was_asked_by_whom_and_what_became_of_it(staff_client: Client) -> None:
    make_invoice(customer=make_customer(invoice_copies="1"), number="P-1")
    export = run(make_list(2))

    page = words(staff_client.get(url(export, "bordereau/")))

    assert "Bordereau d’export n° 1" in page
    assert "Auteur Nathalie Blanc" in page
    assert "Période d’export toutes les dates" in page
    assert "Mail au client un par facture, avec le PDF joint" in page
    assert "Facture disponible : version 1" in page
    assert "Modèle de facture : classique" in page
    assert "2 factures publiées 240,00 €" in page
    assert "Écartées 1 pas en D (démat)" in page
    assert "Mails 2 en file" in page
    assert "durée" in page
    assert "P-1" in page
    assert "P-1" not in words(staff_client.get(url(export, "bordereau/?etat=published")))


def test_the_bordereau_costs_the_same_queries_whatever_its_length(staff_client: Client) -> None:
    few, many = run(make_list(2)), run(make_list(30))

    def queries(export: Export) -> int:
        with CaptureQueriesContext(connection) as captured:
            staff_client.get(url(export, "bordereau/"))
        return len(captured)

    queries(few)
    assert queries(many) == queries(few)


def test_the_csv_opens_in_a_french_spreadsheet_and_runs_no_formula(staff_client: Client) -> None:
    export = make_list()
    make_invoice(customer=make_customer(name="=HYPERLINK(1);ruse", email="a@b.example"), total_without_vat="1234.50")
    export = run(create_export(criteria=FULL))

    response = staff_client.get(url(export, "bordereau.csv"))
    content = response.getvalue().decode()

    rows = list(csv.reader(io.StringIO(content.removeprefix("\ufeff")), delimiter=";"))
    assert content.startswith("\ufeff")
    assert response["Content-Disposition"] == 'attachment; filename="bordereau-export-2.csv"'
    assert rows[0][1] == "Facture"
    assert len(rows) == 3
    line = rows[2]
    assert line[4] == "'=HYPERLINK(1);ruse"
    assert line[5] == "1481,40"
    assert line[7:9] == ["publiée", "publiée"]
    assert line[9] == "a@b.example en file"
    assert line[10] == Document.objects.get(invoice__customer__email="a@b.example").sha256


def test_the_pdf_of_the_bordereau_holds_every_line(staff_client: Client) -> None:
    make_company(name="Aquila & Fils <SAS>")
    export = run(make_list(3))

    response = staff_client.get(url(export, "bordereau.pdf"))

    text = text_of(response.content)
    assert response["Content-Type"] == "application/pdf"
    assert "Bordereau d’export n° 1" in text
    assert "Aquila & Fils <SAS>" in text
    for number in export.items.values_list("invoice__number", flat=True):
        assert number in text
    assert "360,00 €" in text


def test_the_pdfs_of_an_export_come_as_one_file_and_those_of_another_stay_out(staff_client: Client) -> None:
    other = run(make_list(1))
    export = run(make_list(2))
    numbers = set(export.items.filter(state="published").values_list("invoice__number", flat=True))

    response = staff_client.get(url(export, "factures.zip"))

    assert response["Content-Disposition"] == f'attachment; filename="Factures-export-{export.number}.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(response))) as archive:
        index = list(csv.DictReader(io.StringIO(archive.read("Index.csv").decode("utf-8-sig")), delimiter=";"))
        assert len(numbers) == 2
        assert {row["Facture"] for row in index} == numbers
        assert all(archive.read(row["Fichier"]).startswith(b"%PDF-") for row in index)
    assert str(other.items.get().invoice.number) not in numbers


def test_an_export_that_published_nothing_has_no_pdfs(staff_client: Client) -> None:
    export = make_list(1)

    assert "Cet export n’a publié aucune facture." in words(staff_client.get(url(export, "factures.zip"), follow=True))


ODD = "Zoë\x0b\u202egnirts\u202c 名前 \U0001f600 <b>&amp;</b> שלום"


def test_the_pdf_of_the_bordereau_survives_odd_characters_and_endless_cells(staff_client: Client) -> None:
    customer = make_customer(name=ODD, code="É\u200b\u00ad1")
    make_invoice(customer=customer, number="N°\u2028\ufeff7")
    export = run(make_list())
    ExportItem.objects.filter(export=export).update(
        state=ItemState.FAILED, error="encre\x07 vide \ud7ff" + "x" * 5000, document=None
    )

    response = staff_client.get(url(export, "bordereau.pdf"))

    text = text_of(response.content)
    unbroken = "".join(text.split())
    assert response.status_code == 200
    assert "Zoë" in unbroken
    assert "&amp;" in unbroken  # as it was typed, not as markup
    assert "encrevide" in unbroken
    assert not set("\x07\x0b\u202e\u200b\ufeff") & set(text)
    # A cell is cut; the CSV says all of it.
    assert "x" * 5000 not in unbroken
    whole: Any = staff_client.get(url(export, "bordereau.csv"))
    assert "x" * 5000 in b"".join(whole.streaming_content).decode()


def test_a_pdf_too_long_to_be_read_shows_the_failures_and_says_where_the_rest_is(
    staff_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoices.exporting.report.PDF_LINES", 2)
    export = run(make_list(4))
    last = export.items.order_by("pk").last()
    assert last is not None
    ExportItem.objects.filter(pk=last.pk).update(state=ItemState.FAILED, error="encre vide", document=None)

    text = text_of(staff_client.get(url(export, "bordereau.pdf")).content)

    assert last.invoice.number in text
    assert "encre vide" in text
    assert "2 lignes de plus : le bordereau en CSV les donne toutes." in text


def test_lists_already_exported_stand_in_the_admin_and_lead_to_their_bordereau(staff_client: Client) -> None:
    done, draft = run(make_list(2)), make_list()
    cancel_export(export=create_export(criteria=FULL))

    page = words(staff_client.get("/gestion/invoices/export/"))

    assert "2 publiées, 2 mails" in page
    assert "1 prête, 2 écartées" in page
    assert staff_client.get(f"/gestion/invoices/export/{done.pk}/change/")["Location"] == url(done, "bordereau/")
    assert staff_client.get(f"/gestion/invoices/export/{draft.pk}/change/")["Location"] == url(draft)
    assert staff_client.get("/gestion/invoices/export/999/change/").status_code == 404
    assert "Bordereau n° 1" in words(staff_client.get(f"{SCREEN}export/"))


def test_an_export_that_does_not_exist_is_not_found(staff_client: Client) -> None:
    for what in ("", "bordereau/", "bordereau.csv", "bordereau.pdf", "avancement/", "annuler/", "relancer/"):
        assert staff_client.get(f"{SCREEN}export/99/{what}").status_code == 404
    assert staff_client.post(f"{SCREEN}export/99/exporter/").status_code == 404
