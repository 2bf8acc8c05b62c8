"""Handing e-invoices over to a platform: the very files that were frozen, with a manifest, each marked once.

The files are the e-invoice as it is: the Factur-X, or the XML alone (the ERP's own where it gave an XML, CII or UBL,
else the ``factur-x.xml`` of the frozen PDF). Invoices without an e-invoice are named and left out.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from itertools import batched
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from zipstream import ZipStream

from invoices.einvoices.checks import findings_of
from invoices.einvoices.xml_files import read_xml, xml_source_of
from invoices.files.csv_tables import Column, CsvTable
from invoices.formats.findings import Finding
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Company, Document, Export, ExportItem, Handover, Invoice
from invoices.platforms.channel import MUST_USE_PLATFORM, channel_of
from invoices.store.frozen import MISSING_NOTE, DocumentAlteredError, StorePatience, read_document

logger = logging.getLogger(__name__)

BATCH: Final = 50
MARKED_AT_ONCE: Final = 500
MANIFEST_JSON: Final = "manifest.json"
MANIFEST_CSV: Final = "manifest.csv"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


class Format(StrEnum):
    """What a platform is given."""

    FACTURX = "facturx"  # the PDF with its XML
    CII = "cii"  # the XML alone


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the manifest: a file, its fingerprint, and the invoice in it."""

    file: str
    sha256: str
    size: int
    format: str
    profile: str
    number: str
    type_code: str
    issue_date: str
    seller: str
    seller_siren: str
    buyer: str
    buyer_siren: str
    channel: str
    currency: str
    total_with_vat: str
    invoice: str  # our own key, which no two have in common
    check: str = ""  # a value of Invoice.CheckState
    warnings: str = ""  # what the check says of it, one sentence after the other


def einvoices_to_hand_over(
    export: Export | None = None, *, form: Format = Format.FACTURX, again: bool = False
) -> "QuerySet[Invoice]":
    """Published invoices with an e-invoice in their current document (of ``export`` only, where given).

    Without ``again``, those whose current document was handed over already are left out: a new version is due again.
    """
    found = _published(export).filter(_has_einvoice(form))
    if not again:
        found = found.exclude(Exists(Handover.objects.filter(document=OuterRef("document"))))
    return found.order_by("issue_date", "number", "pk")


def with_parties() -> "QuerySet[Invoice]":
    """Invoices with all that a hand-over reads of them, in one statement."""
    return Invoice.objects.select_related("company", "customer", "document", "content_check")


def without_einvoice(export: Export | None = None, *, form: Format = Format.FACTURX) -> "QuerySet[Invoice]":
    """Published invoices that left as a plain PDF: there is nothing to hand over."""
    return _published(export).exclude(_has_einvoice(form)).order_by("issue_date", "number")


def _published(export: Export | None) -> "QuerySet[Invoice]":
    found: QuerySet[Invoice] = Invoice.objects.published()
    if export is None:
        return found
    return found.filter(
        Exists(
            ExportItem.objects.filter(export=export, invoice=OuterRef("pk"), state=ExportItem.State.PUBLISHED),
        )
    )


def _has_einvoice(form: Format) -> Q:
    # A received Factur-X has a profile too; a plain PDF has none.
    in_pdf = ~Q(document__profile="")
    return in_pdf if form == Format.FACTURX else in_pdf | Q(origin__in=(Invoice.Origin.CII, Invoice.Origin.UBL))


def file_of(invoice: Invoice, form: Format) -> tuple[str, bytes]:
    """Name and bytes of what is handed over of a published ``invoice``.

    Raises :class:`~invoices.store.frozen.DocumentAlteredError` where the frozen file is no longer what was frozen, and
    ``OSError`` where it cannot be read.
    """
    document = invoice.document
    if document is None:
        raise ValueError("Only a published invoice is handed over.")
    if form == Format.FACTURX:
        return file_name_of(invoice, form), read_document(document)
    return file_name_of(invoice, form), read_xml(xml_source_of(invoice) or document)


def file_name_of(invoice: Invoice, form: Format) -> str:
    """How the file of ``invoice`` is called that a platform is given."""
    return f"{_stem(invoice)}.{'pdf' if form == Format.FACTURX else 'xml'}"


def _stem(invoice: Invoice) -> str:
    """A name that no other invoice has: seller and number, and our key where the number cannot be written as it is."""
    seller = invoice.company.siren or f"societe-{invoice.company_id}"
    safe = _UNSAFE.sub("-", invoice.number)[:80]
    # Two numbers that differ by case only are one file name on some systems.
    is_plain = safe == invoice.number and safe == safe.upper()
    return f"{seller}_{safe}" if is_plain else f"{seller}_{safe}_{invoice.pk.hex[:8]}"


def entry_of(invoice: Invoice, form: Format, name: str, content: bytes) -> Entry:
    """The line of the manifest for a file."""
    document = invoice.document
    return Entry(
        file=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        format=str(form),
        profile=document.profile if document is not None else "",
        number=invoice.number,
        type_code=invoice.type_code,
        issue_date=invoice.issue_date.isoformat(),
        seller=invoice.company.name,
        seller_siren=invoice.company.siren,
        buyer=invoice.customer.name,
        buyer_siren=invoice.customer.siren,
        channel=str(channel_of(invoice)),
        currency=invoice.currency,
        total_with_vat=str(invoice.total_with_vat),
        invoice=str(invoice.pk),
        check=invoice.check_state,
        warnings=" ; ".join(map(_remark, findings_of(invoice.content_check))),
    )


