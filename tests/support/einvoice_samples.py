"""The sample e-invoices with what is expected of them, for the tests of their reading."""

import csv
from pathlib import Path

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
