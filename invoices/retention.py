"""What is forgotten of invoices' readers and of imports after their time. Invoices and documents never are."""

import datetime

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db.models import Exists, OuterRef, QuerySet
from django.tasks import task
from django.utils import timezone

from customers.models import Account
from customers.retention import idle_accounts
from invoices.models import Consultation, Delivery, ImportBatch, Invoice

# Hours of the night at which no one waits for what a purge holds up.
_NIGHT = range(2, 5)
_A_DAY_SECONDS = 24 * 3600


@task
def purge_by_night() -> None:
    """What ``manage.py purge`` does: the kinds of data of higher rooms too, which this one does not know."""
    call_command("purge", verbosity=0)


def wake_purge() -> int:
    """Have personal data purged once a night where ``PURGE_NIGHTLY`` asks for it; how many purges were called."""
    now = timezone.localtime()
    if not settings.PURGE_NIGHTLY or now.hour not in _NIGHT:
        return 0
    # A purge done twice forgets nothing more: a cache that was emptied, or a second machine, does no harm.
    if not cache.add(f"invoices.purge:{now:%Y-%m-%d}", "called", _A_DAY_SECONDS):
        return 0
    purge_by_night.enqueue()
    return 1


def erase_consultations(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget who read which invoice before that moment; how many. When it was first read stays on the invoice."""
    old = Consultation.objects.filter(at__lt=before)
    return old.count() if dry_run else old.delete()[0]


def erase_imports(before: datetime.datetime, *, dry_run: bool) -> int:
    """Forget imports that ended before that moment: their reports, and files that were still kept; how many."""
    old = ImportBatch.objects.filter(created_at__lt=before).exclude(state__in=ImportBatch.UNDERWAY)
    if dry_run:
        return old.count()
    count = 0
    for batch in old.iterator(chunk_size=100):
        for file in batch.files:
            if file["storage_name"]:
                default_storage.delete(file["storage_name"])
        batch.delete()
        count += 1
    return count


def idle_readers(before: datetime.datetime) -> "QuerySet[Account]":
    """Accounts that no one has used since that moment, and whose customers have had no invoice since."""
    served = Invoice.objects.filter(customer__accesses__account=OuterRef("pk"), published_at__gte=before)
    return idle_accounts(before).exclude(Exists(served))


def rename_reader(account: Account, *, former: str) -> None:
    """Put the anonymous login of ``account`` where its former one stood: consultations and mails of invoices."""
    Consultation.objects.filter(account=account).update(login=account.login)
    Delivery.objects.filter(account=account).update(address=account.login)
    Delivery.objects.filter(address=former).update(address=account.login)