def _remark(finding: Finding) -> str:
    term = f" {finding.business_term}" if finding.business_term else ""
    return f"{finding.code}{term} : {finding.message_fr}"


def warned_of(invoices: "QuerySet[Invoice]") -> "QuerySet[Invoice]":
    """Those of ``invoices`` of whose e-invoice the check says something."""
    return invoices.filter(content_check__isnull=False).exclude(content_check__findings=[])


def mark_handed_over(
    handed: Iterable[tuple[Invoice, str]], *, export: Export | None, platform: str, author_name: str
) -> int:
    """Note that these files (invoice, name) were handed over, each document once; returns how many are new."""
    rows = [
        Handover(
            invoice=invoice,
            document=invoice.document,
            export=export,
            platform=(platform or invoice.company.platform_name)[:100],
            filename=name,
            author_name=author_name[:254],
        )
        for invoice, name in handed
    ]
    before = Handover.objects.filter(document__in=[row.document_id for row in rows]).count()
    Handover.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) - before


def manifest_json(entries: Iterable[Entry], *, platform: str) -> str:
    """The manifest for machines."""
    files = [asdict(entry) for entry in entries]
    about = {"written_at": timezone.now().isoformat(timespec="seconds"), "platform": platform, "count": len(files)}
    return json.dumps({**about, "files": files}, ensure_ascii=False, indent=1) + "\n"


def manifest_csv(entries: Iterable[Entry]) -> bytes:
    """The manifest for a French spreadsheet: semicolons, UTF-8 with its mark; no cell is a formula."""
    columns: list[Column[Entry]] = [Column(field.name, attrgetter(field.name)) for field in fields(Entry)]
    return "".join(CsvTable(columns).lines(entries)).encode()


def handover_archive(
    invoices: "QuerySet[Invoice]",
    *,
    form: Format,
    export: Export | None,
    platform: str,
    author_name: str,
    unavailable: Callable[[list[Document]], None],
) -> Iterator[bytes]:
    """A ZIP of the e-invoices with their manifests, as it is downloaded; marked handed over once it was read whole.

    ``invoices`` come from :func:`einvoices_to_hand_over`. Memory holds one file at a time, and the manifest. One whose
    document the store does not give is named in a note inside, given to ``unavailable``, and not handed over.
    """
    keys = list(invoices.values_list("pk", flat=True))
    archive = ZipStream()
    entries: list[Entry] = []
    names: dict[UUID, str] = {}
    lost: list[Invoice] = []
    patience = StorePatience()
    for batch in batched(keys, BATCH):
        found = with_parties().in_bulk(batch)
        for key in batch:
            try:
                name, content = file_of(found[key], form)
            except (
                OSError,
                DocumentAlteredError,
                UnreadableEInvoice,
            ) as error:  # one document must not cost the others
                logger.exception("the e-invoice of %s cannot be read", key)
                patience.note(error)
                lost.append(found[key])
                continue
            patience.note(None)
            names[key] = name
            entries.append(entry_of(found[key], form, name, content))
            archive.add(content, name)
            yield from archive.all_files()
    archive.add(manifest_json(entries, platform=platform), MANIFEST_JSON)
    archive.add(manifest_csv(entries), MANIFEST_CSV)
    if lost:
        head = _("Ces e-factures manquent dans cette archive et ne sont pas remises : le stockage ne les donne pas.")
        remedy = _("À regarder : manage.py verify_documents, puis la dernière sauvegarde.")
        lines = "\r\n".join(f"- {invoice} ({file_name_of(invoice, form)})" for invoice in lost)
        archive.add(f"{head}\r\n\r\n{lines}\r\n\r\n{remedy}\r\n".encode("utf-8-sig"), MISSING_NOTE)
    yield from archive.all_files()
    yield from archive.finalize()
    if lost:
        unavailable([invoice.document for invoice in lost if invoice.document is not None])
    for batch in batched(list(names), BATCH):
        handed = [(invoice, names[key]) for key, invoice in with_parties().in_bulk(batch).items()]
        mark_handed_over(handed, export=export, platform=platform, author_name=author_name)


def note_handed_over(
    invoices: "QuerySet[Invoice]",
    *,
    export: Export | None,
    platform: str,
    author_name: str,
    on_marked: Callable[[list[Invoice]], None] = lambda invoices: None,
) -> int:
    """Mark ``invoices`` as handed over without writing a file: they reached the platform otherwise. How many are new.

    ``invoices`` come from :func:`einvoices_to_hand_over` or :func:`awaiting_handover`; ``on_marked`` takes them,
    some hundreds at a time.
    """
    marked = 0
    for batch in batched(list(invoices.values_list("pk", flat=True)), MARKED_AT_ONCE):
        found = list(with_parties().filter(pk__in=batch))
        handed = [(invoice, "") for invoice in found]
        marked += mark_handed_over(handed, export=export, platform=platform, author_name=author_name)
        on_marked(found)
    return marked


def awaiting_handover() -> "QuerySet[Invoice]":
    """Published invoices that the law sends through a platform and that were not handed over."""
    return einvoices_to_hand_over().filter(MUST_USE_PLATFORM)


def count_awaiting_handover() -> int:
    """How many invoices await their hand-over."""
    return awaiting_handover().order_by().count()


def hands_over() -> bool:
    """True where a company has named its platform and the date from which invoices must go through it."""
    return Company.objects.filter(einvoice_from__isnull=False).exclude(platform_name="").exists()
