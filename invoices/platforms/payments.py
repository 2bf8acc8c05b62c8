"""Payments that staff know of, and the status 212 Encaissée that notifies the platform of them.

The status is obligatory for services without the option for debits (CGI art. 290 A), with the amount received by VAT
rate. Nothing is guessed: it is sent for a payment that somebody entered, of an invoice that the platform accepted.
"""

import datetime
import secrets
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.model import InvoiceContent, VatBreakdown
from invoices.formats.cdar_writer import BUYER, SELLER, StatusParty, StatusToWrite, write_status
from invoices.models import Invoice, LifecycleStatus, Payment, Submission
from invoices.money import CENT, write_amount
from invoices.platforms.received_amounts import is_more_than_the_total, received_before
from invoices.platforms.submission import NotResendableError, tracking_id_of_content
from mailing.quarantine.tries import Loop, Tries

_WITH_SERVICES: Final = ("S", "M")


class PaymentRefusedError(ValueError):
    """The payment cannot be recorded; the message is a French sentence, ``field`` what of it is wrong."""

    def __init__(self, message: str, *, field: str = "amount") -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def record_payment(
    *, invoice: Invoice, date: datetime.date, amount: Decimal, source: str = "", author_name: str = ""
) -> tuple[Payment, bool]:
    """Note that ``amount`` was received for ``invoice`` on ``date``; returns the payment and whether it is new.

    Raises :class:`PaymentRefusedError` for nothing, for a day to come, and for more than the invoice asks for.
    """
    held = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
    known = Payment.objects.filter(invoice=held, date=date, amount=amount).first()
    if known is not None:
        return known, False
    if amount == 0:
        raise PaymentRefusedError(_("Un encaissement ne peut pas être nul."))
    if date > timezone.localdate():
        raise PaymentRefusedError(
            _("Un encaissement ne peut pas être daté du %(date)s.") % {"date": f"{date:%d/%m/%Y}"}, field="date"
        )
    received = held.payments.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    if abs(received + amount) > abs(held.total_with_vat) or (received + amount) * held.total_with_vat < 0:
        sentence = _("La facture %(number)s est de %(total)s : %(received)s déjà encaissés, %(amount)s est de trop.")
        amounts = {"total": held.total_with_vat, "received": received, "amount": amount}
        values = {"number": held.number, **{name: write_amount(each, held.currency) for name, each in amounts.items()}}
        raise PaymentRefusedError(sentence % values)
    payment = Payment.objects.create(
        invoice=held, date=date, amount=amount, source=source[:200], author_name=author_name[:254]
    )
    return payment, True


def amounts_by_rate(groups: Iterable[VatBreakdown], amount: Decimal) -> tuple[tuple[Decimal, Decimal], ...]:
    """``amount``, VAT included, shared out over the VAT rates of an invoice (BG-23): (amount, rate), to the cent.

    A payment of the whole gives each rate its own total; one of a part is shared in proportion to these totals.
    """
    totals: dict[Decimal, Decimal] = {}
    for group in groups:
        rate = group.rate or Decimal(0)
        total = (group.taxable_amount or Decimal(0)) + (group.tax_amount or Decimal(0))
        totals[rate] = totals.get(rate, Decimal(0)) + total
    whole = sum(totals.values(), Decimal(0))
    if not whole:
        return ()
    shares = {rate: (amount * total / whole) for rate, total in totals.items()}
    rounded = {rate: share.quantize(CENT, ROUND_DOWN) for rate, share in shares.items()}
    # The cents that are left go where most was cut off.
    left = int((amount - sum(rounded.values(), Decimal(0))) / CENT)
    for rate in sorted(shares, key=lambda rate: abs(shares[rate] - rounded[rate]), reverse=True)[: abs(left)]:
        rounded[rate] += CENT if left > 0 else -CENT
    return tuple((rounded[rate], rate) for rate in sorted(rounded, reverse=True) if rounded[rate])


def must_be_reported(content: InvoiceContent, *, vat_on_debits: bool) -> bool:
    """True where the payment makes the VAT due: services, sold without the option for debits."""
    return not vat_on_debits and not content.is_credit_note and content.business_process[:1] in _WITH_SERVICES


def unreported_payments() -> "QuerySet[Payment]":
    """Payments of invoices that a platform accepted, and of which it was not notified."""
    accepted = Submission.objects.of_invoices().filter(invoice=OuterRef("invoice"), state=Submission.State.ACCEPTED)
    reported = Submission.objects.filter(payment=OuterRef("pk"))
    return Payment.objects.filter(Exists(accepted), ~Exists(reported), amount__gt=0)


