"""More loops that are fed an input that fails and a good one: time-stamps, payments, statuses, alerts, mails."""

import datetime
import hashlib
import shutil
from collections import namedtuple
from collections.abc import Iterator
from decimal import Decimal
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from customers.models import Account
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run import announcing, publishing
from invoices.exporting.run.worker import run_lines
from invoices.files.archives import GivenFile
from invoices.importing.payments import import_payments
from invoices.models import Export, ExportItem, Invoice, LifecycleStatus, Payment, Submission
from invoices.platforms import lifecycle
from invoices.platforms.lifecycle import import_statuses
from invoices.platforms.payments import queue_payment_statuses, record_payment
from mailing import watching
from mailing.heartbeats import MAILER, record_heartbeat
from mailing.models import Message
from mailing.outbox import Draft
from mailing.quarantine.models import SetAside
from mailing.quarantine.tries import MOST_TRIES, Loop
from mailing.trail import stamps
from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries, note_root
from mailing.trail.models import Root, TimeStamp
from mailing.trail.recording import record
from mailing.trail.stamps import seal_last_day
from tests.support.factories import make_company, make_customer, make_invoice, make_published_invoice
from tests.support.listening import AnsweringHandler, listening
from tests.support.simulated_platforms import connect, delivered, make_platform
from tests.support.timestamp_authority import make_authority, openssl

pytestmark = pytest.mark.django_db
STATUSES = Path(__file__).parents[1] / "data" / "statuses"
TODAY = datetime.date(2025, 7, 1)


@pytest.fixture
def roots() -> list[Root]:
    """The roots of two days, the oldest first."""
    made = []
    for day in (2, 1):
        record(Action.SIGNED_IN)
        chain_new_entries()
        made.append(note_root(timezone.localdate() - datetime.timedelta(days=day)))
    return [root for root in made if root is not None]


@pytest.fixture
def authority(tmp_path: Path, roots: list[Root]) -> Iterator[str]:
    """One that answers with a page of its proxy when it is asked to stamp the older root."""
    make_authority(tmp_path)
    poison = hashlib.sha256(roots[0].sha256.encode()).digest()

    class Handler(AnsweringHandler):
        def do_POST(self) -> None:
            query = self.body()
            if poison in query:
                self.answer(b"<html>Erreur</html>", "text/html")
                return
            (tmp_path / "query.tsq").write_bytes(query)
            files = ("-config", str(tmp_path / "tsa.cnf"), "-queryfile", str(tmp_path / "query.tsq"))
            self.answer(openssl("ts", "-reply", *files), "application/timestamp-reply")

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}/"


def test_time_stamps(settings: Any, authority: str, roots: list[Root]) -> None:
    settings.TIMESTAMP_URL = authority
    for _run in range(stamps._MOST_TRIES + 1):
        cache.delete("trail.stamps")  # a quarter of an hour later
        seal_last_day()
    assert [stamp.root for stamp in TimeStamp.objects.select_related("root")] == [roots[1]]
    row = SetAside.objects.get()
    assert (row.loop, row.tries, row.is_set_aside) == (Loop.STAMP, stamps._MOST_TRIES, True)
    assert "illisible" in row.reason


