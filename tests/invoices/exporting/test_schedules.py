"""Saved selections that run by themselves: once, whatever is killed; missed runs together; the result announced."""

import random
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from customers.models import Account
from invoices.exporting.criteria import Criteria, Period, Scope
from invoices.exporting.run.worker import run_lines
from invoices.exporting.schedules import run_schedules, set_paused, set_schedule, wake_schedules
from invoices.models import Export, Invoice, SavedSelection, ScheduledRun, SelectionSchedule
from mailing.leases import database_now
from mailing.models import Message
from tests.support.factories import make_customer, make_invoice, make_published_invoice, make_staff
from tests.support.processes import own_site

NOT_YET = Criteria(period=Period.SINCE_LAST_EXPORT, generate_credentials=True, notify=True)
TOLD = "compta@aquila.example"
Outcome = ScheduledRun.Outcome


@pytest.fixture
def patron(db: None) -> Account:
    return make_staff("patron@aquila.example")


def scheduled(patron: Account, criteria: Criteria = NOT_YET, **choices: Any) -> SelectionSchedule:
    """A selection that runs on the first of each month at midnight and notifies the accounts department."""
    selection = SavedSelection.objects.create(name="Mensuel", criteria=criteria.to_json())
    values = {"day_kind": "month_day", "day": 1, "hour": 0, "action": "export", "addresses": [TOLD]}
    return set_schedule(selection=selection, author=patron, **{**values, **choices})


