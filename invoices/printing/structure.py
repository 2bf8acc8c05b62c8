"""The structure tree of a document (PDF/UA-1): what each box of a page is, for who hears it or copies out of it.

WeasyPrint writes an element around each line of text, lists of headers that regular tables do not need, and leaves what
is repeated in the margins in no tree. Half as many elements are written here: texts belong to their paragraph, heading
or cell, a header says by its scope what it is for, and the margins are artifacts of pagination. The foot of the first
page alone is read, after all pages: the legal mentions are heard once.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pydyf
from weasyprint.formatting_structure import boxes
from weasyprint.layout.absolute import AbsolutePlaceholder
from weasyprint.pdf import tags as tagging

build_plainly = tagging._build_box_tree

# ISO 32000-1 14.8.4; other elements of the template are parts of these.
KINDS = {
    "div": "/Div", "p": "/P", "h1": "/H1", "h2": "/H2", "img": "/Figure",
    "table": "/Table", "thead": "/THead", "tbody": "/TBody", "tr": "/TR", "th": "/TH", "td": "/TD",
}  # fmt: skip
SCOPES = {"col": b"<</O /Table/Scope /Column>>", "row": b"<</O /Table/Scope /Row>>"}
ARTIFACT = "null"  # in the list of what each marked content belongs to
PIXELS_TO_POINTS = 0.75


@contextlib.contextmanager
def lean_structure() -> Iterator[None]:
    """Build structure trees in this way inside of the block."""
    tagging._build_box_tree = _elements_of_page
    try:
        yield
    finally:
        tagging._build_box_tree = build_plainly


def _elements_of_page(
    page: Any, parent: pydyf.Dictionary, pdf: pydyf.PDF, number: int, owners: dict[int, Any], _links: Any, marks: Any
) -> list[pydyf.Dictionary]:
    """The elements of the boxes of ``page`` directly under ``parent``; ``owners`` is filled: of each marked content.

    In place of WeasyPrint's own function. The foot of the first page is kept as ``pdf.foot``.
    """
    builder = _Builder(pdf, pdf.page_references[number], page.margin_height() * PIXELS_TO_POINTS, owners, marks)
    top: list[pydyf.Dictionary] = []
    if number == 0:
        pdf.foot = None
    for child in page.children:
        if not isinstance(child, boxes.MarginBox):
            builder.add_children(child, parent, top)
        elif number == 0:
            pdf.foot = builder.foot_in(child, parent) or pdf.foot
        else:
            builder.leave_out(child)
    return top


class _Builder:
    """The elements of one page; ``page`` is its reference, ``height`` its height in points."""

    def __init__(self, pdf: pydyf.PDF, page: bytes, height: float, owners: dict[int, Any], marks: Any) -> None:
        self.pdf, self.page, self.height, self.owners, self.marks = pdf, page, height, owners, marks

    def element(self, box: Any, kind: str, parent: pydyf.Dictionary) -> pydyf.Dictionary:
        """A new element for ``box``, with all that is in it."""
        kids = pydyf.Array()
        made = pydyf.Dictionary({"Type": "/StructElem", "S": kind, "K": kids, "Pg": self.page, "P": parent.reference})
        self.pdf.add_object(made)
        if kind == "/TH":
            made["A"] = SCOPES[box.element.get("scope")]
        if kind == "/Figure":
            self._describe(box, made)
        else:
            children: list[pydyf.Dictionary] = []
            self.add_children(box, made, children)
        return made

    def add_children(self, box: Any, owner: pydyf.Dictionary, elements: list[pydyf.Dictionary]) -> None:
        """Put what is in ``box`` under ``owner``: texts as its content, elements among its kids and ``elements``."""
        for child in box.children:
            if isinstance(child, boxes.TextBox):
                mark = self.marks.pop(child)["mcid"]
                owner["K"].append(mark)
                self.owners[mark] = owner.reference
                continue
            inner = child._box if isinstance(child, AbsolutePlaceholder) else child
            # A line, a part of a text, or a box made around what its parent holds is nothing by itself.
            kind = None if inner.element is box.element else KINDS.get(inner.element_tag)
            if kind is None:
                self.add_children(inner, owner, elements)
            else:
                made = self.element(inner, kind, owner)
                elements.append(made)
                if owner["S"] != "/Document":
                    owner["K"].append(made.reference)

    def _describe(self, picture: Any, made: pydyf.Dictionary) -> None:
        """Where a picture is, from the bottom of the page, and the words for it."""
        left, top = picture.content_box_x(), picture.content_box_y()
        right, bottom = (left + picture.width) * PIXELS_TO_POINTS, (top + picture.height) * PIXELS_TO_POINTS
        place = (left * PIXELS_TO_POINTS, self.height - bottom, right, self.height - top * PIXELS_TO_POINTS)
        made["A"] = pydyf.Dictionary({"O": "/Layout", "BBox": pydyf.Array(place)})
        made["Alt"] = pydyf.String(picture.element.get("alt"))
        mark = self.marks.pop(picture)["mcid"]
        made["K"].append(mark)
        self.owners[mark] = made.reference

    def foot_in(self, margin: Any, parent: pydyf.Dictionary) -> pydyf.Dictionary | None:
        """The paragraph of the legal mentions where it is in this margin box; else nothing, and artifacts."""
        for child in margin.children:
            if child.element_tag == "p":
                return self.element(child, "/P", parent)
        self.leave_out(margin)
        return None

    def leave_out(self, box: Any) -> None:
        """Mark the texts in ``box`` as artifacts."""
        for child in box.children:
            if isinstance(child, boxes.TextBox):
                self.owners[self.marks.pop(child)["mcid"]] = ARTIFACT
            else:
                self.leave_out(child)
