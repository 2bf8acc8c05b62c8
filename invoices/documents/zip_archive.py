"""A ZIP of invoices written while it is downloaded: one document at a time in memory, whatever their number."""

import hashlib
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from zipstream import ZipStream

from invoices.cldr import write_day
from invoices.files.csv_tables import Column, CsvTable
from invoices.models import Document, Invoice, InvoiceQuerySet
from invoices.money import show_amount
from invoices.store.frozen import MISSING_NOTE, DocumentAlteredError, StorePatience

logger = logging.getLogger(__name__)

INVOICES_PER_QUERY = 100
CHUNK = 64 * 1024
INDEX = "Index.csv"


def stream_archive(
    *,
    identifiers: Iterable[UUID],
    visible: Callable[[], InvoiceQuerySet],
    by_customer: bool,
    consulted: Callable[[list[UUID]], None],
    extra: Iterable[tuple[str, bytes]] = (),
    unavailable: Callable[[list[Document]], None],
    remedy: str,
    with_index: bool = False,
) -> Iterator[bytes]:
    """The bytes of a ZIP of the current PDF of each invoice, stored as they are (a PDF is compressed already).

    ``visible`` is asked again for every hundred, so that what is withdrawn meanwhile is left out; ``by_customer`` puts
    them in a folder per customer; ``consulted`` receives those that were written; ``extra`` are other small files.
    With ``with_index`` a table says of each file which invoice it is and what its fingerprint must be.
    A document that the store does not give, or gives otherwise than it was frozen, is named in a note inside with what
    to do about it (``remedy``) and given to ``unavailable`` at the end; the others come all the same. A store that is
    away ends the archive with its error.
    """
    archive = ZipStream()
    names: set[str] = set()
    lost: list[_Lost] = []
    patience = StorePatience()
    table = CsvTable(INDEX_COLUMNS)
    index = [table.head()]
    for name, content in extra:
        archive.add(content, name)
        yield from archive.all_files()
    for batch in itertools.batched(identifiers, INVOICES_PER_QUERY):
        written: list[UUID] = []
        found = visible().filter(pk__in=batch).select_related("document", "customer")
        for invoice in found.order_by("-issue_date", "-number"):
            if invoice.document is None:  # withdrawn since
                continue
            name = _unique_name(invoice, names, by_customer=by_customer)
            stored = _Stored(invoice.document)
            patience.note(stored.refusal)
            if stored.refusal is not None:
                lost.append(_Lost(name, invoice, invoice.document, is_inside=False))
                continue
            archive.add(stored.chunks(), name)
            yield from archive.all_files()
            if not stored.is_whole:
                lost.append(_Lost(name, invoice, invoice.document, is_inside=True))
                continue
            written.append(invoice.pk)
            if with_index:
                index.append(table.line(_Filed(name, invoice, invoice.document)))
        consulted(written)
    if with_index:
        archive.add("".join(index).encode(), INDEX)
    if lost:
        archive.add(_write_note(lost, remedy).encode("utf-8-sig"), MISSING_NOTE)
    yield from archive.finalize()
    if lost:
        unavailable([each.document for each in lost])


@dataclass(frozen=True, slots=True)
class _Lost:
    """A document that is not in the archive, or not as it was frozen (``is_inside``)."""

    name: str
    invoice: Invoice
    document: Document
    is_inside: bool


def _write_note(lost: Iterable[_Lost], remedy: str) -> str:
    lines = []
    for each in lost:
        words = {
            "invoice": each.invoice,
            "date": write_day(each.invoice.issue_date),
            "amount": show_amount(each.invoice.total_with_vat, each.invoice.currency),
            "file": each.name,
        }
        if each.is_inside:
            lines.append(_("- %(invoice)s du %(date)s, %(amount)s : %(file)s est abîmé, ne vous y fiez pas") % words)
        else:
            lines.append(_("- %(invoice)s du %(date)s, %(amount)s (%(file)s)") % words)
    head = _("Ces documents manquent dans cette archive. C’est de notre fait : nous ne parvenons pas à les relire.")
    reported = _("La panne est notée et signalée à ceux qui s’en occupent.")
    return "\r\n".join([head, "", *lines, "", f"{reported} {remedy}", ""])


@dataclass(frozen=True, slots=True)
class _Filed:
    """An invoice in the archive: the name of its file, and the document in it."""

    name: str
    invoice: Invoice
    document: Document


INDEX_COLUMNS: tuple[Column[_Filed], ...] = (
    Column(gettext_lazy("Fichier"), lambda filed: filed.name),
    Column(gettext_lazy("Facture"), lambda filed: filed.invoice.number),
    Column(gettext_lazy("Date"), lambda filed: filed.invoice.issue_date),
    Column(gettext_lazy("Type"), lambda filed: filed.invoice.get_kind_display()),
    Column(gettext_lazy("Code client"), lambda filed: filed.invoice.customer.code),
    Column(gettext_lazy("Client"), lambda filed: filed.invoice.customer.name),
    Column(gettext_lazy("Montant TTC"), lambda filed: filed.invoice.total_with_vat),
    Column(gettext_lazy("Devise"), lambda filed: filed.invoice.currency),
    Column(gettext_lazy("Version"), lambda filed: filed.document.version),
    Column(gettext_lazy("Publiée le"), lambda filed: filed.invoice.published_at),
    Column(gettext_lazy("Empreinte SHA-256"), lambda filed: filed.document.sha256),
)


def safe_name(text: str) -> str:
    """``text`` as the name of a file or a folder."""
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in text).lstrip(".") or "-"


def _unique_name(invoice: Invoice, names: set[str], *, by_customer: bool) -> str:
    folder = f"{safe_name(invoice.customer.code)}/" if by_customer else ""
    stem = invoice.pdf_filename.removesuffix(".pdf")
    candidates = itertools.chain([f"{folder}{stem}.pdf"], (f"{folder}{stem}-{n}.pdf" for n in itertools.count(2)))
    name = next(candidate for candidate in candidates if candidate.casefold() not in names)
    names.add(name.casefold())
    return name


class _Stored:
    """The frozen bytes of a document piece by piece; whatever its store does, reading them raises nothing."""

    refusal: Exception | None = None
    """Why the store does not give it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.is_whole = False
        """True once all was read and is what was frozen."""
        self._file: File[bytes] | None = None
        try:
            file = default_storage.open(document.storage_name, "rb")
            if file.size == document.size:
                self._first, self._file = file.read(CHUNK), file
            else:
                file.close()
                self.refusal = DocumentAlteredError(document.storage_name)
                logger.error("document %s is cut short: %s", document.pk, document.storage_name)
        except Exception as error:  # each store has exceptions of its own, and one document must not cost the others
            self.refusal = error
            logger.exception("document %s is missing: %s", document.pk, document.storage_name)

    def chunks(self) -> Iterator[bytes]:
        """The bytes, to be read once; they end early where the store stops giving them."""
        if self._file is None:
            return
        digest = hashlib.sha256()
        with self._file as file:
            piece = self._first
            while piece:
                digest.update(piece)
                yield piece
                try:
                    piece = file.read(CHUNK)
                except Exception:  # as above
                    logger.exception("document %s broke off: %s", self.document.pk, self.document.storage_name)
                    return
        self.is_whole = digest.hexdigest() == self.document.sha256
        if not self.is_whole:
            logger.error("document %s is altered: %s", self.document.pk, self.document.storage_name)
