"""The page as HTML and its stylesheet: templates are read and parsed once per process."""

import re
from functools import cache, lru_cache
from pathlib import Path
from string import Template as Fill

from django.template import Context, Engine, Template
from weasyprint import CSS

from invoices.cldr import language_in_use, translate
from invoices.printing.fetching import REFUSING
from invoices.printing.fonts import font_configuration, printable
from invoices.printing.heights import (
    DELIVERED_GAP,
    LATER_TOP,
    STEP,
    TIGHT_BLOCK,
    TIGHT_ROW,
    bottom_margin,
    heights_of,
)
from invoices.printing.layouts import LAYOUTS
from invoices.printing.page import HEADING_SIZES, Page
from invoices.printing.style import PrintStyle
from invoices.printing.totals import DUE, DUE_WIDE, LABEL, LABEL_WIDE, VAT_LABEL, VAT_LABEL_WIDE
from mailing.colours import darken_for_white

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "pdf"
CODE_URL = "code:transfer"
# A size is a class, the last one of its element: so many steps of height, so many millimetres of width.
SIZE = re.compile(r'class="[a-z ]+ ([hm])([0-9]+)"')
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
        "heights": heights_of(page, LAYOUTS[style.template]),
        "in_columns": LAYOUTS[style.template].in_columns,
        "columns": {name: _width_class(width) for name, width in page.columns.items()},
        "vat_label": _width_class(page.vat_label),
        "language": language_in_use(),
        "newline": "\n",
        "logo": {"url": style.logo.url, "alt": translate("Logo de %(name)s") % {"name": seller}}
        if style.logo
        else None,
        "code_url": CODE_URL if page.transfer_code else "",
        "in_currency": f" ({page.currency})" if page.currency else "",
    }
    return printable(_template().render(Context(context, use_l10n=False, use_tz=False)))


def _width_class(millimetres: float) -> str:
    return f" m{millimetres:g}" if millimetres else ""


def stylesheets(html: str, style: PrintStyle, *, foot_lines: int) -> list[CSS]:
    """The parsed stylesheets of a page: its template's, then one for each size that ``html`` names.

    The rules of all sizes there are would take longer to read than the template's.
    """
    sheet = stylesheet(style.template, style.colour, foot_lines, language_in_use())
    return [sheet, *(_size(kind, int(number)) for kind, number in sorted(set(SIZE.findall(html))))]


@lru_cache(maxsize=1000)
def _size(kind: str, number: int) -> CSS:
    if kind == "h":
        rule = f".h{number} {{ min-height: {number * STEP}pt }}"
    else:
        rule = f".lines .m{number}, .vat .n.m{number} {{ width: {number}mm }}"
    return CSS(string=rule, url_fetcher=REFUSING)


@lru_cache(maxsize=64)
def stylesheet(template: str, colour: str, foot_lines: int, language: str) -> CSS:
    """The parsed stylesheet of a template in a company's colour; the bottom margin holds the foot's lines.

    ``language`` is the one in use, in whose words sums are carried from page to page.
    """
    layout = LAYOUTS[template]
    ink = darken_for_white(colour)
    bottom = bottom_margin(layout, foot_lines)
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
        total=f"{layout.text * DUE:g}",
        total_wide=f"{layout.text * DUE_WIDE:g}",
        later_top=f"{LATER_TOP:g}",
        gap=f"{DELIVERED_GAP:g}",
        level=f"{layout.small_leading + 1:g}",
        tight_block=f"{min(layout.block, TIGHT_BLOCK):g}",
        tight_row=f"{min(layout.row, TIGHT_ROW):g}",
        half_block=f"{layout.block / 2:g}",
        label=f"{LABEL:g}",
        label_wide=f"{LABEL_WIDE:g}",
        vat_label=f"{VAT_LABEL:g}",
        vat_label_wide=f"{VAT_LABEL_WIDE:g}",
    )
    filled += "".join(f".t{percent} {{ font-size: {layout.title * percent / 100:g}pt }}\n" for percent in HEADING_SIZES)
    return CSS(string=filled, font_config=font_configuration(), url_fetcher=REFUSING)
