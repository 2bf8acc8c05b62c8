"""The sample e-invoices with what is expected of them, for the tests of their reading."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pikepdf

SAMPLES = Path(__file__).parents[1] / "data" / "einvoices"
with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as _table:
    EXPECTED = list(csv.DictReader(_table))
IMPORTED = [row for row in EXPECTED if row["outcome"] == "import"]
OTHERS = [row for row in EXPECTED if row["outcome"] != "import"]


def sample(source: str, name: str) -> bytes:
    """The bytes of a sample."""
    return (SAMPLES / source / name).read_bytes()


def row_name(row: dict[str, str]) -> str:
    """How a test about a row is called."""
    return row["file"]


CII = sample("zugferd-corpus", "EN16931_Einfach.cii.xml")
UBL = sample("zugferd-corpus", "EN16931_Einfach.ubl.xml")
PDF = sample("zugferd-corpus", "EN16931_Einfach.pdf")


def changed(document: bytes, old: str, new: str) -> bytes:
    """``document`` with ``old``, which must be there, replaced."""
    text = document.decode("utf-8")
    assert old in text
    return text.replace(old, new).encode("utf-8")


def with_pdf_changes(change: Callable[[pikepdf.Pdf, pikepdf.Object], None]) -> bytes:
    """The sample PDF with its attachment or its catalogue changed."""
    output = io.BytesIO()
    with pikepdf.open(io.BytesIO(PDF)) as pdf:
        change(pdf, pdf.Root.AF[0])
        pdf.save(output)
    return output.getvalue()


def state_profile(profile: str) -> Callable[[pikepdf.Pdf, pikepdf.Object], None]:
    """Makes the attached XML state ``profile``."""

    def change(pdf: pikepdf.Pdf, attached: pikepdf.Object) -> None:
        xml = attached.EF.F.read_bytes()
        attached.EF.F.write(changed(xml, ">urn:cen.eu:en16931:2017<", f">{profile}<"))

    return change
