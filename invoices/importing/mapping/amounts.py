"""What the invoices of a flat table come to: to be looked at before they are imported."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from invoices.money import whole_cents

_FIRST: Final = 3
"""How many invoices of a table are shown as they would print."""


@dataclass
class Amounts:
    """The totals of the invoices that were read, by month too, and the heads of the first ones."""

    _by_month: dict[str, list[int]] = field(default_factory=dict)
    """How many, and cents."""
    first: list[dict[str, str]] = field(default_factory=list)

    def add(self, head: dict[str, str]) -> None:
        """Count one more invoice."""
        if len(self.first) < _FIRST:
            self.first.append(head)
        month = self._by_month.setdefault(head["date"][:7], [0, 0, 0, 0])
        net, vat = whole_cents(head["total_ht"]), whole_cents(head["total_tva"])
        month[0] += 1
        month[1] += net
        month[2] += vat
        month[3] += net + vat

    @property
    def by_month(self) -> list[tuple[str, int, Decimal, Decimal, Decimal]]:
        """The months in their order: how many invoices, net, VAT and gross."""
        return [
            (month, number, _amount(net), _amount(vat), _amount(gross))
            for month, (number, net, vat, gross) in sorted(self._by_month.items())
        ]

    @property
    def invoices(self) -> int:
        """How many."""
        return sum(sums[0] for sums in self._by_month.values())

    @property
    def net(self) -> Decimal:
        """The sum without VAT."""
        return self._sum(1)

    @property
    def vat(self) -> Decimal:
        """The sum of VAT."""
        return self._sum(2)

    @property
    def gross(self) -> Decimal:
        """The sum with VAT."""
        return self._sum(3)

    def _sum(self, place: int) -> Decimal:
        return sum((_amount(sums[place]) for sums in self._by_month.values()), Decimal(0))


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
