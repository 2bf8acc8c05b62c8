"""What announces invoices to customers: the mail of one invoice, or of all those of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from customers.mails import AccountHolder
from customers.models import Account
from customers.space_urls import space_url
from invoices.cldr import write_day
from invoices.exporting.run.mail_values import (
    SHOWN_AT_MOST,
    AnnouncedInvoices,
    write_others,
    write_totals,
    write_totals_in_favour,
)
from invoices.models import Company, Document, Export, Invoice
from invoices.money import show_amount
from mailing import composition
from mailing.composition import LoadedTemplate, MailLook, compose
from mailing.identity import SenderIdentity
from mailing.outbox import Attachment, Draft
from mailing.placeholders import brief_values_of, values_of


@dataclass(frozen=True, slots=True)
class ExportedInvoice:
    """An invoice and the document that was frozen for it."""

    invoice: Invoice
    document: Document


def identity_of(company: Company) -> SenderIdentity:
    """In whose name the company's mails leave."""
    return SenderIdentity(
        company=company.name,
        address=company.sender_email or settings.DEFAULT_FROM_EMAIL,
        name=company.sender_name or company.name,
        reply_to=company.reply_to or company.email,
        colour=company.colour,
        rehearsal_address=company.rehearsal_address,
        languages=tuple(company.languages),
        host=company.host,
    )


def find_identity(account: int | None) -> SenderIdentity:
    """In whose name mails leave that no invoice is about: that of the company which billed ``account`` last.

    The default company's for no account in particular and for who was not billed yet. One query,
    two with several companies.
    """
    companies = list(Company.objects.all())
    company = next((each for each in companies if each.is_default), None)
    if company is None:
        return SenderIdentity(address=settings.DEFAULT_FROM_EMAIL)
    if account is not None and len(companies) > 1:
        billed = Invoice.objects.filter(customer__accesses__account=account).order_by("-issue_date", "-pk")
        last = billed.values_list("company", flat=True).first()
        company = next((each for each in companies if each.pk == last), company)
    # An account may be a customer's of any of them: it is written to in the language in which it sees the space.
    return replace(identity_of(company), languages=tuple({code for each in companies for code in each.languages}))


def warm_up() -> None:
    """Load what the mails need once, before children are forked: the page, and the addresses of the space."""
    composition.warm_up()
    space_url("account")


def draft_invoice_mail(
    *,
    export: Export,
    exported: ExportedInvoice,
    account: Account,
    template: LoadedTemplate,
    attach_pdf: bool,
    sending: int = 0,
) -> Draft:
    """The mail that announces one invoice to ``account``. Its key makes it unique within the export.

    ``sending`` is 0 for the run's own mail, then 1, 2… for each wanted re-send, which is a mail of its own.
    """
    invoice = exported.invoice
    return _draft(
        key=f"export:{export.pk}:invoice:{invoice.pk}:{account.login.lower()}" + (f":{sending}" if sending else ""),
        announced=AnnouncedInvoices([invoice]),
        account=account,
        template=template,
        attachments=[_attachment(exported)] if attach_pdf else [],
    )


def draft_customer_mail(
    *,
    export: Export,
    exported: Sequence[ExportedInvoice],
    first_line: int,
    account: Account,
    template: LoadedTemplate,
    attach_pdf: bool,
    size_limit: int,
) -> Draft:
    """One mail for all the invoices of a customer in the run; beyond ``size_limit`` bytes it carries no file.

    ``first_line`` (primary key of a line) makes it unique: lines retried after the first mail get a mail of their own.
    """
    fits = sum(one.document.size for one in exported) <= size_limit
    return _draft(
        key=f"export:{export.pk}:lines:{first_line}:{account.login.lower()}",
        announced=AnnouncedInvoices([one.invoice for one in exported]),
        account=account,
        template=template,
        attachments=[_attachment(one) for one in exported] if attach_pdf and fits else [],
    )


