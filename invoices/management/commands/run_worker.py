"""``manage.py run_worker``: the processes that export in the background, watched and replaced when they die."""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django import db
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.crypto import get_random_string

from customers.links import forget_used_links
from customers.services import wipe_expired_secrets
from customers.tasks import wake_stalled_bulk_actions
from invoices.content.from_rows import prefetch_for_content
from invoices.content.words import index_what_was_missed
from invoices.documents.rendering import warm_up
from invoices.einvoices.tasks import wake_checks
from invoices.exporting.kept import keep_figures_of_ended_exports
from invoices.exporting.run.mails import warm_up as warm_up_mails
from invoices.exporting.run.tasks import wake_stalled_exports
from invoices.exporting.schedules import wake_schedules
from invoices.importing.batches import wake_stalled_batches
from invoices.models import Company, Invoice
from invoices.platforms.tasks import wake_directory, wake_polling, wake_submissions
from invoices.retention import wake_purge
from invoices.workers.leases import name_worker
from invoices.workers.pool import ForkedPool, stop_on_signal, wait_for_stop
from mailing.heartbeats import WORKER, record_heartbeat, remove_heartbeat
from mailing.leases import database_now
from mailing.quarantine.tries import forget_old
from mailing.trail.chain import chain_new_entries
from mailing.trail.stamps import seal_last_day
from mailing.watching import watch_from_worker

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
SWEEP_EVERY_SECONDS = 15.0
WATCH_EVERY_SECONDS = 60.0
PRUNE_EVERY_SECONDS = 24 * 3600.0
# A process that ends by an error is replaced after a while: what made it fail may last.
REPLACE_AFTER_SECONDS = 2.0
SECONDS_TO_END = 60.0
# Companies whose look the processes know beforehand.
MOST_COMPANIES = 8
_said: dict[str, str] = {}


