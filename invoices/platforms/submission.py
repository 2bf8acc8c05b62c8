"""Handing invoices over to a platform by its interface: leased lines, each delivered once whatever is killed when.

A line is claimed from the database as the lines of an export are. From the moment before it is sent, the platform may
have it: whoever takes it up again first searches for its ``trackingId``, once the platform has had time to find what
it accepted, and sends it only where it is not there. Platforms do not look whether a ``trackingId`` is new.
"""

import datetime
import hashlib
import logging
from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.einvoices.xml_files import xml_source_of
from invoices.models import Document, Export, Invoice, Platform, Submission
from invoices.platforms.answers import take_acknowledgement
from invoices.platforms.channel import MUST_USE_PLATFORM, Channel, channel_of
from invoices.platforms.client import (
    LONGEST_REQUEST_SECONDS,
    AccessError,
    BusyPlatformError,
    Flow,
    FlowRefusedError,
    PlatformClient,
    UnknownFateError,
)
from invoices.platforms.handover import Format, einvoices_to_hand_over, file_name_of, mark_handed_over
from invoices.store.frozen import DocumentAlteredError, read_document
from invoices.workers.leases import is_dead, name_worker
from mailing import leases
from mailing.leases import database_now
from mailing.quarantine import tries

logger = logging.getLogger(__name__)
State = Submission.State

CLAIMED_AT_ONCE: Final = 8
# Workers are also stopped for reasons that no line is to blame for: several in a row make a culprit.
MOST_INTERRUPTIONS: Final = 5
# A platform that does not let us in is asked again after this; credentials are mended by people.
PAUSE_WITHOUT_ACCESS: Final = datetime.timedelta(minutes=5)
_RULES: Final = {
    Channel.PLATFORM: "B2B",
    Channel.PUBLIC: "B2G",
    Channel.ABROAD: "B2BInt",
    Channel.INDIVIDUAL: "B2C",
    Channel.EXEMPT: "OutOfScope",
}


class NotResendableError(ValueError):
    """The submission cannot be sent again; the message is a French sentence."""


# What is to be submitted.


def awaiting_submission(export: Export | None = None) -> "QuerySet[Invoice]":
    """Published invoices that the law sends through a platform that is connected, and that are not on their way to it.

    One that the platform rejected waits for a person: it is sent again by :func:`resend`, or when a new version of the
    invoice is published.
    """
    found = einvoices_to_hand_over(export, form=Format.CII, again=True)
    of_invoice = Submission.objects.of_invoices().filter(invoice=OuterRef("pk"))
    return found.filter(
        MUST_USE_PLATFORM,
        ~Exists(of_invoice.live()),
        ~Exists(of_invoice.filter(document=OuterRef("document"))),
        company__platform__isnull=False,
    )


def queue_submissions(invoices: "QuerySet[Invoice]", *, export: Export | None = None, author_name: str = "") -> int:
    """Put ``invoices`` (of :func:`awaiting_submission`) on their way; returns how many lines are new."""
    queued = 0

    def queue(invoice: Invoice) -> None:
        nonlocal queued
        queued += _queue(invoice, export=export, author_name=author_name) is not None

    counted = tries.Tries(tries.Loop.SUBMISSION)
    for invoice in invoices.select_related("company__platform", "customer", "document").iterator(chunk_size=200):
        counted.attempt(invoice.pk, str(invoice), partial(queue, invoice))
    return queued


