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
    column: float  # width of the VAT table at the left and of the totals at the right, mm
    right: float  # where the right column begins, mm
    identity_left: float  # title, number and facts: where they begin, and their width, mm
    identity_width: float
    fact: float  # width of the labels of facts, mm
    seller_left: float  # the same of the seller, and of the buyer and the place of delivery
    seller_width: float
    buyer_left: float
    buyer_width: float
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
    due: float  # size of the amount in the band under the head, points
    band_padding: float  # white above and below it, points
    head_padding: float  # white in the head of the table of lines, points
    account: float  # size of the IBAN, points
    in_capitals: bool = True  # the title
    in_columns: bool = False  # seller, buyer and facts beside one another, in one row

    @property
    def number_leading(self) -> float:
        """Distance of two lines of the number, points."""
        return round(self.party * 1.45, 1)

    @property
    def name(self) -> float:
        """Width of the column of names, mm."""
        return TEXT_WIDTH - self.quantity - self.price - self.rate - self.amount

    def measures(self) -> dict[str, str]:
        """Every measure by its name, as text for the stylesheet."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.type is float} | {
            "name": self.name,
            "number_leading": self.number_leading,
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
        identity_left=96,
        identity_width=78,
        fact=36,
        seller_left=0,
        seller_width=78,
        buyer_left=96,
        buyer_width=78,
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
        due=15,
        band_padding=5,
        head_padding=4,
        account=10.5,
    ),
    "modern": Layout(
        label=_("moderne"),
        text=8.5,
        leading=12,
        small=7,
        small_leading=9.8,
        column=80,
        right=94,
        identity_left=0,
        identity_width=90,
        fact=36,
        seller_left=94,
        seller_width=80,
        buyer_left=0,
        buyer_width=80,
        quantity=22,
        price=26,
        rate=17,
        amount=28,
        title=26,
        party=10.5,
        top=16,
        logo=14,
        row=4,
        block=6,
        due=18,
        band_padding=8,
        head_padding=7,
        account=11,
        in_capitals=False,
    ),
    "compact": Layout(
        label=_("compact"),
        text=7.5,
        leading=10,
        small=6.4,
        small_leading=8.4,
        column=78,
        right=96,
        identity_left=108,
        identity_width=66,
        fact=33,
        seller_left=0,
        seller_width=50,
        buyer_left=53,
        buyer_width=51,
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
        due=11,
        band_padding=3,
        head_padding=7,
        account=9,
        in_columns=True,
    ),
}
"""The templates by the names under which companies keep them; the stylesheet of each has its name too."""

TEMPLATES: Final = tuple(LAYOUTS)
DEFAULT_TEMPLATE: Final = "classic"


def template_labels() -> list[tuple[str, str | Promise]]:
    """The templates as choices of a field."""
    return [(name, layout.label) for name, layout in LAYOUTS.items()]
