"""The page as HTML and its stylesheet: templates are read and parsed once per process."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from string import Template as Fill

from django.template import Context, Engine, Template
from weasyprint import CSS

from invoices.cldr import language_in_use, translate
from invoices.printing.fetching import REFUSING
from invoices.printing.fonts import font_configuration, printable
from invoices.printing.layouts import LAYOUTS, POINTS_PER_MM, TITLE_LEADING, Layout
from invoices.printing.page import Page
from invoices.printing.style import PrintStyle
from invoices.printing.totals import DUE, DUE_WIDE, LABEL, LABEL_WIDE, VAT_LABEL, VAT_LABEL_WIDE
from mailing.colours import darken_for_white

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "pdf"
CODE_URL = "code:transfer"
MOST_LINES = 80  # beside the seller: 4 lines each of the number and of the facts
BETWEEN_TAGS = re.compile(r"\n\s*")


@cache
def _template() -> Template:
    """The structure, without the white space between its tags: each one would be a box more."""
    source = (FOLDER / "invoice.html").read_text(encoding="utf-8")
    # An engine of its own: what is printed depends on no setting of the site, and is always escaped.
    return Engine(autoescape=True, debug=False, libraries={"i18n": "invoices.printing.tags"}).from_string(
        BETWEEN_TAGS.sub("", source)
    )


def to_html(page: Page, style: PrintStyle, *, seller: str) -> str:
    """The whole document; every text from outside is escaped and printable. It is well-formed XML too."""
    context = {
        "page": page,
        "language": language_in_use(),
        "newline": "\n",
        "logo": {"url": style.logo.url, "alt": translate("Logo de %(name)s") % {"name": seller}}
        if style.logo
        else None,
        "code_url": CODE_URL if page.transfer_code else "",
        "in_currency": f" ({page.currency})" if page.currency else "",
    }
    return printable(_template().render(Context(context, use_l10n=False, use_tz=False)))


@lru_cache(maxsize=64)
def stylesheet(template: str, colour: str, foot_lines: int, language: str) -> CSS:
    """The parsed stylesheet of a template in a company's colour; the bottom margin holds the foot's lines.

    ``language`` is the one in use, in whose words sums are carried from page to page.
    """
    layout = LAYOUTS[template]
    ink = darken_for_white(colour)
    # 2 mm + a carried total, then the foot over 9 mm of white.
    bottom = 2 + layout.leading / POINTS_PER_MM + 2 + max(foot_lines, 1) * layout.small_leading / POINTS_PER_MM + 9
    source = (FOLDER / "base.css").read_text(encoding="utf-8") + (FOLDER / f"{template}.css").read_text(
        encoding="utf-8"
    )
    filled = Fill(source).substitute(
        layout.measures(),
        page=translate("Page"),
        carried=translate("À reporter"),
        brought=translate("Report"),
        colour=ink,
        ink="#1b1b1b",
        quiet="#5f6368",
        hairline="#b8bcc2",
        bottom=f"{bottom:.3f}",
        due=f"{layout.text * DUE:g}",
        due_wide=f"{layout.text * DUE_WIDE:g}",
        label=f"{LABEL:g}",
        label_wide=f"{LABEL_WIDE:g}",
        vat_label=f"{VAT_LABEL:g}",
        vat_label_wide=f"{VAT_LABEL_WIDE:g}",
    )
    filled += "".join(_least_heights(layout))
    return CSS(string=filled, font_config=font_configuration(), url_fetcher=REFUSING)


def _least_heights(layout: Layout) -> Iterator[str]:
    """Room for the blocks that stand beside the text, by their number of lines: they push nothing by themselves."""
    for lines in range(MOST_LINES + 1):
        beside_seller = layout.title * TITLE_LEADING + (lines + 1) * layout.leading
        beside_buyer = layout.small_leading + 1 + lines * layout.leading
        yield f".head.h{lines} {{ min-height: {beside_seller:g}pt }}"
        yield f".parties.h{lines} {{ min-height: {beside_buyer:g}pt }}"
