"""Columns of numbers as wide as what is in them, where that is more than the template gives: the names get less."""

import dataclasses
import math
from collections.abc import Iterable

from invoices.printing.fonts import width
from invoices.printing.layouts import POINTS_PER_MM, Layout
from invoices.printing.totals import BETWEEN

MOST = 45  # mm of one column
LEAST_VAT_LABEL = 12  # mm of a rate in the VAT table


def widest(texts: Iterable[str], size: float, usual: float) -> float:
    """The millimetres that a column of ``texts`` needs, which is ``usual`` where they fit in it."""
    room = usual * POINTS_PER_MM - BETWEEN
    # A character is at most as wide as it is high, so that few texts have to be measured.
    long = [width(text, size) for text in texts if len(text) * size > room]
    return max(usual, min(math.ceil((max(long, default=0.0) + BETWEEN) / POINTS_PER_MM), MOST))


def widened(layout: Layout, *, quantities: list[str], prices: list[str], amounts: list[str]) -> Layout:
    """``layout`` with the columns of lines that these texts need."""
    quantity = widest(quantities, layout.text, layout.quantity)
    price = widest(prices, layout.text, layout.price)
    amount = widest(amounts, layout.text, layout.amount)
    if (quantity, price, amount) == (layout.quantity, layout.price, layout.amount):
        return layout
    return dataclasses.replace(layout, quantity=quantity, price=price, amount=amount)


def vat_label(layout: Layout, usual: float, amounts: list[str]) -> float:
    """Millimetres of the label of a rate beside two columns of ``amounts``, ``usual`` where they leave so much."""
    half = (layout.column - usual) / 2
    needed = widest(amounts, layout.text, half)
    return usual if needed == half else max(math.floor(layout.column - 2 * needed), LEAST_VAT_LABEL)
