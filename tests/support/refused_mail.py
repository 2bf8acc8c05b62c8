"""Invoices that left by mail, and addresses that a server refused."""

from django.utils import timezone

from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Invoice
from mailing.failed_addresses import mark_address_failed
from mailing.models import Message


def publish(*invoices: Invoice) -> None:
    """Export all that waits, with mails."""
    criteria = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
    run_lines(start_export(export=create_export(criteria=criteria, author_name="Claire")))


def refuse(address: str, reason: str = "550 boîte inconnue") -> None:
    """What sending does when a server refuses an address for good."""
    message = Message.objects.filter(recipient__iexact=address).first()
    if message:
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.REJECTED, reason=reason, next_attempt_at=None, ended_at=timezone.now()
        )
    mark_address_failed(address, reason, message.pk if message else None, timezone.now())
