"""Each loop of the product is fed an input that fails or ends its process, and a good one: the good one is done, and
the other is tried some times, then set aside with its reason where staff see it.
"""

import datetime
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from customers.bulk_actions import MOST_INTERRUPTIONS as MOST_STEPS
from customers.bulk_actions import create_bulk_action, run_bulk_action
from customers.models import BulkAction, Customer
from invoices.exporting import schedules
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.exporting.schedules import MOST_DEATHS, run_schedules, set_schedule
from invoices.importing import folders
from invoices.importing.folders import ReaderEndedError, WatchedFolder, take
from invoices.importing.run import import_erp
from invoices.management.commands import run_worker
from invoices.models import (
    DirectoryLookup,
    ImportBatch,
    PlatformMessage,
    SavedSelection,
    ScheduledRun,
    SelectionSchedule,
    Submission,
)
from invoices.platforms.client import Flow, PlatformClient
from invoices.platforms.directory import refresh_directory
from invoices.platforms.following import fetch_from
from invoices.platforms.simulated.server import SimulatedPlatform
from invoices.platforms.submission import MOST_INTERRUPTIONS as MOST_DELIVERIES
from invoices.platforms.submission import awaiting_submission, queue_submissions, run_submissions
from invoices.workers.trials import ENDS_UNTRIED
from mailing import outbox
from mailing.claims import MOST_INTERRUPTIONS, claim
from mailing.mailboxes import open_maildir
from mailing.management.commands.read_bounces import _may_be_read
from mailing.models import Message, Reply
from mailing.quarantine.models import SetAside
from mailing.quarantine.tries import MOST_TRIES, Loop, Tries, count_set_aside, count_try
from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries, unchained_entries
from mailing.trail.recording import record
from portal.retention import purge
from tests.support.back_office import words
from tests.support.factories import make_account, make_customer, make_invoice, make_published_invoice, make_staff
from tests.support.import_files import CUSTOMERS, as_csv
from tests.support.sending import draft
from tests.support.simulated_platforms import (
    SIREN,
    connect,
    directory_line,
    make_due,
    make_platform,
    running_platform,
)

pytestmark = pytest.mark.django_db
STATUSES = Path(__file__).parents[1] / "data" / "statuses"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path) as made:
        yield made


def fail() -> None:
    raise RuntimeError("poison")


def refuse() -> None:
    raise OperationalError("the database is away")


def test_an_input_has_its_tries_and_is_set_aside_with_its_reason_while_the_others_go_on() -> None:
    done: list[str] = []
    for _run in range(MOST_TRIES + 2):
        tries = Tries(Loop.PAYMENT)
        tries.attempt("poison", "Paiement de F1", fail)
        tries.attempt("good", "Paiement de F2", lambda: done.append("good"))
    row = SetAside.objects.get()
    assert (row.key, row.tries, row.is_set_aside) == ("poison", MOST_TRIES, True)
    assert row.reason == "Erreur inattendue (RuntimeError), notée dans le journal du serveur."
    assert len(done) == MOST_TRIES + 2


def test_a_database_that_is_away_blames_no_input() -> None:
    with pytest.raises(OperationalError):
        Tries(Loop.PAYMENT).attempt("innocent", "Paiement de F1", refuse, before=True)
    assert not SetAside.objects.filter(tries__gt=0).exists()


def test_an_input_that_is_done_in_the_end_is_forgotten() -> None:
    Tries(Loop.PAYMENT).attempt(1, "F1", fail)
    assert Tries(Loop.PAYMENT).attempt(1, "F1", lambda: None)
    assert not SetAside.objects.exists()


def test_mailer() -> None:
    outbox.write_messages([draft(key="poison"), draft(key="good")])
    now = timezone.now() + datetime.timedelta(seconds=1)
    poison = Message.objects.get(key="poison")
    for _death in range(MOST_INTERRUPTIONS):
        Message.objects.filter(key="good").update(next_attempt_at=now + datetime.timedelta(days=1))
        claims = claim(now=now, worker="essai:1", wanted=1, lease=datetime.timedelta(seconds=60)).claims
        assert [held.message.pk for held in claims] == [poison.pk]
        now += datetime.timedelta(seconds=61)  # its worker ended
    Message.objects.filter(key="good").update(next_attempt_at=now)
    claims = claim(now=now, worker="essai:1", wanted=1, lease=datetime.timedelta(seconds=60)).claims
    assert [held.message.key for held in claims] == ["good"]
    poison.refresh_from_db()
    assert poison.state == Message.State.REJECTED
    assert poison.reason.startswith("L’envoi s’est interrompu 5 fois de suite avec ce mail en main")