def _queue(invoice: Invoice, *, export: Export | None, author_name: str) -> Submission | None:
    """Put ``invoice`` on its way, in the place of what the platform rejected of it, if it did."""
    platform, document = invoice.company.platform, invoice.document
    if platform is None or document is None:
        return None
    source = document if document.profile else (xml_source_of(invoice) or document)
    submission = Submission(
        platform=platform,
        invoice=invoice,
        document=document,
        source=source,
        export=export,
        syntax=_syntax_of(invoice, source),
        processing_rule=_RULES[channel_of(invoice)],
        tracking_id=_tracking_id_of(source),
        sha256=source.sha256,
        filename=file_name_of(invoice, Format.FACTURX if source.role == Document.Role.PDF else Format.CII),
        author_name=author_name[:254],
    )
    rejected = Submission.objects.of_invoices().filter(invoice=invoice, state=State.REJECTED)
    try:
        with transaction.atomic():
            submission.replaces = rejected.order_by("-pk").first()
            submission.save(force_insert=True)
            rejected.update(state=State.RESENT)
    except IntegrityError:  # somebody else queued it at this moment
        return None
    return submission


def _syntax_of(invoice: Invoice, source: Document) -> Submission.Syntax:
    if source.role == Document.Role.PDF:
        return Submission.Syntax.FACTURX
    return Submission.Syntax.UBL if invoice.origin == Invoice.Origin.UBL else Submission.Syntax.CII


def _tracking_id_of(source: Document) -> str:
    """The document's own name, which no two have in common; numbered from the second delivery of it."""
    name = PurePosixPath(source.storage_name).stem[:70]
    before = Submission.objects.filter(source=source).count()
    return f"{name}-{before + 1}" if before else name


@transaction.atomic
def resend(submission: Submission, *, author_name: str = "") -> Submission:
    """Send the invoice of a rejected ``submission`` again, in its version of now; returns the new line.

    Raises :class:`NotResendableError` where it was not rejected, or something took its place already.
    """
    held = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
    if held.payment_id is not None or not held.can_be_resent:
        raise NotResendableError(_("Seul un dépôt rejeté se remet à nouveau."))
    invoice = Invoice.objects.select_related("company__platform", "customer", "document").get(pk=held.invoice_id)
    queued = _queue(invoice, export=held.export, author_name=author_name)
    if queued is None:
        raise NotResendableError(_("Cette facture est déjà en route, ou sa société n’a plus de plateforme."))
    return queued


# Claims.


@transaction.atomic
def claim_submissions(platform: Platform, *, worker: str, count: int = CLAIMED_AT_ONCE) -> list[Submission]:
    """Take the next lines of ``platform`` for ``worker``, at most ``count``; none while the platform rests.

    PostgreSQL hands out different rows at the same time (SKIP LOCKED); on SQLite the one writer at a time does.
    """
    now = database_now()
    due = Submission.objects.claimable(now).filter(platform=platform).order_by("attempts", "pk")
    keys = [line.pk for line in _without_deadly(list(leases.lock(due)[:count]))]
    leases.take(
        Submission.objects.filter(pk__in=keys),
        now=now,
        length=_lease_length(),
        state=State.CLAIMED,
        claimed_by=worker,
        attempts=F("attempts") + 1,
        not_before=None,
    )
    parts = Submission.objects.select_related("invoice__company", "invoice__customer", "source", "platform", "document")
    return list(parts.filter(pk__in=keys).order_by("pk"))


def _without_deadly(found: list[Submission]) -> list[Submission]:
    """The lines of ``found`` that may be tried: those in whose hands several workers ended wait for a person."""
    taken = [line for line in found if line.state == State.CLAIMED]
    gone = [line.pk for line in taken if _is_deadly(line)]
    return [line for line in found if line.pk not in gone]


def _is_deadly(line: Submission) -> bool:
    """Count that a worker ended with ``line``; True where it was the last one, and the line is rejected."""
    if not tries.count_death(tries.Loop.SUBMISSION, _key_of(line), str(line.invoice), most=MOST_INTERRUPTIONS):
        return False
    reason = _(
        "La remise s’est interrompue %(count)d fois de suite. Vérifiez sur la plateforme si la facture y est avant de "
        "la remettre à nouveau."
    )
    held = Submission.objects.filter(pk=line.pk, state__in=(State.CLAIMED, State.DUE))
    _end(held, State.REJECTED, reason % {"count": MOST_INTERRUPTIONS})
    tries.forget(tries.Loop.SUBMISSION, _key_of(line))
    return True