def _highlights(announced: AnnouncedInvoices) -> list[tuple[str, str]]:
    """What the reader wants to know first: the amount, and until when; no date where there are credit notes only."""
    if not announced.to_pay:
        label = _("Avoir en votre faveur TTC") if len(announced.invoices) == 1 else _("Avoirs en votre faveur TTC")
        amount = write_totals_in_favour(announced)
    else:
        label = _("Montant TTC") if len(announced.invoices) == 1 else _("Total TTC")
        amount = write_totals(announced)
    highlights = [(label, amount)]
    if due_dates := sorted({invoice.due_date for invoice in announced.to_pay if invoice.due_date}):
        label = _("Échéance") if len(due_dates) == 1 else _("Première échéance")
        highlights.append((label, write_day(due_dates[0])))
    return highlights


def _button(announced: AnnouncedInvoices, host: str) -> tuple[str, str]:
    """The words of the button and where it leads, in the space of the company under the name ``host``."""
    if len(announced.invoices) == 1:
        [invoice] = announced.invoices
        label = _("Ouvrir mon avoir") if invoice.is_credit_note else _("Ouvrir ma facture")
        return label, space_url("invoice", invoice.pk, host=host)
    label = _("Ouvrir mes factures") if announced.to_pay else _("Ouvrir mes avoirs")
    return label, space_url("invoices", host=host)


def _rows(announced: AnnouncedInvoices) -> list[tuple[str, str]]:
    """Each document of a grouped mail with its amount, ten at most; none where there is only one.

    Credit notes are taken off beside invoices only: alone, they are below a sum in the reader's favour.
    """
    if len(announced.invoices) == 1:
        return []
    return [
        (
            str(invoice),
            show_amount(
                invoice.signed_total_with_vat if announced.to_pay else invoice.total_with_vat, invoice.currency
            ),
        )
        for invoice in announced.invoices[:SHOWN_AT_MOST]
    ]


def _attachment(exported: ExportedInvoice) -> Attachment:
    document = exported.document
    return Attachment(
        storage_name=document.storage_name,
        filename=exported.invoice.pdf_filename,
        content_type="application/pdf",
        size=document.size,
        sha256=document.sha256,
    )


def _look(announced: AnnouncedInvoices, identity: SenderIdentity, *, preferences_url: str) -> MailLook:
    """What surrounds the words of the mail: colours, button, figures and the table of invoices."""
    button_label, button_url = _button(announced, identity.host)
    rows = _rows(announced)
    return MailLook(
        company_name=identity.company,
        colour=identity.colour,
        space_url=identity.space_root,
        button_label=button_label,
        button_url=button_url,
        highlights=tuple(_highlights(announced)),
        rows=tuple(rows),
        more=write_others(len(rows), len(announced.invoices)) if rows else "",
        rows_after=tuple(values_of(announced)) if rows else (),
        preferences_url=preferences_url,
    )


def _draft(
    *,
    key: str,
    announced: AnnouncedInvoices,
    account: Account,
    template: LoadedTemplate,
    attachments: list[Attachment],
) -> Draft:
    first = announced.invoices[0]
    identity = identity_of(first.company)
    preferences = space_url("account", host=identity.host)
    subjects = (identity, AccountHolder(account, first.customer.name), announced)
    worded = template.in_language(identity.language_for(account.language))
    with override(worded.language):  # whoever exports, and wherever: the reader's language
        composed = compose(
            worded,
            values_of(*subjects),
            _look(announced, identity, preferences_url=preferences),
            brief_values_of(*subjects),
        )
    return Draft(
        key=key,
        kind=str(template.key),
        recipient=account.login,
        recipient_name=account.name,
        sender=identity.address,
        sender_name=identity.name,
        reply_to=identity.reply_to,
        subject=composed.subject,
        text=composed.text,
        html=composed.html,
        secret_reference=str(account.pk) if composed.shows_secret else "",
        unsubscribe_url=preferences,
        attachments=tuple(attachments),
    )
