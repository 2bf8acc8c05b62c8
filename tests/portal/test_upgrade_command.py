"""``manage.py upgrade`` takes an installation to the version of its files, and stops where a step fails."""

import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from portal.management.commands.upgrade import _LOCK
from portal.start import find_missing_migrations
from tests.support.factories import make_published_invoice
from tests.support.processes import own_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_static_files(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    # Browser tests of the same process leave their event loop running and DJANGO_ALLOW_ASYNC_UNSAFE set, which no
    # installation has: the database cannot be asked without it here, and the checks refuse it.
    settings.SILENCED_SYSTEM_CHECKS = [*settings.SILENCED_SYSTEM_CHECKS, "async.E001"]


def test_an_older_database_is_saved_migrated_and_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("migrate", "portal", "0004", verbosity=0)
    make_published_invoice()
    (later, *_others) = find_missing_migrations()

    call_command("upgrade", backup=tmp_path / "backup")

    assert find_missing_migrations() == []
    assert later.split(".")[1] not in (tmp_path / "backup/manifest.json").read_text()
    assert any((tmp_path / "static").iterdir())
    said = capsys.readouterr().out
    steps = ("Contrôle", "Sauvegarde", "Tables", "Fichiers statiques", "Réveil", "Redémarrez")
    assert [step for step in steps if step not in said] == []
    assert "documents : 1 (copiés : 1" in said


def test_a_backup_that_lacks_a_document_stops_before_anything_is_changed(tmp_path: Path) -> None:
    document = make_published_invoice().documents.get()
    (tmp_path / "documents" / document.storage_name).unlink()
    with pytest.raises(CommandError, match="verify_documents"):
        call_command("upgrade", backup=tmp_path / "backup")
    assert not (tmp_path / "static").exists()


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('invoices', '9999_later', CURRENT_TIMESTAMP)"
        )
    try:
        with pytest.raises(CommandError, match="plus récente que ce programme") as refusal:
            call_command("upgrade", backup=tmp_path / "backup")
        assert (refusal.value.returncode, (tmp_path / "backup").exists()) == (1, False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")


# Each statement of these is kept as it is done: killed half-way, they are begun again with what they have made.
OUTSIDE_OF_A_TRANSACTION = sorted(
    key for key, migration in MigrationLoader(None).disk_migrations.items() if not migration.atomic
)


@pytest.mark.parametrize(("application", "name"), OUTSIDE_OF_A_TRANSACTION)
def test_a_migration_outside_of_a_transaction_can_be_done_again(application: str, name: str) -> None:
    loader = MigrationLoader(connection)
    state = loader.project_state((application, name), at_end=False)
    with connection.schema_editor(atomic=False) as editor:
        loader.get_migration(application, name).apply(state, editor)


def test_a_migration_that_is_not_recorded_leaves_no_table(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("migrate", "invoices", "0026", verbosity=0)

    def stop(executor: MigrationExecutor, application: str, name: str, forward: bool = True) -> None:
        raise KeyboardInterrupt(name)

    with monkeypatch.context() as patched:
        patched.setattr(MigrationExecutor, "record_migration", stop)
        with pytest.raises(KeyboardInterrupt, match="0027_invoice_words"):
            call_command("migrate", verbosity=0)

    assert "invoices_invoicewords" not in connection.introspection.table_names()
    call_command("upgrade")
    assert find_missing_migrations() == []


def test_an_upgrade_goes_on_where_another_was_killed_amid_an_index(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("indexes that PostgreSQL makes while others write")
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    with own_site(tmp_path) as site, psycopg.connect(site.database_url) as writer:
        site.run("migrate", "mailing", "0009")
        writer.execute("LOCK TABLE mailing_message IN ROW EXCLUSIVE MODE")  # the index waits for it
        killed = site.start("upgrade")
        site.wait_for(invalid, bool)
        killed.kill()
        assert killed.wait(60) == -signal.SIGKILL
        # Its server process learns it when it next answers, which it does not while it waits.
        site.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'")
        writer.rollback()
        assert site.rows(invalid) == [(1,)]

        site.run("upgrade")

        assert site.rows(invalid) == [(0,)]
        found = site.rows("SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'outbox_%any_recipient'")
        assert found == [(1,)]


def test_an_upgrade_waits_for_another_one_of_the_same_database(tmp_path: Path) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("locks of PostgreSQL")
    with own_site(tmp_path) as site, psycopg.connect(site.database_url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        waiting = site.start("upgrade")
        asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' AND state = 'idle'"
        while not site.rows(asked)[0][0]:
            assert waiting.poll() is None, waiting.communicate()
            time.sleep(0.1)
        # As the first upgrade may do, which waits for whatever statement runs.
        other.execute("SET statement_timeout = '20s'")
        other.execute("CREATE INDEX CONCURRENTLY while_waiting ON django_migrations (app)")
        assert waiting.poll() is None
        other.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        said, errors = waiting.communicate(120)
    assert waiting.returncode == 0, errors
    assert "attente de sa fin" in said
    assert "À jour." in said
