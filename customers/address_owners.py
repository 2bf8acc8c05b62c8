"""Whose an address is: the customers that use it on their card, on a contact, or as a login."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models.functions import Lower

from customers.models import Access, Contact, Customer


def find_owners(addresses: Iterable[str]) -> dict[str, dict[int, Customer]]:
    """The customers of each of ``addresses`` (in small letters), by their primary key. Three queries."""
    wanted = list(addresses)
    owners: dict[str, dict[int, Customer]] = defaultdict(dict)
    for customer in Customer.objects.annotate(lower=Lower("email")).filter(lower__in=wanted).order_by("code"):
        owners[customer.email.lower()][customer.pk] = customer
    contacts = Contact.objects.annotate(lower=Lower("email")).filter(lower__in=wanted).select_related("customer")
    for contact in contacts.order_by("customer__code"):
        owners[contact.email.lower()].setdefault(contact.customer_id, contact.customer)
    accesses = Access.objects.annotate(lower=Lower("account__login")).filter(lower__in=wanted)
    for access in accesses.select_related("customer", "account").order_by("customer__code"):
        owners[access.account.login.lower()].setdefault(access.customer_id, access.customer)
    return owners
