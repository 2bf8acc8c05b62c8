"""What the list of a customer's invoices knows: years with their count and total, lines by month, pages."""

import datetime
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from django.core.paginator import Paginator
from django.db.models import FETCH_RAISE, Case, Count, Exists, F, OuterRef, QuerySet, Sum, When
from django.db.models.functions import ExtractYear

from customers.models import Account, Customer
from invoices.models import Consultation, Invoice, InvoiceQuerySet

LINES_PER_PAGE = 50
# A credit note states what it takes back as a positive amount (EN 16931); in a sum it counts against the invoices.
SIGNED_TOTAL = Case(When(kind=Invoice.Kind.CREDIT_NOTE, then=-F("total_with_vat")), default=F("total_with_vat"))


@dataclass(slots=True)
class YearTotal:
    """A year that has invoices: how many, and their total with VAT per currency, credit notes taken off."""

    year: int
    count: int = 0
    totals: dict[str, Decimal] = field(default_factory=dict)

    def add(self, *, count: int, currency: str, total: Decimal) -> Self:
        """Count ``count`` more documents of ``currency``."""
        self.count += count
        self.totals[currency] = self.totals.get(currency, Decimal(0)) + total
        return self


@dataclass(frozen=True, slots=True)
class Month:
    """The lines of one month, newest first; ``first`` is its first day."""

    first: datetime.date
    invoices: list[Invoice]


class CountedPaginator(Paginator[Invoice]):
    """Pages of a list whose length is known already."""

    def __init__(self, invoices: QuerySet[Invoice], per_page: int, length: int) -> None:
        super().__init__(invoices, per_page)
        self._length = length

    @property
    def count(self) -> int:
        """The length that was given."""
        return self._length


def customers_of(account: Account) -> list[Customer]:
    """The customers whose invoices ``account`` sees, by code."""
    return list(Customer.objects.filter(accesses__account=account).order_by("code"))


def year_totals(invoices: InvoiceQuerySet) -> list[YearTotal]:
    """The years of ``invoices``, newest first. One query."""
    rows = (
        invoices.order_by()
        .annotate(year=ExtractYear("issue_date"))
        .values("year", "currency")
        .annotate(count=Count("pk"), total=Sum(SIGNED_TOTAL))
        .order_by("-year", "currency")
    )
    years: dict[int, YearTotal] = {}
    for row in rows:
        year = years.setdefault(row["year"], YearTotal(row["year"]))
        year.add(count=row["count"], currency=row["currency"], total=row["total"])
    return list(years.values())


def list_lines(invoices: InvoiceQuerySet, account: Account) -> QuerySet[Invoice]:
    """``invoices`` as lines of the list, newest first: ``signed_total``, ``is_new`` until ``account`` opened it.

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
        .annotate(signed_total=SIGNED_TOTAL, is_new=~Exists(opened))
        .order_by("-issue_date", "-number")
        .fetch_mode(FETCH_RAISE)
    )


def by_month(invoices: Iterable[Invoice]) -> list[Month]:
    """Lines that stand in order of date, gathered under their months."""
    return [
        Month(first, list(lines))
        for first, lines in itertools.groupby(invoices, key=lambda invoice: invoice.issue_date.replace(day=1))
    ]
