"""The private functions of WeasyPrint that are replaced, and the layout of a cell, which is made of the others."""

from typing import Any

import pydyf
import weasyprint.document
import weasyprint.draw
import weasyprint.layout.absolute
import weasyprint.layout.block
import weasyprint.layout.float
import weasyprint.layout.inline
import weasyprint.layout.page
import weasyprint.layout.table
from weasyprint import HTML
from weasyprint.formatting_structure import boxes
from weasyprint.layout import background, inline
from weasyprint.pdf.stream import Stream
from weasyprint.text.line_break import Layout

from invoices.printing.weasyprint_cache import trees
from invoices.printing.weasyprint_cache.drawing import (
    draw_border,
    draw_text,
    layout_box_backgrounds,
    page_references,
    set_color,
)
from invoices.printing.weasyprint_cache.layout import (
    all_computed_styles,
    deactivate,
    is_in_normal_flow,
    resolve_percentages,
    split_line,
    strut_of,
)
from invoices.printing.weasyprint_cache.lines import is_name_with_details, next_line

container_layout_plainly = weasyprint.layout.block.block_container_layout


def _is_one_text(line: Any) -> bool:
    return len(line.children) == 1 and type(line.children[0]) is boxes.TextBox


def cell_layout(context: Any, cell: Any, bottom_space: Any, skip_stack: Any, *rest: Any, **more: Any) -> Any:
    """A cell that holds one preformatted text, or a name and its details, whole on one page.

    No margins, floats, notes or absolute boxes.
    """
    children, style = cell.children, cell.style
    if not (
        type(cell) is boxes.TableCellBox
        and skip_stack is None
        and len(children) == 1
        and type(children[0]) is boxes.LineBox
        and (_is_one_text(children[0]) or is_name_with_details(children[0]))
        and style["position"] == "static"
        and style["max_lines"] == "none"
        and style["text_indent"] == (0, "px")
        and not (context.excluded_shapes or context.footnotes)
    ):
        return container_layout_plainly(context, cell, bottom_space, skip_stack, *rest, **more)
    child = children[0]
    child.position_x, child.position_y = cell.content_box_x(), cell.content_box_y()
    resolve_percentages(child, cell)
    child.text_indent = 0
    lines: list[Any] = []
    position_y, resume_at = child.position_y, None
    while True:
        line, resume_at = next_line(
            context, child, position_y, bottom_space, resume_at, cell, [], [], None, None,
        )  # fmt: skip
        if line is None:
            return container_layout_plainly(context, cell, bottom_space, skip_stack, *rest, **more)
        position_y = line.position_y + line.height
        line.resume_at = resume_at
        lines.append(line)
        if resume_at is None:
            break
    end = position_y + cell.border_bottom_width + cell.padding_bottom
    if context.overflows_page(bottom_space, end):
        return container_layout_plainly(context, cell, bottom_space, skip_stack, *rest, **more)
    done = cell.copy_with_children(lines)
    if done.height == "auto":
        done.height = max(0, position_y - done.content_box_y())
    done.height = max(min(done.height, done.max_height), done.min_height)
    return done, None, {"break": "any", "page": done.page_values()[1]}, [], False, None


def _no_metadata(html: HTML) -> dict[str, Any]:
    """The metadata are given apart."""
    return {}


def _nothing(*_: Any, **__: Any) -> None:
    """For what our pages do not have: outlines, links, anchors, bookmarks, transformations, forms."""


# Place, name, what is there, what was there.
REPLACEMENTS: tuple[tuple[Any, str, Any, Any], ...] = tuple(
    (place, name, ours, getattr(place, name))
    for place, name, ours in (
        *trees.REPLACEMENTS,
        (weasyprint.document, "get_all_computed_styles", all_computed_styles),
        (weasyprint.document, "get_html_metadata", _no_metadata),
        (weasyprint.document, "gather_anchors", _nothing),
        (weasyprint.draw, "draw_text", draw_text),
        (weasyprint.draw, "draw_border", draw_border),
        (weasyprint.draw, "draw_outline", _nothing),
        (Stream, "set_color", set_color),
        (pydyf.PDF, "page_references", property(page_references)),
        (Layout, "deactivate", deactivate),
        (boxes.Box, "is_in_normal_flow", is_in_normal_flow),
        (inline, "get_next_linebox", next_line),
        (inline, "handle_leader", _nothing),
        (weasyprint.layout.block, "block_container_layout", cell_layout),
        (inline, "split_first_line", split_line),
        (inline, "strut", strut_of),
        (background, "layout_box_backgrounds", layout_box_backgrounds),
        *(
            (module, "resolve_percentages", resolve_percentages)
            for module in (
                weasyprint.layout.absolute,
                weasyprint.layout.block,
                weasyprint.layout.float,
                inline,
                weasyprint.layout.page,
                weasyprint.layout.table,
            )
        ),
    )
)
