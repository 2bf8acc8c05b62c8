"""Who consulted what: the only place that writes «consultée»."""

import datetime
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from customers.models import Account
from invoices.models import Consultation, Invoice
from mailing.trail.acting import Actor, present_actor
from mailing.trail.actions import Action
from mailing.trail.recording import Act, record_all

# Requests of one visit: a reader of PDF asks for a file in pieces, and people turn back and forth between pages.
VISIT = datetime.timedelta(minutes=30)


@transaction.atomic
def record_consultations(*, invoice_ids: Iterable[UUID], account: Account, channel: Consultation.Channel) -> None:
    """Write that ``account`` consulted these invoices by ``channel``, and when each was consulted for the first time.

    What the same account read by the same channel less than :data:`VISIT` ago is the same consultation. The caller
    answers for two things: the invoices are visible to the account, and the account's owner asked himself.
    """
    now = timezone.now()
    identifiers = list(dict.fromkeys(invoice_ids))
    for start in range(0, len(identifiers), 500):
        asked = identifiers[start : start + 500]
        # Before the rows: who reads an invoice for the first time waits here for whoever does so at the same moment.
        new = Invoice.objects.filter(pk__in=asked, first_consulted_at=None).update(first_consulted_at=now)
        of_this_visit: set[UUID] = set()
        if new < len(asked):
            recent = Consultation.objects.filter(invoice__in=asked, account=account, channel=channel)
            of_this_visit.update(recent.filter(at__gt=now - VISIT).values_list("invoice_id", flat=True))
        written = Consultation.objects.bulk_create(
            Consultation(invoice_id=identifier, account=account, login=account.login, channel=channel, at=now)
            for identifier in asked
            if identifier not in of_this_visit
        )
        # What an archive holds is noted while it is sent, after the request's own end.
        record_all(
            (Act(Action.CONSULTED, Invoice(pk=row.invoice_id), {"channel": row.channel}) for row in written),
            by=Actor(account.pk, account.login, present_actor().address),
        )