def test_returned_mails(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new/1.poison").write_bytes(b"From: x@client.example\r\n\r\nBonjour\r\n")
    for _run in range(MOST_TRIES):  # the process ends with the first mail in hand
        with open_maildir(tmp_path) as box:
            next(iter(box.letters(_may_be_read)))
    (tmp_path / "new/2.good").write_bytes(b"From: y@client.example\r\nSubject: Question\r\n\r\nBonjour\r\n")
    call_command("read_bounces", maildir=tmp_path)
    assert Reply.objects.get().subject == "Question"
    assert SetAside.objects.get().is_set_aside
    assert (tmp_path / "cur/1.poison:2,F").exists()


def test_watched_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("poison")
    (tmp_path / "b.csv").write_text(as_csv(CUSTOMERS))
    real = import_erp

    def end(paths: Any, **options: Any) -> Any:
        if any(path.name == "a.csv" for path in paths):
            raise Killed
        return real(paths, **options)

    monkeypatch.setattr(folders, "import_erp", end)
    while files := sorted(tmp_path.glob("*.csv")):
        with suppress(Killed, ReaderEndedError):
            take(WatchedFolder(tmp_path), files)
    assert Customer.objects.count() == 2
    assert (tmp_path / "refusés/a.csv").exists()
    assert "interrompu 3 fois de suite" in (tmp_path / "refusés/a.csv.rapport.txt").read_text()
    assert (tmp_path / "traités/b.csv").exists()
    assert not SetAside.objects.exists()


def test_watched_folder_where_two_files_end_whoever_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.csv", "c.csv"):
        (tmp_path / name).write_text("poison")
    (tmp_path / "b.csv").write_text(as_csv(CUSTOMERS))
    real = import_erp

    def end(paths: Any, **options: Any) -> Any:
        if any(path.name in ("a.csv", "c.csv") for path in paths):
            raise Killed
        return real(paths, **options)

    monkeypatch.setattr(folders, "import_erp", end)
    ends_of_the_watcher = 0
    while files := sorted(tmp_path.glob("*.csv")):
        try:
            take(WatchedFolder(tmp_path), files)
        except ReaderEndedError:
            continue
        except Killed:
            ends_of_the_watcher += 1
    # Once they are known to end who reads them, they are tried in children only.
    assert ends_of_the_watcher == ENDS_UNTRIED
    assert Customer.objects.count() == 2
    assert {path.name for path in (tmp_path / "refusés").glob("*.csv")} == {"a.csv", "c.csv"}
    assert not SetAside.objects.exists()


def test_watched_folder_with_a_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.csv")).write_text("poison")
    (tmp_path / "b.csv").write_text(as_csv(CUSTOMERS))
    with pytest.raises(CommandError):
        call_command("watch_folder", str(tmp_path), once=True, stable=0.01, every=0.01)
    assert Customer.objects.count() == 2
    assert (tmp_path / "refusés/caf?.csv").exists()


def test_bulk_actions() -> None:
    poison, good = make_customer(invoice_copies="1"), make_customer(invoice_copies="1")
    bulk_action = create_bulk_action(
        kind=BulkAction.Kind.ADDRESS, targets=[poison.pk], author=None, given={poison.pk: "a@client.example"}
    )
    for _death in range(MOST_STEPS):  # a worker took it and ended
        BulkAction.objects.update(state=BulkAction.State.RUNNING, lease_until="2020-01-01T00:00:00Z")
        if _death < MOST_STEPS - 1:
            count_try(Loop.BULK_ACTION, f"{bulk_action.pk}:0", "", "")
    done = run_bulk_action(BulkAction.objects.get())
    assert done.is_done
    assert done.skipped == [[f"#{poison.pk}", "interrompue 5 fois de suite"]]
    other = create_bulk_action(kind=BulkAction.Kind.DEMATERIALISE, targets=[good.pk], author=None)
    assert run_bulk_action(other).changed == 1


def test_submissions(server: SimulatedPlatform) -> None:
    server.book.add_line(directory_line(SIREN))
    company, customer = connect(make_platform(server.url))
    for _number in range(2):
        make_invoice(company=company, customer=customer)
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL, mail_only_reason="Copie"))))
    assert queue_submissions(awaiting_submission()) == 2
    poison = Submission.objects.order_by("pk")[0]

    class Poisoned(PlatformClient):
        def submit(self, content: bytes, *, tracking_id: str, **values: Any) -> Flow:
            if tracking_id == poison.tracking_id:
                raise RuntimeError("poison")
            return super().submit(content, tracking_id=tracking_id, **values)

    for _run in range(MOST_DELIVERIES):
        run_submissions(client_for=Poisoned)
        make_due()
    poison.refresh_from_db()
    assert poison.state == Submission.State.REJECTED
    assert poison.reason.startswith("La remise s’est interrompue 5 fois de suite.")
    assert Submission.objects.exclude(pk=poison.pk).get().state in (Submission.State.SENT, Submission.State.ACCEPTED)


