"""What a customer's mail is about: whose it is, and the invoices of the mail that it answers."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from customers.address_owners import find_owners
from customers.models import Customer
from invoices.models import Delivery, Invoice


@dataclass(frozen=True, slots=True)
class Subject:
    """The customers that a mail comes from, and the invoices that it answers; both as far as they are known."""

    customers: tuple[Customer, ...]
    invoices: tuple[Invoice, ...]


def find_subjects(mails: Iterable[tuple[str, str, uuid.UUID | None]]) -> list[Subject]:
    """For each mail (its sender, the address ours went to, and our mail that it answers): what it is about.

    The invoices name their customer; without one, the address does. Four queries.
    """
    asked = [(sender.lower(), recipient.lower(), message) for sender, recipient, message in mails]
    answered = {message for _sender, _recipient, message in asked if message}
    invoices: dict[uuid.UUID, list[Invoice]] = defaultdict(list)
    deliveries = Delivery.objects.filter(message__in=answered).select_related("item__invoice__customer")
    for delivery in deliveries.order_by("item__invoice__issue_date", "item__invoice__number"):
        invoices[delivery.message_id].append(delivery.item.invoice)
    owners = find_owners({address for sender, recipient, _message in asked for address in (sender, recipient)} - {""})
    subjects = []
    for sender, recipient, message in asked:
        found = invoices.get(message, []) if message else []
        customers = {invoice.customer_id: invoice.customer for invoice in found}
        customers = customers or owners.get(sender) or owners.get(recipient) or {}
        subjects.append(Subject(tuple(customers.values()), tuple(found)))
    return subjects
