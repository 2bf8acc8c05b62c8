"""Things that break while an export runs: it ends or goes on in good order, and running it again finishes the job."""

import errno
import json
import os
import signal
import sqlite3
import time
from collections import Counter, namedtuple
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import check_store_for, create_export, retry_failures, start_export
from invoices.exporting.run.freezing import prepare_lines
from invoices.exporting.run.worker import claim_lines, run_lines
from invoices.models import Document, Export, ExportItem, Invoice
from invoices.store.local import DocumentStorage
from invoices.store.probing import StoreUnavailableError
from tests.support.commands import Command
from tests.support.factories import make_account, make_customer, make_invoice
from tests.support.processes import INVOICES, MAKE_INVOICES, MAKE_PLAIN_INVOICES, START, Site, own_site
from tests.support.smtp_sink import Sink, closed_port, running

FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
State = ExportItem.State

SET_UP = f"{MAKE_INVOICES}{START}"
PUBLISHED = "SELECT count(*) FROM invoices_exportitem WHERE state = 'published'"


def states(site: Site) -> dict[str, int]:
    """How many lines are in which state."""
    return dict(site.rows("SELECT state, count(*) FROM invoices_exportitem GROUP BY state"))


def resume(site: Site, *options: str) -> Command:
    """``export_invoices --resume`` at work."""
    return site.start("export_invoices", "--resume", *options)


# ─── The command is interrupted ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("processes", ["1", "2"])
def test_ctrl_c_stops_after_the_lines_in_hand_and_says_what_remains(
    tmp_path: Path, django_db_setup: Any, processes: str
) -> None:
    with own_site(tmp_path) as site:
        site.ask(SET_UP)
        command = resume(site, "--processes", processes)
        site.wait_for(PUBLISHED, lambda count: count > 0)
        command.send_signal(signal.SIGINT)
        _output, errors = command.communicate(timeout=60)

        found = states(site)
        assert command.returncode == 1
        assert set(found) == {"published", "ready"}
        assert f"Interrompu, à exporter encore : {found['ready']} factures (export_invoices --resume)." in errors
        assert "Traceback" not in errors

        site.run("export_invoices", "--resume", "--processes", "1")
        assert states(site) == {"published": INVOICES}
        assert site.rows("SELECT count(*) FROM mailing_message") == [(INVOICES,)]


