"""The export engine: lines are claimed from the database, rendered, frozen, published and announced.

Nothing but the database says what is left to do. A claim is a lease: the lines of a dead worker are taken over when it
ends, at once where the process is known to be gone. Publishing a line and writing its mail are one transaction, which
holds only while the claim does; so a line is done once, whoever does it.
"""

import datetime
import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Count, F, Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Account
from customers.services import generate_credentials
from invoices.announcing import announce_finished_customers, announce_lines
from invoices.checking import check_for_export, findings_of
from invoices.content import prefetch_for_content
from invoices.criteria import Criteria
from invoices.documents import render_document
from invoices.einvoice_content import EInvoice, einvoice_of
from invoices.models import Document, Export, ExportCustomer, ExportItem, Invoice
from invoices.notices import ExportedInvoice
from invoices.selection import RecipientStatus
from invoices.vault import store_bytes

logger = logging.getLogger(__name__)
State = ExportItem.State

LINES_PER_CLAIM = 8
ATTEMPTS_BEFORE_GIVING_UP = 3


@dataclass(slots=True)
class PreparedLine:
    """A claimed line with all that its commit needs, rendered and stored outside of any transaction."""

    item: ExportItem
    invoice: Invoice
    recipients: list[Account]
    credentials: int = 0
    document: Document | None = None
    error: str = ""
    reason: str = ""  # why it does not leave, found with its document: a value of ExportItem.Reason
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExportFigures:
    """Where an export stands."""

    ready: int
    claimed: int
    published: int
    failed: int
    left_out: dict[str, int]
    excluded: int
    mails: int
    credentials: int

    @property
    def remaining(self) -> int:
        """Lines still to be done."""
        return self.ready + self.claimed

    @property
    def done(self) -> int:
        """Lines that reached an end in the run."""
        return self.published + self.failed

    @property
    def candidates(self) -> int:
        """All lines of the list."""
        return self.remaining + self.done + self.excluded + sum(self.left_out.values())


def count_items(export: Export) -> ExportFigures:
    """The figures of ``export``, by one query."""
    rows = (
        ExportItem.objects.filter(export=export)
        .order_by()
        .values("state", "reason")
        .annotate(count=Count("pk"), mails=Sum("mails"), credentials=Sum("credentials"))
    )
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    mails = credentials = 0
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + row["count"]
        if row["state"] == State.LEFT_OUT:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["count"]
        mails += row["mails"] or 0
        credentials += row["credentials"] or 0
    return ExportFigures(
        ready=states.get(State.READY, 0),
        claimed=states.get(State.CLAIMED, 0),
        published=states.get(State.PUBLISHED, 0),
        failed=states.get(State.FAILED, 0),
        left_out={str(reason): reasons[reason] for reason in ExportItem.Reason if reason in reasons},
        excluded=states.get(State.EXCLUDED, 0),
        mails=mails,
        credentials=credentials,
    )