def test_roots_are_not_blamed_for_a_file_of_certificates_that_is_not_there(
    settings: Any, authority: str, roots: list[Root], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TIMESTAMP_URL, settings.TIMESTAMP_CA_FILE = authority, str(tmp_path / "absent.pem")
    TimeStamp.objects.create(root=roots[0], authority="essai", answer=b"x")
    assert seal_last_day() == 0
    assert "TIMESTAMP_CA_FILE" in caplog.text
    assert not SetAside.objects.exists()


def test_rows_of_payments() -> None:
    make_published_invoice(number="F1")
    table = "numero;date;montant\nF1;01/07/2025;mille\nF9;01/07/2025;10,00\nF1;32/07/2025;10,00\nF1;01/07/2025;10,00\n"
    report = import_payments(table.encode(), "reglements.csv")
    assert [payment.amount for payment in report.payments] == [Decimal("10.00")]
    assert [each["row"] for each in report.rejected] == [2, 3, 4]
    assert all(each["reason"] for each in report.rejected)


def test_statuses_of_payments() -> None:
    platform = make_platform("https://pa.example")
    company, customer = connect(platform)
    invoices = [make_published_invoice(company=company, customer=customer, number=number) for number in ("F1", "F2")]
    for invoice in invoices:
        delivered(invoice, platform, Submission.State.ACCEPTED)
        record_payment(invoice=invoice, date=TODAY, amount=Decimal("120.00"))
    # The platform has heard of the whole of the first one already, from somebody else.
    LifecycleStatus.objects.create(
        invoice=invoices[0], code="212", at=timezone.now() - datetime.timedelta(days=1), received=Decimal("120.00")
    )
    assert [queue_payment_statuses() for _run in range(MOST_TRIES + 1)] == [1, 0, 0, 0]
    assert Submission.objects.get(payment__isnull=False).payment == Payment.objects.get(invoice=invoices[1])
    row = SetAside.objects.get()
    assert (row.loop, row.tries, row.is_set_aside) == (Loop.PAYMENT, MOST_TRIES, True)
    assert "La plateforme sait déjà" in row.reason


def test_statuses_that_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published_invoice(number="F1")
    make_published_invoice(number="F2")
    good = (STATUSES / "en-litige.xml").read_bytes()
    real = lifecycle.record_message

    def note(message: Any, *values: Any) -> Any:
        if message.number == "POISON":
            raise RuntimeError
        return real(message, *values)

    monkeypatch.setattr(lifecycle, "record_message", note)
    given = [
        GivenFile("a.xml", b"<not"),
        GivenFile("b.xml", b"\x00\xff"),
        GivenFile("c.xml", good.replace(b">F1<", b">POISON<")),
        GivenFile("d.xml", good),
    ]
    report = import_statuses(given)
    assert [each["file"] for each in report.rejected] == ["a.xml", "b.xml", "c.xml"]
    assert all(each["reason"] for each in report.rejected)
    assert report.statuses


def test_alerts(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_machine: Any) -> None:
    """Our mail server cannot be reached and the mailer is silent: the disk that fills up is reported all the same."""
    settings.TECHNICAL_EMAIL = "informatique@exemple.fr"
    watching._missed.clear()
    cache.delete(watching._SAMPLES)
    record_heartbeat("mailer:1", MAILER)
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=10))

    def refuse(*_args: Any) -> Any:
        raise RuntimeError("poison")

    monkeypatch.setattr(watching, "make_transport", refuse)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**6, 10**6))
    watching.watch_from_worker(timezone.now())
    subjects = " ".join(Message.objects.values_list("subject", flat=True))
    assert "l’envoi des mails" in subjects
    assert "le disque des documents se remplit" in subjects


@pytest.mark.parametrize("one_mail_per_customer", [True, False])
def test_mails_of_customers(monkeypatch: pytest.MonkeyPatch, one_mail_per_customer: bool) -> None:
    poison, good = make_customer(name="Poison"), make_customer(name="Bonne")
    company = make_company()
    for customer in (poison, good):
        for _number in range(2):
            make_invoice(customer=customer, company=company)
    module, name = (announcing, "draft_customer_mail") if one_mail_per_customer else (announcing, "draft_invoice_mail")
    real = getattr(module, name)

    def draft(**values: Any) -> Draft:
        exported = values["exported"]
        first: Invoice = (exported[0] if isinstance(exported, list) else exported).invoice
        if first.customer_id == poison.pk:
            raise TypeError("poison")
        written: Draft = real(**values)
        return written

    monkeypatch.setattr(module, name, draft)
    criteria = Criteria(
        scope=Scope.ALL, generate_credentials=True, notify=True, one_mail_per_customer=one_mail_per_customer
    )
    export = start_export(export=create_export(criteria=criteria))
    run_lines(export)
    export.refresh_from_db()
    assert export.state == Export.State.DONE
    assert Invoice.objects.published().filter(customer=good).count() == 2
    account = Account.objects.get(accesses__customer=good)
    assert Message.objects.filter(recipient=account.login).count() == (1 if one_mail_per_customer else 2)
    of_poison = ExportItem.objects.filter(invoice__customer=poison)
    assert all("TypeError" in f"{item.error} {item.note}" for item in of_poison)
    assert publishing.State.CLAIMED not in set(of_poison.values_list("state", flat=True))
