"""The amounts of the status 212: what was received fits the invoice that it was received for, or is not taken."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.content.from_rows import content_of
from invoices.formats.cdar import ReceivedAmount
from invoices.models import Invoice, LifecycleStatus
from invoices.money import CENT, write_amount, write_rate

_TAX_CURRENCY: Final = "EUR"


def why_not_received(invoice: Invoice, at: datetime, received: Sequence[ReceivedAmount]) -> str:
    """Why ``received`` (of one message, at that time) cannot have been paid for ``invoice``; nothing where it can.

    Currency and VAT rates are those of the invoice, no rate gets more than its total, and all messages together no
    more than the invoice. Amounts in euros of an invoice in another currency are what its VAT is stated in.
    """
    words = {"number": invoice.number[:40]}
    for paid in received:
        if paid.currency not in (invoice.currency, _TAX_CURRENCY):
            words |= {"given": paid.currency, "own": invoice.currency}
            return _("Le statut 212 de la facture %(number)s est en %(given)s : elle est en %(own)s.") % words
    totals = _totals_by_rate(invoice)
    for rate in {paid.rate for paid in received if paid.rate is not None} if totals else ():
        if rate not in totals:
            rates = ", ".join(write_rate(known) for known in sorted(totals, reverse=True))
            words |= {"given": write_rate(rate), "own": rates}
            return _("Le statut 212 de la facture %(number)s donne une TVA de %(given)s : elle est à %(own)s.") % words
        paid_at_rate = [paid for paid in received if paid.rate == rate]
        if all(paid.currency == invoice.currency for paid in paid_at_rate):
            sum_at_rate = sum((paid.amount for paid in paid_at_rate), Decimal(0))
            if abs(sum_at_rate) > abs(totals[rate]) + CENT:
                words |= {
                    "given": write_amount(sum_at_rate, invoice.currency),
                    "rate": write_rate(rate),
                    "own": write_amount(totals[rate], invoice.currency),
                }
                return (
                    _("Le statut 212 de la facture %(number)s donne %(given)s à %(rate)s : elle y est de %(own)s.")
                    % words
                )
    total = total_received(invoice, received)
    if total is None:
        return ""
    known = received_before(invoice, at, total)
    if is_more_than_the_total(invoice, known + total) or known + total < 0:
        words |= {
            "given": write_amount(total, invoice.currency),
            "known": write_amount(known, invoice.currency),
            "own": write_amount(invoice.total_with_vat, invoice.currency),
        }
        return _("La facture %(number)s est de %(own)s : %(known)s déjà encaissés, %(given)s sont de trop.") % words
    return ""


def is_more_than_the_total(invoice: Invoice, received: Decimal) -> bool:
    """Whether ``received`` is more than ``invoice`` asks for; a cent of rounding is not."""
    return abs(received) > abs(invoice.total_with_vat) + CENT


def total_received(invoice: Invoice, received: Sequence[ReceivedAmount]) -> Decimal | None:
    """The sum of ``received`` in the currency of ``invoice``; None where no amount is given in it."""
    if not received or any(paid.currency != invoice.currency for paid in received):
        return None
    return sum((paid.amount for paid in received), Decimal(0))


def received_before(invoice: Invoice, at: datetime, total: Decimal) -> Decimal:
    """What other statuses 212 say was received for ``invoice``; the same amount of the same day counts once."""
    known = _known(invoice)
    known.discard((timezone.localdate(at), total))
    return sum((amount for _day, amount in known), Decimal(0))


def repeats(invoice: Invoice, at: datetime, total: Decimal | None) -> str:
    """What is said of a status that announces a payment that another one announced; nothing where it is the first."""
    if total is None or (timezone.localdate(at), total) not in _known(invoice, but=at):
        return ""
    amount = write_amount(total, invoice.currency)
    return _("Même montant (%(amount)s) et même jour qu’un statut déjà noté : compté une fois.") % {"amount": amount}


def _known(invoice: Invoice, *, but: datetime | None = None) -> set[tuple[object, Decimal]]:
    """Day and amount of what was received."""
    statuses = LifecycleStatus.objects.filter(invoice=invoice, code=LifecycleStatus.Code.PAID, received__isnull=False)
    return {
        (timezone.localdate(at), amount)
        for at, amount in statuses.values_list("at", "received")
        if amount is not None and at != but
    }


def _totals_by_rate(invoice: Invoice) -> dict[Decimal, Decimal]:
    """The totals of ``invoice`` with VAT, by rate; empty where it does not state them."""
    totals: dict[Decimal, Decimal] = {}
    for group in content_of(invoice).vat_breakdown:
        rate = group.rate or Decimal(0)
        total = (group.taxable_amount or Decimal(0)) + (group.tax_amount or Decimal(0))
        totals[rate] = totals.get(rate, Decimal(0)) + total
    return totals