def make_due(schedule: SelectionSchedule, *, months: int = 0) -> datetime:
    """Let the first of this month (or of ``months`` before it) be the run that waits; returns that moment."""
    local = timezone.localtime(database_now())
    month = local.year * 12 + local.month - 1 - months
    due = timezone.make_aware(datetime(month // 12, month % 12 + 1, 1))  # noqa: DTZ001
    SelectionSchedule.objects.filter(pk=schedule.pk).update(next_at=due)
    return due


def mails() -> list[tuple[str, str]]:
    """Who was notified, and the subject."""
    found = Message.objects.filter(kind="schedule").order_by("created_at")
    return [(mail.recipient, mail.subject.replace("\u00a0", " ")) for mail in found]


def test_when_all_is_ready_the_export_leaves_and_its_result_is_shown_without_a_click(patron: Account) -> None:
    make_invoice()
    schedule = scheduled(patron)
    due = make_due(schedule)

    assert run_schedules.func() == 1

    export = Export.objects.get()
    run = ScheduledRun.objects.get()
    assert (export.state, export.selection, export.author_name) == (
        Export.State.RUNNING,
        schedule.selection,
        f"calendrier ({patron.get_full_name()})",
    )
    assert (run.outcome, run.due_at, run.export, run.told_at) == (Outcome.STARTED, due, export, None)
    assert mails() == []
    assert not wake_schedules()

    run_lines(export)
    assert run_schedules.func() == 0

    assert Invoice.objects.published().count() == 1
    assert mails() == [(TOLD, f"Export n° {export.number} terminé : 1 facture publiée")]
    text = Message.objects.get(kind="schedule").text
    assert f"{settings.PORTAL_URL}/gestion/export-web/factures/export/{export.number}/bordereau/" in text
    assert run_schedules.func() == 0
    assert len(mails()) == 1


def test_a_line_to_correct_keeps_the_list_and_the_mail_leads_to_it(patron: Account) -> None:
    make_invoice()
    make_invoice(customer=make_customer(email=""))
    schedule = scheduled(patron)
    make_due(schedule)

    run_schedules.func()

    export = Export.objects.get()
    assert (export.state, ScheduledRun.objects.get().outcome) == (Export.State.DRAFT, Outcome.PREPARED)
    assert mails() == [(TOLD, f"Liste n° {export.number} à vérifier : 1 facture prête, 1 à corriger")]
    text = Message.objects.get().text
    assert "1 : aucune adresse e-mail" in text
    assert f"/gestion/export-web/factures/export/{export.number}/" in text


def test_lines_that_cannot_be_corrected_hold_nothing_back(patron: Account) -> None:
    make_invoice()
    make_published_invoice()
    make_due(scheduled(patron, Criteria(scope=Scope.ALL)))

    run_schedules.func()

    assert Export.objects.get().state == Export.State.RUNNING


def test_a_calendar_that_prepares_starts_nothing(patron: Account) -> None:
    make_invoice()
    make_due(scheduled(patron, action="prepare"))

    run_schedules.func()

    assert Export.objects.get().state == Export.State.DRAFT
    assert mails() == [(TOLD, f"Liste n° {Export.objects.get().number} à vérifier : 1 facture prête, 0 à corriger")]


def test_where_nothing_waits_no_list_is_made_and_the_user_learns_it(patron: Account) -> None:
    make_published_invoice()
    make_due(scheduled(patron))

    run_schedules.func()

    assert not Export.objects.exists()
    assert mails() == [(TOLD, "« Mensuel » : rien à exporter")]


def test_missed_runs_are_made_up_for_by_one_that_takes_the_months_of_all(patron: Account) -> None:
    schedule = scheduled(patron, Criteria(period=Period.PREVIOUS_MONTH, generate_credentials=True))
    first = make_due(schedule, months=2)
    before = timezone.localtime(first).date()
    dates = [before - timedelta(days=40), before - timedelta(days=1), before + timedelta(days=3)]
    for day in dates:
        make_invoice(issue_date=day, due_date=day)

    assert run_schedules.func() == 1

    taken = Export.objects.get().items.values_list("invoice__issue_date", flat=True)
    assert sorted(taken) == dates[1:]
    run = ScheduledRun.objects.get()
    assert run.covers == 3
    schedule.refresh_from_db()
    assert schedule.next_at > database_now()
    run_lines(Export.objects.get())
    run_schedules.func()
    assert "Passages manqués, rattrapés en un seul : 3" in Message.objects.get(kind="schedule").text


def test_a_run_that_comes_late_says_so(patron: Account) -> None:
    make_due(scheduled(patron))  # the first of this month at midnight

    run_schedules.func()

    is_late = database_now() - ScheduledRun.objects.get().due_at > timedelta(hours=1)
    assert ("a été manqué" in Message.objects.get().text) == is_late


def test_a_pause_is_no_missed_run(patron: Account) -> None:
    make_invoice()
    schedule = scheduled(patron)
    set_paused(schedule=schedule, is_paused=True)
    make_due(schedule, months=3)

    assert (wake_schedules(), run_schedules.func()) == (0, 0)
    set_paused(schedule=schedule, is_paused=False)

    assert run_schedules.func() == 0
    assert not Export.objects.exists()


def test_a_selection_that_can_no_longer_be_read_is_tried_three_times_then_reported(patron: Account) -> None:
    make_invoice()
    schedule = scheduled(patron)
    SavedSelection.objects.update(criteria={"period": "next_year"})
    make_due(schedule)

    for _attempt in range(3):
        run_schedules.func()
        SelectionSchedule.objects.filter(retry_at__isnull=False).update(retry_at=database_now())

    assert ScheduledRun.objects.get().outcome == Outcome.FAILED
    assert mails() == [(TOLD, "« Mensuel » : le passage a échoué")]
    schedule.refresh_from_db()
    assert schedule.next_at > database_now()
    assert not Export.objects.exists()


def test_one_selection_that_fails_does_not_hold_up_another(patron: Account) -> None:
    make_invoice()
    broken = scheduled(patron)
    SavedSelection.objects.update(criteria={"period": "next_year"})
    make_due(broken, months=1)
    good = SavedSelection.objects.create(name="Bonne", criteria=NOT_YET.to_json())
    make_due(
        set_schedule(
            selection=good, author=patron, day_kind="month_day", day=1, hour=0, action="export", addresses=[TOLD]
        )
    )

    run_schedules.func()

    assert Export.objects.get().selection == good


def test_who_left_the_company_is_not_notified(patron: Account) -> None:
    make_due(scheduled(patron, addresses=[patron.login, TOLD]))
    Account.objects.filter(pk=patron.pk).update(is_active=False)

    run_schedules.func()

    assert [recipient for recipient, _subject in mails()] == [TOLD]


SET_UP = """
from datetime import timedelta
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.schedules import set_schedule
from invoices.models import SavedSelection, SelectionSchedule
from mailing.leases import database_now
from tests.support.factories import make_customer, make_invoice, make_staff
customer, patron = make_customer(), make_staff()
for number in range(20):
    make_invoice(customer=customer)
criteria = Criteria(period=Period.SINCE_LAST_EXPORT, generate_credentials=True)
for number in range(3):
    selection = SavedSelection.objects.create(name=f"n° {number}", criteria=criteria.to_json())
    set_schedule(
        selection=selection, author=patron, day_kind="month_day", day=1, hour=6, action="prepare",
        addresses=["compta@aquila.example"],
    )
SelectionSchedule.objects.update(next_at=database_now() - timedelta(minutes=5))
"""
RUN = """
from invoices.exporting.schedules import run_schedules
run_schedules.func()
"""
OUTCOME = """
from invoices.models import Export, ScheduledRun
from mailing.models import Message
answer = [ScheduledRun.objects.count(), Export.objects.count(), Message.objects.filter(kind="schedule").count()]
"""


# A run that ends its workers time and again is given up: these are ended from outside, and more often than that.
FORGET = """
from mailing.quarantine.models import SetAside
answer = SetAside.objects.all().delete()[0]
"""


def test_workers_that_are_killed_at_any_moment_do_each_run_once(tmp_path: Path, django_db_setup: Any) -> None:
    draw = random.Random(20261126)
    with own_site(tmp_path, TASKS_BACKEND="database") as site:
        site.ask(SET_UP)
        for _kill in range(8):
            workers = [site.start_script(RUN) for _worker in range(2)]
            time.sleep(draw.uniform(0.0, 0.25))
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            site.ask(FORGET)
        last = [site.start_script(RUN) for _worker in range(3)]
        assert [worker.wait(60) for worker in last] == [0, 0, 0]

        assert site.ask(OUTCOME) == [3, 3, 3]
