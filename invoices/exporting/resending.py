"""Sending a published invoice again because somebody asks for it: explicit, numbered, never by accident."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from customers.models import Account
from customers.services import note_sent_credentials
from invoices.exporting.exports import NothingToDoError
from invoices.exporting.run.mails import ExportedInvoice, draft_invoice_mail
from invoices.models import Delivery, ExportItem, Invoice
from mailing.composition import load_template
from mailing.outbox import write_messages


@dataclass(frozen=True, slots=True)
class ResendPlan:
    """What the next sending of an invoice would be: its number, and the accounts that can receive it."""

    sending: int
    accounts: list[Account]


def plan_resending(invoice: Invoice) -> ResendPlan:
    """The number of the next sending, and the active accounts of the invoice's customer.

    Raises NothingToDoError where the invoice has not been published by an export.
    """
    return ResendPlan(next_sending(invoice), _able_accounts(invoice))


def next_sending(invoice: Invoice) -> int:
    """The number of the next sending alone, for callers who know the accounts; raises as :func:`plan_resending`."""
    return _last_sending(_published_item(invoice)) + 1


@transaction.atomic
def resend_invoice(*, invoice: Invoice, accounts: Iterable[Account], sending: int, attach_pdf: bool) -> int:
    """Write a mail to each of ``accounts`` with the frozen document; returns how many were written.

    ``sending`` is the number that was shown (:func:`plan_resending`): the same press twice sends once. Raises
    NothingToDoError where that number was used meanwhile, or no account can receive.
    """
    item = _published_item(invoice, lock=True)
    if sending != _last_sending(item) + 1:
        raise NothingToDoError(_("Cet envoi vient d’être fait : la facture n’est pas partie une seconde fois."))
    able = {account.pk: account for account in _able_accounts(invoice)}
    chosen = [able[account.pk] for account in accounts if account.pk in able]
    if not chosen:
        raise NothingToDoError(_("Aucun compte actif de ce client ne peut recevoir le mail."))
    document = invoice.document
    if document is None:
        raise NothingToDoError(_("Cette facture n’a pas de document figé."))
    template = load_template("invoice")
    drafts = [
        draft_invoice_mail(
            export=item.export,
            exported=ExportedInvoice(invoice, document),
            account=account,
            template=template,
            attach_pdf=attach_pdf,
            sending=sending,
        )
        for account in chosen
    ]
    messages = write_messages(drafts)
    note_sent_credentials(draft.secret_reference for draft in drafts)
    Delivery.objects.bulk_create(
        Delivery(item=item, account=account, address=account.login, message_id=message, sending=sending)
        for account, message in zip(chosen, messages, strict=True)
    )
    return len(messages)


def _able_accounts(invoice: Invoice) -> list[Account]:
    accounts = Account.objects.of_customers().filter(accesses__customer=invoice.customer_id, is_active=True)
    return list(accounts.order_by("login").distinct())


def _published_item(invoice: Invoice, *, lock: bool = False) -> ExportItem:
    items = ExportItem.objects.filter(invoice=invoice, state=ExportItem.State.PUBLISHED).select_related("export")
    # Two people who press at once queue here.
    item = (items.select_for_update(of=("self",)) if lock else items).first()
    if item is None:
        raise NothingToDoError(_("Cette facture n’a pas encore été exportée : il n’y a rien à renvoyer."))
    return item


def _last_sending(item: ExportItem) -> int:
    return Delivery.objects.filter(item=item).aggregate(last=Max("sending"))["last"] or 0