# ─── The database is cut ─────────────────────────────────────────────────────────────────────────────────────────────
def cut(site: Site) -> None:
    """Cut every connection to the database, as a restart of the server does; hold SQLite's lock for a while."""
    if site.database_url.startswith("sqlite"):
        with closing(sqlite3.connect(site.database_url.removeprefix("sqlite:///"), isolation_level=None)) as holder:
            holder.execute("PRAGMA busy_timeout = 10000")
            holder.execute("BEGIN EXCLUSIVE")
            time.sleep(3)
            holder.execute("ROLLBACK")
        return
    site.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_a_run_whose_database_is_cut_goes_on_by_itself(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path) as site:
        site.ask(SET_UP)
        command = resume(site, "--processes", "2")
        for published in (1, INVOICES // 2):
            site.wait_for(PUBLISHED, lambda count, least=published: count >= least)  # type: ignore[misc]
            cut(site)
        output, errors = command.communicate(timeout=120)

        assert command.returncode == 0, output + errors
        assert states(site) == {"published": INVOICES}
        assert site.rows("SELECT count(*) FROM mailing_message") == [(INVOICES,)]
        assert site.rows("SELECT count(DISTINCT invoice_id), count(*) FROM invoices_document") == [(INVOICES, INVOICES)]


# ─── The store is full, or refuses ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "le disque est plein"),
        (errno.EROFS, "le dossier des documents est en lecture seule"),
        (errno.EACCES, "le dossier des documents refuse l’écriture"),
    ],
)
def test_a_store_that_refuses_fails_the_line_in_french_leaves_nothing_and_a_retry_ends_it(
    monkeypatch: pytest.MonkeyPatch, code: int, reason: str
) -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))

    def refuse(_file: int) -> None:
        raise OSError(code, os.strerror(code))

    # The bytes are written, and the disk refuses them at the end.
    monkeypatch.setattr("invoices.store.local.os.fsync", refuse)
    run_lines(export)

    item = export.items.get()
    assert item.state == State.FAILED
    assert item.error == f"Le document n’a pas pu être enregistré : {reason}"
    assert not Document.objects.exists()
    assert not Invoice.objects.published().exists()
    assert item.mails == 0
    assert list(Path(default_storage.path("2025")).iterdir()) == []

    monkeypatch.undo()
    assert retry_failures(export=export) == 1
    run_lines(start_export(export=Export.objects.get()))
    assert export.items.get().state == State.PUBLISHED
    assert isinstance(default_storage._wrapped, DocumentStorage)  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_a_run_stops_after_a_few_refusals_says_it_once_and_goes_on_when_the_store_is_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for _number in range(40):
        make_invoice(customer=make_customer(kind="individual"))  # no e-invoice, whose check takes as long as the PDF
    export = start_export(export=create_export(criteria=FULL))

    def refuse(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("invoices.store.local.os.fsync", refuse)
    for _try in range(3):
        with pytest.raises(StoreUnavailableError, match="le disque est plein"):
            run_lines(Export.objects.get())

    states = Counter(export.items.values_list("state", flat=True))
    assert states[State.FAILED] <= 10
    assert states[State.FAILED] + states[State.READY] == 40
    said = [record for record in caplog.records if "disque est plein" in record.getMessage()]
    assert len(said) == 1
    assert not any(record.exc_info for record in caplog.records)
    with pytest.raises(StoreUnavailableError):
        check_store_for(export)

    monkeypatch.undo()
    check_store_for(export)
    run_lines(Export.objects.get())
    assert set(export.items.values_list("state", flat=True)) == {State.PUBLISHED}
    export.refresh_from_db()
    assert (export.state, export.trouble) == (Export.State.DONE, "")


@pytest.mark.django_db
def test_a_disk_too_small_for_the_list_is_said_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    make_invoice()
    export = create_export(criteria=FULL)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10**9, 10**9, 2_000))
    with pytest.raises(StoreUnavailableError, match="il reste 0 Mo sur le disque"):
        check_store_for(export)


def test_the_command_says_in_one_sentence_that_the_store_takes_nothing(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path) as site:
        site.ask("from tests.support.factories import make_invoice\nmake_invoice()")
        (tmp_path / "file").write_text("")
        site.environment["DOCUMENTS_ROOT"] = str(tmp_path / "file")
        _output, errors = site.start("export_invoices", "--generate-credentials").communicate(timeout=60)
        assert "Le stockage des documents ne répond pas" in errors
        assert "Traceback" not in errors
        assert states(site) == {"ready": 1}


def test_writes_that_break_off_in_the_midst_fail_their_lines_and_a_retry_ends_them(
    tmp_path: Path, django_db_setup: Any
) -> None:
    with own_site(tmp_path) as site:
        site.ask(f"{MAKE_PLAIN_INVOICES}{START}")
        # No file of this process may pass so many bytes: the write breaks off in the midst.
        script = (
            "import resource, signal, sys\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "from invoices.store.local import DocumentStorage\n"
            "theirs = DocumentStorage._save\n"
            "def limited(self, name, content):\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
            "    try:\n"
            "        return theirs(self, name, content)\n"
            "    finally:\n"
            "        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
            "DocumentStorage._save = limited\n"
            "from invoices.exporting.run import freezing\n"
            "freezing.STORING_THREADS = 1\n"
            "from invoices.models import Export\n"
            "from invoices.exporting.run.worker import run_lines\n"
            "answer = run_lines(Export.objects.get())\n"
        )
        assert site.ask(script) == INVOICES
        assert states(site) == {"failed": INVOICES}
        errors = site.rows("SELECT DISTINCT error FROM invoices_exportitem")
        assert errors == [("Le document n’a pas pu être enregistré : le fichier dépasse la taille permise",)]
        assert [path for path in (tmp_path / "documents").rglob("*") if path.is_file()] == []

        site.run("export_invoices", "--retry", "1")
        assert states(site) == {"published": INVOICES}


