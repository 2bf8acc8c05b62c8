"""Tasks of the workers for platforms. A queue only wakes a worker up: what is left to do is read from the database."""

from django.tasks import task
from django.utils import timezone

from invoices.models import Platform, Submission
from invoices.platforms.directory import (
    companies_to_look_up,
    connected_platform,
    customers_to_look_up,
    refresh_directory,
)
from invoices.platforms.following import fetch_statuses, is_polling_due
from invoices.platforms.payments import queue_payment_statuses
from invoices.platforms.submission import (
    awaiting_submission,
    queue_submissions,
    release_submissions_of_gone_workers,
    run_submissions,
)
from invoices.workers.pool import stop_requested
from invoices.workers.waking import wake
from mailing.leases import database_now


@task
def submit_due() -> int:
    """Submit what is due; returns how many lines were sent."""
    return run_submissions(should_stop=stop_requested)


@task
def fetch_new_statuses() -> int:
    """Take what is new at the platforms; returns how many statuses are new."""
    return sum(len(fetched.statuses) for fetched in fetch_statuses().values())


def wake_submissions() -> int:
    """Queue what platforms take by themselves, and wake a worker up for what is due; returns how many were called."""
    if not Platform.objects.exists():
        return 0
    if Platform.objects.filter(submits_by_itself=True).exists():
        queue_submissions(awaiting_submission().filter(company__platform__submits_by_itself=True))
    queue_payment_statuses()
    release_submissions_of_gone_workers()
    due = Submission.objects.claimable(database_now()).exists()
    return int(due and wake("submit", submit_due.enqueue))


@task
def refresh_addresses() -> int:
    """Look up the customers whose address was not looked up lately; returns how many were."""
    return refresh_directory()[0]


def wake_directory() -> int:
    """Wake a worker up where customers or connected companies are to be looked up; returns how many were called."""
    now = timezone.now()
    if connected_platform() is None:
        return 0
    if not customers_to_look_up(now).exists() and not companies_to_look_up(now).exists():
        return 0
    return int(wake("directory", refresh_addresses.enqueue))


def wake_polling() -> int:
    """Wake a worker up where platforms are to be asked for statuses; returns how many were called."""
    return int(is_polling_due() and wake("poll", fetch_new_statuses.enqueue))
