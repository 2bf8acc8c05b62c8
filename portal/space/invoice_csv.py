"""The list of invoices as a CSV file that French spreadsheets open as it is."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from invoices.files.csv_tables import Column, CsvTable
from invoices.models import Invoice


def _signed(amount: Callable[[Invoice], Decimal]) -> Callable[[Invoice], Decimal]:
    """``amount``, below zero on a credit note, so that a column can be summed."""
    return lambda invoice: -amount(invoice) if invoice.is_credit_note else amount(invoice)


COLUMNS: tuple[Column[Invoice], ...] = (
    Column(_("Numéro"), lambda invoice: invoice.number),
    Column(_("Nature"), lambda invoice: invoice.get_kind_display()),
    Column(_("Date"), lambda invoice: invoice.issue_date),
    Column(_("Échéance"), lambda invoice: invoice.due_date),
    Column(_("Code client"), lambda invoice: invoice.customer.code),
    Column(_("Client"), lambda invoice: invoice.customer.name),
    Column(_("Référence"), lambda invoice: invoice.purchase_order_reference),
    Column(_("Total HT"), _signed(lambda invoice: invoice.total_without_vat)),
    Column(_("TVA"), _signed(lambda invoice: invoice.total_vat)),
    Column(_("Total TTC"), _signed(lambda invoice: invoice.total_with_vat)),
    Column(_("Net à payer"), _signed(lambda invoice: invoice.amount_due)),
    Column(_("Devise"), lambda invoice: invoice.currency),
)


def csv_lines(invoices: Iterable[Invoice]) -> Iterator[str]:
    """The lines of a CSV: the head, then one per invoice."""
    return CsvTable(COLUMNS).lines(invoices)
