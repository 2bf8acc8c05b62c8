"""What a platform says of what was submitted to it: accepted, rejected, and how that reads on a report."""

import datetime
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.formats.cdar import read_statuses
from invoices.models import Export, Invoice, LifecycleStatus, Platform, Submission
from invoices.money import write_amount
from invoices.platforms.client import Flow
from invoices.platforms.lifecycle import record_status
from invoices.platforms.story_order import REJECTIONS
from mailing import leases

State = Submission.State

ALREADY_THERE: Final = ("DOUBLON", "ALREADY_EXISTS")
"""Reasons of a refusal that say that the platform has the invoice already: the first delivery is the good one."""


def take_acknowledgement(platform: Platform, flow: Flow) -> bool:
    """Note what ``platform`` says of a flow of ours; False where it is none or nothing new is said.

    An error whose only reason is that the invoice is there already says that the first delivery is the good one.
    """
    ours = Submission.objects.filter(platform=platform, tracking_id=flow.tracking_id) if flow.tracking_id else None
    if ours is None:
        return False
    now = timezone.now()
    known = ours.filter(Q(flow_id=flow.flow_id) | Q(flow_id=""), state__in=(State.SENT, State.CLAIMED, State.DUE))
    if flow.acknowledgement == "Ok" or (
        flow.acknowledgement == "Error" and flow.codes and set(flow.codes) <= set(ALREADY_THERE)
    ):
        _note_paid(platform, known, flow.updated_at)
        return bool(
            leases.release(
                known,
                state=State.ACCEPTED,
                flow_id=flow.flow_id,
                answered_at=now,
                claimed_by="",
                reason="",
                may_be_there=True,
            )
        )
    if flow.acknowledgement == "Error":
        reason = flow.reason or _("motif non précisé")
        return bool(known.filter(state=State.SENT).update(state=State.REJECTED, reason=reason, answered_at=now))
    return False


def _note_paid(platform: Platform, accepted: "QuerySet[Submission]", listed_at: datetime.datetime | None) -> None:
    """The platform took the status of a payment: the invoice has it from now on."""
    for line in accepted.filter(payment__isnull=False).select_related("invoice", "payment"):
        if line.payment is None:
            continue
        reason = _("%(amount)s encaissés") % {"amount": write_amount(line.payment.amount, line.invoice.currency)}
        (sent,) = read_statuses(line.content.encode())
        status, is_new = record_status(
            invoice=line.invoice,
            code=LifecycleStatus.Code.PAID,
            at=sent.at,
            reason=reason,
            source=platform.name,
            author_name=line.author_name,
            listed_at=listed_at,
            received=line.payment.amount,
        )
        if not is_new and reason not in status.reason.split(" ; "):  # another payment of the same day
            status.reason = " ; ".join(filter(None, (status.reason, reason)))
            status.received = (status.received or Decimal(0)) + line.payment.amount
            status.save(update_fields=["reason", "received"])


def take_status(invoice: Invoice, *, is_rejection: bool, reason: str = "") -> None:
    """A status came for ``invoice``: its submission is accepted with the first, rejected by a 213 or 501.

    A rejection that the status contradicts, because the buyer had dealt with the invoice before it, rejects no more:
    sent again, the invoice would be there twice.
    """
    lines = Submission.objects.of_invoices().filter(invoice=invoice)
    now = timezone.now()
    if is_rejection:
        lines.filter(state__in=(State.SENT, State.ACCEPTED)).update(
            state=State.REJECTED, reason=reason, answered_at=now
        )
    else:
        contradicted = invoice.statuses.filter(is_contradicted=True, code__in=REJECTIONS).values("reason")
        accepted = Q(state=State.SENT) | Q(state=State.REJECTED, reason__in=contradicted)
        lines.filter(accepted).update(state=State.ACCEPTED, answered_at=now, reason="")


def count_submissions(export: Export) -> list[tuple[str, int]]:
    """How many invoices of ``export`` are in which state on their way to a platform, in words; none without one."""
    lines = Submission.objects.of_invoices().filter(invoice__items__export=export, invoice__items__state="published")
    counts = dict(lines.order_by().values_list("state").annotate(Count("invoice", distinct=True)))
    return [(str(state.label), counts[state]) for state in State if counts.get(state)]


def words_of_submissions(invoices: Iterable[Any]) -> dict[Any, str]:
    """What became of the last submission of each of ``invoices`` (primary keys), by one query."""
    lines = Submission.objects.of_invoices().filter(invoice__in=list(invoices)).order_by("pk")
    return {
        line.invoice_id: f"{line.get_state_display()} : {line.reason}" if line.reason else line.get_state_display()
        for line in lines.only("invoice", "state", "reason")
    }