def _key_of(line: Submission) -> str:
    return f"line:{line.pk}"


def _lease_length() -> datetime.timedelta:
    """How long a line is held: well over the longest answer that is waited for."""
    return datetime.timedelta(seconds=max(settings.EXPORT_LEASE_SECONDS, 2 * LONGEST_REQUEST_SECONDS))


def release_submissions(*, worker: str) -> int:
    """Give back the lines that ``worker`` holds and will not do."""
    held = Submission.objects.filter(state=State.CLAIMED, claimed_by=worker)
    return leases.release(held, state=State.DUE, claimed_by="", attempts=Greatest(F("attempts") - 1, 0))


def release_submissions_of_gone_workers() -> int:
    """Make the lines of processes that died on this machine due again.

    What may have arrived rests first: the platform must be able to find it.
    """
    claimed = Submission.objects.filter(state=State.CLAIMED)
    gone = [worker for worker in claimed.values_list("claimed_by", flat=True).distinct() if is_dead(worker)]
    released = 0
    for line in claimed.filter(claimed_by__in=gone, may_be_there=True).select_related("invoice"):
        _is_deadly(line)
    for platform in Platform.objects.filter(submissions__in=claimed.filter(claimed_by__in=gone)).distinct():
        lines = claimed.filter(claimed_by__in=gone, platform=platform)
        settled = database_now() + datetime.timedelta(seconds=platform.settle_seconds)
        there = lines.filter(may_be_there=True)
        released += leases.release(there, state=State.DUE, claimed_by="", not_before=settled)
        released += leases.release(lines.filter(may_be_there=False), state=State.DUE, claimed_by="")
    return released


# The run.


def run_submissions(
    *,
    worker: str = "",
    should_stop: Callable[[], bool] = lambda: False,
    most: int | None = None,
    client_for: Callable[[Platform], PlatformClient] = PlatformClient,
) -> int:
    """Submit what is due to each platform, until nothing is left that may go now; returns how many lines were sent.

    Any number of calls may run at once. A platform that asks to wait, or does not let us in, rests for all of them.
    """
    worker = worker or name_worker()
    release_submissions_of_gone_workers()
    sent = 0
    for platform in Platform.objects.filter(submissions__state__in=(State.DUE, State.CLAIMED)).distinct():
        client = client_for(platform)
        while not should_stop() and (most is None or sent < most):
            lines = claim_submissions(platform, worker=worker)
            if not lines:
                break
            for line in lines:
                if should_stop() or not _submit_or_note(client, line, worker):
                    break
                sent += 1
            release_submissions(worker=worker)
    return sent


def _submit_or_note(client: PlatformClient, line: Submission, worker: str) -> bool:
    """:func:`_submit`; whatever no one foresaw is noted on the line, which is tried again, and the others go on."""
    try:
        goes_on = _submit(client, line, worker)
    except tries.OF_THE_DATABASE:
        raise
    except Exception as error:
        logger.exception("The submission of %s failed", line.tracking_id)
        if not _is_deadly(line):
            held = Submission.objects.filter(pk=line.pk, state=State.CLAIMED, claimed_by=worker)
            settled = database_now() + datetime.timedelta(seconds=client.platform.settle_seconds)
            reason = _("Erreur inattendue (%(kind)s), notée dans le journal du serveur.")
            leases.release(
                held, state=State.DUE, claimed_by="", not_before=settled, reason=reason % {"kind": type(error).__name__}
            )
        return True
    if (line.attempts or 0) > 1:
        tries.forget(tries.Loop.SUBMISSION, _key_of(line))
    return goes_on


