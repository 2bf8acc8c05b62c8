"""From stored documents to published invoices: the one transaction that ends lines and writes their mails."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.content.words import write_words
from invoices.exporting.criteria import Criteria
from invoices.exporting.run.announcing import announce_finished_customers, draft_line_mails, write_line_mails
from invoices.exporting.run.freezing import PreparedLine
from invoices.exporting.run.mails import ExportedInvoice
from invoices.models import Document, Export, ExportItem, Invoice, PrintedContent
from mailing import leases
from mailing.trail.actions import Action
from mailing.trail.recording import Act, record_all

logger = logging.getLogger(__name__)
State = ExportItem.State


def write_drafts(export: Export, criteria: Criteria, lines: Sequence[PreparedLine]) -> None:
    """Compose the mails of the lines before their transaction, which holds SQLite's one writer's place."""
    announced = [line for line in lines if line.document is not None and not line.error and line.recipients]
    if not criteria.notify or criteria.one_mail_per_customer or not announced:
        return
    try:
        write = draft_line_mails(export, criteria)
    except LookupError as error:
        for line in announced:
            line.error = _not_published(error)
        return
    for line in announced:
        assert line.document is not None
        try:
            line.drafts = [
                (write(ExportedInvoice(line.invoice, line.document), account), account) for account in line.recipients
            ]
        except ValueError as error:
            line.error = _not_published(error)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # one mail that cannot be composed ends no worker
            logger.exception("The mails of invoice %s cannot be composed", line.invoice.number)
            line.error = _not_published(error)


def _not_published(error: Exception) -> str:
    is_sentence = isinstance(error, ValueError | LookupError | DatabaseError)
    return _("La facture n’a pas pu être publiée : %(error)s") % {
        "error": error if is_sentence else type(error).__name__
    }


def commit_lines(export: Export, lines: Sequence[PreparedLine], criteria: Criteria, *, worker: str) -> int:
    """Publish the lines and write their mails in one transaction; where that fails, each line in one of its own.

    Returns how many lines came to an end. Lines whose claim was lost meanwhile are left to their new owner; those whose
    invoice was imported again while it was rendered are ready again, since what was rendered is no longer what it says.
    """
    if not lines:
        return 0
    new = [line.document for line in lines if line.document is not None and line.document._state.adding]
    try:
        return _commit(export, lines, criteria, worker)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        for document in new:  # what was rolled back is to be written again, its number may be taken meanwhile
            document.pk, document._state.adding = None, True
        if len(lines) > 1:
            return sum(commit_lines(export, [line], criteria, worker=worker) for line in lines)
        logger.exception("Publishing invoice %s failed", lines[0].invoice.number)
        lines[0].document = None
        lines[0].error = _not_published(error)
        return _commit(export, lines, criteria, worker)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Lines of a worker, by what their rows say once they are locked. Those of another worker are in none."""

    changed: list[PreparedLine]
    """Their content was imported again since it was rendered."""
    ending: list[PreparedLine]
    """The others: each comes to its end now."""
    late: set[UUID]
    """Invoices that another list has published meanwhile."""

    @property
    def good(self) -> list[tuple[PreparedLine, Document]]:
        """The lines that are published, with what is published."""
        return [
            (line, line.document)
            for line in self.ending
            if line.document is not None and not line.error and line.invoice.pk not in self.late
        ]


@transaction.atomic
def _commit(export: Export, lines: Sequence[PreparedLine], criteria: Criteria, worker: str) -> int:
    now = timezone.now()
    batch = _locked(lines, worker)
    good = batch.good
    _give_back(batch.changed)
    _publish(good, export, now)
    _end_lines(batch, {document.invoice_id for _line, document in good}, now)
    if criteria.notify and good:
        if criteria.one_mail_per_customer:
            announce_finished_customers(export, criteria, [line.invoice.customer_id for line, _document in good])
        else:
            write_line_mails(
                [(line.item, draft, account) for line, _document in good for draft, account in line.drafts]
            )
    return len(batch.ending)


