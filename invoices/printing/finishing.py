"""Last touches on the PDF's objects before they are written: what WeasyPrint 70 leaves to do for PDF/A and PDF/UA.

Works on pydyf's own objects (dictionaries, arrays, streams), in WeasyPrint's ``finisher`` hook.
"""

import re
from functools import partial
from typing import Any

import pydyf
from weasyprint import Document

from invoices.printing.pdf_writer import write

PIXELS_TO_POINTS = 0.75
# Between two glyphs that are where their widths say: nothing, or a move of less than a thousandth of the size.
NO_MOVE = re.compile(rb">0?<|(?<=>)0(?=\])")


def finish(document: Document, pdf: pydyf.PDF) -> None:
    """Mend the structure tree, the margins' content and the list of associated files of ``pdf``, in place."""
    pdf.write = partial(write, pdf)
    _associate_files_once(pdf)
    root = _resolve(pdf, pdf.catalog["StructTreeRoot"])
    top = _resolve(pdf, root["K"][0])
    top["K"].extend(_margins_as_artifacts(pdf, root, top, len(document.pages)))
    pages = [page for page in pdf.objects if _is(page, "/Page")]
    for page in pages:
        _join_glyphs(_resolve(pdf, page["Contents"]).stream)
    heights = {page.reference: page["MediaBox"][3] for page in pages}
    for item in pdf.objects:
        if not _is(item, "/StructElem"):
            continue
        if item["S"] == "/TH":
            _scope(pdf, item)
        elif item["S"] == "/TD":
            del item["A"]
        elif item["S"] == "/Figure":
            _place(item, heights[item["Pg"]])


def _join_glyphs(operators: list[Any]) -> None:
    """Show the glyphs of a text together: WeasyPrint closes the string after each, a tenth of all that a page holds."""
    for position, item in enumerate(operators):
        if type(item) is bytes and item.endswith(b"] TJ"):
            operators[position] = NO_MOVE.sub(b"", item)


def _is(item: Any, kind: str) -> bool:
    return isinstance(item, dict) and item.get("Type") == kind


def _resolve(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _associate_files_once(pdf: pydyf.PDF) -> None:
    """WeasyPrint lists each attachment twice: from the name tree and from the file specifications."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))


def _scope(pdf: pydyf.PDF, header: pydyf.Dictionary) -> None:
    """A header says by its scope which cells it is for; the tables are regular, so lists of headers are not needed."""
    group = _resolve(pdf, _resolve(pdf, header["P"])["P"])
    header["A"]["Scope"] = "/Column" if group["S"] == "/THead" else "/Row"
    header.pop("ID", None)


def _place(figure: pydyf.Dictionary, page_height: float) -> None:
    """The box of a figure in the page's own units, from the bottom; WeasyPrint gives CSS pixels from the top."""
    left, top, right, bottom = (value * PIXELS_TO_POINTS for value in figure["A"]["BBox"])
    figure["A"]["BBox"] = pydyf.Array((left, page_height - bottom, right, page_height - top))


def _margins_as_artifacts(pdf: pydyf.PDF, root: pydyf.Dictionary, top: pydyf.Dictionary, pages: int) -> list[bytes]:
    """Mark what is repeated in the margins (page numbers, carried sums, foot) as artifacts of pagination.

    WeasyPrint builds elements for it that hang in no tree. The foot of the first page is distinguished and returned to
    be read with the document: the legal mentions must be heard once.
    """
    linked = set(top["K"])
    stray = [
        item
        for item in pdf.objects
        if _is(item, "/StructElem") and item["P"] == top.reference and item.reference not in linked
    ]
    first_page = pdf.page_references[0]
    kept = [item for item in stray if item["S"] == "/P" and item["Pg"] == first_page][:1]
    dropped: set[bytes] = set()
    for item in stray:
        if item not in kept:
            _gather(pdf, item, dropped)
    numbers = _resolve(pdf, root["ParentTree"])["Nums"]
    contents = {page.reference: _resolve(pdf, page["Contents"]) for page in pdf.objects if _is(page, "/Page")}
    for index in range(pages):
        parents = numbers[2 * index + 1]
        artifacts = {mcid for mcid, parent in enumerate(parents) if parent in dropped}
        if not artifacts:
            continue
        for mcid in artifacts:
            parents[mcid] = "null"
        _unmark(contents[pdf.page_references[index]].stream, artifacts)
    for reference in dropped:
        _resolve(pdf, reference).clear()
    return [item.reference for item in kept]


def _gather(pdf: pydyf.PDF, element: pydyf.Dictionary, found: set[bytes]) -> None:
    """Add the references of ``element`` and of all elements in it to ``found``."""
    found.add(element.reference)
    for kid in element["K"]:
        if isinstance(kid, bytes):
            _gather(pdf, _resolve(pdf, kid), found)


def _unmark(stream: list[Any], artifacts: set[int]) -> None:
    """Turn the marked-content sequences with these numbers into artifacts."""
    for position, item in enumerate(stream):
        if item == b"BDC" and stream[position - 1]["MCID"] in artifacts:
            stream[position - 2] = b"/Artifact"
            stream[position - 1] = b"<</Type/Pagination>>"