def _submit(client: PlatformClient, line: Submission, worker: str) -> bool:
    """Bring one claimed line to the platform; False where the platform rests now and the others wait with it."""
    held = Submission.objects.filter(pk=line.pk, state=State.CLAIMED, claimed_by=worker)
    try:
        if line.may_be_there and (flow := _found(client, line)) is not None:
            _note_sent(held, line, flow)
            return True
        content = content_of(line)
        # From here on the platform may have it. A claim that was lost meanwhile sends nothing, and one that holds is
        # renewed, so that no one searches for what is still on the wire.
        if not leases.renew(held, now=database_now(), length=_lease_length(), may_be_there=True):
            return True
        flow = client.submit(
            content,
            name=line.filename,
            syntax=line.syntax,
            tracking_id=line.tracking_id,
            sha256=line.sha256,
            processing_rule=line.processing_rule,
        )
        _note_sent(held, line, flow)
    except FlowRefusedError as refusal:
        _end(held, State.REJECTED, str(refusal))
    except (DocumentAlteredError, OSError) as problem:
        logger.warning("The file of %s cannot be submitted: %s", line.tracking_id, problem)
        _end(held, State.REJECTED, _("Le fichier enregistré est introuvable ou ne correspond plus à son empreinte."))
    except BusyPlatformError as busy:
        _put_back(held, str(busy))
        pause_platform(client.platform, busy)
        return False
    except AccessError as problem:
        _put_back(held, str(problem))
        pause_platform(client.platform, problem)
        return False
    except UnknownFateError as problem:
        settled = datetime.timedelta(seconds=client.platform.settle_seconds * min(line.attempts or 1, 60))
        leases.release(held, state=State.DUE, claimed_by="", not_before=database_now() + settled, reason=str(problem))
    return True


def _found(client: PlatformClient, line: Submission) -> Flow | None:
    """The flow that the platform made of ``line``, if it has it: of several the one that it did not refuse."""
    flows = list(client.find_by_tracking_id(line.tracking_id, since=line.created_at))
    return min(flows, key=lambda flow: flow.acknowledgement == "Error", default=None)


def content_of(line: Submission) -> bytes:
    """The bytes that are submitted: the frozen file, or the message of a payment."""
    return read_document(line.source) if line.source is not None else line.content.encode()


@transaction.atomic
def _note_sent(held: "QuerySet[Submission]", line: Submission, flow: Flow) -> None:
    """The platform has it. What it says of it comes later, or has come already."""
    now = timezone.now()
    if not leases.release(
        held, state=State.SENT, flow_id=flow.flow_id, sent_at=now, claimed_by="", may_be_there=True, reason=""
    ):
        return
    if line.payment_id is None:
        handed = [(line.invoice, line.filename)]
        mark_handed_over(handed, export=line.export, platform=line.platform.name, author_name=line.author_name)
    take_acknowledgement(line.platform, flow)


def _end(held: "QuerySet[Submission]", state: State, reason: str) -> None:
    leases.release(held, state=state, reason=reason, claimed_by="", answered_at=timezone.now())


def _put_back(held: "QuerySet[Submission]", reason: str) -> None:
    """The platform was not ready: the line is not to blame, and is searched for all the same before it is sent."""
    leases.release(held, state=State.DUE, claimed_by="", attempts=Greatest(F("attempts") - 1, 0), reason=reason)


def pause_platform(platform: Platform, problem: BusyPlatformError | AccessError) -> None:
    """Let ``platform`` rest, for all who work, as long as it asks for; longer where people must mend the access."""
    seconds = problem.seconds if isinstance(problem, BusyPlatformError) else PAUSE_WITHOUT_ACCESS.total_seconds()
    until = database_now() + datetime.timedelta(seconds=seconds)
    Platform.objects.filter(pk=platform.pk).update(paused_until=until, problem=str(problem))


def tracking_id_of_content(content: str) -> str:
    """A name for a message that has no document: the fingerprint of what it says."""
    return hashlib.sha256(content.encode()).hexdigest()