def _locked(lines: Sequence[PreparedLine], worker: str) -> _Batch:
    """``lines`` after their rows and invoices are locked for the transaction."""
    held = set(
        ExportItem.objects.filter(pk__in=[line.item.pk for line in lines], state=State.CLAIMED, claimed_by=worker)
        .order_by("pk")  # their usual order joins the export, and would lock it: workers commit at the same time
        .select_for_update()
        .values_list("pk", flat=True)
    )
    # All are locked, published or not: another list with the same invoices waits here, and then sees them published.
    rows = (
        Invoice.objects.filter(pk__in=[line.invoice.pk for line in lines])
        .order_by("pk")
        .select_for_update()
        .values_list("pk", "published_at", "version")
    )
    published, versions = {}, {}
    for pk, published_at, version in rows:
        published[pk], versions[pk] = published_at, version

    def has_changed(line: PreparedLine) -> bool:
        # An import counts the version up with every change of the content, and waits for these locks like everybody.
        return not published[line.invoice.pk] and versions[line.invoice.pk] != line.invoice.version

    mine = [line for line in lines if line.item.pk in held]
    return _Batch(
        changed=[line for line in mine if has_changed(line)],
        ending=[line for line in mine if not has_changed(line)],
        late={pk for pk, published_at in published.items() if published_at},
    )


def _give_back(lines: Sequence[PreparedLine]) -> None:
    """Make lines ready again, as if they had not been claimed."""
    for line in lines:
        leases.release(
            ExportItem.objects.filter(pk=line.item.pk),
            state=State.READY,
            claimed_by="",
            attempts=Greatest(F("attempts") - 1, 0),
        )


def _publish(good: list[tuple[PreparedLine, Document]], export: Export, now: Any) -> None:
    """Write the rows of new documents, make each the document of its invoice, and what says so to the trail."""
    documents = [document for _line, document in good]
    if documents:
        Document.objects.bulk_create([document for document in documents if document._state.adding])
        own = Document.objects.filter(pk__in=[document.pk for document in documents], invoice=OuterRef("pk"))
        Invoice.objects.filter(pk__in=[document.invoice_id for document in documents]).update(
            document=Subquery(own.order_by().values("pk")[:1]), published_at=now
        )
    record_all(
        Act(Action.PUBLISHED, line.invoice, {**document.identity(), "export": export.number}) for line, document in good
    )
    write_words((line.invoice, line.words) for line, _document in good)
    PrintedContent.objects.bulk_create(
        [PrintedContent(document=document, content=line.printed) for line, document in good if line.printed is not None]
    )


def _end_lines(batch: _Batch, published: set[UUID], now: Any) -> None:
    """Write what became of each line; nearly all lines of a batch end alike: one statement for each kind of end."""
    outcomes: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for line in batch.ending:
        pk = line.invoice.pk
        outcome = _outcome(line, is_good=pk in published, is_late=pk in batch.late)
        outcomes[tuple(outcome.items())].append(line.item.pk)
    for values, keys in outcomes.items():
        fields = dict(values)
        if fields["state"] == State.PUBLISHED:
            fields["document"] = Subquery(Invoice.objects.filter(pk=OuterRef("invoice")).order_by().values("document"))
        if mails := fields.pop("mails"):
            fields["mails"] = F("mails") + mails
        leases.release(ExportItem.objects.filter(pk__in=keys), claimed_by="", finished_at=now, **fields)


def _outcome(line: PreparedLine, *, is_good: bool, is_late: bool) -> dict[str, Any]:
    """What the row of the line will say; of mails, how many more."""
    outcome = {"state": State.PUBLISHED, "reason": "", "error": "", "note": "", "mails": 0}
    if is_late:
        outcome.update(state=State.LEFT_OUT, reason=ExportItem.Reason.ALREADY_EXPORTED)
    elif line.error:
        outcome.update(state=State.FAILED, error=line.error)
    elif line.reason:
        outcome.update(state=State.LEFT_OUT, reason=line.reason)
    elif is_good:
        outcome.update(note=line.note, mails=len(line.drafts))
    return outcome
