"""What is forgotten after its time, what is forgotten of one person, and what never is."""

import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.models import Account, Contact
from customers.services import send_credentials
from invoices.documents.consultations import record_consultations
from invoices.models import Consultation, Document, ImportBatch, Invoice
from invoices.retention import purge_by_night, wake_purge
from mailing.models import Message
from mailing.outbox import retry
from mailing.plain_text import ERASED_TEXT
from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries
from mailing.trail.models import Entry, PersonalValues
from mailing.trail.recording import record
from mailing.trail.verification import verify_trail
from portal.retention import RULES, months_before
from tests.support.factories import make_account, make_contact, make_customer, make_published_invoice

LONG_AGO = timezone.now() - timedelta(days=365 * 7)


def purge(**options: Any) -> dict[str, int]:
    """Counts by kind that ``purge --json`` prints."""
    out = StringIO()
    call_command("purge", json=True, stdout=out, **options)
    return {each["kind"]: each["count"] for each in json.loads(out.getvalue())["kinds"]}


@pytest.fixture
def reader(predefined_messages: None) -> Account:
    """Somebody who left seven years ago: he got a mail, read an invoice and tried a password."""
    customer = make_customer(code="VIEUX")
    account = make_account(customer, login="ancien@client.example", last_login=LONG_AGO, name="Ancien Client")
    make_contact(customer, email="ancien@client.example")
    invoice = make_published_invoice(customer=customer)
    send_credentials(accounts=[account])
    record_consultations(invoice_ids=[invoice.pk], account=account, channel=Consultation.Channel.PDF)
    record(Action.SIGN_IN_REFUSED, personal={"login": account.login})
    Message.objects.update(created_at=LONG_AGO, state="accepted", accepted_at=LONG_AGO, next_attempt_at=None)
    Consultation.objects.update(at=LONG_AGO)
    Invoice.objects.update(published_at=LONG_AGO)
    AccessAttempt.objects.create(username=account.login, ip_address="192.0.2.1", failures_since_start=1)
    AccessAttempt.objects.update(attempt_time=LONG_AGO)
    ImportBatch.objects.create(state="imported", created_at=LONG_AGO, report={"who": "ancien"})
    chain_new_entries()
    return account


@pytest.mark.django_db
def test_a_trial_run_counts_and_changes_nothing(reader: Account) -> None:
    counts = purge(dry_run=True)
    assert {kind for kind, count in counts.items() if count} == {
        "mail-bodies",
        "sign-ins",
        "consultations",
        "imports",
        "idle-accounts",
    }
    assert purge(dry_run=True) == counts
    assert Account.objects.get(pk=reader.pk).login == "ancien@client.example"
    assert Message.objects.exclude(text=ERASED_TEXT).count() == 1


@pytest.mark.django_db
def test_a_purge_does_what_the_trial_run_counted_and_leaves_invoices(reader: Account) -> None:
    before = list(Invoice.objects.values_list("pk", "number", "document")), Document.objects.count()
    first_read = Invoice.objects.get().first_consulted_at
    expected = purge(dry_run=True)
    assert purge() == expected
    assert (list(Invoice.objects.values_list("pk", "number", "document")), Document.objects.count()) == before
    assert Invoice.objects.get().first_consulted_at == first_read
    message = Message.objects.get()
    assert (message.text, message.html, message.state) == (ERASED_TEXT, "", "accepted")
    assert not Consultation.objects.exists()
    account = Account.objects.get(pk=reader.pk)
    assert (account.login, account.name, account.is_active) == (f"compte-{reader.pk}@efface.invalid", "", False)
    assert json.loads(Entry.objects.filter(action="purged").latest("pk").details)["idle-accounts"] == 1
    assert not any(purge().values())
    assert verify_trail().fault is None


@pytest.mark.django_db
def test_an_account_whose_customer_still_gets_invoices_is_not_idle(reader: Account) -> None:
    Invoice.objects.update(published_at=timezone.now())
    assert purge(dry_run=True, only=["idle-accounts"]) == {"idle-accounts": 0}


@pytest.mark.django_db
def test_a_mail_without_its_text_is_not_sent_again(reader: Account) -> None:
    Message.objects.update(state="cancelled")
    purge(only=["mail-bodies"])
    assert retry([Message.objects.get().pk], "Nathalie") == 0


