"""Last touches on the PDF's objects before they are written: what WeasyPrint 70 leaves to do for PDF/A and PDF/UA.

Works on pydyf's own objects (dictionaries, arrays, streams), in WeasyPrint's ``finisher`` hook.
"""

import re
from functools import partial
from typing import Any

import pydyf
from weasyprint import Document

from invoices.printing.pdf_writer import write
from invoices.printing.structure import ARTIFACT

# Between two glyphs that are where their widths say: nothing, or a move of less than a thousandth of the size.
NO_MOVE = re.compile(rb">0?<|(?<=>)0(?=\])")


def finish(document: Document, pdf: pydyf.PDF) -> None:
    """Mend the structure tree, the content of pages and the list of associated files of ``pdf``, in place."""
    pdf.write = partial(write, pdf)
    _associate_files_once(pdf)
    root = _resolve(pdf, pdf.catalog["StructTreeRoot"])
    if pdf.foot is not None:
        _resolve(pdf, root["K"][0])["K"].append(pdf.foot.reference)
    numbers = _resolve(pdf, root["ParentTree"])["Nums"]
    for index, reference in enumerate(pdf.page_references):
        owners = numbers[2 * index + 1]
        _finish_content(_resolve(pdf, _resolve(pdf, reference)["Contents"]).stream, owners)


def _finish_content(operators: list[Any], owners: list[Any]) -> None:
    """Mark what is in the margins as artifacts of pagination, and show the glyphs of a text together.

    WeasyPrint closes the string after each glyph: a tenth of all that a page holds.
    """
    for position, item in enumerate(operators):
        if type(item) is not bytes:
            continue
        if item == b"BDC":
            if owners[operators[position - 1]["MCID"]] == ARTIFACT:
                operators[position - 2] = b"/Artifact"
                operators[position - 1] = b"<</Type/Pagination>>"
        elif item.endswith(b"] TJ"):
            operators[position] = NO_MOVE.sub(b"", item)


def _resolve(pdf: pydyf.PDF, reference: bytes) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _associate_files_once(pdf: pydyf.PDF) -> None:
    """WeasyPrint lists each attachment twice: from the name tree and from the file specifications."""
    if "AF" in pdf.catalog:
        pdf.catalog["AF"] = pydyf.Array(dict.fromkeys(pdf.catalog["AF"]))
