"""Documents on an S3 store, a real server on a real socket: exported, mailed, downloaded, verified, and away."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.test import Client

from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, retry_failures, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Document, Export, ExportItem, Invoice
from portal.storage_address import read_storage_url
from tests.support.factories import make_account, make_customer, make_invoice, make_published_invoice
from tests.support.processes import invoices_of, own_site
from tests.support.s3_store import running_s3
from tests.support.smtp_sink import closed_port


@pytest.fixture
def store() -> Iterator[str]:
    """The address of an S3 store with an empty bucket."""
    with running_s3("factures") as (address, _client):
        yield address


@pytest.fixture
def stored(store: str, settings: Any) -> str:
    """The same, used by this process."""
    settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(store)}
    return store


def test_an_export_by_several_processes_with_its_mails_and_its_verification(
    store: str, tmp_path: Path, django_db_setup: Any
) -> None:
    with own_site(tmp_path, DOCUMENTS_STORAGE_URL=store) as site:
        # More than one process takes at once, one in three with an e-invoice.
        site.ask(invoices_of(3, 12, individuals=2))
        choices = ("--generate-credentials", "--notify", "--attach-pdf", "--processes", "2")
        report = json.loads(site.run("export_invoices", *choices, "--json").stdout)
        assert (report["published"], report["failed"], report["mails"]) == (12, 0, 12)

        site.run("send_queued_mail")
        mails = [
            BytesParser(policy=policy.default).parsebytes(path.read_bytes())
            for path in (tmp_path / "mail").rglob("*.eml")
        ]
        attached = {
            hashlib.sha256(part.get_content()).hexdigest() for mail in mails for part in mail.iter_attachments()
        }
        assert attached == {row[0] for row in site.rows("SELECT sha256 FROM invoices_document")}
        assert len(attached) == 12

        verified = json.loads(site.run("verify_documents", "--json").stdout)
        assert verified == {
            "checked": 12,
            "missing": [],
            "altered": [],
            "unreadable": [],
            "orphans": [],
            "deleted": 0,
        }
        assert not (tmp_path / "documents").exists()


@pytest.mark.django_db
def test_the_space_and_the_archive_give_the_bytes_of_the_store(stored: str, client: Client) -> None:
    customer = make_customer()
    invoices = [make_published_invoice(b"%PDF-1.7 " + text, customer=customer) for text in (b"one", b"two")]
    client.force_login(make_account(customer), backend="customers.authentication.AccountBackend")

    answer = client.get(f"/factures/{invoices[0].pk}/pdf/")
    archive = client.get("/factures/archive.zip?annee=2025")

    assert b"".join(answer.streaming_content) == b"%PDF-1.7 one"  # type: ignore[attr-defined]
    with zipfile.ZipFile(io.BytesIO(b"".join(archive.streaming_content))) as opened:  # type: ignore[attr-defined]
        contents = {opened.read(name) for name in opened.namelist()}
    assert {b"%PDF-1.7 one", b"%PDF-1.7 two"} <= contents


@pytest.mark.django_db
def test_an_object_that_is_missing_is_reported_as_a_missing_file(stored: str) -> None:
    with pytest.raises(FileNotFoundError):
        default_storage.open("2025/none.pdf")


@pytest.mark.django_db
def test_a_store_that_is_away_fails_the_lines_in_french_and_a_retry_ends_them(
    stored: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    make_invoice()
    export = start_export(export=create_export(criteria=Criteria(generate_credentials=True, notify=True)))
    address = stored.replace(f":{urlsplit(stored).port}/", f":{closed_port()}/")
    settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(address)}

    run_lines(export)

    item = export.items.get()
    assert (item.state, item.mails) == (ExportItem.State.FAILED, 0)
    assert item.error == "Le document n’a pas pu être enregistré : le stockage ne répond pas"
    assert not Document.objects.exists()

    settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(stored)}
    assert retry_failures(export=export) == 1
    run_lines(start_export(export=Export.objects.get()))

    assert Invoice.objects.published().count() == 1
    assert default_storage.size(Document.objects.get().storage_name) == Document.objects.get().size


@pytest.mark.django_db
def test_a_bucket_that_does_not_exist_is_named_by_the_answer_of_the_store(stored: str, settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(stored.replace("factures", "autre"))}
    make_invoice()
    export = start_export(export=create_export(criteria=Criteria(generate_credentials=True)))

    run_lines(export)

    assert export.items.get().error == "Le document n’a pas pu être enregistré : le stockage refuse (NoSuchBucket)"


def test_the_address_says_everything() -> None:
    options = read_storage_url("s3://AKIA:se%2Fcret@s3.example:9000/seau/un/dossier?region=fr-par")["OPTIONS"]

    assert options == {
        "access_key": "AKIA",
        "secret_key": "se/cret",
        "endpoint_url": "https://s3.example:9000",
        "bucket_name": "seau",
        "location": "un/dossier",
        "region_name": "fr-par",
    }


@pytest.mark.parametrize(
    "address",
    [
        "seau",
        "s3://seau",
        "s3://cle@hote/seau",
        "http://cle:secret@hote/seau",
        "s3://cle:secret@hote:port/seau",
        "s3://cle:secret@hote/seau?reg=fr",
        "s3://cle:secret@hote/seau?region",
    ],
)
def test_an_address_of_another_form_stops_the_start(address: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DOCUMENTS_STORAGE_URL"):
        read_storage_url(address)
