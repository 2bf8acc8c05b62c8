"""Write everything into a folder: done again, it goes on where it ended, and brings what is new."""

import datetime
import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from invoices.einvoices.xml_files import read_xml
from invoices.formats.refusals import UnreadableEInvoice
from invoices.models import Document, Invoice
from invoices.store.frozen import DocumentAlteredError
from mailing.trail.actions import Action
from mailing.trail.recording import record
from portal.backups.manifest import CHUNK, BackupError, describe, fingerprint, write_whole
from portal.leaving.tables import csv_of, json_of, tables

_AT_ONCE: Final = 200
_STYLE: Final = Path(__file__).with_name("style.css")


@dataclass(slots=True)
class LeavingReport:
    """What was written, what was there already, and documents that could not be (name and problem)."""

    folder: str
    tables: int = 0
    rows: int = 0
    invoices: int = 0
    copied: int = 0
    reused: int = 0
    damaged: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(slots=True)
class _Month:
    day: datetime.date
    count: int = 0

    @property
    def page(self) -> str:
        """Its page, from the index."""
        return f"factures/{self.day:%Y-%m}.html"


def leave(folder: Path, *, on_progress: Callable[[int], None] = lambda done: None) -> LeavingReport:
    """Write documents, tables and pages under ``folder``; raises BackupError, after which it can be called again.

    Memory does not grow with the number of invoices: a month's page is written while its documents are copied.
    """
    if not settings.DOCUMENTS_STORAGE_URL and folder.resolve().is_relative_to(Path(settings.DOCUMENTS_ROOT).resolve()):
        raise BackupError(
            _("%(folder)s est dans le dossier des documents : choisissez-en un autre.") % {"folder": folder}
        )
    report = LeavingReport(str(folder))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "index.html").unlink(missing_ok=True)
        shutil.copyfile(_STYLE, folder / "style.css")
        written = list(_write_tables(folder, report))
        months = list(_write_months(folder, report, on_progress))
        context = {"tables": written, "months": months, "report": report}
        write_whole(folder / "index.html", [render_to_string("leaving/index.html", context).encode()])
    except OSError as error:
        raise BackupError(describe(error, folder)) from None
    record(Action.LEFT, details={"invoices": report.invoices, "rows": report.rows})
    return report


def _write_tables(folder: Path, report: LeavingReport) -> Iterator[tuple[str, str, int]]:
    for model in tables():
        name = f"donnees/{model._meta.label_lower}"
        rows = 0

        def counted(lines: Iterator[bytes]) -> Iterator[bytes]:
            nonlocal rows
            for line in lines:
                rows += 1
                yield line

        write_whole(folder / f"{name}.json", counted(json_of(model)))
        write_whole(folder / f"{name}.csv", csv_of(model))
        report.tables += 1
        report.rows += rows
        yield str(model._meta.verbose_name_plural), name, rows


def _write_months(folder: Path, report: LeavingReport, on_progress: Callable[[int], None]) -> Iterator[_Month]:
    days = Invoice.objects.order_by().dates("issue_date", "month")
    for day in days:
        month = _Month(day)
        write_whole(folder / month.page, _page_of(folder, month, report, on_progress))
        yield month


def _page_of(folder: Path, month: _Month, report: LeavingReport, on_progress: Callable[[int], None]) -> Iterator[bytes]:
    yield render_to_string("leaving/month_head.html", {"day": month.day}).encode()
    of_month = Invoice.objects.filter(issue_date__year=month.day.year, issue_date__month=month.day.month)
    invoices = of_month.select_related("customer", "company").prefetch_related("documents")
    taken: set[str] = set()
    for invoice in invoices.order_by("issue_date", "number", "pk").iterator(chunk_size=_AT_ONCE):
        files = list(_copy_documents(folder, invoice, taken, report))
        yield render_to_string("leaving/invoice.html", {"invoice": invoice, "files": files}).encode()
        month.count += 1
        report.invoices += 1
        on_progress(report.invoices)
    yield render_to_string("leaving/month_foot.html").encode()


def _copy_documents(
    folder: Path, invoice: Invoice, taken: set[str], report: LeavingReport
) -> Iterator[tuple[str, str]]:
    """The label of each document of ``invoice`` and where it is now, from the page of its month."""
    stem = base = Path(invoice.pdf_filename).stem
    while stem.lower() in taken:  # two companies, or two numbers that only a slash distinguishes
        stem = f"{base}-{invoice.pk.hex[: 8 + len(stem) - len(base)]}"
    taken.add(stem.lower())
    for document in sorted(invoice.documents.all(), key=lambda each: (each.role, each.version)):
        name = f"documents/{invoice.issue_date:%Y-%m}/{stem}-v{document.version}.{document.role}"
        target = folder / name
        if target.is_file() and target.stat().st_size == document.size and fingerprint(target) == document.sha256:
            report.reused += 1
        elif problem := _copy(document, target):
            report.damaged.append({"file": document.storage_name, "invoice": invoice.number, "problem": problem})
            continue
        else:
            report.copied += 1
        yield f"{document.get_role_display()} v{document.version}", f"../{name}"
        if document.role == Document.Role.PDF and (document.profile or document.xml_sha256):
            inside = f"{name.removesuffix('.pdf')}-factur-x.xml"
            if _write_xml(document, folder / inside, report):
                yield f"XML v{document.version}", f"../{inside}"


def _write_xml(document: Document, target: Path, report: LeavingReport) -> bool:
    """Write the XML that the PDF carries beside it, for programs that open no PDF; False where it cannot be read."""
    if target.is_file() and document.xml_sha256 and fingerprint(target) == document.xml_sha256:
        return True
    try:
        content = read_xml(document)
    except (OSError, DocumentAlteredError, UnreadableEInvoice):
        report.damaged.append(
            {"file": document.storage_name, "invoice": document.invoice.number, "problem": "unreadable"}
        )
        return False
    write_whole(target, [content])
    return True


def _copy(document: Document, target: Path) -> str:
    """Copy a frozen document; what is wrong with it («missing», «unreadable», «altered»), or nothing."""
    digest = hashlib.sha256()

    def read(chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    try:
        file = default_storage.open(document.storage_name)
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    with file:
        write_whole(target, read(file.chunks(CHUNK)))
    if digest.hexdigest() == document.sha256:
        return ""
    target.unlink()
    return "altered"
