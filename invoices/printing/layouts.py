"""The measures of the templates, stated once: text is broken with them, the stylesheet is filled with them.

Millimetres for places, points for type. A4, 18 mm of margin on both sides: 174 mm of text.
"""

from dataclasses import dataclass, fields
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

POINTS_PER_MM = 72 / 25.4
TEXT_WIDTH = 174.0
TITLE_LEADING = 1.15  # of the size of the title


@dataclass(frozen=True, slots=True)
class Layout:
    """One template: what it is called and its measures."""

    label: str | Promise  # as staff choose it
    text: float  # size of the type, points
    leading: float  # distance of two lines, points
    small: float  # details of a line, terms, foot of the page
    small_leading: float
    column: float  # width of the left and of the right column of the head, mm
    right: float  # where the right column begins, mm
    quantity: float  # widths of the columns of the table of lines, mm; the name takes what is left
    price: float
    rate: float
    amount: float
    title: float  # size of the word « FACTURE », points
    party: float  # size of the names of seller and buyer, points
    top: float  # margin above the first page, mm
    logo: float  # height of the logo, mm
    row: float  # white above and below each line of the table, points
    block: float  # white between two blocks of the page, mm

    @property
    def name(self) -> float:
        """Width of the column of names, mm."""
        return TEXT_WIDTH - self.quantity - self.price - self.rate - self.amount

    def measures(self) -> dict[str, str]:
        """Every measure by its name, as text for the stylesheet."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "label"} | {
            "name": self.name
        }
        return {name: f"{value:g}" for name, value in values.items()}


LAYOUTS: Final[dict[str, Layout]] = {
    "classic": Layout(
        label=_("classique"),
        text=8.5,
        leading=12,
        small=7,
        small_leading=9.6,
        column=78,
        right=96,
        quantity=23,
        price=25,
        rate=17,
        amount=28,
        title=19,
        party=10,
        top=16,
        logo=18,
        row=3.6,
        block=6,
    ),
    "modern": Layout(
        label=_("moderne"),
        text=8.5,
        leading=12.4,
        small=7,
        small_leading=9.8,
        column=80,
        right=94,
        quantity=22,
        price=26,
        rate=17,
        amount=28,
        title=26,
        party=10.5,
        top=16,
        logo=14,
        row=4.6,
        block=7,
    ),
    "compact": Layout(
        label=_("compact"),
        text=7.5,
        leading=10,
        small=6.4,
        small_leading=8.4,
        column=78,
        right=96,
        quantity=20,
        price=22,
        rate=15,
        amount=24,
        title=14,
        party=8.5,
        top=12,
        logo=13,
        row=2.2,
        block=4.5,
    ),
}
"""The templates by the names under which companies keep them; the stylesheet of each has its name too."""

TEMPLATES: Final = tuple(LAYOUTS)
DEFAULT_TEMPLATE: Final = "classic"


def template_labels() -> list[tuple[str, str | Promise]]:
    """The templates as choices of a field."""
    return [(name, layout.label) for name, layout in LAYOUTS.items()]
