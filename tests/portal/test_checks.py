"""``check --deploy`` names what an installation should not have: each has its id, and its opposite says nothing."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, Tags, run_checks
from django.db import connection
from django.test import Client
from django.utils import timezone

from invoices.store.exposure import _allows_everybody
from mailing.heartbeats import MAILER, WORKER, record_heartbeat
from mailing.models import WorkerPulse
from portal.storage_address import read_storage_url
from tests.support.factories import make_company
from tests.support.s3_store import running_s3
from tests.support.smtp_sink import closed_port

pytestmark = pytest.mark.django_db


def found() -> dict[str, CheckMessage]:
    """Our own checks that speak, by their ids."""
    messages = run_checks(tags=[Tags.security], include_deployment_checks=True)
    return {message.id: message for message in messages if message.id and message.id.startswith("portal.")}


def collect(settings: Any, folder: Path) -> None:
    """The static files as ``collectstatic`` would leave them, without their fingerprints."""
    settings.STATIC_ROOT = folder
    names = [
        path.relative_to(source).as_posix()
        for source in settings.STATICFILES_DIRS
        for path in Path(source).rglob("*")
        if path.is_file()
    ]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "staticfiles.json").write_text(json.dumps({"paths": {name: name for name in names}}))


def test_an_installation_as_it_should_be_passes_its_checks(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_URL, settings.IS_HTTPS = "https://factures.example.com", True
    settings.ALLOWED_HOSTS = [".example.com"]
    settings.EMAIL_URL, settings.TRUSTED_PROXIES = "smtp://localhost", (1, ())
    settings.DOCUMENTS_ROOT = tmp_path / "not" / "yet"
    collect(settings, tmp_path / "static")
    assert set(found()) == set()


def test_what_is_wrong_in_production_is_named(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_URL, settings.IS_HTTPS = "http://factures.example.com", False
    settings.ALLOWED_HOSTS = ["autre.example.com"]
    settings.EMAIL_URL = ""
    collect(settings, tmp_path)
    settings.DOCUMENTS_ROOT = tmp_path / "documents"
    settings.DKIM_PRIVATE_KEY = str(tmp_path / "missing.pem")
    expected = {"portal.E001", "portal.E002", "portal.E004", "portal.W001", "portal.W002", "portal.W006"}
    assert set(found()) == expected


def test_https_without_a_proxy_that_is_trusted_is_named(settings: Any) -> None:
    settings.IS_HTTPS, settings.TRUSTED_PROXIES, settings.EMAIL_URL = True, (), "smtp://localhost"
    assert "portal.W003" in set(found())


def test_a_database_of_one_machine_for_several_is_named(settings: Any) -> None:
    settings.TASKS_BACKEND = "redis://127.0.0.1:6379/0"
    assert ("portal.W005" in set(found())) is (connection.vendor == "sqlite")


def test_every_check_says_what_to_do(settings: Any, tmp_path: Path) -> None:
    settings.IS_HTTPS, settings.EMAIL_URL, settings.STATIC_ROOT = False, "", tmp_path
    assert all(message.hint for message in found().values())


def test_a_file_that_is_no_key_and_half_of_the_settings_of_dkim_are_named(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "dkim.pem").write_text("no key")
    settings.DKIM_PRIVATE_KEY = str(tmp_path / "dkim.pem")
    assert {"portal.E006", "portal.W006"} <= set(found())
    assert "DKIM_DOMAIN, DKIM_SELECTOR est vide" in str(found()["portal.W006"].msg)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_roots_of_time_stamps_that_cannot_be_read_are_named(
    settings: Any, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "roots.pem"
    if content is not None:
        file.write_bytes(content)
    settings.TIMESTAMP_CA_FILE = str(file)
    assert "portal.E007" in found()


def test_a_folder_of_the_erp_that_is_not_there_is_named(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_FOLDER = str(tmp_path)
    assert "portal.E008" not in found()
    settings.IMPORT_FOLDER = str(tmp_path / "depot")
    assert "portal.E008" in found()


def test_a_static_file_that_was_not_collected_is_named(settings: Any, tmp_path: Path) -> None:
    collect(settings, tmp_path)
    assert "portal.W007" not in found()
    next(path for path in tmp_path.rglob("*.css")).unlink()
    assert ".css" in str(found()["portal.W007"].msg)
    (tmp_path / "staticfiles.json").unlink()
    assert "staticfiles.json" in str(found()["portal.W007"].msg)


@pytest.mark.parametrize("path", ["/connexion/", "/nulle-part/"])
def test_a_page_without_its_static_files_says_so_in_french(settings: Any, tmp_path: Path, path: str) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "portal.static_files.StaticStorage"},
    }
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == 503
    assert "manage.py collectstatic" in answer.content.decode()


def test_an_issuer_whose_legal_identity_lacks_something_is_named_with_what_lacks() -> None:
    make_company()
    assert "portal.W011" not in found()
    make_company(name="Bois du Nord", siren="", siret="", vat_identifier="", vat_exemption="")
    said = str(found()["portal.W011"].msg)
    assert "Bois du Nord" in said
    assert "SIREN" in said


def test_machines_whose_clock_or_time_zone_differs_are_named() -> None:
    record_heartbeat("seul:12:ab", WORKER)
    assert not {"portal.W009", "portal.W010", "portal.W012"} & set(found())
    WorkerPulse.objects.create(name="lente:3:cd", role=MAILER, clock_offset=-600, time_zone="Europe/Paris")
    WorkerPulse.objects.create(name="loin:4:ef", role=MAILER, clock_offset=0.2, time_zone="Asia/Tokyo")
    said = found()
    assert str(said["portal.W009"].msg).startswith("L’horloge de lente retarde de 600 s")
    assert str(said["portal.W010"].msg).startswith("loin compte ses jours à l’heure de Asia/Tokyo")
    assert ("portal.W012" in said) is (connection.vendor == "sqlite")


def test_a_sign_of_life_of_an_older_program_is_no_disagreement() -> None:
    WorkerPulse.objects.create(name="avant:1:aa", role=WORKER, seen_at=timezone.now())
    assert not {"portal.W009", "portal.W010"} & set(found())


@pytest.mark.postgresql
def test_a_clock_of_this_machine_that_is_not_the_databases_is_named(time_machine: Any) -> None:
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=10))
    assert str(found()["portal.W009"].msg).startswith("L’horloge de cette machine avance de 6")


@pytest.mark.postgresql
def test_a_process_whose_clock_is_off_says_so_once(time_machine: Any, caplog: pytest.LogCaptureFixture) -> None:
    time_machine.move_to(timezone.now() + datetime.timedelta(minutes=10))
    for _beat in range(3):
        record_heartbeat("seul:12:cd", WORKER)
    (said,) = [record.message for record in caplog.records if "this clock is" in record.message]
    assert said.startswith("seul:12:cd: this clock is 6")


@pytest.fixture
def bucket(settings: Any) -> Iterator[Any]:
    """The client of an S3 store that keeps one document in a bucket, which the settings name."""
    with running_s3("coffre") as (address, client):
        settings.DOCUMENTS_STORAGE_URL = address
        settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(address)}
        client.put_object(Bucket="coffre", Key="portail/a b/é.pdf", Body=b"%PDF")
        yield client


POLICY = {
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::coffre/*"}]
}


def test_a_bucket_is_asked_whether_it_is_public(bucket: Any) -> None:
    assert "portal.E009" not in found()
    bucket.put_bucket_policy(Bucket="coffre", Policy=json.dumps(POLICY))
    assert "sa politique d’accès l’ouvre à tous" in str(found()["portal.E009"].msg)
    bucket.delete_bucket_policy(Bucket="coffre")
    bucket.put_bucket_acl(Bucket="coffre", ACL="public-read")
    assert "ses droits (ACL) l’ouvrent à tous" in str(found()["portal.E009"].msg)
    bucket.put_bucket_acl(Bucket="coffre", ACL="private")
    bucket.put_object_acl(Bucket="coffre", Key="portail/a b/é.pdf", ACL="public-read")
    assert "un document s’y lit sans clé" in str(found()["portal.E009"].msg)


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}, True),
        ({"Principal": {"AWS": "arn:aws:iam::1:root"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
    ],
)
def test_a_policy_is_open_where_it_allows_everybody_without_a_condition(change: dict[str, Any], is_open: bool) -> None:
    assert _allows_everybody(json.dumps({"Statement": {**POLICY["Statement"][0], **change}})) is is_open


def test_a_bucket_that_does_not_answer_or_is_not_there_is_said_not_to(settings: Any, bucket: Any) -> None:
    said = settings.STORAGES["default"]["OPTIONS"]
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {**said, "bucket_name": "autre"}},
    }
    assert "NoSuchBucket" in str(found()["portal.W008"].msg)
    address = f"s3://key:secret@127.0.0.1:{closed_port()}/factures?tls=0"
    settings.STORAGES = {**settings.STORAGES, "default": read_storage_url(address)}
    assert "le stockage ne répond pas" in str(found()["portal.W008"].msg)
