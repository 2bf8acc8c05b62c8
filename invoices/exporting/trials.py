"""Trial mails: what customers would receive, sent to the member of staff who asks, with nothing published."""

import uuid
from dataclasses import replace
from typing import Final

from django.utils.translation import gettext as _

from customers.models import Account
from invoices.documents.examples import example_invoice
from invoices.exporting.mail_previews import preview_mails
from invoices.exporting.run.mails import ExportedInvoice, draft_invoice_mail
from invoices.models import Company, Document, Export, ExportItem
from mailing.composition import load_template
from mailing.outbox import Draft, has_message_with_key, write_messages

KIND: Final = "test"
# The keys of the mails of a list; those of a message alone begin otherwise.
LIST_KEY: Final = "test-list:"
MESSAGE_KEY: Final = "test:"
MAILS_OF_A_TRIAL: Final = 5
# Lines of one customer may share a mail: so many are looked at to find that many mails.
LINES_LOOKED_AT: Final = 50


def address_to_reader(draft: Draft, reader: Account, *, key: str = MESSAGE_KEY) -> Draft:
    """``draft`` as a trial: to ``reader``, marked in its subject, without a password or a file of anybody."""
    return replace(
        draft,
        key=f"{key}{uuid.uuid4()}",
        kind=KIND,
        recipient=reader.login,
        recipient_name=reader.get_full_name(),
        subject=_("[Essai] %(subject)s") % {"subject": draft.subject},
        secret_reference="",  # a trial contains no password
        attachments=(),  # nothing is frozen yet that could go with it
    )


def send_trial_message(*, company: Company, reader: Account) -> None:
    """Write the mail of an invoice that does not exist, in the name of ``company``, to ``reader``."""
    invoice = example_invoice(company)
    draft = draft_invoice_mail(
        export=Export(),
        exported=ExportedInvoice(invoice, Document(invoice=invoice, size=0)),
        account=Account(pk=0, login=reader.login, name=invoice.customer.name),
        template=load_template("invoice"),
        attach_pdf=False,
    )
    write_messages([address_to_reader(draft, reader)])


def send_trial_list(*, export: Export, reader: Account) -> int:
    """Write the first mails of ``export`` to ``reader`` instead of its customers; returns how many.

    None where no line is ready, or where the list writes no mails.
    """
    lines = ExportItem.objects.ready().filter(export=export).order_by("pk")
    related = ("export", "document", "invoice__customer", "invoice__company", "invoice__corrects")
    drafts: dict[str, Draft] = {}
    for line in lines.select_related(*related)[:LINES_LOOKED_AT]:
        for draft in preview_mails(line):
            drafts.setdefault(draft.text, draft)
        if len(drafts) >= MAILS_OF_A_TRIAL:
            break
    mails = list(drafts.values())[:MAILS_OF_A_TRIAL]
    write_messages(address_to_reader(draft, reader, key=LIST_KEY) for draft in mails)
    return len(mails)


def has_sent_trial_list() -> bool:
    """True where somebody has sent himself the mails of a list."""
    return has_message_with_key(LIST_KEY)
