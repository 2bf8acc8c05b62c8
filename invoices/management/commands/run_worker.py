"""``manage.py run_worker``: the processes that export in the background, watched and replaced when they die."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import Any

from django import db
from django.conf import settings
from django.core.management.base import BaseCommand

from customers.services import wipe_expired_secrets
from customers.tasks import wake_stalled_gestures
from invoices.engine import name_worker
from invoices.tasks import wake_checks, wake_stalled_exports
from mailing.outbox import beat

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 15.0


class Command(BaseCommand):
    """Run the workers of this machine until told to stop."""

    help = "Lance les processus d’export de cette machine, les surveille et reprend les exports interrompus."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How many processes."""
        parser.add_argument("--processes", type=int, default=0, help="nombre de processus (défaut : un par cœur)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the processes, keep them alive, and take up what others left."""
        count = options["processes"] or settings.EXPORT_PROCESSES or os.cpu_count() or 1
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        name = name_worker()
        self.children = [self._start() for _number in range(count)]
        self.stdout.write(f"Travail en arrière-plan : {count} processus.")
        last_sweep = float("-inf")
        while not self.stopping:
            self.children = [child if child.poll() is None else self._start() for child in self.children]
            if time.monotonic() - last_sweep >= SWEEP_EVERY_SECONDS:
                last_sweep = time.monotonic()
                self._sweep(name)
            time.sleep(LOOK_EVERY_SECONDS)
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait()

    def _sweep(self, name: str) -> None:
        """Say that the worker lives, and see to what others left; a database that is away is waited for."""
        try:
            beat(name, "export")
            wake_stalled_exports()
            wake_checks()
            wake_stalled_gestures()
            wipe_expired_secrets()
        except db.Error:
            logger.exception("The database cannot be reached; trying again")
            db.close_old_connections()

    def _start(self) -> "subprocess.Popen[bytes]":
        """A process of the queue in use: the database's, or Redis's."""
        command = ["rqworker", "default"] if settings.TASKS_BACKEND.startswith(("redis", "unix")) else ["db_worker"]
        # Our own interpreter and our own manage.py: nothing here comes from people.
        return subprocess.Popen([sys.executable, sys.argv[0], *command])  # noqa: S603

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True
