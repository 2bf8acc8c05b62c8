"""Many mails to one large provider, while nobody vouches for our domain: somebody confirms first."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export
from invoices.models import Export
from mailing.alignment import note_check
from mailing.deliverability import Verdict, current_setting
from tests.support.back_office import words
from tests.support.factories import make_company, make_customer, make_invoice
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
