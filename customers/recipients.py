"""Who receives: which addresses of a customer are used, by the rules of a selection."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from customers.models import Access, Account, Contact, Customer
from customers.searching import search_key

# So many customers are named in the statement; of more, all rows are read.
FEW = 500


@dataclass(frozen=True, slots=True)
class ContactRules:
    """The choices about contacts of the selection screen."""

    use_contacts: bool = False
    require_contact: bool = False
    main_contact_only: bool = False
    function: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address that receives, and the account that is on it (None: no credentials yet)."""

    address: str
    name: str
    account: Account | None


@dataclass(frozen=True, slots=True)
class CustomerRecipients:
    """What a customer has: the recipients in use, and whether a contact was retained."""

    recipients: tuple[Recipient, ...]
    has_contact: bool


def find_recipients_of(customers: Iterable[Customer], rules: ContactRules) -> dict[int, CustomerRecipients]:
    """The addressees of each of ``customers``, by the customer's primary key, in three queries.

    A contact is retained where it has an address, is the main one if only that is wanted, and its function contains
    the text looked for (case and accents aside). With ``use_contacts`` the retained contacts' addresses are used
    instead of the customer's own, which remains where there is none.
    """
    chosen = {customer.pk: customer for customer in customers}
    contacts = _retained_contacts(chosen, rules)
    wanted = {pk: _addresses(customer, contacts[pk], rules) for pk, customer in chosen.items()}
    accounts = _accounts_by_customer(chosen)
    return {
        pk: CustomerRecipients(
            recipients=tuple(
                Recipient(address, name, accounts.get((pk, address.lower()))) for address, name in wanted[pk]
            ),
            has_contact=bool(contacts[pk]),
        )
        for pk in chosen
    }


def _retained_contacts(customers: dict[int, Customer], rules: ContactRules) -> dict[int, list[Contact]]:
    found = Contact.objects.exclude(email="").order_by("-is_main", "name", "pk")
    if rules.main_contact_only:
        found = found.filter(is_main=True)
    if rules.function.strip():
        found = found.filter(function_key__contains=search_key(rules.function))
    if len(customers) <= FEW:
        found = found.filter(customer__in=list(customers))
    retained: dict[int, list[Contact]] = defaultdict(list)
    for contact in found.iterator(chunk_size=2000):
        if contact.customer_id in customers:
            retained[contact.customer_id].append(contact)
    return retained


def _addresses(customer: Customer, contacts: list[Contact], rules: ContactRules) -> list[tuple[str, str]]:
    """(address, name) of each recipient, every address once."""
    if rules.use_contacts and contacts:
        pairs = [(contact.email.strip(), contact.name) for contact in contacts]
    else:
        pairs = [(customer.email.strip(), customer.name)]
    return list({address.lower(): (address, name) for address, name in reversed(pairs) if address}.values())[::-1]


def _accounts_by_customer(customers: dict[int, Customer]) -> dict[tuple[int, str], Account]:
    """The accounts that see each customer, by customer and login in lower case."""
    accesses = Access.objects.select_related("account").filter(account__is_staff=False)
    if len(customers) <= FEW:
        accesses = accesses.filter(customer__in=list(customers))
    return {
        (access.customer_id, access.account.login.lower()): access.account
        for access in accesses.iterator(chunk_size=2000)
        if access.customer_id in customers
    }
