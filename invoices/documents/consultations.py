"""Who consulted what: the only place that writes «consultée»."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from customers.models import Account
from invoices.models import Consultation, Invoice


@transaction.atomic
def record_consultations(*, invoice_ids: Iterable[UUID], account: Account, channel: Consultation.Channel) -> None:
    """Write that ``account`` consulted these invoices by ``channel``, and when each was consulted for the first time.

    The caller answers for two things: the invoices are visible to the account, and the account's owner asked himself.
    """
    now = timezone.now()
    identifiers = list(invoice_ids)
    Consultation.objects.bulk_create(
        [
            Consultation(invoice_id=identifier, account=account, login=account.login, channel=channel, at=now)
            for identifier in identifiers
        ],
        batch_size=500,
    )
    for start in range(0, len(identifiers), 500):
        Invoice.objects.filter(pk__in=identifiers[start : start + 500], first_consulted_at=None).update(
            first_consulted_at=now
        )
