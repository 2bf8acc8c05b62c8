"""What the list of a customer's invoices knows: years with their count and total, lines by month, pages."""

import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import FETCH_RAISE, Count, Exists, F, OuterRef, QuerySet, Sum, Window
from django.db.models.functions import TruncMonth

from customers.models import Account, Customer
from invoices.models import Company, Consultation, Invoice, InvoiceQuerySet

LINES_PER_PAGE = 50
# What was published longer ago than this is no news, opened or not.
NEW_FOR = datetime.timedelta(days=60)


@dataclass(slots=True)
class YearTotal:
    """A year that has invoices: how many, and their total with VAT per currency, credit notes taken off.

    ``months`` counts the documents of each month that has some, by its number.
    """

    year: int
    count: int = 0
    credit_notes: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)
    months: Counter[int] = field(default_factory=Counter)

    def add(self, *, kind: str, month: int, count: int, currency: str, total: Decimal) -> None:
        """Count ``count`` more documents of ``kind`` and ``month`` in ``currency``.

        A credit note states what it takes back as a positive amount (EN 16931): ``total`` is taken off.
        """
        self.count += count
        self.months[month] += count
        if kind == Invoice.Kind.CREDIT_NOTE:
            self.credit_notes += count
            total = -total
        self.totals[currency] = self.totals.get(currency, Decimal(0)) + total

    @property
    def invoices(self) -> int:
        """How many of the documents are invoices."""
        return self.count - self.credit_notes

    @property
    def first_days(self) -> list[datetime.date]:
        """The first days of the months that have documents, in their order."""
        return [datetime.date(self.year, month, 1) for month in sorted(self.months)]


@dataclass(frozen=True, slots=True)
class Period:
    """The lines of a month or a year, newest first; ``first`` is its first day."""

    first: datetime.date
    invoices: list[Invoice]

    @property
    def key(self) -> str:
        """``2025-06``, which names its heading."""
        return f"{self.first:%Y-%m}"


class CountedPaginator(Paginator[Invoice]):
    """Pages of a list whose length is known already, and perhaps the lines of its first page too."""

    def __init__(
        self, invoices: QuerySet[Invoice], per_page: int, length: int, first: Sequence[Invoice] | None = None
    ) -> None:
        super().__init__(invoices, per_page)
        self._length, self._first = length, first

    def page(self, number: int | str) -> Page[Invoice]:
        """The page of this number; without a query where its lines are known."""
        page = super().page(number)
        if page.number == 1 and self._first is not None:
            page.object_list = self._first
        return page

    @property
    def count(self) -> int:
        """The length that was given."""
        return self._length


def customers_of(account: Account, company: Company | None = None) -> list[Customer]:
    """The customers whose invoices ``account`` sees, by code; those that ``company`` bills, where it is given."""
    customers = Customer.objects.filter(accesses__account=account).order_by("code").only("code", "name")
    if company is not None:
        billed = Invoice.objects.published().filter(customer=OuterRef("pk"), company=company)
        customers = customers.filter(Exists(billed))
    return list(customers)


def year_totals(invoices: InvoiceQuerySet) -> list[YearTotal]:
    """The years of ``invoices``, newest first. One query."""
    rows = (
        invoices.order_by()
        .annotate(first=TruncMonth("issue_date"))
        .values_list("first", "currency", "kind")
        .annotate(count=Count("pk"), total=Sum("total_with_vat"))
    )
    years: dict[int, YearTotal] = {}
    # Sorted here, where it costs less than in the statement: there are as many rows as months.
    for first, currency, kind, count, total in sorted(rows, key=lambda row: (-row[0].year, row[1], row[0].month)):
        year = years.setdefault(first.year, YearTotal(first.year))
        year.add(kind=kind, month=first.month, count=count, currency=currency, total=total)
    return list(years.values())


def list_lines(invoices: InvoiceQuerySet, account: Account) -> QuerySet[Invoice]:
    """``invoices`` as lines of the list, newest first: ``is_opened`` if ``account`` has opened it.

    Anything that a line does not show raises when it is read, so that no line asks the database for itself;
    :func:`complete_lines` adds what other tables have.
    """
    opened = Consultation.objects.filter(invoice=OuterRef("pk"), account=account)
    return (
        invoices.only(
            "number",
            "kind",
            "issue_date",
            "due_date",
            "currency",
            "purchase_order_reference",
            "total_with_vat",
            "published_at",
            "customer_id",
            "corrects_id",
        )
        .annotate(is_opened=Exists(opened))
        .order_by("-issue_date", "-number")
        .fetch_mode(FETCH_RAISE)
    )


def complete_lines(lines: Iterable[Invoice], account: Account, customers: Iterable[Customer]) -> list[Invoice]:
    """``lines`` with their customer, among ``customers``, and what a credit note corrects, where ``account`` sees it.

    No query; one where there are credit notes that name an invoice. A line of a customer whom the account was given
    since ``customers`` were read is left out.
    """
    known = {customer.pk: customer for customer in customers}
    completed = [line for line in lines if line.customer_id in known]
    correcting = [(line, line.corrects_id) for line in completed if line.is_credit_note and line.corrects_id]
    corrected = {}
    if correcting:
        visible = Invoice.objects.visible_to(account).only("number", "customer_id")
        corrected = {each.pk: each for each in visible.filter(pk__in={key for _, key in correcting})}
    customer = Invoice._meta.get_field("customer")
    for line in completed:
        customer.set_cached_value(line, known[line.customer_id])  # an assignment costs thirty times as much
    for line, key in correcting:
        line.corrects = corrected.get(key)
    return completed


def search_pages(found: InvoiceQuerySet, account: Account, asked: str | None) -> CountedPaginator:
    """The pages of what a search found, of which ``asked`` is shown: the first one and its count by one search."""
    # All is found, since it is counted, and then sorted. The index of dates would offer itself to the database, which
    # then reads the invoices of all customers in their order; it has no nulls last.
    lines = list_lines(found, account).order_by(F("issue_date").desc(nulls_last=True), "-number")
    if asked not in (None, "", "1"):
        return CountedPaginator(lines, LINES_PER_PAGE, found.count())
    first = list(lines.annotate(length=Window(Count("*")))[:LINES_PER_PAGE])
    return CountedPaginator(lines, LINES_PER_PAGE, first[0].length if first else 0, first)


def by_month(invoices: Iterable[Invoice]) -> list[Period]:
    """Lines that are in order of date, gathered under their months."""
    return _gathered(invoices, lambda invoice: invoice.issue_date.replace(day=1))


def by_year(invoices: Iterable[Invoice]) -> list[Period]:
    """The same under their years: what a search finds is few lines of many months."""
    return _gathered(invoices, lambda invoice: invoice.issue_date.replace(month=1, day=1))


def _gathered(invoices: Iterable[Invoice], first_day: Callable[[Invoice], datetime.date]) -> list[Period]:
    return [Period(first, list(lines)) for first, lines in itertools.groupby(invoices, key=first_day)]
