"""A wrong setting is one French sentence: the variable, what was given, an example; exit code 2, no traceback."""

import os
import re
import runpy
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from portal.environment import Environment, explain_database_error, require_extra
from portal.mailers import SCHEMES
from tests.support.processes import own_site

ROOT = Path(__file__).parents[2]


def run_manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``manage.py`` in a process of its own with these variables."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("DEBUG", "peut-être"),
        ("PROVISIONAL_PASSWORD_DAYS", "trente"),
        ("MAIL_PER_HOUR", "-3"),
        ("DATABASE_URL", "localhost"),
        ("DATABASE_URL", "postgres://u@h:port/db"),
        ("EMAIL_URL", "smtp.exemple.fr"),
        ("CACHE_URL", "nimporte"),
        ("IMAP_URL", "pop://boite"),
        ("TIME_ZONE", "Paris"),
        ("LOG_LEVEL", "fort"),
        ("PORTAL_URL", "factures.exemple.fr"),
        ("BEHIND_PROXY", "nginx"),
        ("TASKS_BACKEND", "rabbit"),
    ],
)
def test_a_wrong_value_names_its_variable_and_what_was_given(name: str, given: str) -> None:
    run = run_manage("check", **{name: given})
    assert run.returncode == 2
    assert run.stderr.startswith(f"{name} vaut « {given} » : attendu ")
    assert len(run.stderr.splitlines()) == 1


VARIABLES = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_every_way_for_mails_to_leave_is_explained() -> None:
    explained = (ROOT / ".env.example").read_text()
    assert [scheme for scheme in SCHEMES if f"{scheme}://" not in explained] == []


def read_settings() -> dict[str, Any]:
    """The settings as a process that starts now reads them."""
    return runpy.run_path(str(ROOT / "portal" / "settings.py"))


# An older key may be of any form: it opens what was closed with it.
@pytest.mark.parametrize("name", [name for name in VARIABLES if name != "SECRET_KEY_FALLBACKS"])
def test_a_value_with_line_breaks_and_control_signs_is_one_line_that_names_its_variable(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "-1\x1b[31m «x» ://\n;DROP")
    with pytest.raises(ImproperlyConfigured) as refused:
        read_settings()
    sentence = str(refused.value)
    assert sentence.startswith(f"{name} ")
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("PORTAL_URL", ""),
        ("PORTAL_URL", "http://["),
        ("PORTAL_URL", "https://factures.exemple.fr:https"),
        ("PORTAL_URL", "https://factures.société.fr"),
        ("PORTAL_URL", "https://factures.exemple.fr/?page=1"),
        ("ALLOWED_HOSTS", "https://factures.exemple.fr"),
        ("ALLOWED_HOSTS", "factures.exemple.fr:8000"),
        ("CSRF_TRUSTED_ORIGINS", "factures.exemple.fr"),
        ("BEHIND_PROXY", "99999999"),
        ("SECURE_HSTS_SECONDS", "99999999999999999999999"),
        ("PROVISIONAL_PASSWORD_DAYS", "0"),
        ("PROVISIONAL_PASSWORD_DAYS", "9999999999"),
        ("SESSION_REMEMBERED_DAYS", "9999999999"),
        ("PASSWORD_HASHES_AT_ONCE", "0"),
        ("MAIL_CONNECTIONS", "0"),
        ("MAIL_PER_CONNECTION", "0"),
        ("MAIL_GIVE_UP_HOURS", "9999999999"),
        ("MAIL_LEASE_SECONDS", "0"),
        ("EMAIL_TIMEOUT", "0"),
        ("EXPORT_LEASE_SECONDS", "0"),
        ("EXPORT_PROCESSES", "un par cœur"),
        ("OIDC_ISSUER", "https://["),
        ("OIDC_SECOND_FACTOR", "jamais"),
        ("OIDC_DOMAIN", "https://exemple.fr"),
        ("MAIL_OAUTH_USER", "factures"),
        ("DATABASE_URL", "sqlite:////dev/null/portail.sqlite3"),
        ("DOCUMENTS_ROOT", "s3://cle:secret@s3.exemple.fr/factures"),
        ("MAIL_ROOT", "smtp://127.0.0.1"),
        ("DOCUMENTS_STORAGE_URL", "s3://seau"),
        ("DOCUMENTS_SEND_HEADER", "X-Envoi"),
        ("DOCUMENTS_SEND_PREFIX", "documents"),
        ("EMAIL_URL", "smtp://h:port"),
        ("DEFAULT_FROM_EMAIL", "factures"),
        ("TECHNICAL_EMAIL", "informatique @exemple.fr"),
        ("BOUNCE_ADDRESS", "retours@exemple.fr, autres@exemple.fr"),
        ("IMPORT_FOLDER_MAIL", "compta"),
        ("DNS_SERVER", "dns.exemple.fr"),
        ("IMAP_URL", "imaps://"),
        ("IMAP_URL", "imaps://boite@h:port/INBOX"),
        ("TASKS_BACKEND", "redis://h:port/0"),
        ("TIMESTAMP_URL", "https://"),
        ("DKIM_DOMAIN", "société.fr"),
        ("LOG_FORMAT", "xml"),
        ("STAFF_SECOND_FACTOR", "toujours"),
    ],
)
def test_a_value_that_would_fail_later_is_refused_at_the_start(
    name: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(ImproperlyConfigured, match=f"^{name} vaut « .* » : attendu .* Par exemple : {name}="):
        read_settings()


def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_TOKEN", "été 2026")
    with pytest.raises(ImproperlyConfigured, match=r"^HEALTH_TOKEN vaut « •+ »"):
        read_settings()


@pytest.mark.parametrize("name", ["HEALTH_TOKEN", "OIDC_CLIENT_SECRET", "MAIL_OAUTH_CLIENT_SECRET"])
def test_a_secret_with_a_control_sign_is_not_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "s3cret\x01more")
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} vaut « •+ »"):
        read_settings()


