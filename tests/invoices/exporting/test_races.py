"""Two things at the same moment: an import beside an export, two lists, a retry beside the end of a run."""

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, transaction

from invoices.exporting import exports
from invoices.exporting.counts import count_items
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, pause_export, retry_failures, start_export
from invoices.exporting.run import announcing, mails, publishing
from invoices.exporting.run.freezing import freeze_lines, prepare_lines
from invoices.exporting.run.publishing import commit_lines, write_drafts
from invoices.exporting.run.worker import claim_lines, finish_export, release_lines, run_lines
from invoices.importing.run import import_erp
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing.models import Message
from tests.support.factories import make_company, make_customer, make_invoice
from tests.support.pdf_structure import text_of

pytestmark = pytest.mark.django_db

State = ExportItem.State
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)


def import_invoice(folder: Path, *, net: str, vat: str, total: str) -> None:
    """Import an ERP's tables of one customer and one invoice of one line with these amounts."""
    tables = {
        "clients.csv": ("code;raison_sociale;email;nb_factures", "C1;Client un;un@client.example;D"),
        "factures.csv": (
            "numero;date;code_client;total_ht;total_tva;total_ttc",
            f"F1;07/06/2025;C1;{net};{vat};{total}",
        ),
        "lignes.csv": (
            "numero;designation;quantite;prix_unitaire_ht;taux_tva;total_ht",
            f"F1;Prestation;1;{net};20;{net}",
        ),
    }
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        (folder / name).write_text("\n".join(rows) + "\n")
    assert import_erp([folder]).is_clean


def test_an_import_between_rendering_and_publishing_is_never_published_with_the_old_pdf(tmp_path: Path) -> None:
    make_company(is_default=True)
    import_invoice(tmp_path / "erp", net="100,00", vat="20,00", total="120,00")
    export = start_export(export=create_export(criteria=FULL))
    lines = prepare_lines(export, claim_lines(export, worker="slow"), FULL)
    freeze_lines(lines)
    write_drafts(export, FULL, lines)
    import_invoice(tmp_path / "erp", net="200,00", vat="40,00", total="240,00")

    ended = commit_lines(export, lines, FULL, worker="slow")

    item = ExportItem.objects.get()
    assert (ended, item.state, item.claimed_by, item.lease_until, item.attempts) == (0, State.READY, "", None, 0)
    assert not Invoice.objects.published().exists()
    assert not Document.objects.exists()
    assert not Message.objects.exists()

    assert run_lines(export) == 1

    with default_storage.open(Document.objects.get().storage_name) as file:
        text = text_of(file.read())
    assert "240,00" in text
    assert "120,00" not in text
    assert Message.objects.count() == 1
    assert ExportItem.objects.get().credentials == 1


def test_two_lists_made_at_once_have_numbers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    make_invoice()
    first = create_export(criteria=FULL)
    look = exports._last_number
    # What the second finds who looked before the first was kept, and then looks again.
    found = iter([lambda: first.number - 1])
    monkeypatch.setattr(exports, "_last_number", lambda: next(found, look)())

    second = create_export(criteria=FULL)

    assert (first.number, second.number) == (1, 2)
    assert second.items.count() == 1


def test_failures_tried_again_while_a_run_ends_are_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    make_invoice()
    criteria = Criteria(generate_credentials=True, notify=True, one_mail_per_customer=True)
    export = start_export(export=create_export(criteria=criteria))
    ExportItem.objects.update(state=State.FAILED, error="plus de place")
    monkeypatch.setattr(
        "invoices.exporting.run.worker.announce_finished_customers", lambda *_arguments: retry_failures(export=export)
    )

    assert finish_export(export) is False

    export.refresh_from_db()
    assert export.state == Export.State.RUNNING
    monkeypatch.undo()
    assert run_lines(export) == 1
    export.refresh_from_db()
    assert export.state == Export.State.DONE


def test_credentials_made_by_a_worker_that_dies_before_the_end_of_its_line_are_counted() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    prepare_lines(export, claim_lines(export, worker="dies here"), FULL)
    release_lines(export, worker="dies here")

    assert run_lines(export) == 1

    assert count_items(export).credentials == 1


