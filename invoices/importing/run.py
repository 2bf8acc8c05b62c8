"""The import of an ERP's export: tables, e-invoices, PDF files, folders and ZIP archives of them.

What is a whole: a customer's card, a contact, an invoice with its lines, an e-invoice. A whole is imported or, where
anything of it is refused, left out entirely; the others are imported nonetheless. A file that cannot be read to its end
is refused with all that it holds.
"""

import codecs
import errno
import gc
import sqlite3
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from django.db import IntegrityError
from django.utils.translation import gettext as _

from invoices.files.archives import GivenFile, RefusedFile, expand
from invoices.files.tables import Table, UnreadableTable, tables_in
from invoices.formats.extraction import is_pdf
from invoices.formats.safe_xml import looks_like_xml
from invoices.importing.companies import KnownCompanies
from invoices.importing.einvoices import TakenInvoices, import_einvoice
from invoices.importing.mapping.kept import KeptMappings
from invoices.importing.mapping.reading import NeedsMapping, codes_of_cards, understand
from invoices.importing.report import ImportReport, Progress, Rejection, SkippedRow
from invoices.importing.tables.codes import code_key
from invoices.importing.tables.columns import (
    CONTACTS,
    CUSTOMERS,
    INVOICES,
    LINES,
    RecognisedTable,
    UnknownHeader,
)
from invoices.importing.tables.contacts import import_contacts
from invoices.importing.tables.customers import KnownCustomers, import_customers
from invoices.importing.tables.invoices import import_invoice_tables
from invoices.importing.tables.reader import InvoiceTables

_SUFFIXES_OF_DATA = frozenset((".csv", ".tsv", ".xlsx", ".xls", ".ods", ".xml", ".pdf", ".zip"))
_HEAD_BYTES = 64 * 1024
_AT_THE_SAME_TIME = "Un autre import écrit les mêmes données en ce moment : recommencez quand il a fini."


class ImportStoppedError(Exception):
    """A disk is full or fails: which, and what it says, in French."""


def import_erp(
    paths: Iterable[Path | GivenFile],
    *,
    dry_run: bool = False,
    create_companies: bool = False,
    company: str | None = None,
    strict: bool = False,
    replace: Collection[str] = (),
    progress: Progress | None = None,
) -> ImportReport:
    """Import the files of ``paths`` (files, folders, ZIP archives, uploaded files) and report what was done.

    ``dry_run`` reports the same and writes nothing. ``create_companies`` makes issuers that «Paramétrage société» does
    not know. ``company``, a name or SIREN, issues the rows that name no company; without it the default one does.
    ``strict`` leaves out all customers, all contacts or all invoices of tables where one of them is refused.
    ``replace`` names unpublished invoices (:func:`~invoices.importing.report.identity`) that one of the files, of the
    same number, may take the place of, and cards (:func:`~invoices.importing.report.card_identity`) that may become
    another company's. ``progress`` is called with what is in hand and how many of it are done.

    Raises :class:`~invoices.importing.companies.UnknownCompanyError` where ``company`` is unknown, and
    :class:`ImportStoppedError` where a disk is full or fails; tables that were written until then stay written.
    """
    companies = KnownCompanies(chosen=company or "", create=create_companies, dry_run=dry_run)
    try:
        with tempfile.TemporaryDirectory(prefix="import-") as folder, _without_garbage_collection():
            run = _Import(
                companies, Path(folder), dry_run=dry_run, strict=strict, replace=frozenset(replace), progress=progress
            )
            return run.run(paths)
    except (OSError, sqlite3.OperationalError) as error:
        raise ImportStoppedError(describe_disk_error(error)) from error


