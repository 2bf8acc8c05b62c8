"""The database of a test, shared with other processes: as it is on PostgreSQL, by way of a file on SQLite."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests.support.commands import Command, manage


class SharedDatabase:
    """Lends the test database to child processes; from :meth:`lend` to :meth:`take_back` the test leaves it alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "shared.sqlite3"
        values = connection.settings_dict
        self.url = f"sqlite:///{self.file}"
        if connection.vendor == "postgresql":
            login = f"{values['USER']}:{values['PASSWORD']}".rstrip(":")
            self.url = f"postgres://{login}@{values['HOST']}:{values['PORT']}/{values['NAME']}"

    def lend(self) -> None:
        """What the test wrote is there for the children."""
        if connection.vendor == "sqlite":
            connection.ensure_connection()
            with sqlite3.connect(self.file) as target:
                connection.connection.backup(target)
            target.close()

    def take_back(self) -> None:
        """What the children wrote is there for the test."""
        if connection.vendor == "sqlite":
            with sqlite3.connect(self.file) as source:
                source.backup(connection.connection)
            source.close()

    def start(self, *arguments: str, **environment: str) -> Command:
        """A child process ``manage.py arguments`` on this database, its two outputs in one."""
        variables: dict[str, Any] = {
            **os.environ,
            "DATABASE_URL": self.url,
            "DOCUMENTS_ROOT": str(settings.DOCUMENTS_ROOT),
            "MAIL_ROOT": str(settings.MAIL_ROOT),
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "error",
            **environment,
        }
        return manage(variables, *arguments, merged=True)


def ended(child: Command, timeout: float = 60) -> tuple[int, str]:
    """Exit code and output of a child that ends by itself."""
    try:
        output, _nothing = child.communicate(timeout=timeout)
    finally:
        child.kill()
    return child.wait(), output