def queue_payment_statuses(*, author_name: str = "") -> int:
    """Queue the status 212 of each unreported payment where the law wants it; returns how many lines are new."""
    queued = 0
    tries = Tries(Loop.PAYMENT)
    found = unreported_payments().exclude(pk__in=tries.set_aside_keys())

    def queue(payment: Payment) -> None:
        nonlocal queued
        content = einvoice_of(payment.invoice).content
        if must_be_reported(content, vat_on_debits=payment.invoice.company.vat_on_debits):
            _check_room_for_payment(payment)
            queued += _queue(payment, content, author_name)

    for payment in found.select_related("invoice__company__platform", "invoice__customer").order_by("pk"):
        label = _("Paiement de %(invoice)s") % {"invoice": payment.invoice}
        tries.attempt(payment.pk, label, partial(queue, payment), says=(PaymentRefusedError,))
    return queued


def _check_room_for_payment(payment: Payment) -> None:
    """Refuse to announce a payment where the platform has statuses 212 that leave no room for it."""
    invoice = payment.invoice
    known = received_before(invoice, _paid_at(payment, timezone.now()), payment.amount)
    if is_more_than_the_total(invoice, known + payment.amount):
        sentence = _(
            "La plateforme sait déjà %(known)s encaissés sur %(total)s : un encaissement de %(amount)s de plus serait "
            "de trop. Il n’est pas transmis."
        )
        values = {
            "known": write_amount(known, invoice.currency),
            "total": write_amount(invoice.total_with_vat, invoice.currency),
            "amount": write_amount(payment.amount, invoice.currency),
        }
        raise PaymentRefusedError(sentence % values)


@transaction.atomic
def notify_again(submission: Submission, *, author_name: str = "") -> None:
    """Notify the platform again of the payment of a rejected ``submission``, by a message written now.

    Raises :class:`~invoices.platforms.submission.NotResendableError` where it was not rejected, or announced already.
    """
    held = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
    payment = Payment.objects.select_related("invoice__company", "invoice__customer").get(submissions=held)
    if not held.can_be_resent or not _queue(payment, einvoice_of(payment.invoice).content, author_name):
        raise NotResendableError(_("Seul un statut rejeté se transmet à nouveau, et une fois."))
    Submission.objects.filter(pk=held.pk).update(state=Submission.State.RESENT)


def _queue(payment: Payment, content: InvoiceContent, author_name: str) -> bool:
    invoice = payment.invoice
    delivered = invoice.submissions.filter(payment__isnull=True, state=Submission.State.ACCEPTED).first()
    amounts = amounts_by_rate(content.vat_breakdown, payment.amount)
    if delivered is None or not amounts:
        return False
    message = _message(payment, content, amounts).decode()
    digest = tracking_id_of_content(message)
    submission = Submission(
        platform=delivered.platform,
        invoice=invoice,
        payment=payment,
        content=message,
        syntax=Submission.Syntax.CDAR,
        processing_rule="NotApplicable",
        tracking_id=digest,
        sha256=digest,
        filename=f"212_{invoice.pk.hex[:12]}_{payment.pk}.xml",
        author_name=author_name[:254],
    )
    try:
        with transaction.atomic():
            submission.save(force_insert=True)
    except IntegrityError:  # somebody else queued it at this moment
        return False
    return True


def _message(payment: Payment, content: InvoiceContent, amounts: tuple[tuple[Decimal, Decimal], ...]) -> bytes:
    invoice, now = payment.invoice, timezone.now()
    seller, buyer = invoice.company, invoice.customer
    address = content.buyer.electronic_address
    return write_status(
        StatusToWrite(
            message_id=f"{invoice.number}_212_{now:%Y%m%d%H%M%S}_{secrets.token_hex(3)}",
            written_at=now,
            issuer=StatusParty(siren=seller.siren, name=seller.name, role=SELLER),
            recipient=StatusParty(
                siren=buyer.siren, name=buyer.name, role=BUYER, address=address.value if address else buyer.siren
            ),
            code=LifecycleStatus.Code.PAID,
            label="Encaissée",
            at=_paid_at(payment, now),
            number=invoice.number,
            type_code=invoice.type_code,
            issue_date=invoice.issue_date,
            seller_siren=seller.siren,
            currency=invoice.currency,
            received=amounts,
        )
    )


def _paid_at(payment: Payment, now: datetime.datetime) -> datetime.datetime:
    """Noon of the day of ``payment``, which is all that is known; now where it is today, after what came before it."""
    if payment.date == timezone.localdate(now):
        return now
    return datetime.datetime.combine(payment.date, datetime.time(12), tzinfo=timezone.get_default_timezone())