def name_worker() -> str:
    """A name for this process that says where it runs: ``machine:pid:random``."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(worker: str) -> bool:
    """True where the worker ran on this machine and its process no longer exists."""
    machine, _separator, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if machine != socket.gethostname()[:60] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def run_lines(export: Export, *, worker: str = "", should_stop: Callable[[], bool] = lambda: False) -> int:
    """Claim and do lines of a running export until none is left, it is paused, or ``should_stop`` says so.

    Returns how many lines this call brought to an end. Ends the export when it was the last to have work. Several
    calls may run at once, in any number of processes and machines. Lets database errors through: what was claimed is
    then taken over by whoever runs next.
    """
    worker = worker or name_worker()
    release_lines_of_gone_workers(export)
    criteria = Criteria.from_json(export.criteria)
    done = 0
    while not should_stop():
        items = claim_lines(export, worker=worker)
        if not items:
            if release_lines_of_gone_workers(export):
                continue
            break
        lines = prepare_lines(export, items, criteria)
        for line in lines:
            freeze_line(line)
        done += commit_lines(export, lines, criteria, worker=worker)
    finish_export(export)
    return done


def release_lines_of_gone_workers(export: Export) -> int:
    """Make the lines of processes that died on this machine ready again, without waiting for their lease to end."""
    workers = (
        ExportItem.objects.filter(export=export, state=State.CLAIMED).values_list("claimed_by", flat=True).distinct()
    )
    gone = [worker for worker in workers if is_gone(worker)]
    if not gone:
        return 0
    return ExportItem.objects.filter(export=export, state=State.CLAIMED, claimed_by__in=gone).update(
        state=State.READY, claimed_by="", lease_until=None
    )


@transaction.atomic
def claim_lines(export: Export, *, worker: str) -> list[ExportItem]:
    """Take the next few lines for ``worker``; empty where nothing can be taken or the export is not running.

    PostgreSQL hands out different rows at the same time (SKIP LOCKED); on SQLite the one writer at a time does.
    """
    now = timezone.now()
    candidates = (
        ExportItem.objects.claimable(now)
        .filter(export=export, export__state=Export.State.RUNNING)
        .order_by("pk")
        .select_for_update(skip_locked=True, of=("self",))[:LINES_PER_CLAIM]
    )
    items = list(candidates)
    # A line whose worker died again and again would stop the run for ever: it is given up, with the reason.
    cursed = [item.pk for item in items if item.attempts >= ATTEMPTS_BEFORE_GIVING_UP]
    if cursed:
        ExportItem.objects.filter(pk__in=cursed).update(
            state=State.FAILED,
            claimed_by="",
            lease_until=None,
            finished_at=now,
            error=_("Le traitement de cette facture s’est interrompu %(count)d fois de suite.")
            % {"count": ATTEMPTS_BEFORE_GIVING_UP},
        )
        items = [item for item in items if item.pk not in cursed]
    lease = now + datetime.timedelta(seconds=settings.EXPORT_LEASE_SECONDS)
    ExportItem.objects.filter(pk__in=[item.pk for item in items]).update(
        state=State.CLAIMED, claimed_by=worker, lease_until=lease, attempts=F("attempts") + 1
    )
    return items


def prepare_lines(export: Export, items: Sequence[ExportItem], criteria: Criteria) -> list[PreparedLine]:
    """Read what the lines need in a few queries, and make the credentials that are missing."""
    invoices = {
        invoice.pk: invoice
        for invoice in prefetch_for_content(
            Invoice.objects.filter(pk__in=[item.invoice_id for item in items]).select_related("content_check")
        )
    }
    rows = ExportCustomer.objects.filter(
        export=export, customer__in={invoice.customer_id for invoice in invoices.values()}
    )
    recipients = {row.customer_id: row.recipients for row in rows}
    wanted = {recipient["account"] for found in recipients.values() for recipient in found if recipient["account"]}
    accounts = {account.pk: account for account in Account.objects.filter(pk__in=wanted)}
    lines = []
    for item in items:
        invoice = invoices[item.invoice_id]
        line = PreparedLine(item=item, invoice=invoice, recipients=[])
        for recipient in recipients.get(invoice.customer_id, []):
            account = accounts.get(recipient["account"])
            if recipient["status"] == RecipientStatus.GENERATE and criteria.generate_credentials:
                try:
                    generated = generate_credentials(
                        customer=invoice.customer, address=recipient["address"], name=recipient["name"]
                    )
                except ValueError:
                    # The address became a member of staff's: he is no customer and gets no mail.
                    continue
                account = generated.account
                line.credentials += generated.is_new
            elif recipient["status"] != RecipientStatus.MAIL:
                continue
            if account is not None and account.is_active and account.notify_by_mail:
                line.recipients.append(account)
        lines.append(line)
    return lines


def freeze_line(line: PreparedLine) -> None:
    """Render and store the document of the line, or take the one that came from the ERP; note what fails."""
    invoice = line.invoice
    if invoice.is_published:  # by another list meanwhile: the commit says so
        return
    try:
        if invoice.origin in (Invoice.Origin.FACTURX, Invoice.Origin.PDF):
            line.document = invoice.documents.filter(role=Document.Role.PDF).latest("version")
            return
        einvoice = _compliant(line)
        if einvoice is None:
            return
        rendering = render_document(invoice, einvoice)
        version = _next_version(invoice)
        line.document = Document(
            invoice=invoice,
            version=version,
            storage_name=store_bytes(invoice, rendering.content, role=Document.Role.PDF, version=version),
            sha256=rendering.sha256,
            size=len(rendering.content),
            profile=rendering.profile,
            xml_sha256=rendering.xml_sha256,
            template=rendering.template,
        )
    except (OperationalError, InterfaceError):
        raise
    except OSError as error:
        line.error = _("Le document n’a pas pu être enregistré : %(error)s") % {"error": error.strerror or error}
        logger.exception("Storing the document of invoice %s failed", invoice.number)
    except Exception as error:
        line.error = _("Le document n’a pas pu être produit : %(error)s") % {"error": error}
        logger.exception("Rendering invoice %s failed", invoice.number)


def _next_version(invoice: Invoice) -> int:
    """The version of the PDF to be frozen. Rows of a table never had one before; a file of the ERP may have."""
    if invoice.origin == Invoice.Origin.CSV and invoice.version == 1:
        return 1
    last = invoice.documents.filter(role=Document.Role.PDF).aggregate(last=Max("version"))["last"]
    return (last or 0) + 1


def _compliant(line: PreparedLine) -> EInvoice | None:
    """What the line's document will say, or None where it must not leave: its e-invoice has findings.

    Where the company lets the plain PDF go all the same, it goes without XML and the line says so.
    """
    einvoice = einvoice_of(line.invoice)
    if einvoice.xml is None:
        return einvoice
    check = check_for_export(line.invoice, einvoice)
    if check.is_valid:
        return einvoice
    errors = [finding for finding in findings_of(check) if finding.is_error]
    line.note = _("PDF simple, sans e-facture : %(finding)s") % {"finding": errors[0].message_fr}
    if len(errors) > 1:
        line.note += " " + _("(et %(count)d autres constats)") % {"count": len(errors) - 1}
    if line.invoice.company.allow_plain_pdf:
        return einvoice.without_xml()
    line.reason, line.note = ExportItem.Reason.NOT_COMPLIANT, ""
    return None


def commit_lines(export: Export, lines: list[PreparedLine], criteria: Criteria, *, worker: str) -> int:
    """Publish the lines and write their mails in one transaction; where that fails, each line in one of its own.

    Returns how many lines came to an end. Lines whose claim was lost meanwhile are left to their new owner.
    """
    if not lines:
        return 0
    try:
        return _commit(export, lines, criteria, worker)
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, IntegrityError, ValueError, LookupError) as error:
        if len(lines) > 1:
            return sum(commit_lines(export, [line], criteria, worker=worker) for line in lines)
        logger.exception("Publishing invoice %s failed", lines[0].invoice.number)
        lines[0].document = None
        lines[0].error = _("La facture n’a pas pu être publiée : %(error)s") % {"error": error}
        return _commit(export, lines, criteria, worker)


@transaction.atomic
def _commit(export: Export, lines: list[PreparedLine], criteria: Criteria, worker: str) -> int:
    now = timezone.now()
    held = set(
        ExportItem.objects.filter(pk__in=[line.item.pk for line in lines], state=State.CLAIMED, claimed_by=worker)
        .select_for_update()
        .values_list("pk", flat=True)
    )
    published_before = set(
        Invoice.objects.filter(pk__in=[line.invoice.pk for line in lines])
        .order_by("pk")
        .select_for_update()
        .published()
        .values_list("pk", flat=True)
    )
    mine = [line for line in lines if line.item.pk in held]
    late = [line for line in mine if line.invoice.pk in published_before]
    failed = [line for line in mine if line.error and line not in late]
    good = [line for line in mine if line.document is not None and line not in late and line not in failed]

    Document.objects.bulk_create([line.document for line in good if line.document and line.document._state.adding])
    for line in good:
        line.invoice.document, line.invoice.published_at = line.document, now
    Invoice.objects.bulk_update([line.invoice for line in good], ["document", "published_at"])
    for line in mine:
        item = line.item
        item.claimed_by, item.lease_until, item.finished_at = "", None, now
        item.error, item.credentials = line.error, item.credentials + line.credentials
        item.note = line.note if line in good else ""
        item.state = State.FAILED if line in failed else State.PUBLISHED
        item.document = line.document if line in good else None
        if line in late:
            item.state, item.reason = State.LEFT_OUT, ExportItem.Reason.ALREADY_EXPORTED
        elif line.reason and line not in failed:
            item.state, item.reason = State.LEFT_OUT, line.reason
    ExportItem.objects.bulk_update(
        [line.item for line in mine],
        ["claimed_by", "lease_until", "finished_at", "error", "note", "credentials", "state", "reason", "document"],
    )
    if criteria.notify and good:
        announced = [
            (line.item, ExportedInvoice(line.invoice, line.document), line.recipients)
            for line in good
            if line.document is not None
        ]
        if criteria.one_mail_per_customer:
            announce_finished_customers(export, criteria, [line.invoice.customer_id for line in good])
        else:
            announce_lines(export, criteria, announced)
    return len(mine)


def finish_export(export: Export) -> bool:
    """End the export where no line is left: write the mails per customer still missing, then say «terminée».

    True where the export has ended, by this call or before.
    """
    if ExportItem.objects.filter(export=export, state__in=(State.READY, State.CLAIMED)).exists():
        return False
    criteria = Criteria.from_json(export.criteria)
    if criteria.notify and criteria.one_mail_per_customer:
        customers = ExportCustomer.objects.filter(export=export, reason="").values_list("customer", flat=True)
        for start in range(0, len(customers), 100):
            with transaction.atomic():
                announce_finished_customers(export, criteria, list(customers[start : start + 100]))
    Export.objects.filter(pk=export.pk, state=Export.State.RUNNING).update(
        state=Export.State.DONE, finished_at=timezone.now()
    )
    return True


def find_stalled_exports() -> list[Export]:
    """Running exports on which nobody works: no line is in living hands, whatever a queue remembers of its tasks."""
    running = list(Export.objects.filter(state=Export.State.RUNNING).order_by("number"))
    for export in running:
        release_lines_of_gone_workers(export)
    held = ExportItem.objects.filter(
        export__in=running, state=State.CLAIMED, lease_until__gte=timezone.now()
    ).values_list("export", flat=True)
    busy = set(held.distinct())
    return [export for export in running if export.pk not in busy]
