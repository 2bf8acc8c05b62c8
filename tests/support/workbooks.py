"""Workbooks of the tests, as spreadsheets write them."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl


def workbook(fill: Callable[[Any], None]) -> bytes:
    """An .xlsx that ``fill`` writes with openpyxl."""
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods(rows: str) -> bytes:
    """An .ods of one sheet, «Clients», with the XML of its ``rows``."""
    names = {
        each: f"urn:oasis:names:tc:opendocument:xmlns:{each}:1.0" for each in ("office", "table", "text", "manifest")
    }
    declared = " ".join(f'xmlns:{short}="{name}"' for short, name in names.items())
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr(
            "META-INF/manifest.xml",
            f'<manifest:manifest {declared}><manifest:file-entry manifest:full-path="/" '
            f'manifest:media-type="{kind}"/></manifest:manifest>',
        )
        archive.writestr(
            "content.xml",
            f"<office:document-content {declared}><office:body><office:spreadsheet>"
            f'<table:table table:name="Clients">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()