def test_an_ipv6_address_is_a_portal_like_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_URL", "http://[::1]:8000")
    read = read_settings()
    assert "[::1]" in read["ALLOWED_HOSTS"]
    assert read["DEFAULT_FROM_EMAIL"] == "factures@[IPv6:::1]"


def test_a_no_break_space_is_a_sign_like_another_in_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_NAME", "Annuaire\u00a0: société")
    assert Environment().str("OIDC_NAME") == "Annuaire\u00a0: société"


def test_a_key_that_begins_with_a_dollar_is_that_key(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "$HOME-and-more-signs-than-any-key-of-ours-needs"
    monkeypatch.setenv("SECRET_KEY", key)
    assert read_settings()["SECRET_KEY"] == key


def test_lists_may_have_blanks_after_their_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "factures.exemple.fr, .exemple.com")
    monkeypatch.setenv("DOCUMENTS_ROOT", "")
    read = read_settings()
    assert read["ALLOWED_HOSTS"] == ["factures.exemple.fr", ".exemple.com"]
    assert read["DOCUMENTS_ROOT"] == ROOT / "var" / "documents"


def test_a_password_in_a_wrong_address_is_not_shown() -> None:
    run = run_manage("check", DATABASE_URL="mongodb://portail:s3cret@hote/base")
    assert run.returncode == 2
    assert "s3cret" not in run.stderr


def test_a_short_key_is_refused_with_the_way_to_draw_one() -> None:
    run = run_manage("check", SECRET_KEY="court")
    assert run.returncode == 2
    assert "SECRET_KEY a 5 caractères" in run.stderr
    assert "secrets.token_urlsafe" in run.stderr
    assert "court" not in run.stderr.replace("SECRET_KEY", "")


def test_an_empty_database_says_how_to_make_its_tables(tmp_path: Path) -> None:
    run = run_manage("generate_credentials", "--missing", DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert run.returncode == 1
    assert "manage.py migrate" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    run = run_manage("migrate", DATABASE_URL="postgres://portail@127.0.0.1:1/portail")
    assert run.returncode == 1
    assert "DATABASE_URL" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("database is locked", "occupée"),
        ('connection failed: FATAL:  password authentication failed for user "portail"', "ce mot de passe"),
        ('connection failed: FATAL:  database "autre" does not exist', "n’a pas cette base"),
        ("failed to resolve host 'base.invalid': [Errno -2] Name or service not known", "introuvable"),
        ("connection failed: FATAL:  sorry, too many clients already", "plus de connexion libre"),
        ("permission denied for table invoices_invoice", "refuse ce droit"),
        ("connection failed: Connection refused. Is the server running on that host?", "ne répond pas"),
        ("connection timeout expired", "ne répond pas"),
    ],
)
def test_what_a_database_refuses_is_said_in_its_own_sentence(driver: str, said: str) -> None:
    assert said in explain_database_error(OperationalError(driver)).partition("(")[0]