# ─── The mail server is down ─────────────────────────────────────────────────────────────────────────────────────────
def test_with_the_mail_server_down_all_is_published_nothing_called_sent_and_only_these_mails_are_tried_again(
    tmp_path: Path, django_db_setup: Any
) -> None:
    count = "SELECT state, count(*) FROM mailing_message GROUP BY state"
    down = closed_port()
    with own_site(tmp_path, EMAIL_URL=f"smtp://127.0.0.1:{down}") as site:
        # Mails of an earlier export that arrived: they must not leave again.
        site.ask(
            "from tests.support.factories import make_customer, make_invoice\n"
            "customer = make_customer(kind='individual')\n"
            "for number in range(3):\n"
            "    make_invoice(customer=customer)\n"
        )
        choices = ("--generate-credentials", "--notify", "--attach-pdf")
        sink = Sink()
        with running(sink) as port:
            site.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
            site.run("export_invoices", *choices)
            site.run("send_queued_mail")
        assert site.rows(count) == [("accepted", 3)]

        site.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{down}"
        site.ask(
            "from tests.support.factories import make_customer, make_invoice\n"
            "customers = [make_customer(code=f'B{number}', kind='individual') for number in range(5)]\n"
            "for number in range(50):\n"
            "    make_invoice(customer=customers[number % 5], number=f'B{number}')\n"
        )
        site.run("export_invoices", *choices)
        site.run("send_queued_mail", check=False)
        assert states(site)["published"] == 53
        assert dict(site.rows(count)) == {"accepted": 3, "deferred": 50}
        reasons = site.rows("SELECT DISTINCT reason FROM mailing_message WHERE state = 'deferred'")
        assert all(reason for (reason,) in reasons)

        retried = site.ask(
            "from invoices.models import Export\n"
            "from invoices.exporting.exports import retry_failed_mails\n"
            "answer = retry_failed_mails(export=Export.objects.get(number=2), by='Comptabilité')\n"
        )
        assert retried == 50
        assert dict(site.rows(count)) == {"accepted": 3, "queued": 50}
        again = Sink()
        with running(again) as port:
            site.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
            site.run("send_queued_mail")
        assert len(again.mails) == 50
        assert set(Counter(again.message_ids).values()) == {1}
        assert not set(again.message_ids) & set(sink.message_ids)
        assert site.rows(count) == [("accepted", 53)]


# ─── What a run costs, and who did what ──────────────────────────────────────────────────────────────────────────────
def statements_of_a_run(invoices: int, origin: str = Invoice.Origin.CSV) -> int:
    """How many statements on tables an export of so many invoices of ten customers with accounts takes.

    Those of ``origin`` PDF came with their document. Left out: what asks PostgreSQL for its clock, which every lease
    goes by.
    """
    # Individuals: no e-invoice, whose check is made and remembered apart.
    customers = [make_customer(kind="individual") for _number in range(10)]
    for number in range(invoices):
        make_invoice(customer=customers[number % 10])
    run_lines(start_export(export=create_export(criteria=FULL)))  # makes the accounts, with another list's lines
    for number in range(invoices):
        invoice = make_invoice(customer=customers[number % 10], origin=origin)
        if origin == Invoice.Origin.PDF:
            _receive(invoice)
    export = start_export(export=create_export(criteria=FULL))
    with CaptureQueriesContext(connection) as captured:
        assert run_lines(export) == invoices
    return sum("clock_timestamp" not in query["sql"] for query in captured.captured_queries)


@pytest.mark.django_db
def test_a_line_costs_the_fewer_statements_the_more_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoices.exporting.run.freezing.render_document", _quick)
    for limit in ("SECONDS_PER_CLAIM", "SECONDS_PER_COMMIT"):  # a busy machine takes fewer lines at once
        monkeypatch.setattr(f"invoices.exporting.run.worker.{limit}", 600.0)
    few, many = statements_of_a_run(10), statements_of_a_run(100)

    # Besides: for each batch one of the trail and one of the words to search by, for the run one that says how values
    # are compressed and one for its end.
    assert few <= 10 * 6 + 8
    assert many <= 100 * 2


@pytest.mark.django_db
def test_no_line_costs_a_statement_of_its_own_for_the_document_that_came_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("invoices.exporting.run.freezing.render_document", _quick)
    for limit in ("SECONDS_PER_CLAIM", "SECONDS_PER_COMMIT"):
        monkeypatch.setattr(f"invoices.exporting.run.worker.{limit}", 600.0)

    # Seven batches, of 16 lines at first, then of half of those left, of twenty statements and some savepoints each.
    assert statements_of_a_run(100, Invoice.Origin.PDF) <= 7 * 28


