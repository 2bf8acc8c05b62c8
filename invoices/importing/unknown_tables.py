"""A table of which a person says what its columns are: what is proposed, what that gives, and keeping it."""

import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from django.db import IntegrityError, transaction

from customers.models import Account, Customer
from customers.searching import search_key
from invoices.documents.previews import prepare_preview
from invoices.files.archives import GivenFile, expand
from invoices.files.rows import Row
from invoices.files.tables import Table, UnreadableTable, tables_in
from invoices.importing.batches import check_again, local_files
from invoices.importing.companies import KnownCompanies, UnknownCompanyError
from invoices.importing.mapping.fields import CUSTOMER_NAME, missing
from invoices.importing.mapping.flat import Flattened, flatten
from invoices.importing.mapping.kept import CustomerSearch, KeptMappings, column_names, fingerprint
from invoices.importing.mapping.layout import Confirmed, layout_of, seen_in
from invoices.importing.mapping.proposal import propose
from invoices.importing.mapping.proposed import Proposal
from invoices.importing.tables.columns import CUSTOMERS, INVOICES, LINES, RecognisedTable
from invoices.importing.tables.customers import KnownCustomers, import_customers
from invoices.importing.tables.invoices import import_invoice_tables
from invoices.importing.tables.reader import InvoiceTables
from invoices.models import Company, ImportBatch, ImportMapping

_ROWS_LOOKED_AT: Final = 20_000
_MOST_NAMES: Final = 50


class NoSuchTable(Exception):  # noqa: N818 - a finding about somebody's files, not an error of ours
    """The given files hold no such table, or none with a header."""


@dataclass
class LookedAt:
    """A table as the chosen columns would read it. ``result`` is None where obligatory ones are ``missing``."""

    proposal: Proposal
    fields: list[str]
    missing: list[str]
    result: Flattened | None = None
    unknown_customers: list[str] = field(default_factory=list)
    customers: dict[str, str] = field(default_factory=dict)
    unknown_codes: dict[str, str] = field(default_factory=dict)
    """Those of them, by name, whose code is on no card."""
    is_printable: bool = False
    """Whether heads and lines are both there, so that its invoices can be shown as they would print."""

    @property
    def is_right(self) -> bool:
        """Whether all that was read fits together to the cent."""
        return self.result is not None and self.result.invoices > 0 and not self.result.unreconciled


@contextmanager
def _table(batch: ImportBatch, name: str) -> Iterator[Table]:
    with local_files(batch) as files, tempfile.TemporaryDirectory(prefix="columns-") as folder:
        for number, file in enumerate(expand(files)):
            if not isinstance(file, GivenFile) or not name.startswith(file.name):
                continue
            path = Path(folder) / f"{number}"
            source = file.source if isinstance(file.source, Path) else path
            if source is path:
                path.write_bytes(file.read())
            try:
                found = next((table for table in tables_in(source, file.name) if table.name == name), None)
            except UnreadableTable:
                continue
            if found is not None:
                yield found
                return
    raise NoSuchTable(name)


def look_at(
    *,
    batch: ImportBatch,
    name: str,
    fields: Mapping[int, str] | None = None,
    customers: Mapping[str, str] | None = None,
) -> LookedAt:
    """What the table ``name`` of ``batch`` gives with ``fields`` (place → our column; None: what is proposed).

    ``customers``: names and codes of their cards. Long tables are looked at from their top. Raises NoSuchTable.
    """
    with _table(batch, name) as table, tempfile.TemporaryDirectory(prefix="columns-") as folder:
        proposal = propose(table)
        if proposal is None:
            raise NoSuchTable(name)
        width = len(proposal.sample.columns)
        chosen = [""] * width
        known = KeptMappings(_company(batch)).find(proposal.sample)
        if fields is None:
            fields = (
                dict(enumerate(known.fields)) if known is not None else {c.index: c.field for c in proposal.columns}
            )
        answered = {search_key(one) for one in customers or ()}
        kept = known.customers if known is not None else {}
        customers = {**{one: code for one, code in kept.items() if one not in answered}, **(customers or {})}
        for index, our_name in fields.items():
            if index < width:
                chosen[index] = our_name
        looked = LookedAt(proposal, chosen, missing({each for each in chosen if each}))
        looked.customers = customers
        codes = _known_codes(looked.customers.values())
        looked.unknown_codes = {one: code for one, code in looked.customers.items() if code not in codes}
        places = ImportMapping(fields=chosen).places()
        if not looked.missing and places:
            layout = layout_of(proposal.sample, places, Confirmed())
            looked.is_printable = layout.holds >= {"factures", "lignes"}
            if layout.holds != {"clients"}:
                cards = _search({one: code for one, code in looked.customers.items() if code in codes})
                looked.result = flatten(table, layout, Path(folder), cards, most_rows=_ROWS_LOOKED_AT)
                names = dict.fromkeys(e.value for e in looked.result.rejections if e.column == CUSTOMER_NAME)
                looked.unknown_customers = [each for each in names if each][:_MOST_NAMES]
    return looked


