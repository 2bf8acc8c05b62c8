"""What an import took, to be ticked against the ERP's journal of sales: period, totals by rate of VAT, gaps."""

import datetime
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from invoices.models import Invoice

_NUMBER: Final = re.compile(r"(.*?)([0-9]{1,9})", re.DOTALL | re.ASCII)
_MOST_SERIES: Final = 200
_LONGEST_SERIES: Final = 2_000_000
_MOST_GAPS: Final = 20


@dataclass
class Journal:
    """Sums of the invoices that an import created or changed; credit notes count below zero.

    ``by_rate``: cents without and of VAT, by currency and rate (empty: several in one invoice without lines).
    """

    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    invoices: int = 0
    by_rate: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    series: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    """By company and what precedes the digits of a number: the first and last of them, and how many."""
    gaps: list[tuple[str, str]] = field(default_factory=list)
    """Runs of numbers that are missing in a series, the first and the last of each; the first of them."""
    has_more_gaps: bool = False

    def note(self, company: int | None, number: str, day: str) -> None:
        """An invoice was taken."""
        self.invoices += 1
        self.note_day(datetime.date.fromisoformat(day))
        match = _NUMBER.fullmatch(number)
        if match is None or company is None:
            return
        key, place = (company, match[1]), int(match[2])
        known = self.series.get(key)
        if known is not None:
            known[0], known[1], known[2] = min(known[0], place), max(known[1], place), known[2] + 1
        elif len(self.series) < _MOST_SERIES:
            self.series[key] = [place, place, 1]

    def note_day(self, day: datetime.date) -> None:
        """The period reaches ``day``."""
        self.first_day = day if self.first_day is None else min(self.first_day, day)
        self.last_day = day if self.last_day is None else max(self.last_day, day)

    def add_amounts(self, currency: str, rate: str, net: int, vat: int) -> None:
        """Add cents."""
        sums = self.by_rate.setdefault((currency, rate), [0, 0])
        sums[0] += net
        sums[1] += vat

    def add(self, other: "Journal") -> None:
        """Add the journal of a part of the import."""
        self.invoices += other.invoices
        for day in (other.first_day, other.last_day):
            if day is not None:
                self.note_day(day)
        for (currency, rate), (net, vat) in other.by_rate.items():
            self.add_amounts(currency, rate, net, vat)
        for key, (first, last, number) in other.series.items():
            known = self.series.setdefault(key, [first, last, 0])
            known[0], known[1], known[2] = min(known[0], first), max(known[1], last), known[2] + number

    def find_gaps(self) -> None:
        """Look which numbers between the ends of each series no invoice has (CGI ann. II, 242 nonies A)."""
        for (company, prefix), (first, last, number) in self.series.items():
            length = last - first + 1
            if length <= number or length > _LONGEST_SERIES or self.has_more_gaps:
                continue
            taken = bytearray(length)
            width = 0
            found = Invoice.objects.filter(company_id=company, number__startswith=prefix).order_by()
            for text in found.values_list("number", flat=True).iterator(chunk_size=5000):
                digits = text[len(prefix) :]
                if digits.isascii() and digits.isdigit() and len(digits) <= 9 and first <= int(digits) <= last:
                    taken[int(digits) - first] = 1
                    width = max(width, len(digits)) if digits.startswith("0") else width
            start = taken.find(0)
            while start != -1 and not self.has_more_gaps:
                if len(self.gaps) == _MOST_GAPS:
                    self.has_more_gaps = True
                    break
                end = taken.find(1, start)
                end = length if end == -1 else end
                self.gaps.append((f"{prefix}{first + start:0{width}}", f"{prefix}{first + end - 1:0{width}}"))
                start = taken.find(0, end)

    def as_json(self) -> dict[str, Any]:
        """Plain values; amounts as text with two decimals."""
        return {
            "invoices": self.invoices,
            "start": self.first_day.isoformat() if self.first_day else None,
            "end": self.last_day.isoformat() if self.last_day else None,
            "rates": [
                {
                    "currency": currency,
                    "rate": rate,
                    "net": _amount(net),
                    "vat": _amount(vat),
                    "gross": _amount(net + vat),
                }
                for (currency, rate), (net, vat) in sorted(self.by_rate.items(), key=_by_rate)
            ],
            "gaps": [list(gap) for gap in self.gaps],
            "has_more_gaps": self.has_more_gaps,
        }


def _by_rate(entry: tuple[tuple[str, str], list[int]]) -> tuple[str, Decimal]:
    """Currencies by name, rates by size; what has no rate of its own first."""
    (currency, rate), _sums = entry
    return currency, Decimal(rate or -1)


def _amount(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))
