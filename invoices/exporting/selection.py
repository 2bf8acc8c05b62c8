"""Selection: which invoices can leave, to whom, and why the others cannot.

A reason is either of the invoice's customer (decided once per customer, in Python, from three queries) or of the
invoice itself (decided by the database); so neither the list nor its count costs a query per invoice.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any, Final

from django.db.models import Case, Count, F, FilteredRelation, Q, Value, When
from django.db.models.functions import Lower

from customers.models import DEMATERIALISED, Account, Customer
from customers.recipients import CustomerRecipients, Recipient, find_recipients_of
from invoices.exporting.criteria import Criteria, Scope
from invoices.models import Export, ExportItem, Invoice, InvoiceQuerySet
from invoices.platforms.channel import WITHOUT_PLATFORM
from mailing.failed_addresses import known_bad

Reason = ExportItem.Reason


class RecipientStatus:
    """What a recipient of a list gets."""

    MAIL = "mail"  # an active account: a mail, where mails are wanted
    GENERATE = "generate"  # credentials will be made on the way, then as above
    NO_ACCOUNT = "no_account"  # no account and none made: no mail
    DISABLED = "disabled"  # a deactivated account: no mail
    BAD_ADDRESS = "bad_address"  # the server refused this address for good: no mail until corrected
    NOT_WANTED = "not_wanted"  # the account asked for no mail


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


# Reasons of the invoice itself, tried after those of its customer. A check that is stale keeps nothing back: the export
# checks what it is about to write.
_NOT_COMPLIANT: Final = Q(
    published_at__isnull=True,
    check_state=Invoice.CheckState.INVALID,
    company__allow_plain_pdf=False,
    checked_at__gte=F("updated_at"),
    customer__updated_at__lte=F("checked_at"),
    company__updated_at__lte=F("checked_at"),
)


def _platform_required(criteria: Criteria) -> Q:
    """Invoices that would leave by mail only although the law sends them through a platform."""
    if criteria.mail_only_reason:
        return Q(pk__in=[])
    return Q(published_at__isnull=True) & WITHOUT_PLATFORM


def invoice_reason(criteria: Criteria) -> Case:
    """SQL of why an invoice itself cannot leave, whoever its customer is (a value of Reason); empty where it can."""
    return Case(
        When(_NOT_COMPLIANT, then=Value(str(Reason.NOT_COMPLIANT))),
        When(_platform_required(criteria), then=Value(str(Reason.PLATFORM_REQUIRED))),
        default=Value(""),
    )


def find_candidates(criteria: Criteria) -> InvoiceQuerySet:
    """All invoices of the period and of the kind of customers, exported or not."""
    found = Invoice.objects.issued_between(criteria.start, criteria.end)
    if criteria.kind:
        found = found.filter(customer__kind=criteria.kind)
    return found


def judge_customers(criteria: Criteria) -> dict[int, CustomerVerdict]:
    """The verdict on each customer in D who has an invoice that waits in the selection, by primary key."""
    waiting = find_candidates(criteria).pending().order_by().values("customer")
    customers = list(Customer.objects.dematerialised().filter(pk__in=waiting))
    return _judge(customers, criteria)


def judge_customer(customer: Customer, criteria: Criteria) -> CustomerVerdict:
    """The verdict on one customer."""
    if not customer.is_dematerialised:
        return CustomerVerdict(Reason.NOT_DEMATERIALISED)
    return _judge([customer], criteria)[customer.pk]


def _judge(customers: list[Customer], criteria: Criteria) -> dict[int, CustomerVerdict]:
    addressees = find_recipients_of(customers, criteria.contacts)
    addresses = {recipient.address for found in addressees.values() for recipient in found.recipients}
    bad = known_bad(addresses) if criteria.notify else {}
    return {pk: _verdict(found, criteria, bad) for pk, found in addressees.items()}


def _verdict(addressees: CustomerRecipients, criteria: Criteria, bad: dict[str, str]) -> CustomerVerdict:
    """The first reason that applies, in the order that users know."""
    recipients = addressees.recipients
    rows = [_row(recipient, criteria, bad) for recipient in recipients]
    reason = ""
    if criteria.contacts.require_contact and not addressees.has_contact:
        reason = Reason.NO_CONTACT
    elif not recipients:
        reason = Reason.NO_ADDRESS
    elif all(recipient.account is not None and not recipient.account.is_active for recipient in recipients):
        reason = Reason.ACCOUNT_DISABLED
    elif (
        criteria.scope == Scope.WITH_CREDENTIALS
        and not criteria.generate_credentials
        and not any(recipient.account is not None and recipient.account.is_active for recipient in recipients)
    ):
        reason = Reason.NO_CREDENTIALS
    elif all(row["status"] == RecipientStatus.BAD_ADDRESS for row in rows):
        reason = Reason.BAD_ADDRESS
    return CustomerVerdict(reason, rows)


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
    verdicts = judge_customers(criteria)
    groups = (
        find_candidates(criteria)
        .order_by()
        .values("customer", "customer__invoice_copies")
        .annotate(
            exported=Count("pk", filter=Q(published_at__isnull=False)),
            not_compliant=Count("pk", filter=_NOT_COMPLIANT),
            without_platform=Count("pk", filter=_platform_required(criteria) & ~_NOT_COMPLIANT),
            all=Count("pk"),
        )
    )
    left_out: Counter[str] = Counter()
    ready: dict[int, int] = {}
    for group in groups.iterator(chunk_size=2000):
        if group["customer__invoice_copies"] != DEMATERIALISED:
            left_out[Reason.NOT_DEMATERIALISED] += group["all"]
            continue
        left_out[Reason.ALREADY_EXPORTED] += group["exported"]
        # A customer whose first waiting invoice came in between the two looks is counted at the next one.
        verdict = verdicts.get(group["customer"])
        waiting = group["all"] - group["exported"]
        if verdict is None or not waiting:
            continue
        if verdict.reason:
            left_out[verdict.reason] += waiting
        else:
            left_out[Reason.NOT_COMPLIANT] += group["not_compliant"]
            left_out[Reason.PLATFORM_REQUIRED] += group["without_platform"]
            ready[group["customer"]] = waiting - group["not_compliant"] - group["without_platform"]
    total = sum(ready.values())
    mails, credentials = _forecast(criteria, [(verdicts[pk], count) for pk, count in ready.items() if count])
    return SelectionCount(total + left_out.total(), total, order_reasons(left_out), mails, credentials)


def _forecast(criteria: Criteria, ready: list[tuple[CustomerVerdict, int]]) -> tuple[int, int]:
    """How many mails and credentials the export would write and make for customers with so many ready invoices each."""
    to_make = {
        recipient["address"].lower()
        for verdict, _count in ready
        for recipient in verdict.recipients
        if recipient["status"] == RecipientStatus.GENERATE
    }
    standing = _accounts_of_other_customers(to_make)
    # An address of somebody else's account gets no second one; a provisional password that ran out is drawn anew.
    credentials = sum(1 for address in to_make if address not in standing or standing[address].is_renewed)
    if not criteria.notify:
        return 0, credentials
    mails = 0
    for verdict, count in ready:
        written_to = sum(
            recipient["status"] == RecipientStatus.MAIL
            or (
                recipient["status"] == RecipientStatus.GENERATE
                and ((account := standing.get(recipient["address"].lower())) is None or account.gets_mails)
            )
            for recipient in verdict.recipients
        )
        mails += written_to * (1 if criteria.one_mail_per_customer else count)
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


def order_reasons(counts: Counter[str] | dict[str, int]) -> dict[str, int]:
    """The reasons that occur, in the order in which they are tried."""
    return {str(reason): counts[reason] for reason in Reason if counts.get(reason)}


def list_selection(criteria: Criteria) -> Iterator[tuple[Invoice, CustomerVerdict]]:
    """Each candidate with its verdict, by date and number."""
    verdicts = judge_customers(criteria)
    kept_back = find_candidates(criteria).annotate(invoice_reason=invoice_reason(criteria)).exclude(invoice_reason="")
    invoice_reasons = dict(kept_back.values_list("pk", "invoice_reason"))
    candidates = find_candidates(criteria).select_related("customer").order_by("issue_date", "number")
    for invoice in candidates.iterator(chunk_size=2000):
        if not invoice.customer.is_dematerialised:
            yield invoice, CustomerVerdict(Reason.NOT_DEMATERIALISED)
        elif invoice.is_published:
            yield invoice, CustomerVerdict(Reason.ALREADY_EXPORTED)
        elif invoice.customer_id in verdicts:
            verdict = verdicts[invoice.customer_id]
            yield invoice, verdict if verdict.reason else replace(verdict, reason=invoice_reasons.get(invoice.pk, ""))


def items_query(export: Export, criteria: Criteria) -> InvoiceQuerySet:
    """The candidates with ``item_state`` and ``item_reason``, judged by the rows of customers kept with ``export``."""
    return (
        find_candidates(criteria)
        .alias(row=FilteredRelation("customer__export_rows", condition=Q(customer__export_rows__export=export)))
        .annotate(
            item_reason=Case(
                When(~Q(customer__invoice_copies=DEMATERIALISED), then=Value(str(Reason.NOT_DEMATERIALISED))),
                When(published_at__isnull=False, then=Value(str(Reason.ALREADY_EXPORTED))),
                When(row__reason__gt="", then=F("row__reason")),
                default=invoice_reason(criteria),
            ),
        )
        .annotate(
            item_state=Case(
                When(item_reason="", then=Value(str(ExportItem.State.READY))),
                default=Value(str(ExportItem.State.LEFT_OUT)),
            ),
        )
    )
