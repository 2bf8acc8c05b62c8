"""A database as migrations leave it, made once and copied by every process of the tests: migrations take seconds.

On SQLite a file that stays in the cache of pytest until a migration, a library or the day changes; on PostgreSQL a
database of the server, dropped at the end of the tests. What Django does after migrations (rights, content types) it
does on each copy.
"""

import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.db import connection

from tests.support.commands import manage

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".pytest_cache" / "d" / "migrated"


@contextmanager
def copied_into_the_test_database() -> Iterator[None]:
    """While this lasts, Django makes the test database: from the copy, or by migrations, and then it is copied.

    One process at a time: the second one finds what the first one made.
    """
    with _alone():
        if connection.vendor == "postgresql":
            with _template_of_postgresql():
                yield
        elif connection.vendor == "sqlite" and _creation().is_in_memory_db(_test_name()):
            with _content_of_memory():
                yield
        else:
            yield


def migrated_file() -> Path:
    """An empty, migrated SQLite database, to be copied."""
    file = FOLDER / f"{_fingerprint()}.sqlite3"
    with _alone():
        if not file.exists():
            with tempfile.TemporaryDirectory(dir=FOLDER) as place:
                made = Path(place, "made.sqlite3")
                migrate(f"sqlite:///{made}")
                with closing(sqlite3.connect(made)) as source:
                    _keep(source, file)
    return file


def migrate(url: str) -> None:
    """Run all migrations on the empty database at ``url``, in a process of its own."""
    process = manage({**os.environ, "DATABASE_URL": url}, "migrate", "-v0", merged=True)
    output, _errors = process.communicate(300)
    assert process.returncode == 0, output


def find_template(server: str) -> str:
    """The name of the migrated database on the PostgreSQL ``server``, empty where there is none."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connected:
        found = connected.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_template_name()]).fetchone()
    return _template_name() if found else ""


def server_of_tests() -> str:
    """The address of the PostgreSQL server that the tests run on, without the name of a database."""
    values = connection.settings_dict
    return f"postgres://{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}"


def drop_template() -> None:
    """Take the migrated database off the PostgreSQL server of the tests, if there is one."""
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(f"{server_of_tests()}/postgres", autocommit=True) as server,
    ):
        server.execute(f'DROP DATABASE IF EXISTS "{_template_name()}" WITH (FORCE)'.encode())


@contextmanager
def _alone() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _content_of_memory() -> Iterator[None]:
    file = FOLDER / f"{_fingerprint()}.sqlite3"
    # The database in memory lasts as long as somebody is connected: this connection hands it over to Django's.
    with closing(sqlite3.connect(_test_name(), uri=True)) as memory:
        if is_kept := file.exists():
            with closing(sqlite3.connect(file)) as source:
                source.backup(memory)
        yield
        if not is_kept and memory.execute("SELECT 1 FROM sqlite_master WHERE name = 'django_migrations'").fetchone():
            _keep(memory, file)


def _keep(source: sqlite3.Connection, file: Path) -> None:
    """Copy ``source`` to ``file``, which is there whole or not at all, instead of what was kept of other days."""
    for older in FOLDER.glob("*.sqlite3"):
        older.unlink(missing_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with closing(sqlite3.connect(unfinished)) as target:
        source.backup(target)
    unfinished.rename(file)


@contextmanager
def _template_of_postgresql() -> Iterator[None]:
    server = server_of_tests()
    values: Any = connection.settings_dict["TEST"]
    is_there = bool(find_template(server))
    if is_there:
        values["TEMPLATE"] = _template_name()
    yield
    if is_there or not _has_database(server, _test_name()):
        return
    connection.close()
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connected:
        connected.execute(f'CREATE DATABASE "{_template_name()}" TEMPLATE "{_test_name()}"'.encode())


def _has_database(server: str, name: str) -> bool:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connected:
        return connected.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _test_name() -> str:
    return str(_creation()._get_test_db_name())


def _creation() -> Any:
    # What the two databases have beyond the base class that is known to the checker of types.
    return connection.creation


def _template_name() -> str:
    return f"migrated_{_fingerprint()}"


@cache
def _fingerprint() -> str:
    """What the migrated database depends on: the migrations, the libraries that have some, and the day it says."""
    digest = sha256(datetime.now(UTC).date().isoformat().encode())
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs() if Path(app.path).is_relative_to(ROOT)]
    ours = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    for file in (ROOT / "requirements-dev.txt", *ours):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
