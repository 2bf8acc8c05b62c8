"""Selection: which invoices can leave, to whom, and why the others cannot (:mod:`invoices.exporting.reasons`).

Customers are judged once each, in Python, from three queries; invoices by the database. So neither the list nor its
count costs a query per invoice.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any

from django.db import models
from django.db.models import Case, Count, FilteredRelation, Q, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from customers.models import Account, Customer
from customers.recipients import CustomerRecipients, Recipient, find_recipients_of
from invoices.exporting.criteria import Criteria, Period
from invoices.exporting.reasons import (
    CustomerFacts,
    first_reason,
    order_reasons,
    reason_of_customer,
    reason_of_invoice,
    reason_of_line,
    reason_of_published,
)
from invoices.models import Export, ExportItem, Invoice, InvoiceQuerySet
from mailing.destinations import count_destinations, destination_of
from mailing.failed_addresses import known_bad


class RecipientStatus(models.TextChoices):
    """What a recipient of a list gets, with what a list says of it."""

    MAIL = "mail", ""  # an active account: a mail, where mails are wanted
    GENERATE = "generate", _("compte à créer")  # credentials will be made on the way, then as above
    NO_ACCOUNT = "no_account", _("sans compte")  # no account and none made: no mail
    DISABLED = "disabled", _("compte désactivé")  # no mail
    BAD_ADDRESS = "bad_address", _("adresse en erreur")  # refused by the server for good: no mail until corrected
    NOT_WANTED = "not_wanted", _("ne veut pas de mail")  # the account asked for none


WRITTEN_TO = (RecipientStatus.MAIL, RecipientStatus.GENERATE)
"""Those whom a list means to write to."""


@dataclass(frozen=True, slots=True)
class CustomerVerdict:
    """Whether a customer's invoices can leave (``reason`` empty), and to whom."""

    reason: str
    recipients: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SelectionCount:
    """The figures of a selection; ``mails`` and ``credentials`` are those that its export would write and make."""

    candidates: int
    ready: int
    left_out: dict[str, int]
    mails: int = 0
    credentials: int = 0
    destinations: dict[str, int] = field(default_factory=dict)  # the mails by where they go
    recipients: dict[str, int] = field(default_factory=dict)  # the addresses written to, in the same way


def find_candidates(criteria: Criteria) -> InvoiceQuerySet:
    """All invoices of the period and of the kind of customers, exported or not («depuis le dernier export»: not)."""
    found = Invoice.objects.issued_between(criteria.start, criteria.end)
    if criteria.period == Period.SINCE_LAST_EXPORT:
        found = found.pending()
    if criteria.kind:
        found = found.filter(customer__kind=criteria.kind)
    return found


def judge_customers(criteria: Criteria) -> dict[int, CustomerVerdict]:
    """The verdict on each customer in D who has an invoice that waits in the selection, by primary key."""
    waiting = find_candidates(criteria).pending().order_by().values("customer")
    customers = list(Customer.objects.dematerialised().filter(pk__in=waiting))
    return _judge(customers, criteria)


def judge_chosen(customers: Iterable[Customer], criteria: Criteria) -> dict[int, CustomerVerdict]:
    """The verdict on each of ``customers``; none is needed of those on paper, whose invoices do not leave."""
    chosen = list(customers)
    judged = _judge([customer for customer in chosen if customer.is_dematerialised], criteria)
    return {customer.pk: judged.get(customer.pk, CustomerVerdict("")) for customer in chosen}


def _judge(customers: list[Customer], criteria: Criteria) -> dict[int, CustomerVerdict]:
    addressees = find_recipients_of(customers, criteria.contacts)
    addresses = {recipient.address for found in addressees.values() for recipient in found.recipients}
    bad = known_bad(addresses) if criteria.notify else {}
    return {pk: _verdict(found, criteria, bad) for pk, found in addressees.items()}


def _verdict(addressees: CustomerRecipients, criteria: Criteria, bad: dict[str, str]) -> CustomerVerdict:
    rows = [_row(recipient, criteria, bad) for recipient in addressees.recipients]
    is_every_address_bad = all(row["status"] == RecipientStatus.BAD_ADDRESS for row in rows)
    return CustomerVerdict(reason_of_customer(CustomerFacts(criteria, addressees, is_every_address_bad)), rows)


def _row(recipient: Recipient, criteria: Criteria, bad: dict[str, str]) -> dict[str, Any]:
    account = recipient.account
    if account is None:
        status = RecipientStatus.GENERATE if criteria.generate_credentials else RecipientStatus.NO_ACCOUNT
    elif not account.is_active:
        status = RecipientStatus.DISABLED
    elif not account.notify_by_mail:
        status = RecipientStatus.NOT_WANTED
    else:
        status = RecipientStatus.MAIL
    if recipient.address.lower() in bad and status in (RecipientStatus.MAIL, RecipientStatus.GENERATE):
        status = RecipientStatus.BAD_ADDRESS
    return {
        "address": recipient.address,
        "name": recipient.name,
        "account": account.pk if account is not None else None,
        "status": status,
    }