def test_a_command_on_a_database_that_another_process_holds_says_so(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path, kind="sqlite") as site:
        path = site.database_url.removeprefix("sqlite:///")
        # Django asks the database whether it knows JSON before it runs a command, and takes a lock for a no.
        with closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            script = (
                "from django.db import connection, OperationalError\n"
                "connection.settings_dict['OPTIONS']['timeout'] = 0.1\n"
                "from django.core.checks import run_checks\n"
                "answer = [str(found) for found in run_checks(databases=['default'])]\n"
            )
            assert not [found for found in site.ask(script) if "JSON" in found]


def test_a_setting_whose_libraries_are_not_installed_says_how_to_install_them() -> None:
    require_extra("DOCUMENTS_STORAGE_URL", "s3", "storages", "boto3")
    with pytest.raises(ImproperlyConfigured) as refused:
        require_extra("DOCUMENTS_STORAGE_URL", "s3", "boto3", "boto_of_tomorrow")
    assert str(refused.value) == (
        "DOCUMENTS_STORAGE_URL demande des bibliothèques qui ne sont pas installées (boto_of_tomorrow) : "
        "bin/setup --production s3, ou pip install -r requirements-s3.txt."
    )


# Runs manage.py as where the optional libraries are not there.
WITHOUT_EXTRAS = """
import importlib.util, sys
sys.path.insert(0, ".")
sys.argv = ["manage.py", "check"]
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {"storages", "boto3", "redis"} else found(name, *rest)
exec(compile(open("manage.py").read(), "manage.py", "exec"), {"__name__": "__main__", "__file__": "manage.py"})
"""


@pytest.mark.parametrize(
    ("name", "value", "extra"),
    [
        ("DOCUMENTS_STORAGE_URL", "s3://k:s@s3.exemple.fr/seau", "s3"),
        ("TASKS_BACKEND", "redis://127.0.0.1:1/0", "redis"),
        ("CACHE_URL", "rediscache://127.0.0.1:1/1", "redis"),
    ],
)
def test_a_portal_without_the_extra_does_not_start_on_it(name: str, value: str, extra: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 2
    assert run.stderr.startswith(f"{name} demande des bibliothèques qui ne sont pas installées (")
    assert f"bin/setup --production {extra}" in run.stderr


def locked(file: str) -> set[str]:
    """The packages that a file of requirements installs."""
    return {line.partition("==")[0] for line in (ROOT / file).read_text().splitlines() if "==" in line[:80]}


def test_a_plain_installation_brings_neither_redis_nor_s3_nor_tools_of_tests() -> None:
    redis = {"rq", "rq-scheduler", "freezegun", "croniter", "redis", "django-rq", "django-tasks-rq"}
    s3 = {"boto3", "botocore", "s3transfer", "django-storages"}
    assert not locked("requirements.txt") & (redis | s3 | {"honcho", "uv", "pytest"})
    assert locked("requirements-redis.txt") - locked("requirements.txt") >= redis
    assert locked("requirements-s3.txt") - locked("requirements.txt") >= s3
    assert locked("requirements-dev.txt") >= redis | s3 | {"honcho", "uv"}


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        ("", []),
        ("a" * 40, ["a" * 40]),
        (f"{'a' * 40}, {'b' * 40}", ["a" * 40, "b" * 40]),
        (
            "a key of more than thirty-two characters, and its end",
            ["a key of more than thirty-two characters, and its end"],
        ),
    ],
)
def test_a_piece_of_an_older_key_is_no_key(given: str, keys: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLDER", given)
    assert Environment().older_keys("OLDER") == keys
