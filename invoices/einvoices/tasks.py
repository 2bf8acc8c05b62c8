"""Tasks that check e-invoices in the background."""

from django.core.cache import cache
from django.db import transaction
from django.tasks import task

from customers.models import Customer
from invoices.einvoices.checks import check_waiting, is_any_waiting

CHECK_SECONDS_PER_TASK = 20.0


# Where everybody sees that somebody checks, and since when: two who check at once do no harm, but the work twice.
_CHECKING_KEY = "einvoices-being-checked"


_CHECKING_SECONDS = 90


@task
def check_einvoices() -> int:
    """Check e-invoices that wait for it; returns how many. A queue that is long leaves room for exports."""
    if not cache.add(_CHECKING_KEY, True, timeout=_CHECKING_SECONDS):
        return 0
    try:
        figures = check_waiting(seconds=CHECK_SECONDS_PER_TASK)
    finally:
        cache.delete(_CHECKING_KEY)
    if figures.total and is_any_waiting():
        check_einvoices.enqueue()
    return figures.total


def request_checks() -> None:
    """Have e-invoices checked once the transaction holds: called after an import, a correction, new settings.

    A queue that cannot be reached loses nothing: a worker that sweeps finds them.
    """
    transaction.on_commit(lambda: wake_checks(), robust=True)


def check_after_card_change(customer: Customer) -> None:
    """What a customer card says is on the invoices that wait for their export."""
    request_checks()


def wake_checks() -> bool:
    """Start the check of e-invoices that wait, where none is under way; True where there are any."""
    if cache.get(_CHECKING_KEY) or not is_any_waiting():
        return False
    check_einvoices.enqueue()
    return True