def count_selection(criteria: Criteria) -> SelectionCount:
    """The figures of the selection, in a bounded number of queries whatever its size."""
    left_out, ready = _count_by_fate(criteria)
    total = sum(count for _verdict, count in ready)
    written_to, credentials = _forecast(criteria, ready)
    mails: Counter[str] = Counter()
    for address, number in written_to.items():
        mails[destination_of(address)] += number
    return SelectionCount(
        total + left_out.total(),
        total,
        order_reasons(left_out),
        written_to.total(),
        credentials,
        destinations=dict(mails),
        recipients=count_destinations(written_to),
    )


def _count_by_fate(criteria: Criteria) -> tuple[Counter[str], list[tuple[CustomerVerdict, int]]]:
    """How many invoices are left out, by reason, and how many are ready, by customer."""
    verdicts = judge_customers(criteria)
    candidates = find_candidates(criteria).order_by()
    left_out: Counter[str] = Counter()
    # Of a million that have left, no customer has a say any more: they are counted by reason alone.
    gone = candidates.published().annotate(invoice_reason=reason_of_published(criteria))
    left_out.update(dict(gone.values_list("invoice_reason").annotate(Count("pk"))))
    judged = candidates.pending().annotate(invoice_reason=reason_of_invoice(criteria))
    groups = judged.values_list("customer", "invoice_reason").annotate(Count("pk"))
    ready: list[tuple[CustomerVerdict, int]] = []
    for customer, invoice_reason, count in groups.iterator(chunk_size=2000):
        # A customer whose first waiting invoice came in between the two looks is counted at the next one.
        verdict = verdicts.get(customer)
        if reason := first_reason(invoice_reason, verdict.reason if verdict else ""):
            left_out[reason] += count
        elif verdict is not None:
            ready.append((verdict, count))
    return left_out, ready


def _forecast(criteria: Criteria, ready: list[tuple[CustomerVerdict, int]]) -> tuple[Counter[str], int]:
    """How many mails, by address, and credentials the export makes for customers with so many ready invoices."""
    to_make = {
        recipient["address"].lower()
        for verdict, _count in ready
        for recipient in verdict.recipients
        if recipient["status"] == RecipientStatus.GENERATE
    }
    standing = _accounts_of_other_customers(to_make)
    # An address of somebody else's account gets no second one; a provisional password that ran out is drawn again.
    credentials = sum(1 for address in to_make if address not in standing or standing[address].is_renewed)
    if not criteria.notify:
        return Counter(), credentials
    mails: Counter[str] = Counter()
    for verdict, count in ready:
        for recipient in verdict.recipients:
            account = standing.get(recipient["address"].lower())
            if recipient["status"] == RecipientStatus.MAIL or (
                recipient["status"] == RecipientStatus.GENERATE and (account is None or account.gets_mails)
            ):
                mails[recipient["address"].lower()] += 1 if criteria.one_mail_per_customer else count
    return mails, credentials


@dataclass(frozen=True, slots=True)
class _StandingAccount:
    """An account that is there already although its owner does not see the customer yet."""

    gets_mails: bool
    is_renewed: bool


def _accounts_of_other_customers(addresses: set[str]) -> dict[str, _StandingAccount]:
    """The accounts of these logins (in lower case), by login."""
    found: dict[str, _StandingAccount] = {}
    for some in batched(sorted(addresses), 500):
        accounts = Account.objects.alias(login_key=Lower("login")).filter(login_key__in=some)
        for account in accounts:
            found[account.login.lower()] = _StandingAccount(
                gets_mails=account.is_active and account.notify_by_mail and not account.is_staff,
                is_renewed=account.has_expired_provisional and not account.is_staff,
            )
    return found


def list_selection(criteria: Criteria) -> Iterator[tuple[Invoice, CustomerVerdict]]:
    """Each candidate with its verdict, by date and number."""
    verdicts = judge_customers(criteria)
    candidates = (
        find_candidates(criteria)
        .annotate(invoice_reason=reason_of_invoice(criteria))
        .select_related("customer")
        .order_by("issue_date", "number")
    )
    for invoice in candidates.iterator(chunk_size=2000):
        verdict = verdicts.get(invoice.customer_id, CustomerVerdict(""))
        reason = first_reason(invoice.invoice_reason, verdict.reason)  # type: ignore[attr-defined] # annotated
        if reason or verdict.recipients:
            yield invoice, replace(verdict, reason=reason)


def judge_invoices(invoices: InvoiceQuerySet, export: Export, criteria: Criteria) -> InvoiceQuerySet:
    """``invoices`` with ``item_state`` and ``item_reason``, judged by the rows of customers kept with ``export``."""
    is_ready = When(item_reason="", then=Value(str(ExportItem.State.READY)))
    return (
        invoices.alias(row=FilteredRelation("customer__export_rows", condition=Q(customer__export_rows__export=export)))
        .annotate(item_reason=reason_of_line(criteria, export))
        .annotate(item_state=Case(is_ready, default=Value(str(ExportItem.State.LEFT_OUT))))
    )
