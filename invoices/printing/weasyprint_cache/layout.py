"""What is remembered across documents: functions that replace private ones of WeasyPrint 70.0 (:mod:`.switch`).

Kept beside each parsed stylesheet, and gone with it:

* the computed style of an element, by the tags and classes of it and of its ancestors: the stylesheets select by
  nothing else, which a test holds. (The change to propose upstream: let the caller share computed styles.)
* on each style, what depends on it alone: line height, used lengths in a containing block, whether there is any
  background or border, the shape of a line of text, and how that line is drawn.

Bounded by MOST_TEXTS, MOST_LENGTHS and MOST_PAGES. One document at a time (see :mod:`.rendering`).
"""

import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

from cssselect2 import ElementWrapper
from weasyprint import CSS, HTML
from weasyprint.css import StyleFor
from weasyprint.formatting_structure import boxes
from weasyprint.html import UA_COUNTER_STYLE
from weasyprint.layout.percent import resolve_percentages as resolve_plainly
from weasyprint.text.line_break import Layout, split_first_line, strut

from invoices.printing.fetching import REFUSING
from invoices.printing.weasyprint_cache.drawing import learn_drawing, learn_line
from invoices.printing.weasyprint_cache.texts import lay_out

MOST_TEXTS = 200  # for each style
MOST_LENGTHS = 200  # for each style
MOST_PAGES = 100

in_normal_flow_plainly = boxes.Box.is_in_normal_flow
deactivate_plainly = Layout.deactivate


class WellFormed(HTML):  # type: ignore[misc]
    """A document of ours, read by the parser of XML."""

    def __init__(self, source: str, url_fetcher: Any) -> None:
        self.base_url, self.url_fetcher, self.media_type = None, url_fetcher, "print"
        self.etree_element = ET.fromstring(source)  # noqa: S314 - our own markup, escaped
        self.wrapper_element = ElementWrapper.from_html_root(self.etree_element, content_language=None)


@cache
def _rules_of_html() -> CSS:
    """The rules of HTML for the elements we use. WeasyPrint's sheet would compute six pseudo-elements for each."""
    return CSS(
        string="""
        html, body, div, h1, h2, p { display: block }
        table { display: table; border-spacing: 2px; border-collapse: separate; text-indent: initial;
          box-sizing: border-box; border-color: gray }
        thead { display: table-header-group; vertical-align: middle; border-color: inherit }
        tbody { display: table-row-group; vertical-align: middle; border-color: inherit }
        tr { display: table-row; vertical-align: inherit; border-color: inherit }
        th, td { display: table-cell; padding: 1px; vertical-align: inherit; border-color: gray }
        th, b, h1, h2 { font-weight: bold }
        img { overflow: hidden }
        """,
        url_fetcher=REFUSING,
    )


# ---------------------------------------------------------------- styles


class _Known:
    """Styles known for one stylesheet: of elements, as (tag, class) → (style, the same for its children); of pages."""

    def __init__(self) -> None:
        self.elements: dict[Any, Any] = {}
        self.pages: dict[Any, dict[Any, Any]] = {}


def all_computed_styles(html: HTML, sheets: list[CSS], *more: Any) -> Any:
    """Our pages have their template's stylesheet, which remembers, and those of the sizes that their classes name.

    They have no ``style`` element and no ``style`` attribute.
    """
    _hints, font_config, counter_style, _profiles, _page_rules, _layers, target_collector, _forms = more
    sheet = sheets[0]
    counter_style.update(UA_COUNTER_STYLE)
    known = sheet.__dict__.setdefault("remembered", _Known())
    all_rules = [(_rules_of_html(), "user agent", None), *((each, "user", None) for each in sheets)]
    return _RememberedStyles(known, html, all_rules, font_config, target_collector)


