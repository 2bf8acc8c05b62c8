"""From claimed lines to stored documents: rendered or received, outside of any transaction."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Max, prefetch_related_objects
from django.utils.translation import gettext as _

from customers.models import Account
from customers.services import generate_credentials
from invoices.content.from_rows import content_of, lines_in_order
from invoices.content.words import words_of_lines
from invoices.documents.printed_content import content_to_keep
from invoices.documents.rendering import IncompleteIssuerError, Rendering, check_issuer, render_document
from invoices.einvoices.checks import check_for_export, findings_of
from invoices.einvoices.einvoice import EInvoice, einvoice_of
from invoices.exporting.criteria import Criteria
from invoices.exporting.selection import RecipientStatus
from invoices.models import Document, Export, ExportCustomer, ExportItem, Invoice
from invoices.money import write_count
from invoices.store.frozen import REFUSALS_BEFORE_STOPPING, store_bytes
from invoices.store.local import describe_storage_error, refuses_every_file
from mailing.outbox import Draft

logger = logging.getLogger(__name__)

STORING_THREADS = 4
# While a document travels to a store that is slower than this, the next ones are rendered.
SECONDS_OF_QUICK_STORE = 0.002
# One writes while the disk works for the other; more of them would only wait for the interpreter, and cost half as
# much again.
THREADS_OF_QUICK_STORE = 2
RECEIVED = (Invoice.Origin.FACTURX, Invoice.Origin.PDF)


@dataclass(slots=True, eq=False)
class PreparedLine:
    """A claimed line with all that its commit needs, rendered and stored outside of any transaction."""

    item: ExportItem
    invoice: Invoice
    recipients: list[Account]
    document: Document | None = None
    printed: dict[str, Any] | None = None
    words: str = ""  # to search it by
    drafts: list[tuple[Draft, Account]] = field(default_factory=list)
    error: str = ""
    reason: str = ""  # why it does not leave, found with its document: a value of ExportItem.Reason
    note: str = ""
    refusal: str = ""  # why the store, which takes no file at all, did not take its document


def prepare_lines(export: Export, items: Sequence[ExportItem], criteria: Criteria) -> list[PreparedLine]:
    """Read what the lines need in a few queries, and make the credentials that are missing."""
    invoices = _read_invoices([item.invoice_id for item in items])
    rows = ExportCustomer.objects.filter(
        export=export, customer__in={invoice.customer_id for invoice in invoices.values()}
    )
    recipients = {row.customer_id: row.recipients for row in rows}
    wanted = {recipient["account"] for found in recipients.values() for recipient in found if recipient["account"]}
    accounts = {account.pk: account for account in Account.objects.filter(pk__in=wanted)}
    made: dict[tuple[int, str], Account | None] = {}
    lines = [PreparedLine(item=item, invoice=invoices[item.invoice_id], recipients=[]) for item in items]
    for line in lines:
        customer = line.invoice.customer
        if line.invoice.is_published:  # by another list meanwhile: no account is made for it
            continue
        line.words = words_of_lines(customer.pk, line.invoice.lines.all())
        for recipient in recipients.get(customer.pk, []):
            account = accounts.get(recipient["account"])
            if recipient["status"] == RecipientStatus.GENERATE and criteria.generate_credentials:
                key = (customer.pk, recipient["address"])
                if key not in made:
                    made[key] = _make_account(line, recipient["address"], recipient["name"])
                account = made[key]
            elif recipient["status"] != RecipientStatus.MAIL:
                continue
            if account is not None and account.is_active and account.notify_by_mail:
                line.recipients.append(account)
    _find_received(lines)
    return lines


@transaction.atomic
def _make_account(line: PreparedLine, address: str, name: str) -> Account | None:
    """The account of ``address``, made where there is none; None where it is a member of staff's, who gets no mail.

    What is made is counted with it: a worker that dies before the line's end has recorded what it made.
    """
    try:
        generated = generate_credentials(customer=line.invoice.customer, address=address, name=name)
    except ValueError:
        return None
    if generated.is_new:
        ExportItem.objects.filter(pk=line.item.pk).update(credentials=F("credentials") + 1)
    return generated.account


def _read_invoices(keys: list[Any]) -> dict[Any, Invoice]:
    """The invoices with all that their document, their mail and their words to search by say."""
    # Companies and customers once each, however many invoices are theirs.
    wanted = Invoice.objects.filter(pk__in=keys).order_by()
    found = list(wanted.prefetch_related("company", "customer", "corrects", lines_in_order()))
    prefetch_related_objects([invoice for invoice in found if invoice.origin not in RECEIVED], "content_check")
    return {invoice.pk: invoice for invoice in found}


def _find_received(lines: Sequence[PreparedLine]) -> None:
    """The documents that came from the ERP, in one query, and what pages show of those that came beside rows."""
    received = {line.invoice.pk: line for line in lines if line.invoice.origin in RECEIVED}
    for line in received.values():
        if line.invoice.origin == Invoice.Origin.PDF:
            line.printed = content_to_keep(line.invoice, content_of(line.invoice))
    if received:
        # In rising order: the last version stays.
        for document in Document.objects.filter(invoice__in=received, role=Document.Role.PDF).order_by("version"):
            line = received[document.invoice_id]
            # As it was read with all that its publication says of it: not once more for each document.
            document.invoice = line.invoice
            line.document = document


def freeze_lines(
    lines: Sequence[PreparedLine], *, seconds: float = 60.0, should_stop: Callable[[], bool] = lambda: False
) -> int:
    """Freeze the documents of ``lines`` in their order until ``seconds`` are over, ``should_stop`` says so, or the
    store takes nothing.

    Returns how many lines (the first ones, at least one) have their stored document, or the reason why they have none.
    """
    end = time.monotonic() + seconds
    count = 0
    with ThreadPoolExecutor(max_workers=STORING_THREADS) as threads:
        storing = _Storing(threads)
        for count, line in enumerate(lines, start=1):  # noqa: B007
            rendering = _render(line)
            if rendering is not None:
                line.document, line.printed = _document_of(line.invoice, rendering), rendering.printed
                storing.add(line, rendering.content)
            if time.monotonic() >= end or should_stop() or storing.is_refused():
                break
        storing.store_waiting()
    for line, stored in storing.begun:
        _note_storage_name(line, stored)
    return count


class _Storing:
    """Gives documents to the store: beside the rendering where it is slow, all at once after it where it is quick.

    A thread that writes to a quick disk while another one renders costs both more time than the writing takes: they
    have one interpreter between them. The first document says how quick the store is.
    """

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.begun: list[tuple[PreparedLine, Future[str]]] = []
        self._threads = threads
        self._waiting: list[tuple[PreparedLine, bytes]] = []
        self._is_quick = False

    def add(self, line: PreparedLine, content: bytes) -> None:
        """Store ``content`` as the document of ``line``, now or with the others."""
        if self._is_quick:
            self._waiting.append((line, content))
            return
        began, is_first = time.monotonic(), not self.begun
        stored = self._begin(line, content, self._threads)
        if is_first:
            is_taken = stored.exception() is None
            self._is_quick = is_taken and time.monotonic() - began <= SECONDS_OF_QUICK_STORE

    def store_waiting(self) -> None:
        """Store those that wait for the end of the rendering."""
        with ThreadPoolExecutor(max_workers=THREADS_OF_QUICK_STORE) as threads:
            for line, content in self._waiting:
                self._begin(line, content, threads)

    def _begin(self, line: PreparedLine, content: bytes, threads: ThreadPoolExecutor) -> "Future[str]":
        assert line.document is not None
        stored = threads.submit(
            store_bytes, line.invoice, content, role=Document.Role.PDF, version=line.document.version
        )
        self.begun.append((line, stored))
        return stored

    def is_refused(self) -> bool:
        """Whether the store takes no document at all, by what it said of the last ones."""
        ended = (stored for _line, stored in reversed(self.begun) if stored.done())
        last = [_refusal_of(stored.exception()) for stored in islice(ended, REFUSALS_BEFORE_STOPPING)]
        return bool(common_refusal(last))


def common_refusal(refusals: Sequence[str]) -> str:
    """Why the last documents were all refused by the store, given the reason of each ("" where it was taken)."""
    last = list(refusals[-REFUSALS_BEFORE_STOPPING:])
    return last[0] if len(last) == REFUSALS_BEFORE_STOPPING and len(set(last)) == 1 else ""


def describe_refusal(reason: str) -> str:
    """What a line says whose document the store did not take."""
    return _("Le document n’a pas pu être enregistré : %(error)s") % {"error": reason}


def _refusal_of(error: BaseException | None) -> str:
    return describe_storage_error(error) if isinstance(error, OSError) and refuses_every_file(error) else ""


def _render(line: PreparedLine) -> Rendering | None:
    """The document to be stored, or None where there is none: the line then says why, or has what was received."""
    invoice = line.invoice
    if invoice.is_published:  # by another list meanwhile: the commit says so
        return None
    try:
        if invoice.origin in RECEIVED:
            if line.document is None:
                line.error = _("Le PDF reçu de l’ERP manque.")
            return None
        check_issuer(invoice)
        einvoice = _compliant(line)
        return render_document(invoice, einvoice) if einvoice is not None else None
    except (OperationalError, InterfaceError):
        raise
    except IncompleteIssuerError:
        line.reason = ExportItem.Reason.COMPANY_INCOMPLETE
        return None
    except Exception as error:
        line.error = _("Le document n’a pas pu être produit : %(error)s") % {"error": error}
        logger.exception("Rendering invoice %s failed", invoice.number)
        return None


def _document_of(invoice: Invoice, rendering: Rendering) -> Document:
    """The row of the document, but for the name under which it will be stored."""
    return Document(
        invoice=invoice,
        version=_next_version(invoice),
        sha256=rendering.sha256,
        size=len(rendering.content),
        profile=rendering.profile,
        xml_sha256=rendering.xml_sha256,
        template=rendering.template,
    )


def _note_storage_name(line: PreparedLine, storing: "Future[str]") -> None:
    assert line.document is not None
    try:
        line.document.storage_name = storing.result()
    except OSError as error:
        line.document, line.refusal = None, _refusal_of(error)
        line.error = describe_refusal(describe_storage_error(error))
        if not line.refusal:  # what stops the whole run is said once, by the run
            logger.error("Storing the document of invoice %s failed: %s", line.invoice.number, error)
    except Exception as error:
        line.document = None
        line.error = describe_refusal(describe_storage_error(error))
        logger.exception("Storing the document of invoice %s failed", line.invoice.number)


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
        line.note += f" (et {write_count(len(errors) - 1, _('autre constat'), _('autres constats'))})"
    if line.invoice.company.allow_plain_pdf:
        return einvoice.without_xml()
    line.reason, line.note = ExportItem.Reason.NOT_COMPLIANT, ""
    return None
