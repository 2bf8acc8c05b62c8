"""What is backed up and put back is the installation: its database, and exactly the documents that it names."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from portal.backups.manifest import BackupError, BackupFile, Manifest
from portal.backups.restoring import restore
from portal.backups.writing import back_up
from tests.support.processes import Site, own_site

FILL = """
from customers.models import Customer
from invoices.models import Company
from tests.support.factories import make_company, make_customer, make_published_invoice
customer = Customer.objects.first() or make_customer()
company = Company.objects.first() or make_company()
for number in range({count}):
    name = "{salt}" + str(number)
    made = dict(customer=customer, company=company, number=name, content_hash=name)
    make_published_invoice(b"%PDF-1.7 document " + name.encode(), **made)
"""
GIVE_LOGOS = """
from django.core.files.base import ContentFile
company.logo.save("clair.svg", ContentFile(b"<svg/>"))
company.dark_logo.save("sombre.svg", ContentFile(b"<svg />"))
"""
CHAIN = """
from mailing.trail.actions import Action
from mailing.trail.chain import chain_new_entries
from mailing.trail.recording import record
for _act in range(3):
    record(Action.CHANGED)
chain_new_entries()
"""
CUT = """
from tests.support.trail import execute, lift_the_guard
lift_the_guard()
execute("DELETE FROM trail_link WHERE position = (SELECT max(position) FROM trail_link)")
"""
NAMES = "SELECT storage_name, sha256 FROM invoices_document ORDER BY id"


@pytest.fixture
def site(tmp_path: Path, db: None) -> Iterator[Site]:
    """An installation with three published invoices, and a file that no document names."""
    with own_site(tmp_path) as site:
        site.ask(FILL.format(count=3, salt="a"))
        (site.folder / "documents/2025").mkdir()
        (site.folder / "documents/2025/orphan.pdf").write_bytes(b"nobody's")
        yield site


def copies_in(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a backup's documents, by its name in the store."""
    documents = folder / "documents"
    return {
        str(path.relative_to(documents)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in documents.rglob("*")
        if path.is_file()
    }


def test_what_was_lost_comes_back_whole_and_sends_nothing(site: Site, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    said = json.loads(site.run("backup", str(backup), "--json").stdout)
    named = dict(site.rows(NAMES))

    assert (said["documents"], said["copied"], said["damaged"]) == (3, 3, [])
    assert copies_in(backup) == named
    sums = next(backup.glob("documents-*.sha256"))
    subprocess.run(["sha256sum", "--check", "--quiet", sums.name], cwd=backup, check=True)

    shutil.rmtree(site.folder / "documents")
    refused = site.run("restore", str(backup), check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "n’est pas vide" in refused.stderr
    site.rows("DELETE FROM invoices_invoiceline")
    site.run("restore", str(backup), "--force")

    assert dict(site.rows(NAMES)) == named
    assert site.rows("SELECT count(*) FROM invoices_invoiceline") == [(3,)]
    assert "0 en défaut" in site.run("verify_documents").stdout
    assert site.rows("SELECT count(*) FROM mailing_outboxcontrol WHERE paused_at IS NOT NULL") == [(1,)]


def test_a_later_backup_copies_what_is_new_mends_its_own_files_and_names_those_of_the_store(
    site: Site, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    site.run("backup", str(backup))
    (first, first_sum), (second, _sum), (third, third_sum) = site.rows(NAMES)
    (backup / "documents" / first).write_bytes(b"rotten")
    site.ask(FILL.format(count=2, salt="b") + GIVE_LOGOS + CHAIN)

    said = json.loads(site.run("backup", str(backup), "--json").stdout)
    copied = copies_in(backup)

    assert (said["documents"], said["copied"], said["reused"]) == (7, 5, 2)
    assert {copied.pop("logos/clair.svg"), copied.pop("logos/sombre.svg")} == {
        hashlib.sha256(content).hexdigest() for content in (b"<svg/>", b"<svg />")
    }
    assert copied == dict(site.rows(NAMES))
    assert len(list(backup.glob("database-*"))) == len(list(backup.glob("documents-*"))) == 1

    site.ask(CUT)
    run = site.run("backup", str(backup), check=False)
    assert (run.returncode, "Piste d’audit : La fin de la chaîne manque" in run.stdout) == (1, True)

    (site.folder / "documents" / first).unlink()
    (site.folder / "documents" / second).write_bytes(b"something else")
    run = site.run("backup", str(tmp_path / "another"), check=False)
    assert run.returncode == 1
    assert f"manquant : {first}" in run.stdout
    assert f"altéré : {second}" in run.stdout
    copies = copies_in(tmp_path / "another")
    assert (len(copies), copies[third], first_sum in copies.values()) == (5, third_sum, False)  # with the two logos


def test_one_changed_byte_of_a_backup_is_named_before_anything_is_touched(site: Site, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    site.run("backup", str(backup))
    site.rows("UPDATE invoices_company SET name = 'kept'")
    for kind in ("documents/tests/*.pdf", "documents-*.sha256", "database-*"):
        path = next(backup.glob(kind))
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

        run = site.run("restore", str(backup), "--force", check=False)

        assert (run.returncode, run.stderr.count("\n")) == (1, 1)
        assert path.name in run.stderr
        assert site.rows("SELECT DISTINCT name FROM invoices_company") == [("kept",)]
        path.write_bytes(content)
    next(backup.glob("documents/tests/*.pdf")).unlink()
    assert site.run("restore", str(backup), "--force", "--accept-damaged", check=False).returncode == 1
    assert site.rows("SELECT count(*) FROM invoices_company WHERE name = 'kept'") == [(0,)]


def test_a_backup_while_documents_are_written_holds_what_it_names_and_a_full_disk_leaves_it_whole(
    site: Site, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    busy = site.start_script(FILL.format(count=60, salt="busy"))
    said = json.loads(site.run("backup", str(backup), "--json").stdout)
    assert busy.wait(60) == 0
    before = (backup / "manifest.json").read_text()
    (backup / ".manifest.json.partial").symlink_to("/dev/full")  # the device of Linux on which nothing fits

    run = site.run("backup", str(backup), check=False)

    assert (run.returncode, run.stderr.count("\n")) == (1, 1)
    assert "le disque est plein" in run.stderr
    assert (backup / "manifest.json").read_text() == before
    site.run("restore", str(backup), "--force")
    assert site.rows("SELECT count(*) FROM invoices_document") == [(said["documents"],)]
    assert set(site.rows(NAMES)) <= set(copies_in(backup).items())


def written_manifest(folder: Path, **changes: Any) -> None:
    """The manifest of a backup with nothing in it, but for ``changes``."""
    file = BackupFile("database", "0" * 64, 0)
    values: dict[str, Any] = {"engine": connection.vendor, "migrations": [], "tables": [], **changes}
    Manifest("2026-11-26", database=file, documents=file, document_count=0, document_bytes=0, **values).write(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"engine": "oracle"}, "base oracle"),
        ({"format": 99}, "plus récente"),
        ({"migrations": ["portal.9999_later"]}, "portal.9999_later"),
        ({}, "database n’existe pas"),
    ],
)
def test_a_backup_that_cannot_be_restored_here_says_why(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    written_manifest(tmp_path, **changes)
    with pytest.raises(BackupError, match=said) as refusal:
        restore(tmp_path)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "ne contient pas de sauvegarde"), ("{", "abîmé"), ("[]", "abîmé")]
)
def test_a_folder_without_a_readable_manifest_is_no_backup(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(BackupError, match=said) as refusal:
        restore(tmp_path)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize(
    ("folder", "said"), [("file", "n’est pas un dossier"), ("documents/x", "dossier des documents")]
)
def test_a_folder_that_cannot_hold_a_backup_says_why(tmp_path: Path, folder: str, said: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupError, match=said) as refusal:
        back_up(tmp_path / folder)
    assert str(tmp_path / folder) in str(refusal.value)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_without_pg_dump_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="postgresql-client"):
        back_up(tmp_path / "backup")