@pytest.mark.django_db
def test_a_person_who_asks_is_erased_and_learns_what_stays(reader: Account) -> None:
    out = StringIO()
    call_command("person", f" {reader.login.upper()} ", erase=True, json=True, stdout=out)
    told = json.loads(out.getvalue())["erasure"]
    assert "17.3 b" in told["article"]
    assert told["kept"][0]["what"] == "les factures et leurs documents"
    assert not Account.objects.filter(login="ancien@client.example").exists()
    assert not Contact.objects.exists()
    assert not PersonalValues.objects.filter(values__contains="ancien@client.example").exists()
    everywhere = [*Message.objects.values_list("recipient", "text"), *Consultation.objects.values_list("login")]
    assert "ancien" not in str(everywhere)
    assert Invoice.objects.count() == 1
    assert verify_trail().fault is None


@pytest.mark.django_db
def test_what_was_erased_of_a_person_is_counted_in_french(reader: Account) -> None:
    out = StringIO()
    call_command("person", reader.login, erase=True, stdout=out)
    assert "(consultations : 1, mails : 1, historique : 0, sessions : 0, connexions : 1)" in out.getvalue()


@pytest.mark.django_db
def test_a_person_gets_all_that_is_known_with_the_pdfs(reader: Account, tmp_path: Path) -> None:
    call_command("person", reader.login, export=tmp_path / "tout.zip", stdout=StringIO())
    archive = zipfile.ZipFile(tmp_path / "tout.zip")
    known = json.loads(archive.read("donnees.json"))
    assert known["compte"]["identifiant"] == "ancien@client.example"
    assert len(known["mails"]) == len(known["consultations"]) == len(known["factures"]) == 1
    assert any(name.endswith(".pdf") for name in archive.namelist())
    with pytest.raises(CommandError, match="ne peut être écrit"):
        call_command("person", reader.login, export=tmp_path / "tout.zip", stdout=StringIO())


@pytest.mark.django_db
@pytest.mark.parametrize("login", ["personne@client.example", "compta@aquila.example"])
def test_strangers_and_staff_are_refused_with_a_sentence(staff: Account, login: str) -> None:
    with pytest.raises(CommandError, match=re.escape(login)):
        call_command("person", login, erase=True)


@pytest.mark.django_db
def test_a_person_of_whom_nothing_is_asked_is_refused_with_what_to_ask(reader: Account) -> None:
    with pytest.raises(CommandError, match="--export FICHIER") as refused:
        call_command("person", reader.login)
    assert refused.value.returncode == 2


def test_the_page_of_the_auditor_says_what_the_code_does() -> None:
    page = (settings.BASE_DIR / "docs" / "donnees-personnelles.md").read_text()
    told = dict(re.findall(r"^\| `([a-z-]+)` \|[^|]+\| (\d+) \|", page, re.MULTILINE))
    assert told == {rule.kind: str(rule.months) for rule in RULES}


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [
        ((2026, 11, 26), 12, (2025, 11, 26)),
        ((2026, 1, 31), 11, (2025, 2, 28)),
        ((2028, 2, 29), 12, (2027, 2, 28)),
        ((2026, 1, 1), 72, (2020, 1, 1)),
        ((2026, 12, 31), 1, (2026, 11, 30)),
    ],
)
def test_months_are_those_of_the_calendar(
    moment: tuple[int, int, int], months: int, before: tuple[int, int, int]
) -> None:
    assert months_before(datetime(*moment, tzinfo=UTC), months) == datetime(*before, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "hour", "called"),
    [(True, 3, [1, 0]), (True, 12, [0, 0]), (False, 3, [0, 0])],
)
def test_the_worker_purges_once_a_night_where_it_is_asked_to(
    reader: Account, settings: Any, asked: bool, hour: int, called: list[int]
) -> None:
    settings.PURGE_NIGHTLY = asked
    cache.delete("invoices.purge:2035-01-10")
    with time_machine.travel(datetime(2035, 1, 10, hour - 1, tzinfo=UTC), tick=False):
        assert [wake_purge(), wake_purge()] == called
        if sum(called):
            purge_by_night.func()  # what the worker then does
    assert Message.objects.filter(text=ERASED_TEXT).exists() == bool(sum(called))
    cache.delete("invoices.purge:2035-01-10")
