"""``/sante/``, and what sessions and headers hold to."""

import datetime
import shutil
from collections import namedtuple
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from mailing.heartbeats import record_heartbeat
from mailing.outbox import Draft, write_messages
from portal.backoffice.ui.worker import MAILER, WORKER
from tests.support.factories import make_account, make_customer, make_staff

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


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


def test_a_mail_that_has_waited_for_an_hour_is_named(client: Client, time_machine: Any) -> None:
    now = timezone.now()
    draft = Draft(
        key="k",
        kind="invoice",
        recipient="a@client.example",
        sender="f@aquila.example",
        subject="Facture",
        text="Bonjour",
    )
    write_messages([draft])
    time_machine.move_to(now + datetime.timedelta(minutes=90))
    record_heartbeat("worker-1", WORKER)
    record_heartbeat("mailer-1", MAILER)
    assert client.get("/sante/").json()["troubles"] == ["outbox"]


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