def test_statuses_that_are_fetched(server: SimulatedPlatform) -> None:
    platform = make_platform(server.url)
    company, customer = connect(platform)
    make_published_invoice(company=company, customer=customer, number="F1")
    make_published_invoice(company=company, customer=customer, number="F2")
    told = {"status": "Ok", "is_judged": True, "syntax": "CDAR", "direction": "In"}
    server.book.add_flow(content=b"", **told)  # type: ignore[arg-type]
    server.book._run("UPDATE flow SET content = NULL")
    server.book.add_flow(content=(STATUSES / "en-litige.xml").read_bytes(), **told)  # type: ignore[arg-type]

    for _look in range(11):
        platform.refresh_from_db()
        fetch_from(platform)

    assert PlatformMessage.objects.count() == 1  # the good one
    row = SetAside.objects.get()
    assert (row.loop, row.is_set_aside) == (Loop.STATUS, True)
    platform.refresh_from_db()
    assert platform.polled_until is not None


def test_directory(server: SimulatedPlatform) -> None:
    connect(make_platform(server.url))
    Customer.objects.update(siren="ABC")
    good = make_customer(siren=SIREN)
    server.book.add_line(directory_line(SIREN))
    done, problem = refresh_directory()
    assert done == 1
    assert problem.startswith("400 BAD_REQUEST")
    assert DirectoryLookup.objects.get(customer__isnull=False).customer == good
    for _run in range(MOST_TRIES):
        refresh_directory()
    assert SetAside.objects.get().reason == problem
    assert refresh_directory() == (0, "")


def test_schedules(monkeypatch: pytest.MonkeyPatch) -> None:
    patron = make_staff("patron@aquila.example")
    made = [
        set_schedule(
            selection=SavedSelection.objects.create(name=name, criteria=Criteria().to_json()),
            author=patron,
            day_kind="month_day",
            day=1,
            hour=0,
            action="prepare",
            addresses=["compta@aquila.example"],
        )
        for name in ("Poison", "Bonne")
    ]
    SelectionSchedule.objects.filter(pk=made[0].pk).update(next_at=timezone.now() - datetime.timedelta(days=2))
    SelectionSchedule.objects.filter(pk=made[1].pk).update(next_at=timezone.now() - datetime.timedelta(days=1))
    real = schedules._run

    def end(schedule: SelectionSchedule, now: datetime.datetime) -> None:
        if schedule.pk == made[0].pk:
            raise Killed
        real(schedule, now)

    monkeypatch.setattr(schedules, "_run", end)
    for _death in range(MOST_DEATHS - 1):
        with pytest.raises(Killed):
            run_schedules.func()
    run_schedules.func()
    assert ScheduledRun.objects.get(schedule=made[0]).outcome == ScheduledRun.Outcome.FAILED
    assert ScheduledRun.objects.get(schedule=made[1]).outcome == ScheduledRun.Outcome.NOTHING


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL holds no bytes in a column of text")
def test_chaining_of_the_trail() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trail_entry (at, action, object_type, object_id, way, details, personal_sha256)"
            " VALUES ('2030-01-01 00:00:00', 'signed_in', '', '', '', X'FF', '')"
        )
    record(Action.SIGNED_IN)
    for _run in range(MOST_TRIES):
        chain_new_entries()
    assert unchained_entries().count() == 1
    assert SetAside.objects.get().loop == Loop.TRAIL


def test_purge() -> None:
    old = timezone.now() - datetime.timedelta(days=4000)
    ImportBatch.objects.create(state=ImportBatch.State.IMPORTED, files=[{"poison": 1}], created_at=old)
    bulk_action = create_bulk_action(kind=BulkAction.Kind.DEMATERIALISE, targets=[], author=None)
    BulkAction.objects.filter(pk=bulk_action.pk).update(created_at=old, state=BulkAction.State.DONE)
    done = {each.rule.kind: each for each in purge(timezone.now(), dry_run=False)}
    assert [kind for kind, each in done.items() if each.problem] == ["imports"]
    assert not BulkAction.objects.exists()
    with pytest.raises(CommandError, match="Non purgé"):
        call_command("purge")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [RuntimeError("poison"), OperationalError("statement timeout")])
def test_sweep_of_the_worker(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    account = make_account(make_customer(), provisional_password="x", provisional_expires_at="2020-01-01T00:00:00Z")

    def poison() -> int:
        raise error

    monkeypatch.setattr(run_worker, "wake_stalled_exports", poison)
    run_worker._sweep("essai:1")
    account.refresh_from_db()
    assert account.provisional_password == ""  # by a step after it


def test_staff_see_what_was_set_aside_and_have_it_tried_again(client: Client) -> None:
    for _try in range(MOST_TRIES):
        count_try(Loop.DIRECTORY, 7, "Client 7", "400 « siren » a 9 chiffres.")
    client.force_login(make_staff(), backend="customers.authentication.AccountBackend")
    assert "élément mis de côté" in words(client.get("/gestion/"))
    page = client.get("/gestion/quarantine/setaside/?etat=cote").content.decode()
    assert "400 « siren » a 9 chiffres." in page
    chosen = {"action": "try_again", "_selected_action": [SetAside.objects.get().pk]}
    answer = client.post("/gestion/quarantine/setaside/", chosen, follow=True)
    assert "1 élément sera réessayé." in words(answer)
    assert count_set_aside() == 0
