"""What customers are told of their invoices: the mail of one invoice, or of all those of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.models import Account
from invoices.models import Company, Document, Export, Invoice
from invoices.money import write_amount
from mailing.composition import SECRET_MASK, LoadedTemplate, MailLook, compose
from mailing.identity import SenderIdentity
from mailing.outbox import Attachment, Draft


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
    )


def find_default_identity() -> SenderIdentity:
    """In whose name mails leave that no invoice is about: the default company's."""
    company = Company.objects.filter(is_default=True).first()
    return identity_of(company) if company is not None else SenderIdentity(address=settings.DEFAULT_FROM_EMAIL)


def draft_invoice_mail(
    *,
    export: Export,
    exported: ExportedInvoice,
    account: Account,
    template: LoadedTemplate,
    attach_pdf: bool,
    sending: int = 0,
) -> Draft:
    """The mail that tells ``account`` of one invoice. Its key makes it unique within the export.

    ``sending`` is 0 for the run's own mail, then 1, 2… for each wanted re-send, which is a mail of its own.
    """
    invoice = exported.invoice
    values = {
        "#REFFACTURE": invoice.number,
        "#DATE_FACTURE": date_format(invoice.issue_date, "d/m/Y"),
        "#MONTANT_TTC": write_amount(invoice.total_with_vat, invoice.currency),
        "#ECHEANCE": _due_date(invoice),
        **_common_values(invoice, account),
    }
    highlights = [(_("Montant TTC"), values["#MONTANT_TTC"])]
    if invoice.due_date:
        highlights.append((_("Échéance"), values["#ECHEANCE"]))
    label = _("Ouvrir mon avoir") if invoice.is_credit_note else _("Ouvrir ma facture")
    return _draft(
        key=f"export:{export.pk}:invoice:{invoice.pk}:{account.login.lower()}" + (f":{sending}" if sending else ""),
        invoice=invoice,
        account=account,
        template=template,
        values=values,
        highlights=highlights,
        button=(label, _portal_url(f"/factures/{invoice.pk}/")),
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
    first = exported[0].invoice
    totals: dict[str, list[Invoice]] = {}
    for one in exported:
        totals.setdefault(one.invoice.currency, []).append(one.invoice)
    sums = [
        write_amount(
            sum((invoice.total_with_vat for invoice in invoices), start=invoices[0].total_with_vat * 0), currency
        )
        for currency, invoices in totals.items()
    ]
    values = {
        "#REFFACTURE": ", ".join(one.invoice.number for one in exported),
        "#DATE_FACTURE": ", ".join(dict.fromkeys(date_format(one.invoice.issue_date, "d/m/Y") for one in exported)),
        "#MONTANT_TTC": " + ".join(sums),
        "#ECHEANCE": ", ".join(dict.fromkeys(_due_date(one.invoice) for one in exported)),
        **_common_values(first, account),
    }
    fits = sum(one.document.size for one in exported) <= size_limit
    highlights = [
        (str(one.invoice), write_amount(one.invoice.total_with_vat, one.invoice.currency)) for one in exported
    ]
    return _draft(
        key=f"export:{export.pk}:lines:{first_line}:{account.login.lower()}",
        invoice=first,
        account=account,
        template=template,
        values=values,
        highlights=highlights,
        button=(_("Ouvrir mes factures"), _portal_url("/factures/")),
        attachments=[_attachment(one) for one in exported] if attach_pdf and fits else [],
    )


def _due_date(invoice: Invoice) -> str:
    return date_format(invoice.due_date, "d/m/Y") if invoice.due_date else _("à réception")


def _common_values(invoice: Invoice, account: Account) -> dict[str, str]:
    return {
        "#NOM_CLIENT": invoice.customer.name,
        "#SOCIETE": invoice.company.name,
        "#URL_ESPACE": settings.PORTAL_URL,
        "#LOGIN_CONNEXION": account.login,
        "#PWD_CONNEXION": SECRET_MASK,
    }


def _portal_url(path: str) -> str:
    return f"{settings.PORTAL_URL}{path}"


def _attachment(exported: ExportedInvoice) -> Attachment:
    document = exported.document
    return Attachment(
        storage_name=document.storage_name,
        filename=exported.invoice.pdf_filename,
        content_type="application/pdf",
        size=document.size,
        sha256=document.sha256,
    )


def _draft(
    *,
    key: str,
    invoice: Invoice,
    account: Account,
    template: LoadedTemplate,
    values: dict[str, str],
    highlights: list[tuple[str, str]],
    button: tuple[str, str],
    attachments: list[Attachment],
) -> Draft:
    identity = identity_of(invoice.company)
    preferences = _portal_url("/compte/")
    composed = compose(
        template,
        values,
        MailLook(
            company_name=identity.company,
            colour=identity.colour,
            space_url=settings.PORTAL_URL,
            button_label=button[0],
            button_url=button[1],
            highlights=tuple(highlights),
            preferences_url=preferences,
        ),
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
