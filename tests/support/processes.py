"""Real processes on a database of their own: what a test does that kills workers."""

import atexit
import json
import os
import shutil
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

from tests.support.commands import Command, execute, manage
from tests.support.migrated import find_template, migrate, migrated_file, server_of_tests

ROOT = Path(__file__).parents[2]
# More than two processes publish before a test that saw the first of them has asked them to stop.
INVOICES = 100


def invoices_of(customers: int, invoices: int, *, individuals: int = 0) -> str:
    """Code that makes so many customers and so many invoices of them.

    The first ``individuals`` customers get no e-invoice, whose rules each process loads in a second and a half.
    """
    return f"""
from tests.support.factories import make_customer, make_invoice
kinds = ["individual"] * {individuals} + ["professional"] * ({customers} - {individuals})
customers = [make_customer(kind=kind) for kind in kinds]
for number in range({invoices}):
    make_invoice(customer=customers[number % {customers}])
"""


CRITERIA = """
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
"""
"""Code that says what all invoices leave with."""
MAKE_INVOICES = f"{invoices_of(4, INVOICES)}{CRITERIA}"
MAKE_PLAIN_INVOICES = f"{invoices_of(4, INVOICES, individuals=4)}{CRITERIA}"
"""The same without e-invoices, for what neither begins nor ends in the middle of one."""
START = f"{CRITERIA}answer = start_export(export=create_export(criteria=criteria)).pk\n"
"""Code that starts an export of all of them."""


class Site:
    """An installation of its own below ``folder``: database, documents, mails, and the commands of the project."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self.folder = folder
        self.database_url = database_url
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "DOCUMENTS_ROOT": str(folder / "documents"),
            "MAIL_ROOT": str(folder / "mail"),
            "SECRET_KEY": "the key of a test that nobody needs to guess, long enough to be one",
            "PYTHONWARNINGS": "default",
            **environment,
        }

    def run(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run ``manage.py`` with ``command`` to its end."""
        output, errors = (process := self.start(*command)).communicate(300)
        assert process.returncode is not None
        assert not check or process.returncode == 0, output + errors
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def start(self, *command: str) -> Command:
        """Start ``manage.py`` with ``command`` and let it work."""
        return manage(self.environment, *command)

    def start_script(self, source: str) -> Command:
        """Start Python ``source`` inside of the installation; it answers by assigning JSON values to ``answer``."""
        return execute(self.environment, f"import json\nanswer = None\n{source}\nprint(json.dumps(answer))\n")

    def ask(self, source: str) -> Any:
        """Run Python ``source`` inside of the installation, to its end; its ``answer``."""
        output, errors = (process := self.start_script(source)).communicate(300)
        assert process.returncode == 0, output + errors
        return json.loads(output.splitlines()[-1])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What ``sql`` finds or changes in the database of the installation, asked from outside."""
        if self.database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=30)) as file:
                found = file.execute(sql).fetchall()
                file.commit()
                return found
        with psycopg.connect(self.database_url, autocommit=True) as server:
            cursor = server.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, sql: str, wanted: Callable[[Any], bool], seconds: float = 120) -> Any:
        """The first value that ``sql`` finds, once it is as ``wanted``."""
        deadline = time.monotonic() + seconds
        while not wanted(value := self.rows(sql)[0][0]):
            assert time.monotonic() < deadline, f"{sql}: {value}"
            time.sleep(0.1)
        return value


def children_of(pid: int) -> set[int]:
    """The processes that the process ``pid`` started and that live."""
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except FileNotFoundError:
        return set()


@contextmanager
def own_site(folder: Path, *, kind: str = "", **environment: str) -> Iterator[Site]:
    """A migrated installation on a database of its own, of the kind that the tests run on; dropped at the end.

    ``kind`` asks for «sqlite» or «postgresql»; LookupError where the tests run on no server that could make it.
    """
    if (kind or connection.vendor) == "sqlite":
        file = folder / "own.sqlite3"
        shutil.copy(migrated_file(), file)
        yield Site(folder, f"sqlite:///{file}", **environment)
        return
    if connection.vendor != "postgresql":
        raise LookupError("DATABASE_URL names no PostgreSQL server")
    name = f"own_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server_of_tests()}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_migrated_database()}"')
        try:
            yield Site(folder, f"{server_of_tests()}/{name}", **environment)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@cache
def _migrated_database() -> str:
    """The name of an empty, migrated database to copy: that of the tests, or one made for this process."""
    server = server_of_tests()
    if name := find_template(server):
        return name
    name = f"own_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connected:
        connected.execute(f'CREATE DATABASE "{name}"')
    atexit.register(_drop, server, name)
    migrate(f"{server}/{name}")
    return name


def _drop(server: str, name: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connected:
        connected.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
