"""How high the blocks of a page are, known before layout: their texts are broken into lines already.

What is beside the text pushes nothing by itself, so the text is given its height; and an invoice that only just
runs over one page is set tighter, so that it needs no second one.
"""

import math
from typing import NamedTuple

from invoices.printing.layouts import POINTS_PER_MM, TITLE_LEADING, Layout
from invoices.printing.page import Page, Row
from invoices.printing.totals import DUE, DUE_WIDE

STEP = 4  # points: heights are given in these steps
DELIVERED_GAP = 5  # points between the buyer and the place of delivery
KEPT_ROWS = 3  # lines of the invoice that go with its totals on a last page
MOST_KEPT = 45  # lines of totals and terms that are kept together on a page
LONG_TERMS = 12  # lines of terms that may be on a last page by themselves
TIGHT_BLOCK = 3.5  # mm between two blocks of a page that is set tighter
TIGHT_ROW = 2.2  # points above and below a line of the invoice on it
LATER_TOP = 24.0  # mm above the pages after the first
PAGE_HEIGHT = 297 * POINTS_PER_MM
SLACK = 16  # points: hairlines and what else is not counted
CODE_HEIGHT = 22 * POINTS_PER_MM
BLOCKS = 5  # whites between blocks: parties, band, lines, totals, payment; the terms have theirs


class Heights(NamedTuple):
    """``head`` and ``parties`` in steps; ``is_tight`` where a page more is saved by setting the page tighter.

    ``kept`` are the lines of the invoice, counted from one, that are not parted from the line before them.
    """

    head: int
    parties: int
    kept: frozenset[int]
    tall: frozenset[int]  # those that go on over the page: half a page of white would be above them
    is_tail_kept: bool  # totals on the page of the last line
    is_tail_whole: bool  # all that is under the lines on one page
    are_terms_whole: bool
    is_tight: bool


def heights_of(page: Page, layout: Layout) -> Heights:
    """The heights of ``page`` set in ``layout``."""
    identity, buyer = _identity(page, layout), _buyer(page, layout)
    rows, totals = [_row(row, layout) for row in page.rows], _totals(page, layout)
    payment, terms = _payment(page, layout), _terms(page, layout)
    needed = _above(page, layout, identity, buyer) + sum(rows) + totals + payment + terms
    below = bottom_margin(layout, _lines(page.foot))
    room = PAGE_HEIGHT - SLACK - (layout.top + below) * POINTS_PER_MM
    saved = (BLOCKS + 1) * max(layout.block - TIGHT_BLOCK, 0) * POINTS_PER_MM
    saved += 2 * max(layout.row - TIGHT_ROW, 0) * len(page.rows)
    terms_lines = sum(map(_lines, page.terms))
    ending = len(page.vat) + len(page.totals) + terms_lines
    # What is long enough for a page of its own takes no line of the invoice along.
    may_part = len(rows) <= KEPT_ROWS or (terms_lines >= LONG_TERMS and needed - terms <= room)
    is_tail_whole = ending <= MOST_KEPT and not may_part
    tail = totals + (payment + terms if is_tail_whole else 0)
    table_head = layout.block * POINTS_PER_MM + layout.small_leading + layout.head_padding
    later_room = PAGE_HEIGHT - SLACK - (LATER_TOP + below) * POINTS_PER_MM - table_head
    kept = _kept(rows, later_room - tail)
    return Heights(
        head=math.ceil((max(identity, buyer) if layout.in_columns else identity) / STEP),
        parties=math.ceil(buyer / STEP),
        kept=frozenset(range(len(rows) - kept + 2, len(rows) + 1)) | ({2} if len(rows) > KEPT_ROWS + 1 else set()),
        tall=frozenset(number for number, height in enumerate(rows, 1) if height > later_room / 2),
        is_tail_kept=kept > 0,
        is_tail_whole=is_tail_whole,
        are_terms_whole=terms_lines < LONG_TERMS,
        is_tight=room < needed <= room + saved,
    )


def _kept(rows: list[float], room: float) -> int:
    """How many of the last lines go with the totals: a short invoice leaves one on the first page, if it has three."""
    kept = min(KEPT_ROWS, len(rows) - 1) if len(rows) > 2 else len(rows)
    while kept and sum(rows[-kept:]) > room:
        kept -= 1
    return kept


def bottom_margin(layout: Layout, foot_lines: int) -> float:
    """Millimetres: a carried total, then the foot over 9 mm of white."""
    return 2 + layout.leading / POINTS_PER_MM + 2 + max(foot_lines, 1) * layout.small_leading / POINTS_PER_MM + 9


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _identity(page: Page, layout: Layout) -> float:
    """Points that the title, the number and the facts take."""
    facts = sum(max(_lines(fact.label), _lines(fact.value)) for fact in page.facts)
    return (
        _lines(page.heading) * layout.title * TITLE_LEADING
        + (_lines(page.number) + _lines(page.label)) * layout.number_leading
        + facts * layout.leading
        + STEP
    )


def _buyer(page: Page, layout: Layout) -> float:
    """Points that the buyer and the place of delivery take."""
    heading = layout.small_leading + 1
    height = heading + (_lines(page.buyer) + _lines(page.buyer_lines)) * layout.leading
    if page.delivery:
        height += DELIVERED_GAP + heading + _lines(page.delivery) * layout.leading
    return height


def _above(page: Page, layout: Layout, identity: float, buyer: float) -> float:
    """Points that all above the first line takes in the usual setting."""
    block = layout.block * POINTS_PER_MM
    logo = (layout.logo + 3) * POINTS_PER_MM
    seller = (_lines(page.seller) + _lines(page.seller_lines)) * layout.leading
    if layout.in_columns:
        height = max(logo + seller, identity, buyer)
    else:
        height = max(logo, identity) + block + max(seller + layout.small_leading + 1, buyer)
    height += block + layout.due + layout.band_padding * 2
    return height + block + layout.small_leading + layout.head_padding


def _row(row: Row, layout: Layout) -> float:
    """Points that a line of the invoice takes."""
    # Details are in the text of the name, whose lines are as far apart.
    lines = max(_lines(row.name) + _lines(row.details), _lines(row.rate), _lines(row.quantity))
    return lines * layout.leading + 2 * layout.row + 0.25


def _totals(page: Page, layout: Layout) -> float:
    """Points that the VAT table and the totals beside it take."""
    vat = layout.small_leading + 3 + sum(_lines(row.rate) * layout.leading + 3 for row in page.vat)
    due = layout.text * (DUE_WIDE if page.is_wide else DUE) * 1.2 + 7
    totals = sum(
        _lines(row.label) * due if row.kind == "due" else _lines(row.label) * layout.leading + 2.5
        for row in page.totals
    )
    return layout.block * POINTS_PER_MM + max(vat, totals)


def _payment(page: Page, layout: Layout) -> float:
    """Points that the payment block takes."""
    if not page.payment:
        return 0
    text = (_lines(page.means) + _lines(page.account) * 1.3 + _lines(page.recalled)) * layout.leading
    return layout.block * POINTS_PER_MM + max(text, CODE_HEIGHT if page.transfer_code else 0.0)


def _terms(page: Page, layout: Layout) -> float:
    """Points that the terms under all of it take."""
    if not page.terms:
        return 0
    paragraphs = sum(_lines(text) * layout.small_leading + 2 for text in page.terms)
    return layout.block * POINTS_PER_MM + layout.small_leading + 1 + paragraphs