@pytest.mark.django_db
def test_the_companies_and_customers_of_received_documents_are_read_once_for_all_lines_in_hand() -> None:
    customers = [make_customer() for _number in range(3)]
    for customer in customers:
        make_account(customer)
    for number in range(30):
        _receive(make_invoice(customer=customers[number % 3], origin=Invoice.Origin.PDF))
    export = start_export(export=create_export(criteria=FULL))
    items = claim_lines(export, worker="one")
    with CaptureQueriesContext(connection) as captured:
        lines = prepare_lines(export, items, FULL)

    assert len(lines) == len(items) > 3
    assert len({id(line.invoice.company) for line in lines}) == 1
    assert len({id(line.invoice.customer) for line in lines}) == 3
    # Invoices, companies, customers, recipients, accounts, lines and documents.
    assert len(captured) == 7


def _receive(invoice: Invoice) -> None:
    source, name = Document.Source.RECEIVED, f"received/{invoice.pk.hex}.pdf"
    Document.objects.create(invoice=invoice, source=source, storage_name=name, sha256="0" * 64, size=9)


def _quick(invoice: Invoice, einvoice: Any = None) -> Any:
    from invoices.documents.rendering import Rendering

    return Rendering(content=b"%PDF-1.7 " + invoice.pk.bytes, profile="", xml_sha256="", template="")


@pytest.mark.django_db
def test_the_last_lines_of_a_fast_run_are_not_cut_into_ever_smaller_claims() -> None:
    for _number in range(100):
        make_invoice()
    export = start_export(export=create_export(criteria=FULL))

    fast = [len(claim_lines(export, worker="one", count=360, least=30)) for _claim in range(4)]
    ExportItem.objects.filter(state=State.CLAIMED).update(
        state=State.READY, claimed_by="", lease_until=None, attempts=0
    )
    slow = [len(claim_lines(export, worker="one", count=40, least=2)) for _claim in range(8)]

    # Half of what is left, but as many as a claim is worth: it costs as much as many lines of a fast run.
    assert fast == [50, 30, 20, 0]
    assert slow == [40, 30, 15, 8, 4, 2, 1, 0]


@pytest.mark.django_db
def test_after_a_death_each_line_is_taken_alone_so_that_the_innocent_are_not_given_up() -> None:
    for _number in range(12):
        make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    claimed = claim_lines(export, worker="killed", count=8, least=8)
    assert len(claimed) == 8
    ExportItem.objects.filter(state=State.CLAIMED).update(state=State.READY, claimed_by="", lease_until=None)

    fresh = claim_lines(export, worker="next", count=8)
    alone = claim_lines(export, worker="next", count=8)

    assert {item.attempts for item in fresh} == {0}
    assert not {item.pk for item in fresh} & {item.pk for item in claimed}
    assert len(alone) == 1


def test_processes_share_an_export_with_no_line_done_twice(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path) as site:
        site.ask(f"{MAKE_PLAIN_INVOICES}{START}")
        # Each process writes down what it committed; the database itself holds who did which line only meanwhile.
        script = (
            "from invoices.exporting.run import worker as engine\n"
            "from invoices.models import Export\n"
            "theirs, done = engine.commit_lines, []\n"
            "def noted(export, lines, criteria, *, worker):\n"
            "    count = theirs(export, lines, criteria, worker=worker)\n"
            "    done.extend(line.item.pk for line in lines)\n"
            "    assert count == len(lines)\n"
            "    return count\n"
            "engine.commit_lines = noted\n"
            "engine.run_lines(Export.objects.get())\n"
            "answer = done\n"
        )
        workers = [site.start_script(script) for _worker in range(4)]
        shares = [json.loads(worker.communicate(timeout=200)[0].splitlines()[-1]) for worker in workers]

        done = Counter(pk for share in shares for pk in share)
        assert len(done) == INVOICES
        assert set(done.values()) == {1}
        assert sum(bool(share) for share in shares) >= 2
        assert states(site) == {"published": INVOICES}
