"""Many mails to one large provider, while no one vouches for our domain: somebody confirms first."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.schedules import run_schedules, set_schedule
from invoices.models import Export, SavedSelection, SelectionSchedule
from mailing.alignment import note_check
from mailing.deliverability import Verdict, current_setting
from mailing.models import Message
from tests.support.back_office import words
from tests.support.factories import make_company, make_customer, make_invoice, make_staff
from tests.support.sending import use_smtp

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_at_gmail(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three customers at one provider, where two may be written to without a question; nothing is sent."""
    monkeypatch.setattr("mailing.alignment.MOST_WITHOUT_QUESTION", 2)
    settings.DEFAULT_FROM_EMAIL = "factures@exemple.fr"
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
    use_smtp(settings, 9)
    make_company()
    for name in ("a@gmail.com", "b@googlemail.com", "C@Gmail.com", "d@client.example"):
        make_invoice(customer=make_customer(email=name))


def run(**options: Any) -> str:
    """What the command prints."""
    out = StringIO()
    choices = {"scope": "all", "generate_credentials": True, "notify": True, "processes": 1}
    call_command("export_invoices", stdout=out, stderr=StringIO(), **(choices | options))
    return out.getvalue()


def check(*, is_aligned: bool) -> None:
    """A check of the present settings was made."""
    note_check(Verdict(current_setting(), (), is_aligned), timezone.now())


def test_the_command_ends_with_2_and_the_sentence_and_goes_on_with_confirm() -> None:
    with pytest.raises(CommandError, match=r"Destinataires : 3 chez Gmail. Or personne n’a vérifié") as refused:
        run()
    assert refused.value.returncode == 2
    assert not Export.objects.exists()
    check(is_aligned=False)
    with pytest.raises(CommandError, match=r"ni SPF ni DKIM ne répondent .* Pour partir quand même : --confirm"):
        run()
    assert "4 factures publiées" in run(confirm=True)


def test_nothing_is_asked_where_we_are_aligned_where_no_mail_leaves_and_of_a_dry_run(settings: Any) -> None:
    run(dry_run=True)
    check(is_aligned=True)
    assert "4 factures publiées" in run()


def test_a_check_of_other_settings_says_nothing_of_these(settings: Any) -> None:
    check(is_aligned=True)
    settings.DKIM_DOMAIN = "autre.example"
    with pytest.raises(CommandError, match="personne n’a vérifié avec ces réglages"):
        run()
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    assert "4 factures publiées" in run()


def test_the_page_asks_before_it_starts(staff_client: Client) -> None:
    check(is_aligned=False)
    export = create_export(
        criteria=Criteria(scope=Scope.ALL, generate_credentials=True, notify=True), author_name="Nathalie"
    )
    start = reverse("admin:export_web_start", args=[export.number])
    page = words(staff_client.post(start))
    assert "3 chez Gmail" in page
    assert "Exporter quand même" in page
    export.refresh_from_db()
    assert export.state == Export.State.DRAFT
    staff_client.post(start, {"confirm": "yes"})
    export.refresh_from_db()
    assert export.state == Export.State.RUNNING


def test_a_run_of_a_calendar_prepares_the_list_and_its_mail_asks(staff_client: Client) -> None:
    selection = SavedSelection.objects.create(
        name="Mensuel", criteria=Criteria(scope=Scope.ALL, generate_credentials=True, notify=True).to_json()
    )
    schedule = set_schedule(
        selection=selection,
        author=make_staff("patron@aquila.example"),
        day_kind="month_day",
        day=1,
        hour=0,
        action="export",
        addresses=["compta@aquila.example"],
    )
    SelectionSchedule.objects.filter(pk=schedule.pk).update(next_at=timezone.now() - timedelta(minutes=1))
    run_schedules.func()
    export = Export.objects.get()
    mail = Message.objects.get(kind="schedule")
    assert (export.state, export.items.ready().count()) == (Export.State.DRAFT, 4)
    assert (
        mail.subject.replace("\u00a0", " ") == f"Liste n° {export.number} à confirmer : 4 factures prêtes, 0 à corriger"
    )
    assert "3 chez Gmail" in mail.text
    assert f"/gestion/export-web/factures/export/{export.number}/" in mail.text
    staff_client.post(reverse("admin:export_web_start", args=[export.number]), {"confirm": "yes"})
    export.refresh_from_db()
    assert export.state == Export.State.RUNNING


def test_a_retry_asks_for_what_failed_and_a_run_that_was_begun_goes_on_without_a_question(staff_client: Client) -> None:
    criteria = Criteria(scope=Scope.ALL, generate_credentials=True, notify=True)
    export = start_export(export=create_export(criteria=criteria, author_name="Nathalie"))
    export.items.update(state="failed")
    Export.objects.update(state=Export.State.DONE)
    with pytest.raises(CommandError, match="3 chez Gmail") as refused:
        call_command("export_invoices", retry=export.number)
    assert refused.value.returncode == 2
    assert "3 chez Gmail" in words(staff_client.get(reverse("admin:export_web_retry", args=[export.number])))
    assert export.items.filter(state="failed").count() == 4
    export.items.update(state="ready")
    Export.objects.update(state=Export.State.RUNNING)
    out = StringIO()
    call_command("export_invoices", resume=True, processes=1, stdout=out, stderr=StringIO())
    assert "4 factures publiées" in out.getvalue()
