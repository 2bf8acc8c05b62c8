"""The list of invoices as a CSV file that French spreadsheets open as it is."""

import csv
from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.utils.translation import gettext as _

from invoices.files.csv_cells import harmless_cell
from invoices.models import Invoice

BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(invoices: Iterable[Invoice]) -> Iterator[str]:
    """Rows of a CSV (semicolons, decimal commas, jj/mm/aaaa, byte order mark): the head, then one per invoice.

    A text that a spreadsheet would run as a formula is made harmless by an apostrophe. Amounts of a credit note are
    negative, so that a column can be summed.
    """
    writer = csv.writer(_Echo(), delimiter=";", lineterminator="\r\n")
    yield BYTE_ORDER_MARK
    yield writer.writerow(
        [
            _("Numéro"),
            _("Nature"),
            _("Date"),
            _("Échéance"),
            _("Code client"),
            _("Client"),
            _("Référence"),
            _("Total HT"),
            _("TVA"),
            _("Total TTC"),
            _("Net à payer"),
            _("Devise"),
        ]
    )
    for invoice in invoices:
        sign = -1 if invoice.is_credit_note else 1
        yield writer.writerow(
            [
                harmless_cell(invoice.number),
                invoice.get_kind_display(),
                f"{invoice.issue_date:%d/%m/%Y}",
                f"{invoice.due_date:%d/%m/%Y}" if invoice.due_date else "",
                harmless_cell(invoice.customer.code),
                harmless_cell(invoice.customer.name),
                harmless_cell(invoice.purchase_order_reference),
                _decimal(sign * invoice.total_without_vat),
                _decimal(sign * invoice.total_vat),
                _decimal(sign * invoice.total_with_vat),
                _decimal(sign * invoice.amount_due),
                invoice.currency,
            ]
        )


def _decimal(value: Decimal) -> str:
    return f"{value:f}".replace(".", ",")