class Command(BaseCommand):
    """Run the workers of this machine until asked to stop."""

    help = "Lance les processus d’export de cette machine, les surveille et reprend les exports interrompus."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """How many processes."""
        parser.add_argument("--processes", type=int, default=0, help="nombre de processus (défaut : un par cœur)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the processes, keep them alive, and take up what others left; end after the lines in hand."""
        count = options["processes"] or settings.EXPORT_PROCESSES or os.cpu_count() or 1
        serve = _server_of_queue()
        name = name_worker()
        with stop_on_signal() as stopped:
            _try("Warming up", _warm_up)
            pool = ForkedPool(serve) if serve is not None else ForkedPool(wait_for_stop)
            watchers = ForkedPool(_watch_folder)
            self.stdout.write(f"Travail en arrière-plan : {count} processus.")
            self.stdout.flush()
            swept_at = watched_at = pruned_at = failed_at = float("-inf")
            while not stopped():
                now = time.monotonic()
                if now - failed_at >= REPLACE_AFTER_SECONDS:
                    pool.start_workers(count - len(pool.children))
                    if settings.IMPORT_FOLDER:
                        watchers.start_workers(1 - len(watchers.children))
                if now - swept_at >= SWEEP_EVERY_SECONDS:
                    swept_at = now
                    _sweep(name)
                if now - watched_at >= WATCH_EVERY_SECONDS:
                    watched_at = now
                    _try("Watching", lambda: watch_from_worker(database_now()))
                if now - pruned_at >= PRUNE_EVERY_SECONDS:
                    pruned_at = now
                    prune()
                ended = [*watchers.wait(0), *pool.wait(LOOK_EVERY_SECONDS)]
                if any(child.exitcode != 0 for child in ended):
                    failed_at = time.monotonic()
            watchers.request_stop()
            pool.shutdown(SECONDS_TO_END)
            watchers.shutdown(SECONDS_TO_END)
            _try("Saying goodbye", lambda: remove_heartbeat(name))


def _sweep(name: str) -> None:
    """Say that the worker lives, and see to what others left, whatever a queue remembers of its tasks."""
    for what, step in (
        ("Beating", lambda: record_heartbeat(name, WORKER)),
        ("Looking for stalled exports", wake_stalled_exports),
        ("Looking for calendars that are due", wake_schedules),
        ("Adding up lists that have ended", keep_figures_of_ended_exports),
        ("Writing words that a program of before left out", index_what_was_missed),
        ("Looking for e-invoices to check", wake_checks),
        ("Looking for stalled bulk actions", wake_stalled_bulk_actions),
        ("Looking for stalled imports", wake_stalled_batches),
        ("Looking for invoices to submit", wake_submissions),
        ("Looking for statuses to fetch", wake_polling),
        ("Looking for addresses to look up", wake_directory),
        ("Wiping expired secrets", wipe_expired_secrets),
        ("Forgetting used links", forget_used_links),
        ("Looking whether it is time to purge", wake_purge),
        ("Chaining the trail", chain_new_entries),
        ("Sealing the trail of yesterday", seal_last_day),
    ):
        if not _try(what, step) and not _database_answers():
            break  # what is left would wait for the database too; any other failure stops no other step


def _database_answers() -> bool:
    try:
        with db.connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except db.Error:
        db.connections.close_all()
        return False
    return True


def prune() -> None:
    """Forget what serves no one any more: sessions that ran out, and what the queue in the database remembers."""
    _try("Clearing expired sessions", lambda: call_command("clearsessions", verbosity=0))
    _try("Forgetting old failures", lambda: forget_old(timezone.now()))
    if settings.TASKS_BACKEND == "database":
        _try("Pruning the queue", lambda: call_command("prune_db_task_results", verbosity=0))


def _try(what: str, step: Callable[[], object]) -> bool:
    """Do ``step``; a database or a queue that is away is waited for, and nothing else stops the worker either."""
    try:
        step()
    except (db.OperationalError, db.InterfaceError) as error:
        if str(error) != _said.get("database"):  # once for as long as it lasts
            logger.error("%s failed; trying again later: %s", what, " ".join(str(error).split()))
        _said["database"] = str(error)
    except Exception:
        logger.exception("%s failed; trying again later", what)
    else:
        _said.clear()
        return True
    db.connections.close_all()
    return False


def _warm_up() -> None:
    companies = Company.objects.order_by("-is_default", "pk").values_list("pk", flat=True)[:MOST_COMPANIES]
    last = [
        Invoice.objects.filter(company=pk).order_by("-issue_date").values_list("pk", flat=True)[:1] for pk in companies
    ]
    warm_up_mails()
    warm_up(prefetch_for_content(Invoice.objects.filter(pk__in=[pk for found in last for pk in found])))


def _server_of_queue() -> Callable[[], None] | None:
    """What a process does for the queue in use; None where tasks are done at once by whoever asks."""
    if settings.TASKS_BACKEND == "database":
        return _serve_database
    return _serve_redis if settings.TASKS_BACKEND != "immediate" else None


def _serve_database() -> None:
    """Wait for a task in the database, do it, and end: the next one gets a fresh process."""
    from django_tasks_db.management.commands.db_worker import Worker

    worker = Worker(
        queue_names=["default"],
        interval=1.0,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=1,
        worker_id=get_random_string(32),
        excluded_queue_names=[],
    )

    # The library's own command breaks the task off at the second signal; a service manager and our parent send two.
    def stop(number: int, frame: FrameType | None) -> None:
        worker.running = False
        if not worker.running_task:
            sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    _end_with_parent()
    try:
        worker.run()
    except db.Error as error:
        logger.warning("The database cannot be reached: %s", error)
        sys.exit(1)


def _watch_folder() -> None:
    """Import what an ERP puts into the folder of the settings."""
    _end_with_parent()
    call_command(
        "watch_folder",
        settings.IMPORT_FOLDER,
        then=settings.IMPORT_FOLDER_THEN,
        selection=settings.IMPORT_FOLDER_SELECTION,
        mail_to=settings.IMPORT_FOLDER_MAIL,
    )


def _serve_redis() -> None:
    """Wait for tasks in Redis; each is done in a fresh process by RQ itself."""
    _end_with_parent()
    call_command("rqworker", "default", job_class="django_tasks_rq.Job", verbosity=0)


def _end_with_parent() -> None:
    """End, after the task in hand, when the parent says so or is gone, even while nothing comes from the queue."""

    def watch() -> None:
        wait_for_stop()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
