"""What the trail keeps of a customer card that changes: whether invoices are delivered, and to which address."""

from collections.abc import Iterator, Mapping
from typing import Final

from customers.models import Customer
from mailing.trail.actions import Action
from mailing.trail.recording import Act

# Fields whose changes are in the trail with what was there before.
TRAILED: Final = ("invoice_copies", "email")


def acts_of_card(customer: Customer, before: Mapping[str, str]) -> Iterator[Act]:
    """The changes of ``customer``, as it is now, from the values ``before``; none where they are the same."""
    former = before.get("invoice_copies", customer.invoice_copies)
    if former != customer.invoice_copies:
        yield Act(Action.COPIES_CHANGED, customer, {"former": former, "now": customer.invoice_copies})
    former = before.get("email", customer.email)
    if former != customer.email:
        yield Act(Action.ADDRESS_CHANGED, customer, personal={"former": former, "now": customer.email})
