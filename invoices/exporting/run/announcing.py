"""Announcing to customers: the mails of exported lines, written once, with the record of which mail went to whom."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from django.conf import settings
from django.db.models import F

from customers.models import Account
from customers.services import needs_note_of_credentials, note_sent_credentials
from invoices.exporting.criteria import Criteria
from invoices.exporting.run.mails import ExportedInvoice, draft_customer_mail, draft_invoice_mail
from invoices.exporting.selection import RecipientStatus
from invoices.models import Delivery, Export, ExportCustomer, ExportItem
from mailing.composition import load_template
from mailing.outbox import Draft, write_messages

State = ExportItem.State


def draft_line_mails(export: Export, criteria: Criteria) -> Callable[[ExportedInvoice, Account], Draft]:
    """What composes the mail that announces one invoice of the run to an account.

    Raises LookupError where there is no such predefined message; what it gives raises ValueError on one that lacks a
    value, both in French.
    """
    template = load_template("invoice")

    def draft(exported: ExportedInvoice, account: Account) -> Draft:
        return draft_invoice_mail(
            export=export, exported=exported, account=account, template=template, attach_pdf=criteria.attach_pdf
        )

    return draft


def write_line_mails(mails: Sequence[tuple[ExportItem, Draft, Account]]) -> None:
    """Put one mail per line and recipient in the outbox, within the caller's transaction, which counts them."""
    _write([draft for _item, draft, _account in mails], [[(item, account)] for item, _draft, account in mails])


def announce_finished_customers(export: Export, criteria: Criteria, customers: Iterable[int]) -> None:
    """Write one mail per recipient for all lines of each customer whose last line has ended.

    Called with the transaction that ends a line, and once more at the end of the run for customers whose last two lines
    ended at the same time in two workers; a mail that is there already is not written again.
    """
    wanted = set(customers)
    # One at a time for each customer: of two workers that end his last lines together, the second sees the first's.
    rows = ExportCustomer.objects.filter(export=export, customer__in=wanted).order_by("pk").select_for_update()
    list(rows.values_list("pk", flat=True))
    items = _unannounced(export, wanted)
    if not items:
        return
    write = _draft_customer_mails(export, criteria)
    recipients = _accounts_of(export, list(items))
    drafts: list[Draft] = []
    targets: list[list[tuple[ExportItem, Account]]] = []
    for customer, lines in items.items():
        for account in recipients.get(customer, []):
            drafts.append(write(lines, account))
            targets.append([(item, account) for item in lines])
    _write(drafts, targets)
    _count(targets)


def _unannounced(export: Export, customers: set[int]) -> dict[int, list[ExportItem]]:
    """The published lines that no mail announces yet of those ``customers`` who have no line left to do."""
    items = ExportItem.objects.filter(export=export, invoice__customer__in=customers)
    waiting = items.filter(state__in=(State.READY, State.CLAIMED)).values_list("invoice__customer", flat=True)
    finished = customers - set(waiting)
    if not finished:
        return {}
    published = (
        items.filter(invoice__customer__in=finished, state=State.PUBLISHED, deliveries__isnull=True)
        .select_related("document", "invoice__customer", "invoice__company")
        .order_by("invoice__issue_date", "invoice__number")
    )
    found: dict[int, list[ExportItem]] = defaultdict(list)
    for item in published:
        found[item.invoice.customer_id].append(item)
    return dict(found)


def _draft_customer_mails(export: Export, criteria: Criteria) -> Callable[[list[ExportItem], Account], Draft]:
    """What composes the mail that announces all the ``lines`` of a customer to an account."""
    several, single = load_template("invoices"), load_template("invoice")

    def draft(lines: list[ExportItem], account: Account) -> Draft:
        exported = [ExportedInvoice(item.invoice, item.document) for item in lines if item.document is not None]
        return draft_customer_mail(
            export=export,
            exported=exported,
            account=account,
            first_line=min(item.pk for item in lines),
            template=several if len(exported) > 1 else single,
            attach_pdf=criteria.attach_pdf,
            size_limit=settings.MAIL_ATTACHMENTS_LIMIT,
        )

    return draft


def _accounts_of(export: Export, customers: list[int]) -> dict[int, list[Account]]:
    """The active accounts that are notified, by customer: those of the list, and those made on the way."""
    rows = list(ExportCustomer.objects.filter(export=export, customer__in=customers))
    wanted = (RecipientStatus.MAIL, RecipientStatus.GENERATE)
    logins = {
        recipient["address"].lower(): row.customer_id
        for row in rows
        for recipient in row.recipients
        if recipient["status"] in wanted
    }
    accounts = Account.objects.filter(
        accesses__customer__in=customers, is_active=True, is_staff=False, notify_by_mail=True
    ).distinct()
    by_login = {account.login.lower(): account for account in accounts if account.login.lower() in logins}
    return {
        row.customer_id: [
            by_login[recipient["address"].lower()]
            for recipient in row.recipients
            if recipient["status"] in wanted and recipient["address"].lower() in by_login
        ]
        for row in rows
    }


def _write(drafts: Sequence[Draft], targets: Sequence[Sequence[tuple[ExportItem, Account]]]) -> None:
    """Put the drafts in the outbox and note, per line and account, which message announces it."""
    if not drafts:
        return
    messages = write_messages(drafts)
    # By accounts that were read already: those that need no note cost no statement.
    unnoted = {str(account.pk) for pairs in targets for _item, account in pairs if needs_note_of_credentials(account)}
    note_sent_credentials(draft.secret_reference for draft in drafts if draft.secret_reference in unnoted)
    pairs = [
        (item, account, message) for target, message in zip(targets, messages, strict=True) for item, account in target
    ]
    Delivery.objects.bulk_create(
        [
            Delivery(item=item, account=account, address=account.login, message_id=message)
            for item, account, message in pairs
        ],
        ignore_conflicts=True,
    )


def _count(targets: Sequence[Sequence[tuple[ExportItem, Account]]]) -> None:
    """Count the mails on their lines; one of several lines once, on its first."""
    counts = Counter(target[0][0].pk for target in targets)
    by_count: dict[int, list[int]] = defaultdict(list)
    for pk, count in counts.items():
        by_count[count].append(pk)
    for count, keys in by_count.items():
        ExportItem.objects.filter(pk__in=keys).update(mails=F("mails") + count)
