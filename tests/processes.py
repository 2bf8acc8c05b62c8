"""Real processes on a database of their own: what a test does that kills workers."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection

ROOT = Path(__file__).parent.parent


class Site:
    """An installation of its own below ``folder``: database, documents, mails, and the commands of the project."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        self.folder = folder
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
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start ``manage.py`` with ``command`` and let it work."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, source: str) -> Any:
        """Run Python ``source`` inside of the installation; it answers by assigning plain JSON values to ``answer``."""
        script = (
            "import django, json, os, sys\n"
            "os.environ['DJANGO_SETTINGS_MODULE'] = 'portal.settings'\n"
            "django.setup()\n"
            "answer = None\n"
            f"{source}\n"
            "print(json.dumps(answer))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def own_site(folder: Path, **environment: str) -> Iterator[Site]:
    """A migrated installation on a database of its own, of the kind that the tests run on; dropped at the end."""
    if connection.vendor == "sqlite":
        site = Site(folder, f"sqlite:///{folder / 'own.sqlite3'}", **environment)
        site.run("migrate", "-v0")
        yield site
        return
    values = connection.settings_dict
    name = f"own_{uuid.uuid4().hex[:12]}"
    place = f"{values['USER']}:{values['PASSWORD']}@{values['HOST']}:{values['PORT']}"
    with psycopg.connect(f"postgres://{place}/postgres", autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            site = Site(folder, f"postgres://{place}/{name}", **environment)
            site.run("migrate", "-v0")
            yield site
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
