"""What is forgotten of invoices' readers and of imports after their time. Invoices and documents never are."""

import datetime

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, QuerySet

from customers.models import Account
from customers.retention import idle_accounts
from invoices.models import Consultation, Delivery, ImportBatch, Invoice


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
    """Accounts that nobody has used since that moment, and whose customers have had no invoice since."""
    served = Invoice.objects.filter(customer__accesses__account=OuterRef("pk"), published_at__gte=before)
    return idle_accounts(before).exclude(Exists(served))


def rename_reader(account: Account, *, former: str) -> None:
    """Put the anonymous login of ``account`` where its former one stood: consultations and mails of invoices."""
    Consultation.objects.filter(account=account).update(login=account.login)
    Delivery.objects.filter(account=account).update(address=account.login)
    Delivery.objects.filter(address=former).update(address=account.login)
