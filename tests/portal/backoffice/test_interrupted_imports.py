"""Imports whose worker died, was never called or ends each time: they are taken up again, or given up."""

import datetime
import os
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from customers.models import Account, Customer
from invoices.importing import batches
from invoices.importing.run import import_erp
from invoices.models import ImportBatch
from tests.support.import_files import TABLES, as_csv
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db

URL = "/gestion/invoices/importbatch/"
CUSTOMERS = as_csv(TABLES["clients"]).encode()


def keep_file() -> dict[str, Any]:
    """A file of two customers in the store, as a batch names it."""
    name = default_storage.save("imports/kept", SimpleUploadedFile("kept", CUSTOMERS))
    return {"name": "clients.csv", "size": len(CUSTOMERS), "storage_name": name}


def test_an_import_whose_worker_died_is_taken_up_again_and_two_workers_do_not_share_one(staff: Account) -> None:
    batch = ImportBatch.objects.create(
        author=staff,
        state="importing",
        lease_until=timezone.now() + datetime.timedelta(minutes=10),
        files=[keep_file()],
    )
    assert batches.do_batch(batch).state == "importing"
    assert not Customer.objects.exists()

    let_pass(datetime.timedelta(minutes=11), ImportBatch)
    assert batches.wake_stalled_batches() == 1
    assert batches.do_batch(batch).state == "imported"
    assert Customer.objects.count() == 2


def test_an_import_whose_call_was_lost_is_taken_up_by_the_sweep(
    staff_client: Client, staff: Account, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(batches, "REQUEST_BYTES", 10)
    with django_capture_on_commit_callbacks(execute=True):
        file = SimpleUploadedFile("clients.csv", CUSTOMERS)
        staff_client.post(f"{URL}add/", {"documents": [file]})
    batch = ImportBatch.objects.get()
    DBTaskResult.objects.all().delete()

    let_pass(datetime.timedelta(seconds=40), ImportBatch)
    assert batches.wake_stalled_batches() == 0  # the worker may only be busy
    let_pass(datetime.timedelta(seconds=30), ImportBatch)
    assert batches.wake_stalled_batches() == 1
    assert batches.wake_stalled_batches() == 0
    call = DBTaskResult.objects.get()
    assert call.task.call(*call.args_kwargs["args"]) == "checked"

    # The same for an import that was confirmed days after its files came.
    let_pass(datetime.timedelta(days=3), ImportBatch)
    with django_capture_on_commit_callbacks(execute=True):
        batches.confirm_batch(batch=batch)
    DBTaskResult.objects.all().delete()
    let_pass(datetime.timedelta(seconds=40), ImportBatch)
    assert batches.wake_stalled_batches() == 0
    let_pass(datetime.timedelta(seconds=30), ImportBatch)
    assert batches.wake_stalled_batches() == 1
    call = DBTaskResult.objects.get()
    assert call.task.call(*call.args_kwargs["args"]) == "imported"
    assert Customer.objects.count() == 2


@pytest.mark.parametrize("state", ["received", "importing"])
def test_a_batch_from_before_that_was_never_begun_is_taken_up(staff: Account, state: str) -> None:
    batch = ImportBatch.objects.create(
        author=staff, state=state, files=[keep_file()], created_at=timezone.now() - datetime.timedelta(days=1)
    )

    assert batches.wake_stalled_batches() == 1
    assert batches.do_batch(batch).state == ("checked" if state == "received" else "imported")
    assert batches.wake_stalled_batches() == 0


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("received", "Le contrôle a été interrompu 3 fois de suite : il est abandonné, et rien n’est écrit."),
        (
            "importing",
            "L’import a été interrompu 3 fois de suite : il est abandonné. Ce qui était déjà importé le reste",
        ),
    ],
)
def test_a_batch_that_was_interrupted_three_times_gives_up_with_a_sentence(
    staff_client: Client, staff: Account, state: str, sentence: str
) -> None:
    lost = {"name": "clients.csv", "size": 10, "storage_name": "imports/gone"}
    batch = ImportBatch.objects.create(author=staff, state=state, files=[lost])

    for attempt in range(3):
        let_pass(datetime.timedelta(minutes=11), ImportBatch)
        assert batches.wake_stalled_batches() == 1, attempt
        with pytest.raises(FileNotFoundError):
            batches.do_batch(batch)
        assert batches.wake_stalled_batches() == 0
    let_pass(datetime.timedelta(minutes=11), ImportBatch)
    assert batches.wake_stalled_batches() == 1
    assert batches.do_batch(batch).state == "rejected"
    let_pass(datetime.timedelta(days=1), ImportBatch)
    assert batches.wake_stalled_batches() == 0

    page = staff_client.get(f"{URL}{batch.pk}/change/").content.decode()
    assert "Abandonné après plusieurs interruptions." in page
    assert sentence in page


@pytest.mark.parametrize("state", ["received", "importing"])
def test_a_good_file_whose_workers_are_killed_is_not_to_blame(staff: Account, state: str) -> None:
    batch = ImportBatch.objects.create(author=staff, state=state, files=[keep_file()], attempts=9)
    assert batches.do_batch(batch).state == ("checked" if state == "received" else "imported")


def test_a_file_that_ends_the_child_that_tries_it_is_given_up(staff: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    worker, real = os.getpid(), import_erp

    def die(*paths: Any, **options: Any) -> Any:
        if os.getpid() != worker:
            os._exit(70)
        return real(*paths, **options)

    monkeypatch.setattr("invoices.importing.batches.import_erp", die)
    batch = ImportBatch.objects.create(author=staff, files=[keep_file()])
    for ends, state in ((2, "checked"), (3, "rejected")):
        ImportBatch.objects.filter(pk=batch.pk).update(attempts=ends, state="received")
        batch.refresh_from_db()
        assert batches.do_batch(batch).state == state
    assert "interrompu 3 fois de suite" in batch.report["rejected"][0]["reason"]


def test_a_report_that_cannot_be_kept_counts_as_a_failure_of_the_files(
    staff: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = ImportBatch.objects.create(author=staff, state="received", files=[keep_file()])

    def fail(*_args: Any, **_options: Any) -> None:
        raise RuntimeError("the cache is away")

    with monkeypatch.context() as patch:
        patch.setattr(cache, "delete", fail)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                batches.do_batch(batch)
            let_pass(datetime.timedelta(minutes=11), ImportBatch)
    assert batches.do_batch(batch).state == "rejected"
    assert "interrompu 3 fois de suite" in batch.report["rejected"][0]["reason"]
