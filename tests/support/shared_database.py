"""The database of a test, shared with other processes: as it is on PostgreSQL, by way of a file on SQLite."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection


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

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        """A child process ``manage.py arguments`` on this database, its output in one pipe."""
        variables: dict[str, Any] = {
            **os.environ,
            "DATABASE_URL": self.url,
            "DOCUMENTS_ROOT": str(settings.DOCUMENTS_ROOT),
            "MAIL_ROOT": str(settings.MAIL_ROOT),
            "LOG_LEVEL": "WARNING",
            **environment,
        }
        return subprocess.Popen(
            [sys.executable, "-W", "error", str(settings.BASE_DIR / "manage.py"), *arguments],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def ended(child: "subprocess.Popen[str]", timeout: float = 60) -> tuple[int, str]:
    """Exit code and output of a child that ends by itself."""
    try:
        output, _nothing = child.communicate(timeout=timeout)
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            child.communicate()
    return child.returncode, output
