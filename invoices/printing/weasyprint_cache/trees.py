"""What our trees of boxes never need (named pages, flexible boxes, grids), and numbers written once."""

from functools import lru_cache
from typing import Any

import pydyf
from weasyprint.css import properties
from weasyprint.formatting_structure import boxes, build

write_plainly = pydyf._to_bytes
wrap_plainly = build.wrap_table


def page_values(box: Any) -> tuple[Any, Any]:
    """No page of ours has a name, so that no child says more of it than its parent."""
    name = box.style["page"]
    return name, name


def descendants(box: Any, placeholders: bool = False) -> list[Any]:
    """The box and all in it, in order, as the generators within generators give them."""
    found = [box]
    for child in box.children:
        is_box = isinstance(child, boxes.Box)
        if (placeholders and not is_box) or (is_box and child.children):
            found += child.descendants(placeholders)
        else:
            found.append(child)
    return found


def as_it_is(box: Any) -> Any:
    """For the passes over the tree that look for what our pages do not have."""
    return box


def wrap_table(box: Any, children: Any) -> Any:
    """A table in its wrapper, with the styles that both had in the document before.

    WeasyPrint copies them for each, so that all that is kept on a style would be worked out for each document again:
    5 % of the processor time of an invoice (100 invoices, side by side).
    """
    style = box.style
    known = getattr(style, "remembered_wrapping", None)
    if known is None:
        for name in properties.TABLE_WRAPPER_BOX_PROPERTIES:
            style[name]  # once here, rather than in each copy
    wrapper = wrap_plainly(box, children)
    table = wrapper.get_wrapped_table()
    if known is None:
        style.remembered_wrapping = (wrapper.style, table.style)
    else:
        wrapper.style, table.style = known
    return wrapper


def to_bytes(item: Any) -> Any:
    """A number or a name as it is written; places on a page are met again and again."""
    return _written(item) if type(item) is float else write_plainly(item)


@lru_cache(maxsize=8192)
def _written(number: float) -> Any:
    return write_plainly(number)


REPLACEMENTS: tuple[tuple[Any, str, Any], ...] = (
    (boxes.ParentBox, "page_values", page_values),
    (boxes.Box, "descendants", descendants),
    (build, "flex_boxes", as_it_is),
    (build, "grid_boxes", as_it_is),
    (build, "wrap_table", wrap_table),
    (pydyf, "_to_bytes", to_bytes),
)