def prepare_print(
    *, batch: ImportBatch, name: str, fields: Sequence[str], customers: Mapping[str, str], place: int
) -> Callable[[], bytes] | None:
    """What renders the PDF of the invoice at ``place`` among the first of the table ``name``, as it would print.

    It is imported with ``fields`` and ``customers`` as :func:`look_at` takes them, and nothing of it stays. None where
    it is refused. Raises NoSuchTable.
    """
    with _table(batch, name) as table, tempfile.TemporaryDirectory(prefix="columns-") as folder:
        proposal = propose(table)
        places = ImportMapping(fields=list(fields)).places()
        if proposal is None or missing(set(places)):
            return None
        layout = layout_of(proposal.sample, places, Confirmed())
        # As many rows as the page looks at: an invoice whose lines are apart is whole in both, or in none.
        result = flatten(table, layout, Path(folder), _search(customers), most_rows=_ROWS_LOOKED_AT)
        if len(result.amounts.first) <= place:
            return None
        try:
            with transaction.atomic():
                try:
                    return _print_of(batch, result, result.amounts.first[place])
                finally:
                    transaction.set_rollback(True)
        except (IntegrityError, UnknownCompanyError):
            return None


def _print_of(batch: ImportBatch, result: Flattened, head: Mapping[str, str]) -> Callable[[], bytes] | None:
    """Import the invoice of ``head`` alone, in a transaction that is rolled back; what renders it, None if refused."""
    number = ("numero", head["numero"])
    keys = ((CUSTOMERS, ("code", head["code_client"])), (INVOICES, number), (LINES, number))
    tables = {kind.name: [_only(each, *key) for each in result.tables if each.kind is kind] for kind, key in keys}
    known, companies = KnownCustomers(), KnownCompanies(chosen=batch.options.get("company") or "")
    if tables[CUSTOMERS.name]:
        import_customers(tables[CUSTOMERS.name], known, dry_run=False)
    report = import_invoice_tables(
        InvoiceTables(
            heads=tables[INVOICES.name],
            lines=tables[LINES.name],
            customers=known,
            companies=companies,
            find_pdf=lambda _table, _name: None,
        )
    )
    if report.rejected:
        return None
    company = companies.named(head["societe"]) if head.get("societe") else companies.default()
    invoice = company.invoices.filter(number=head["numero"], issue_date=head["date"]).select_related("customer").first()
    return None if invoice is None else prepare_preview(company, invoice)


@dataclass(frozen=True, slots=True)
class _RowsOf(Table):
    """The header of a table, and those of its rows that have ``value`` at ``place``."""

    whole: Table | None = None
    header_line: int = 0
    place: int = 0
    value: str = ""

    @property
    def is_derived(self) -> bool:
        """As the whole is."""
        return self.whole is not None and self.whole.is_derived

    def rows(self) -> Iterator[Row]:
        """The header and the rows."""
        for row in self.whole.rows() if self.whole is not None else ():
            if row.line <= self.header_line or row.cells[self.place] == self.value:
                yield row


def _only(recognised: RecognisedTable, column: str, value: str) -> RecognisedTable:
    whole = recognised.table
    rows = _RowsOf(
        whole.name,
        whole.source,
        whole=whole,
        header_line=recognised.header_line,
        place=recognised.positions[column],
        value=value,
    )
    return replace(recognised, table=rows)


def _search(customers: Mapping[str, str]) -> CustomerSearch:
    return CustomerSearch({search_key(one): code for one, code in customers.items()})


def _known_codes(codes: Collection[str]) -> set[str]:
    return set(Customer.objects.filter(code__in=codes).values_list("code", flat=True))


def _company(batch: ImportBatch) -> Company | None:
    return KnownCompanies(chosen=batch.options.get("company") or "", dry_run=True).known()


@transaction.atomic
def keep_mapping(
    *, batch: ImportBatch, looked: LookedAt, name: str, customers: Mapping[str, str], author: Account
) -> ImportMapping:
    """Keep what the columns are for the tables of this shape, in place of what was kept before, and check again.

    ``customers``: names and codes; those of no card are left out. Raises TooLateError, NoSuchTable.
    """
    headers = column_names(looked.proposal.sample)
    known = _known_codes(customers.values())
    answers = {search_key(one): code for one, code in customers.items() if code in known}
    mapping, created = ImportMapping.objects.get_or_create(
        fingerprint=fingerprint(headers), company=_company(batch), defaults={"name": name}
    )
    mapping.name, mapping.headers, mapping.fields = name, headers, looked.fields
    mapping.customers = answers if created else {**mapping.customers, **answers}
    with _table(batch, looked.proposal.sample.table.name) as table:
        mapping.confirmed = seen_in(table, layout_of(looked.proposal.sample, mapping.places())).as_json()
    mapping.author_name = author.get_full_name()
    mapping.save()
    check_again(batch=batch)
    return mapping
