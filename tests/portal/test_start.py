"""A process starts on the database of its own program and key, and on no other: a sentence says why not."""

import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from gunicorn.arbiter import Arbiter

from customers.credentials import encrypt_secret
from portal.start import UnfitDatabaseError, check_database, needs_fit_database
from tests.support.factories import make_account, make_customer
from tests.support.processes import Site, own_site

pytestmark = pytest.mark.django_db

FIRST_KEY = "one-key-that-nobody-needs-to-guess-and-long-enough"
OTHER_KEY = "another-key-that-nobody-needs-to-guess-either-as-long"


@pytest.fixture(autouse=True)
def first_key(settings: Any) -> None:
    settings.SECRET_KEY = FIRST_KEY


def test_processes_with_another_key_refuse_to_start(tmp_path: Path) -> None:
    with own_site(tmp_path) as site:
        site.run("send_queued_mail")
        other = Site(site.folder, site.database_url, SECRET_KEY=OTHER_KEY)
        run = other.run("send_queued_mail", check=False)
        assert (run.returncode, len(run.stderr.splitlines())) == (2, 1)
        assert "SECRET_KEY_FALLBACKS" in run.stderr
        site_of_other = other.start_script("import portal.wsgi")
        assert run.stderr.strip() in site_of_other.communicate(60)[1]
        assert site_of_other.returncode == Arbiter.WORKER_BOOT_ERROR  # gunicorn ends too, instead of trying for ever
        other.run("migrate", "-v0")


@pytest.mark.parametrize(
    ("line", "is_needed"),
    [
        ("send_queued_mail --loop", True),
        ("run_worker", True),
        ("generate_credentials --missing", True),
        ("runserver", True),
        ("send_queued_mail --help", False),
        ("migrate", False),
        ("check --deploy", False),
        ("collectstatic", False),
        ("backup folder", False),
        ("restore folder", False),
        ("upgrade", False),
        ("accept_secret_key", False),
        ("demo", False),
        ("", False),
    ],
)
def test_what_sets_up_or_checks_asks_nothing_of_the_database(line: str, is_needed: bool) -> None:
    assert needs_fit_database(["manage.py", *line.split()]) is is_needed


def test_a_key_is_changed_by_keeping_the_old_one_for_a_while(settings: Any) -> None:
    check_database()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OTHER_KEY, [FIRST_KEY]
    check_database()
    settings.SECRET_KEY_FALLBACKS = []
    check_database()
    settings.SECRET_KEY = FIRST_KEY
    with pytest.raises(UnfitDatabaseError, match="SECRET_KEY_FALLBACKS"):
        check_database()


def test_a_lost_key_is_replaced_on_demand(settings: Any) -> None:
    check_database()
    settings.SECRET_KEY = OTHER_KEY
    call_command("accept_secret_key", stdout=sys.stderr)
    check_database()


def test_a_database_filled_before_keys_were_noted_knows_its_key_by_its_secrets(settings: Any) -> None:
    account = make_account(make_customer())
    account.provisional_password = encrypt_secret("k7Rqm-pX3dh-9wFtc")
    account.save()
    settings.SECRET_KEY = OTHER_KEY
    with pytest.raises(UnfitDatabaseError):
        check_database()
    settings.SECRET_KEY = FIRST_KEY
    check_database()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations WHERE app = 'portal')",
            "manage.py migrate",
        ),
        (
            "INSERT INTO django_migrations (app, name, applied) VALUES ('invoices', '9999_later', CURRENT_TIMESTAMP)",
            "plus récente que ce programme",
        ),
    ],
)
def test_a_program_and_tables_of_different_versions_are_a_sentence(change: str, said: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(change)
    with pytest.raises(UnfitDatabaseError, match=said) as refusal:
        check_database()
    assert refusal.value.code == 1