class _RememberedStyles(StyleFor):  # type: ignore[misc]
    def __init__(self, known: _Known, html: Any, sheets: Any, font_config: Any, target_collector: Any) -> None:
        self._known = known
        self._computed_styles: dict[Any, Any] = {}
        if not self._recall(html.etree_element, known.elements):
            super().__init__(html, sheets, False, font_config, target_collector)
            self._learn(html.etree_element, known.elements)
            self._recall(html.etree_element, known.elements)
        self._cascaded_styles: dict[Any, Any] = {}
        self.initial_page_sizes = {"box": None, "area": None}
        self._sheets = sheets
        self.font_config = font_config

    def __call__(self, element: Any, pseudo_type: Any = None) -> Any:
        # Adjusted when it was learnt.
        return self._computed_styles.get((element, pseudo_type))

    def _recall(self, element: ET.Element, known: dict[Any, Any]) -> bool:
        """Fill the styles of ``element`` and all in it; False when one of them is met for the first time."""
        entry = known.get((element.tag, element.get("class")))
        if entry is None:
            return False
        self._computed_styles[element, None] = entry[0]
        return all(self._recall(child, entry[1]) for child in element)

    def _learn(self, element: ET.Element, known: dict[Any, Any]) -> None:
        key = (element.tag, element.get("class"))
        if key not in known:
            known[key] = (super().__call__(element), {})
        for child in element:
            self._learn(child, known[key][1])

    def add_page_declarations(self, page_type: Any) -> None:
        if page_type in self._known.pages:
            self._computed_styles.update(self._known.pages[page_type])
        else:
            super().add_page_declarations(page_type)

    def set_computed_styles(self, element: Any, parent: Any, **more: Any) -> None:
        key = (element, more.get("pseudo_type"))
        if key in self._computed_styles:
            return
        super().set_computed_styles(element, parent, **more)
        pages = self._known.pages
        if isinstance(element, tuple) and (element in pages or len(pages) < MOST_PAGES):
            pages.setdefault(element, {})[key] = self._computed_styles[key]


# ---------------------------------------------------------------- layout

LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *(f"border_{side}_width" for side in ("left", "right", "top", "bottom")),
    *("width", "min_width", "max_width", "height", "min_height", "max_height"),
)


def resolve_percentages(box: Any, containing_block: Any) -> None:
    """The used lengths of a box depend on its style and on the size of its containing block."""
    style = box.style
    if type(box) is boxes.PageBox or style["border_collapse"] == "collapse":
        resolve_plainly(box, containing_block)
        return
    is_size = type(containing_block) is tuple
    size = containing_block if is_size else (containing_block.width, containing_block.height)
    try:
        memo = style.remembered_lengths
    except AttributeError:
        memo = style.remembered_lengths = {}
    values = memo.get(size)
    if values is None:
        resolve_plainly(box, containing_block)
        if len(memo) >= MOST_LENGTHS:
            memo.clear()
        memo[size] = {name: getattr(box, name) for name in LENGTHS}
    else:
        box.__dict__.update(values)


def strut_of(style: Any) -> Any:
    """The line height and the baseline of a style (points)."""
    try:
        return style.remembered_strut
    except AttributeError:
        found = style.remembered_strut = strut(style)
        return found


def is_in_normal_flow(box: Any) -> Any:
    """Whether a box neither floats nor is placed absolutely."""
    try:
        return box.style.remembered_flow
    except AttributeError:
        found = box.style.remembered_flow = in_normal_flow_plainly(box)
        return found


def split_line(text: str, style: Any, context: Any, max_width: Any, justification_spacing: Any, **more: Any) -> Any:
    """A line of preformatted text depends on its style and on the text up to the line's end."""
    if style["white_space"] != "pre" or justification_spacing:
        return split_first_line(text, style, context, max_width, justification_spacing, **more)
    try:
        memo = style.remembered_lines
    except AttributeError:
        memo = style.remembered_lines = {}
    line, is_followed, _ = text.partition("\n")
    found = memo.get(line)
    if found is None and (found := memo.get((line, is_followed))) is None:
        if len(memo) >= MOST_TEXTS:
            memo.clear()
        if (found := _laid_out_alone(line, style)) is not None:
            memo[line] = found
        else:
            # Up to its end, and the text that Pango must see after it to begin another line.
            whole = f"{line}\n " if is_followed else line
            found = memo[line, is_followed] = _laid_out(whole, style, context, max_width, **more)
    if is_followed and found[2] is None:
        layout, length, _, *metrics = found
        return (layout, length, length + 1, *metrics)
    return found


def _laid_out_alone(line: str, style: Any) -> Any:
    """What splitting off a line gives that nothing follows; None where WeasyPrint must do it."""
    found = lay_out(line, style)
    if found is None or not learn_line(found, style):
        return None
    return found.kept(), len(line.encode()), None, found.width, found.height, found.baseline


def _laid_out(text: str, style: Any, context: Any, max_width: Any, **more: Any) -> Any:
    _is_kept.append(True)
    try:
        found = split_first_line(text, style, context, max_width, 0, **more)
        learn_drawing(found[0], style)
    finally:
        _is_kept.clear()
    found[0].deactivate()
    return found


# Not empty while a text is laid out that is drawn at once.
_is_kept: list[bool] = []


def deactivate(layout: Any) -> None:
    """Let Pango's objects go, but for a text that is still to be drawn."""
    if not _is_kept:
        deactivate_plainly(layout)
