"""What the list of a customer's invoices knows: years with their count and total, lines by month, pages."""

import datetime
import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import FETCH_RAISE, Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import ExtractMonth, ExtractYear
from django.utils import timezone

from customers.models import Account, Customer
from invoices.models import Company, Consultation, Invoice, InvoiceQuerySet

LINES_PER_PAGE = 50
# What was published longer ago than this is no news, opened or not.
NEW_FOR = datetime.timedelta(days=60)
# A credit note states what it takes back as a positive amount (EN 16931); in a sum it counts against the invoices.
SIGNED_TOTAL = Case(When(kind=Invoice.Kind.CREDIT_NOTE, then=-F("total_with_vat")), default=F("total_with_vat"))


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
        """Count ``count`` more documents of ``kind`` and ``month`` in ``currency``."""
        self.count += count
        self.credit_notes += count if kind == Invoice.Kind.CREDIT_NOTE else 0
        self.months[month] += count
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
class Month:
    """The lines of one month, newest first; ``first`` is its first day."""

    first: datetime.date
    invoices: list[Invoice]


class CountedPaginator(Paginator[Invoice]):
    """Pages of a list whose length is known already, and perhaps the lines of its first page too."""

    def __init__(
        self, invoices: QuerySet[Invoice], per_page: int, length: int, first: list[Invoice] | None = None
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
    customers = Customer.objects.filter(accesses__account=account).order_by("code")
    if company is not None:
        billed = Invoice.objects.published().filter(customer=OuterRef("pk"), company=company)
        customers = customers.filter(Exists(billed))
    return list(customers)


def year_totals(invoices: InvoiceQuerySet) -> list[YearTotal]:
    """The years of ``invoices``, newest first. One query."""
    rows = (
        invoices.order_by()
        .annotate(year=ExtractYear("issue_date"), month=ExtractMonth("issue_date"))
        .values("year", "month", "kind", "currency")
        .annotate(count=Count("pk"), total=Sum(SIGNED_TOTAL))
        .order_by("-year", "currency", "month", "kind")
    )
    years: dict[int, YearTotal] = {}
    for row in rows:
        year = years.setdefault(row["year"], YearTotal(row["year"]))
        year.add(kind=row["kind"], month=row["month"], count=row["count"], currency=row["currency"], total=row["total"])
    return list(years.values())


def list_lines(invoices: InvoiceQuerySet, account: Account) -> QuerySet[Invoice]:
    """``invoices`` as lines of the list, newest first: ``signed_total``, ``is_new`` if recent and not opened by
    ``account`` yet.

    Anything that a line does not show raises when it is read, so that no line asks the database for itself.
    """
    opened = Consultation.objects.filter(invoice=OuterRef("pk"), account=account)
    return (
        invoices.select_related("customer", "corrects")
        .only(
            "number",
            "kind",
            "issue_date",
            "due_date",
            "currency",
            "purchase_order_reference",
            "customer__code",
            "customer__name",
            "corrects__number",
            "corrects__published_at",
            "corrects__customer_id",
        )
        .annotate(signed_total=SIGNED_TOTAL, is_new=Q(published_at__gte=timezone.now() - NEW_FOR) & ~Exists(opened))
        .order_by("-issue_date", "-number")
        .fetch_mode(FETCH_RAISE)
    )


def search_pages(found: InvoiceQuerySet, account: Account, asked: str | None) -> CountedPaginator:
    """The pages of what a search found, of which ``asked`` is shown: one search where the first page holds it all."""
    lines = list_lines(found, account)
    if asked not in (None, "", "1"):
        return CountedPaginator(lines, LINES_PER_PAGE, found.count())
    first = list(lines[: LINES_PER_PAGE + 1])
    length = len(first) if len(first) <= LINES_PER_PAGE else found.count()
    return CountedPaginator(lines, LINES_PER_PAGE, length, first[:LINES_PER_PAGE])


def by_month(invoices: Iterable[Invoice]) -> list[Month]:
    """Lines that are in order of date, gathered under their months."""
    return [
        Month(first, list(lines))
        for first, lines in itertools.groupby(invoices, key=lambda invoice: invoice.issue_date.replace(day=1))
    ]
