"""``/sante/``, and what sessions and headers hold to."""

import datetime
import shutil
from collections import namedtuple
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from mailing.heartbeats import record_heartbeat
from mailing.models import Message, WorkerPulse
from mailing.outbox import Draft, write_messages
from portal.backoffice.ui.worker import MAILER, WORKER
from tests.support.factories import make_account, make_customer, make_invoice, make_published_invoice, make_staff
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


def make_draft() -> Draft:
    """A mail that waits."""
    return Draft(
        key="k",
        kind="invoice",
        recipient="a@client.example",
        sender="f@aquila.example",
        subject="Facture",
        text="Bonjour",
    )


@pytest.fixture
def processes() -> None:
    """A worker and a mailer that give signs of life."""
    record_heartbeat("worker-1", WORKER)
    record_heartbeat("mailer-1", MAILER)


def test_all_is_well_where_both_processes_live(client: Client, processes: None) -> None:
    answer = client.get("/sante/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "troubles": []})


def test_silent_processes_are_named(client: Client) -> None:
    answer = client.get("/sante/")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "troubles": ["mailer", "worker"]}


def test_sentences_are_for_the_one_who_holds_the_token(client: Client, settings: Any) -> None:
    settings.HEALTH_TOKEN = "jeton-de-surveillance"
    assert "details" not in client.get("/sante/", headers={"Authorization": "Bearer autre"}).json()
    told = client.get("/sante/", headers={"Authorization": "Bearer jeton-de-surveillance"}).json()["details"]
    assert "run_worker" in told["worker"]


def test_figures_are_for_the_one_who_holds_the_token(client: Client, settings: Any) -> None:
    assert client.get("/sante/metriques/").status_code == 404
    settings.HEALTH_TOKEN = "jeton-de-surveillance"
    assert client.get("/sante/metriques/").status_code == 401
    assert client.get("/sante/metriques/", headers={"Authorization": "Bearer autre"}).status_code == 401


def test_figures_are_read_from_the_database(client: Client, settings: Any, processes: None) -> None:
    settings.HEALTH_TOKEN = "jeton-de-surveillance"
    make_published_invoice()
    make_invoice()
    start_export(export=create_export(criteria=Criteria(scope=Scope.ALL)))
    write_messages([make_draft()])
    answer = client.get("/sante/metriques/", headers={"Authorization": "Bearer jeton-de-surveillance"})
    values = {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }
    assert values["portail_database_up"] == 1
    assert values["portail_invoices_published"] == 1
    assert values["portail_invoices"] == 2
    assert values["portail_outbox_messagesqueued"] == 1
    assert values["portail_outbox_due_messages"] == 1
    assert values["portail_exportsrunning"] == 1
    assert values["portail_export_linesready"] == 1
    assert values["portail_documents_disk_free_bytes"] > 0
    now = timezone.now().timestamp()
    assert abs(values["portail_process_last_seen_timestamp_secondsworker"] - now) < 60
    assert abs(values["portail_process_last_seen_timestamp_secondsmailer"] - now) < 60


def test_figures_say_that_the_database_is_away(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    settings.HEALTH_TOKEN = "jeton-de-surveillance"
    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/sante/metriques/", headers={"Authorization": "Bearer jeton-de-surveillance"})
    assert answer.status_code == 200
    assert "portail_database_up 0.0" in answer.content.decode()


def test_a_full_disk_is_named(client: Client, processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 10_000_000))
    answer = client.get("/sante/")
    assert (answer.status_code, answer.json()["troubles"]) == (503, ["disk"])


def test_a_database_that_does_not_answer_is_named(
    client: Client, processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused: password=s3cret")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/sante/")
    assert answer.status_code == 503
    assert answer.json()["troubles"] == ["database"]
    assert "s3cret" not in answer.content.decode()


def test_a_mail_that_has_waited_for_an_hour_is_named(client: Client, processes: None) -> None:
    write_messages([make_draft()])
    let_pass(datetime.timedelta(minutes=90), Message)
    assert client.get("/sante/").json()["troubles"] == ["outbox"]


def test_a_machine_whose_clock_is_off_is_named_while_it_lives(client: Client, processes: None, settings: Any) -> None:
    settings.HEALTH_TOKEN = "jeton-de-surveillance"
    WorkerPulse.objects.create(name="lente:3:cd", role=MAILER, clock_offset=-600, time_zone="Europe/Paris")
    answer = client.get("/sante/", headers={"Authorization": "Bearer jeton-de-surveillance"})
    assert (answer.status_code, answer.json()["troubles"]) == (503, ["clock"])
    assert "lente (-600 s)" in answer.json()["details"]["clock"]
    let_pass(datetime.timedelta(minutes=6), WorkerPulse)
    assert "clock" not in client.get("/sante/").json()["troubles"]


@pytest.mark.postgresql
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_site_whose_clock_is_off_names_itself_and_finds_no_other_process_silent(
    client: Client, processes: None, time_machine: Any, minutes: int
) -> None:
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=minutes))
    record_heartbeat("worker-1", WORKER)
    assert client.get("/sante/").json()["troubles"] == ["clock"]


def test_the_session_of_staff_ends_with_the_working_day(client: Client, time_machine: Any) -> None:
    start = timezone.now()
    client.force_login(make_staff(), backend="customers.authentication.AccountBackend")
    for hours in (0, 6, 11):
        time_machine.move_to(start + datetime.timedelta(hours=hours))
        assert client.get("/gestion/").status_code == 200
    time_machine.move_to(start + datetime.timedelta(hours=12, minutes=5))
    assert client.get("/gestion/").status_code == 302


def test_a_browser_forgets_what_it_kept_when_its_owner_leaves(client: Client) -> None:
    client.force_login(make_account(make_customer()), backend="customers.authentication.AccountBackend")
    assert client.post("/deconnexion/")["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get("/connexion/")["Cross-Origin-Resource-Policy"] == "same-origin"
