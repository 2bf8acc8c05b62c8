"""The mails that a line of a list would send, before anything is sent or stored."""

from django.conf import settings

from customers.models import Account
from invoices.exporting.criteria import Criteria
from invoices.exporting.run.mails import ExportedInvoice, draft_customer_mail, draft_invoice_mail
from invoices.exporting.selection import WRITTEN_TO
from invoices.models import Document, ExportCustomer, ExportItem, Invoice
from mailing.composition import load_template
from mailing.outbox import Draft

# Enough to judge a mail by: a preview of a customer's thousands of invoices would be a mail too long to read.
LINES_SHOWN = 50


def preview_mails(item: ExportItem) -> list[Draft]:
    """The mails that ``item`` would send, one per recipient; passwords are masked. Empty where none is wanted."""
    export = item.export
    criteria = Criteria.from_json(export.criteria)
    if not criteria.notify:
        return []
    row = ExportCustomer.objects.filter(export=export, customer=item.invoice.customer).first()
    recipients = [found for found in (row.recipients if row else []) if found["status"] in WRITTEN_TO]
    accounts = Account.objects.in_bulk([found["account"] for found in recipients if found["account"]])
    return [
        _draft(item, criteria, accounts.get(found["account"]) or Account(login=found["address"], name=found["name"]))
        for found in recipients
    ]


def _draft(item: ExportItem, criteria: Criteria, account: Account) -> Draft:
    together = _lines_of_customer(item) if criteria.one_mail_per_customer else [item]
    exported = [ExportedInvoice(line.invoice, line.document or _no_document(line.invoice)) for line in together]
    if len(exported) == 1:
        return draft_invoice_mail(
            export=item.export,
            exported=exported[0],
            account=account,
            template=load_template("invoice"),
            attach_pdf=criteria.attach_pdf,
        )
    return draft_customer_mail(
        export=item.export,
        exported=exported,
        first_line=together[0].pk,
        account=account,
        template=load_template("invoices"),
        attach_pdf=criteria.attach_pdf,
        size_limit=settings.MAIL_ATTACHMENTS_LIMIT,
    )


def _lines_of_customer(item: ExportItem) -> list[ExportItem]:
    """The lines that would share the mail of ``item``: the ready ones of its customer, and itself."""
    ready = (
        ExportItem.objects.ready()
        .filter(export=item.export, invoice__customer=item.invoice.customer)
        .exclude(pk=item.pk)
        .select_related("invoice__customer", "invoice__company", "document")
        .order_by("pk")[: LINES_SHOWN - 1]
    )
    return sorted([item, *ready], key=lambda line: line.pk)


def _no_document(invoice: Invoice) -> Document:
    """Replaces the document that does not exist yet."""
    return Document(invoice=invoice, size=0)