def test_a_run_paused_while_its_last_lines_were_in_hand_has_ended() -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=FULL))
    lines = prepare_lines(export, claim_lines(export, worker="one"), FULL)
    pause_export(export=export)
    assert finish_export(export) is False
    freeze_lines(lines)
    write_drafts(export, FULL, lines)
    commit_lines(export, lines, FULL, worker="one")

    assert finish_export(export) is True

    export.refresh_from_db()
    assert export.state == Export.State.DONE
    assert export.finished_at is not None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("predefined_messages")
def test_two_workers_that_end_a_run_together_write_the_mail_of_a_customer_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    criteria = Criteria(generate_credentials=True, notify=True, one_mail_per_customer=True)
    make_invoice()
    export = start_export(export=create_export(criteria=criteria))
    monkeypatch.setattr("invoices.exporting.run.publishing.announce_finished_customers", lambda *_arguments: None)
    lines = prepare_lines(export, claim_lines(export, worker="one"), criteria)
    freeze_lines(lines)
    commit_lines(export, lines, criteria, worker="one")
    # Both would be at the writing of the mail at the same time; the second has to wait for the first instead.
    both = threading.Barrier(2)
    draft = mails.draft_customer_mail

    def draft_together(**given: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)
        return draft(**given)

    monkeypatch.setattr(announcing, "draft_customer_mail", draft_together)

    def finish() -> bool:
        try:
            return finish_export(export)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert [ended.result() for ended in (threads.submit(finish), threads.submit(finish))] == [True, True]

    assert (Message.objects.count(), Delivery.objects.count()) == (1, 1)
    assert ExportItem.objects.get().mails == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("predefined_messages")
def test_two_workers_publish_lines_of_one_export_and_of_the_same_customers_at_the_same_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    customers = [make_customer(), make_customer()]
    for _turn in range(2):
        for customer in customers:
            make_invoice(customer=customer)
    export = start_export(export=create_export(criteria=FULL))
    prepared = {}
    for worker in ("one", "two"):
        prepared[worker] = prepare_lines(export, claim_lines(export, worker=worker, count=2, least=2), FULL)
        freeze_lines(prepared[worker])
        write_drafts(export, FULL, prepared[worker])
    # Each has its lines locked and published by then, and its mails still to write.
    both = threading.Barrier(2)
    write = announcing.write_line_mails

    def write_together(mails: Any) -> None:
        both.wait(timeout=10)
        write(mails)

    monkeypatch.setattr(publishing, "write_line_mails", write_together)

    def commit(worker: str) -> int:
        try:
            return commit_lines(export, prepared[worker], FULL, worker=worker)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(commit, prepared)) == [2, 2]

    assert not both.broken
    assert ExportItem.objects.filter(state=State.PUBLISHED).count() == Delivery.objects.count() == 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_claims_in_the_middle_of_anothers_claim_gets_what_that_one_leaves() -> None:
    for _number in range(8):
        make_invoice()
    export = start_export(export=create_export(criteria=FULL))

    def claim_meanwhile() -> int:
        try:
            return len(claim_lines(export, worker="two", count=8))
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as thread:
        first = len(claim_lines(export, worker="one", count=8))
        second = thread.submit(claim_meanwhile).result(timeout=10)

    # The second sees eight lines, as the first did, and takes half of them: had it found none, it would have ended.
    assert (first, second) == (4, 4)


@pytest.mark.parametrize("with_export", [False, True])
def test_who_asks_for_json_gets_an_object_also_where_there_is_nothing_to_do(
    capsys: pytest.CaptureFixture[str], with_export: bool
) -> None:
    arguments = ["--resume"]
    if with_export:
        arguments = ["--retry", str(create_export(criteria=FULL).number)]

    call_command("export_invoices", *arguments, "--json")

    said = json.loads(capsys.readouterr().out)
    assert said == {
        "export": None,
        "candidates": 0,
        "ready": 0,
        "left_out": {},
        "published": 0,
        "failed": 0,
        "mails": 0,
        "credentials": 0,
    }
