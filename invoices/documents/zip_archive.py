"""A ZIP of invoices written while it is downloaded: one document at a time in memory, whatever their number."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from zipstream import ZipStream

from invoices.files.csv_tables import Column, CsvTable
from invoices.models import Document, Invoice, InvoiceQuerySet

logger = logging.getLogger(__name__)

INVOICES_PER_QUERY = 100
CHUNK = 64 * 1024
MISSING_NOTE = "A-LIRE.txt"
INDEX = "Index.csv"


def stream_archive(
    *,
    identifiers: Iterable[UUID],
    visible: Callable[[], InvoiceQuerySet],
    by_customer: bool,
    consulted: Callable[[list[UUID]], None],
    extra: Iterable[tuple[str, bytes]] = (),
    with_index: bool = False,
) -> Iterator[bytes]:
    """The bytes of a ZIP of the current PDF of each invoice, stored as they are (a PDF is compressed already).

    ``visible`` is asked again for every hundred, so that what is withdrawn meanwhile is left out; ``by_customer`` puts
    them in a folder per customer; ``consulted`` receives those that were written; ``extra`` are other small files.
    With ``with_index`` a table says of each file which invoice it is and what its fingerprint must be.
    A document that the store does not hold any more is named in a note inside, and the others come all the same.
    """
    archive = ZipStream()
    names: set[str] = set()
    missing: list[str] = []
    table = CsvTable(INDEX_COLUMNS)
    index = [table.head()]
    for name, content in extra:
        archive.add(content, name)
        yield from archive.all_files()
    for batch in itertools.batched(identifiers, INVOICES_PER_QUERY):
        written: list[UUID] = []
        found = visible().filter(pk__in=batch).select_related("document", "customer")
        for invoice in found.order_by("-issue_date", "-number"):
            name = _unique_name(invoice, names, by_customer=by_customer)
            chunks = _document_chunks(invoice)
            if chunks is None:
                missing.append(name)
                continue
            archive.add(chunks, name)
            yield from archive.all_files()
            written.append(invoice.pk)
            if with_index and invoice.document is not None:
                index.append(table.line(_Filed(name, invoice, invoice.document)))
        consulted(written)
    if with_index:
        archive.add("".join(index).encode(), INDEX)
    if missing:
        note = _("Ces documents manquent pour le moment ; merci de nous les demander :")
        archive.add("\r\n".join([note, *missing, ""]).encode("utf-8-sig"), MISSING_NOTE)
    yield from archive.finalize()


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


def _document_chunks(invoice: Invoice) -> Iterator[bytes] | None:
    """The document piece by piece, or None where the store has no such file."""
    if invoice.document is None:
        return None
    try:
        file = default_storage.open(invoice.document.storage_name, "rb")
        first = file.read(CHUNK)
    except FileNotFoundError:
        logger.error("document %s is missing: %s", invoice.document.pk, invoice.document.storage_name)
        return None

    def chunks() -> Iterator[bytes]:
        with file:
            piece = first
            while piece:
                yield piece
                piece = file.read(CHUNK)

    return chunks()
