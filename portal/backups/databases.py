"""The database as one file, at one moment, while others write: by SQLite's backup interface, or by pg_dump."""

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.client import DatabaseClient
from django.utils.translation import gettext as _

from portal.backups.manifest import BackupError

SUFFIXES: Final = {"sqlite": "sqlite3", "postgresql": "dump"}
# Asks the database as it is in the copy.
type Ask = Callable[[str], Iterable[tuple[Any, ...]]]


@contextmanager
def copied_to(path: Path) -> Iterator[Ask]:
    """Copy the database into ``path``; what is asked inside is answered from the very state that was copied.

    Raises BackupError.
    """
    with _copied_sqlite(path) if connection.vendor == "sqlite" else _copied_postgresql(path) as ask:
        yield ask


def load_from(path: Path, *, tables: list[str]) -> None:
    """Make the database what ``path`` holds, in one transaction: ``tables`` are those of the copy, others go.

    Raises BackupError.
    """
    if connection.vendor == "sqlite":
        _load_sqlite(path)
    else:
        _load_postgresql(path, tables)
    connection.close()


@contextmanager
def _copied_sqlite(path: Path) -> Iterator[Ask]:
    connection.ensure_connection()
    try:
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as copy:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            copy.execute("PRAGMA ignore_check_constraints=ON")  # they call functions that Django brings
            if (found := copy.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise BackupError(_("La base de données est abîmée (%(found)s).") % {"found": found})
            yield copy.execute
    except sqlite3.Error as error:
        raise BackupError(_explain_sqlite(error, path)) from None
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _load_sqlite(path: Path) -> None:
    connection.ensure_connection()
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
            copy.backup(connection.connection)
    except sqlite3.Error as error:
        raise BackupError(_explain_sqlite(error, Path(str(connection.settings_dict["NAME"])))) from None


def _explain_sqlite(error: sqlite3.Error, path: Path) -> str:
    text = str(error)
    if "full" in text:
        return _("%(path)s ne peut être écrit : le disque est plein.") % {"path": path}
    if "locked" in text or "busy" in text:
        return _("La base de données est occupée : arrêtez les processus du portail, puis recommencez.")
    if "unable to open" in text or "readonly" in text:
        return _("%(path)s ne peut être ni créé ni écrit.") % {"path": path}
    return _("%(path)s : SQLite refuse (%(reason)s).") % {"path": path, "reason": text}


@contextmanager
def _copied_postgresql(path: Path) -> Iterator[Ask]:
    program = _find("pg_dump")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={path}"]
        _run(program, *options, *_server(), _database())
        yield _ask_postgresql


def _ask_postgresql(sql: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql)
        yield from cursor


def _load_postgresql(path: Path, tables: list[str]) -> None:
    program = _find("pg_restore")
    # Tables of another version would hold on to those that are replaced.
    others = sorted(set(connection.introspection.table_names()) - set(tables))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for name in others:
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)} CASCADE")
    except DatabaseError as error:
        raise BackupError(_("PostgreSQL refuse d’effacer les tables (%(reason)s).") % {"reason": error}) from None
    connection.close()
    options = ["--single-transaction", "--clean", "--if-exists", "--no-owner", "--no-privileges"]
    _run(program, *options, *_server(), f"--dbname={_database()}", str(path))


def _find(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupError(_("%(program)s est absent : apt-get install postgresql-client.") % {"program": program})
    return path


def _server() -> list[str]:
    arguments, _environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    return [*arguments[1:-1]] if connection.settings_dict["NAME"] else arguments[1:]


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *arguments: str) -> None:
    _arguments, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    run = subprocess.run(  # noqa: S603 - no shell, a program of PostgreSQL and our own settings
        [program, *arguments],
        env={**os.environ, **(environment or {}), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == 0:
        return
    name, said = Path(program).name, " ".join(run.stderr.split())[:500]
    if re.search(r"server version mismatch|unsupported version", said):
        raise BackupError(
            _("%(name)s est d’une autre version que le serveur PostgreSQL : installez la même (%(said)s).")
            % {"name": name, "said": said}
        )
    if "No space left" in said:
        raise BackupError(_("%(name)s s’est arrêté : le disque est plein (%(said)s).") % {"name": name, "said": said})
    raise BackupError(_("%(name)s s’est arrêté : %(said)s") % {"name": name, "said": said})