def describe_disk_error(error: OSError | sqlite3.OperationalError) -> str:
    """The error in French, with the file or folder. SQLite's is one of the temporary rows: Django wraps its own."""
    place, is_full, reason = tempfile.gettempdir(), False, str(error)
    if isinstance(error, OSError):
        place, reason = str(error.filename or place), error.strerror or reason
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    else:
        is_full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return f"{_('le disque est plein') if is_full else reason} ({place})"


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Rows are born and die in millions, without cycles; the collector would look at them all and at Django's own
    objects again and again, which is a tenth of an import's time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _name_key(name: str) -> str:
    """What is compared of a file's name: neither its case nor the Unicode form of its accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _on_disk_as(path: Path) -> Path | None:
    """``path`` where it is a file, else the only one of its folder whose name differs by case or Unicode form."""
    if path.is_file():
        return path
    try:
        found = [each for each in path.parent.iterdir() if _name_key(each.name) == _name_key(path.name)]
    except OSError:
        return None
    return found[0] if len(found) == 1 and found[0].is_file() else None


class _Import:
    """One import: first all files are looked at, then tables are taken in the order of their need, then e-invoices."""

    def __init__(
        self,
        companies: KnownCompanies,
        folder: Path,
        *,
        dry_run: bool,
        strict: bool,
        replace: frozenset[str],
        progress: Progress | None,
    ) -> None:
        self.companies = companies
        self.folder = folder
        self.dry_run = dry_run
        self.strict = strict
        self.replace = replace
        self.progress = progress
        self.report = ImportReport()
        self.looked_at = 0
        self.mappings = KeptMappings(companies.known())
        self.customers = KnownCustomers()
        self.read: list[tuple[list[Table], GivenFile]] = []
        self.codes: frozenset[str] | None = None
        self.has_refused_rows = False  # of tables that mix invoices, lines and customers
        self.tables: dict[str, list[RecognisedTable]] = defaultdict(list)
        self.documents: dict[str, Path] = {}
        self.names: dict[str, str] = {}  # of those documents, as they were given: two may have the same
        self.taken: TakenInvoices = {}
        self.with_rows: set[str] = set()
        self.folders: dict[str, Path] = {}

    def run(self, paths: Iterable[Path | GivenFile]) -> ImportReport:
        """Import everything. Returns the story."""
        for number, item in enumerate(expand(paths)):
            if isinstance(item, RefusedFile):
                self.report.refuse_file(item.name, item.reason)
            else:
                self._look_at(item, number)
            self.looked_at += 1
        for tables, file in self.read:
            self._look_at_tables(tables, file)
        if not self.looked_at:
            self.report.refuse_file("", "Il n’y a aucun fichier à importer.")
        how = {"dry_run": self.dry_run, "strict": self.strict}
        cards = self.tables[CUSTOMERS.name]
        if cards:
            importing = partial(import_customers, cards, self.customers, **how, replace=self.replace)
            self._guarded([table.name for table in cards], importing)
        for table in self.tables[CONTACTS.name]:
            self._guarded([table.name], partial(import_contacts, table, self.customers, **how))
        heads, lines = self.tables[INVOICES.name], self.tables[LINES.name]
        if heads or lines:
            given = InvoiceTables(
                heads=heads,
                lines=lines,
                customers=self.customers,
                companies=self.companies,
                find_pdf=self._find_pdf,
                strict=self.strict,
                is_clean=not self.has_refused_rows,
                replace=self.replace,
                dry_run=self.dry_run,
                progress=self.progress,
            )
            self._guarded([table.name for table in (*heads, *lines)], partial(import_invoice_tables, given))
        self._import_documents()
        if not self.dry_run:
            self.report.journal.find_gaps()
        if self.strict and not self.report.is_clean:
            self.report.notices.append(
                _("Import strict : une ligne est refusée, et rien n’est écrit de la table dont elle est.")
            )
        if self.companies.is_unnamed and self.report.created["invoices"]:
            self.report.notices.append(
                "Aucune société n’est paramétrée : les factures importées attendent l’identité de leur émetteur "
                "(Paramétrage › Société) et ne peuvent pas être exportées avant."
            )
        return self.report

    def _look_at(self, file: GivenFile, number: int) -> None:
        """Recognise what ``file`` is by its content, and put it where it is needed."""
        path = self._on_disk(file, number)
        try:
            with path.open("rb") as stream:
                head = stream.read(_HEAD_BYTES)
        except OSError:
            self.report.refuse_file(file.name, "Ce fichier ne peut pas être ouvert.")
            return
        if len(head) < _HEAD_BYTES and not head.removeprefix(codecs.BOM_UTF8).strip():
            self.report.refuse_file(file.name, "Ce fichier est vide.")
            return
        if b"<svg" in head.lower():
            self._refuse_or_pass_over(file.name, "Ce fichier est une image.", None)
            return
        if is_pdf(head) or looks_like_xml(head):
            name, copies = file.name, 1
            while name in self.documents:
                copies += 1
                name = f"{file.name} ({copies})"
            self.documents[name], self.names[name] = path, file.name
            return
        try:
            tables = tables_in(path, file.name)
        except UnreadableTable as problem:
            self._refuse_or_pass_over(file.name, problem.reason, None)
            return
        self.read.append((tables, file if isinstance(file.source, Path) else GivenFile(file.name, b"")))

    def _look_at_tables(self, tables: list[Table], file: GivenFile) -> None:
        """The table of a file, or the sheets of a workbook: beside known ones, those that are none are passed over."""
        visible = [table for table in tables if not table.is_hidden] or tables
        unknown: list[tuple[str, UnknownHeader]] = []
        is_any_known = False
        for table in visible:
            try:
                understood = understand(table, self.folder, self.mappings, comes_with_code=self._comes_with_code)
            except UnreadableTable as problem:
                self._refuse_or_pass_over(table.name, problem.reason, problem.line or None)
            except UnknownHeader as problem:
                unknown.append((table.name, problem))
            else:
                is_any_known = True
                self.report.refuse(*understood.rejections)
                self.has_refused_rows = self.has_refused_rows or bool(understood.rejections)
                if understood.asks:
                    self.report.to_map.append(table.name)
                self.report.skip(*understood.skipped)
                self.report.ignore(table, understood.ignored)
                for recognised in understood.tables:
                    self._take(recognised, file)
        for name, what in unknown:
            if is_any_known and not what.columns and not isinstance(what, NeedsMapping):
                self.report.skip(SkippedRow(name, None, "Cette feuille n’est pas une table à importer."))
                continue
            correction = ""
            if isinstance(what, NeedsMapping):
                self.report.to_map.append(name)
                correction = _("Dites dans Importer ce que contient chaque colonne : la réponse est gardée.")
            self._refuse_or_pass_over(name, what.reason, what.line, what.columns, correction=correction)
        for table in tables:
            if table not in visible:
                self.report.skip(SkippedRow(table.name, None, "Cette feuille est masquée."))

    def _comes_with_code(self, codes: Collection[str]) -> bool:
        """Whether one of ``codes`` is that of a card of the same import, which is not written yet."""
        if self.codes is None:
            given = (table for tables, _ in self.read for table in tables if not table.is_hidden)
            self.codes = frozenset(code for table in given for code in codes_of_cards(table))
        return not self.codes.isdisjoint(map(code_key, codes))

    def _take(self, recognised: RecognisedTable, file: GivenFile) -> None:
        """Keep a table for its turn."""
        self.tables[recognised.kind.name].append(recognised)
        if isinstance(file.source, Path):
            self.folders[recognised.name] = file.source.parent
        self.report.ignore(recognised.table, recognised.ignored)

    def _on_disk(self, file: GivenFile, number: int) -> Path:
        """The file as a path: members of an archive go to a temporary folder, since there may be thousands."""
        if isinstance(file.source, Path):
            return file.source
        path = self.folder / f"{number}"
        path.write_bytes(file.source)
        return path

    def _refuse_or_pass_over(
        self, name: str, reason: str, line: int | None, columns: tuple[str, ...] = (), *, correction: str = ""
    ) -> None:
        """Refuse a file that is none of ours; in a folder, a read-me or an image beside the tables is passed over."""
        file = PurePosixPath(name)
        if columns or len(file.parts) == 1 or file.suffix.lower() in _SUFFIXES_OF_DATA or "(feuille" in name:
            self.report.refuse(Rejection(name, line, ", ".join(columns), "", reason, correction))
        else:
            self.report.skip(SkippedRow(name, None, "Ce n’est ni une table ni une facture."))

    def _guarded(self, names: list[str], importing: Callable[[], ImportReport]) -> None:
        """Add the story of ``importing``; what the database refuses because another import was first is a refusal."""
        try:
            self.report.add(importing())
        except IntegrityError:
            for name in names:
                self.report.refuse_file(name, _AT_THE_SAME_TIME)

    def _find_pdf(self, table_name: str, pdf_name: str) -> Path | None:
        """The file that a row of ``table_name`` means: beside its table, or of that name anywhere in the import."""
        wanted = PurePosixPath(pdf_name.replace("\\", "/"))
        if wanted.is_absolute() or ".." in wanted.parts:
            return None
        if wanted.suffix.lower() not in _SUFFIXES_OF_DATA:
            wanted = wanted.with_name(f"{wanted.name}.pdf")  # «F1», as a document's name in an ERP
        beside = str(PurePosixPath(table_name).parent / wanted)
        found = [name for name, given in self.names.items() if given == beside] or [
            name for name, given in self.names.items() if PurePosixPath(given).name == wanted.name
        ]
        if not found:  # a Mac writes é as two characters, and names of Windows have no case
            found = [name for name, given in self.names.items() if _name_key(given) == _name_key(beside)] or [
                name
                for name, given in self.names.items()
                if _name_key(PurePosixPath(given).name) == _name_key(wanted.name)
            ]
        folder = self.folders.get(table_name)
        path = _on_disk_as(folder / wanted) if folder is not None else None
        if len(found) > 1:  # of the same name, from several folders
            found = [name for name in found if self.documents[name] == path]
        if len(found) == 1:
            self.with_rows.add(found[0])
            return self.documents[found[0]]
        return path

    def _import_documents(self) -> None:
        """E-invoices, and PDF files that no row has spoken of."""
        done = 0
        for name, path in self.documents.items():
            if name in self.with_rows:
                continue
            importing = partial(
                import_einvoice, path, name, self.companies, self.taken, replace=self.replace, dry_run=self.dry_run
            )
            self._guarded([name], importing)
            done += 1
            if self.progress is not None:
                self.progress("e-factures", done)
