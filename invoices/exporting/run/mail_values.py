"""What a mail about invoices can say of them: the placeholders that one invoice, or those of a run, fill."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.mails import AccountHolder
from invoices.cldr import write_day
from invoices.models import Invoice
from invoices.money import show_amount
from mailing.identity import SenderIdentity
from mailing.placeholders import Placeholder, register_message, register_placeholders

# Beyond so many, a mail names the first ones and counts the others.
SHOWN_AT_MOST = 10
# Characters that the numbers may take in a subject line.
BRIEF_LENGTH = 40


@dataclass(frozen=True, slots=True)
class AnnouncedInvoices:
    """The invoices and credit notes that a mail is about, at least one."""

    invoices: Sequence[Invoice]

    @property
    def to_pay(self) -> list[Invoice]:
        """Those that are invoices: a credit note falls due at no date."""
        return [invoice for invoice in self.invoices if not invoice.is_credit_note]


def register_mail_values() -> None:
    """Register the placeholders that invoices fill, and the two messages about them."""
    register_placeholders(
        AnnouncedInvoices,
        Placeholder("#REFFACTURE", gettext_lazy("numéro de la facture"), write_numbers, "18000135", write_few_numbers),
        Placeholder("#TYPE_DOCUMENT", gettext_lazy("« facture », « avoir » ou leur pluriel"), write_kind, "facture"),
        Placeholder("#DATE_FACTURE", gettext_lazy("date de la facture"), write_dates, "07/06/2025"),
        Placeholder(
            "#MONTANT_TTC", gettext_lazy("montant toutes taxes comprises"), write_totals, "1\u202f234,50\u00a0€"
        ),
        Placeholder("#ECHEANCE", gettext_lazy("date d’échéance"), write_due_dates, "07/07/2025"),
    )
    for key in ("invoice", "invoices"):
        register_message(key, SenderIdentity, AccountHolder, AnnouncedInvoices)


def write_numbers(announced: AnnouncedInvoices) -> str:
    """The numbers, ten at most: «F1, F2 … et 35 autres»."""
    numbers = [invoice.number for invoice in announced.invoices]
    return _with_others(numbers[:SHOWN_AT_MOST], len(numbers))


def write_few_numbers(announced: AnnouncedInvoices) -> str:
    """As many numbers as a subject line can take, at least one."""
    numbers = [invoice.number for invoice in announced.invoices]
    shown = 1
    while shown < len(numbers) and len(", ".join(numbers[: shown + 1])) <= BRIEF_LENGTH:
        shown += 1
    return _with_others(numbers[:shown], len(numbers))


def write_others(shown: int, count: int) -> str:
    """«et 35 autres» for what a list of ``count`` leaves out after ``shown``; empty where it leaves out nothing."""
    left = count - shown
    if left <= 0:
        return ""
    return _("et 1 autre") if left == 1 else _("et %(count)d autres") % {"count": left}


def write_kind(announced: AnnouncedInvoices) -> str:
    """«facture», «factures», «avoir», «avoirs», «facture et avoir», «factures et avoirs»…"""
    invoices = len(announced.to_pay)
    credit_notes = len(announced.invoices) - invoices
    words = []
    if invoices:
        words.append(_("facture") if invoices == 1 else _("factures"))
    if credit_notes:
        words.append(_("avoir") if credit_notes == 1 else _("avoirs"))
    return _(" et ").join(words)


def write_dates(announced: AnnouncedInvoices) -> str:
    """The dates of issue, each once."""
    return _each_once([write_day(invoice.issue_date) for invoice in announced.invoices])


def write_totals(announced: AnnouncedInvoices) -> str:
    """The total with VAT of each currency, credit notes taken off."""
    return _sum(totals_of(announced))


def write_totals_in_favour(announced: AnnouncedInvoices) -> str:
    """:func:`write_totals` of credit notes behind a label that says whose the money is: without a minus sign."""
    return _sum({currency: -total for currency, total in totals_of(announced).items()})


def _sum(totals: dict[str, Decimal]) -> str:
    return " + ".join(show_amount(total, currency) for currency, total in totals.items())


def totals_of(announced: AnnouncedInvoices) -> dict[str, Decimal]:
    """The total with VAT by currency, credit notes taken off."""
    totals: dict[str, Decimal] = {}
    for invoice in announced.invoices:
        totals[invoice.currency] = totals.get(invoice.currency, Decimal()) + invoice.signed_total_with_vat
    return totals


def write_due_dates(announced: AnnouncedInvoices) -> str:
    """The due dates, each once; «sans objet» where there is nothing to pay but credit notes."""
    dates = [write_due_date(invoice) for invoice in announced.to_pay]
    return _each_once(dates) if dates else _("sans objet")


def write_due_date(invoice: Invoice) -> str:
    """The due date of one invoice, or «à réception»."""
    return write_day(invoice.due_date) if invoice.due_date else _("à réception")


def _each_once(dates: list[str]) -> str:
    once = list(dict.fromkeys(dates))
    return _with_others(once[:SHOWN_AT_MOST], len(once))


def _with_others(shown: list[str], count: int) -> str:
    return " ".join(filter(None, [", ".join(shown), write_others(len(shown), count)]))
