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
from weasyprint.layout import inline
from weasyprint.layout.percent import resolve_percentages as resolve_plainly
from weasyprint.text.line_break import Layout, split_first_line, strut

from invoices.printing.fetching import REFUSING
from invoices.printing.weasyprint_cache.drawing import (
    learn_drawing,
)

MOST_TEXTS = 200  # for each style
MOST_LENGTHS = 200  # for each style
MOST_PAGES = 100

next_line_plainly = inline.get_next_linebox
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
    """Our pages have the one stylesheet, no ``style`` element and no ``style`` attribute."""
    _hints, font_config, counter_style, _profiles, _page_rules, _layers, target_collector, _forms = more
    (sheet,) = sheets
    counter_style.update(UA_COUNTER_STYLE)
    known = sheet.__dict__.setdefault("remembered", _Known())
    both = [(_rules_of_html(), "user agent", None), (sheet, "user", None)]
    return _RememberedStyles(known, html, both, font_config, target_collector)


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
    if type(containing_block) is tuple or type(box) is boxes.PageBox or style["border_collapse"] == "collapse":
        resolve_plainly(box, containing_block)
        return
    size = (containing_block.width, containing_block.height)
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
    end = text.find("\n")
    key = text if end < 0 else text[: end + 2]
    try:
        memo = style.remembered_lines
    except AttributeError:
        memo = style.remembered_lines = {}
    found = memo.get(key)
    if found is None:
        if len(memo) >= MOST_TEXTS:
            memo.clear()
        _is_kept.append(True)
        try:
            found = memo[key] = split_first_line(text, style, context, max_width, justification_spacing, **more)
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


def next_line(
    context: Any,
    linebox: Any,
    position_y: float,
    bottom_space: Any,
    skip_stack: Any,
    containing_block: Any,
    absolute_boxes: Any,
    fixed_boxes: Any,
    first_letter_style: Any,
    first_line_style: Any,
) -> Any:
    """The next line of a block that holds one preformatted text and nothing else, as nearly all of ours do.

    The same steps as for any line, without those that only concern floats, several boxes, wrapping or direction.
    """
    is_plain = not (context.excluded_shapes or first_letter_style or first_line_style) and _is_one_text(linebox)
    skip = _skipped(skip_stack) if is_plain else 0
    text = _text_after(linebox.children[0].text, skip) if is_plain else ""
    if not text or text[0] == "\n":  # an empty line: rare, and a case of its own
        return next_line_plainly(
            context, linebox, position_y, bottom_space, skip_stack, containing_block,
            absolute_boxes, fixed_boxes, first_letter_style, first_line_style,
        )  # fmt: skip
    box = linebox.children[0]
    split = split_line(text, box.style, context, None, 0)
    linebox.position_y = position_y
    linebox.width = linebox.height = 0
    linebox.position_x = box.position_x = containing_block.content_box_x()
    box.position_y = position_y
    resolve_percentages(box, containing_block)

    line = _line_of(linebox, _shown(box, split))
    _align(context, line, containing_block, position_y)
    resume_index = split[2]
    return line, None if resume_index is None else {0: {resume_index + skip: None}}


def _is_one_text(linebox: Any) -> bool:
    children, style = linebox.children, linebox.style
    return (
        len(children) == 1
        and type(children[0]) is boxes.TextBox
        and style["white_space"] == "pre"
        and style["direction"] == "ltr"
        and children[0].style["vertical_align"] == "baseline"
        and not linebox.is_leader
        and linebox.text_indent == 0
    )


def _skipped(skip_stack: Any) -> int:
    """How many bytes of the text the lines before hold."""
    if skip_stack is None:
        return 0
    ((_, inner),) = skip_stack.items()
    return 0 if inner is None else next(iter(inner))


def _text_after(text: str, skip: int) -> str:
    return text.encode()[skip:].decode() if skip else text


def _shown(box: Any, split: Any) -> Any:
    """``box`` with the part of its text that is on this line, centred in the height of the line."""
    layout, _, _, width, height, baseline = split
    shown = box.copy_with_text(layout.text)
    shown.width, shown.height, shown.pango_layout = width, height, layout
    line_height, _ = strut_of(box.style)
    shown.margin_top = shown.margin_bottom = (line_height - height) / 2
    shown.baseline = baseline + shown.margin_top
    return shown


def _line_of(linebox: Any, shown: Any) -> Any:
    line = linebox.copy_with_children([shown])
    line.width = shown.position_x + shown.margin_width() - line.content_box_x()
    inline._adjust_line_height(line)
    linebox.width, linebox.height = line.width, line.height
    return line


def _align(context: Any, line: Any, containing_block: Any, position_y: float) -> None:
    """Move ``line`` to its place: both baselines are at 0 while the heights are compared."""
    (shown,) = line.children
    shown.position_y = -shown.baseline
    top = min(shown.position_y, -line.baseline)
    bottom = max(shown.position_y + shown.margin_height(), line.margin_height() - line.baseline)
    offset_x = inline.text_align(context, line, containing_block.width, last=True)
    line.baseline = -top
    line.position_y = top
    line.height = bottom - top
    line.margin_top = line.margin_bottom = 0
    line.translate(offset_x, position_y - top)
    line.position_y = position_y
