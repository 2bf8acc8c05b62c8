"""The run of an export from the back-office: started once, watched, paused, cancelled, retried."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from invoices.documents import rendering
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, pause_export, start_export
from invoices.exporting.progress import Progress, measure_progress, write_duration
from invoices.exporting.run.worker import claim_lines, run_lines
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing import outbox
from mailing.heartbeats import record_heartbeat, remove_heartbeat
from mailing.models import Message
from tests.support.back_office import BACKEND, SCREEN, words
from tests.support.back_office import list_url as url
from tests.support.factories import make_customer, make_invoice, make_staff

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


def test_progress_shows_how_far_and_asks_again_until_the_end(staff_client: Client) -> None:
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
    export = start_export(export=make_list(7))
    now = timezone.now()
    old, *recent, _left, _left_too = export.items.order_by("pk")
    ExportItem.objects.filter(pk=old.pk).update(state=ItemState.FAILED, finished_at=now - timedelta(hours=9))
    for seconds, line in zip((5, 15, 25, 39), recent, strict=True):
        ExportItem.objects.filter(pk=line.pk).update(
            state=ItemState.FAILED, finished_at=now - timedelta(seconds=seconds)
        )

    progress = measure_progress(export, now)

    # Four lines in the forty seconds since the first of the minute (and one more, in which it was made): six a minute.
    assert progress.per_minute == 6
    assert progress.seconds_left == 20
    assert progress.time_left == "encore moins d’une minute"
    assert measure_progress(export, now + timedelta(minutes=5)) == Progress(progress.figures)


@pytest.mark.parametrize(("lines", "seconds", "is_said"), [(1, 30, False), (3, 5, False), (3, 30, True), (10, 2, True)])
def test_no_time_is_promised_before_some_lines_are_done(
    staff_client: Client, lines: int, seconds: int, is_said: bool
) -> None:
    export = start_export(export=make_list(lines + 1))
    finished = timezone.now() - timedelta(seconds=seconds)
    done = export.items.order_by("pk").values("pk")[:lines]
    ExportItem.objects.filter(pk__in=list(done.values_list("pk", flat=True))).update(
        state=ItemState.FAILED, finished_at=finished
    )

    said = words(staff_client.get(url(export, "avancement/")))

    assert ("par minute" in said, "encore" in said) == (is_said, is_said)
    assert "en attente d’un processus" not in said


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
