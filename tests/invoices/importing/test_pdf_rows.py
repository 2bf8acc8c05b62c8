"""PDF files that rows of a table name."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from invoices.importing.run import import_erp
from invoices.models import Document, Invoice
from tests.support.factories import PDF_BYTES
from tests.support.import_files import (
    INVOICES,
    LINES,
    only_rejection,
    with_column,
    write_export,
)

pytestmark = pytest.mark.django_db


def test_a_pdf_named_by_its_row_is_kept_byte_for_byte(tmp_path: Path) -> None:
    write_export(tmp_path, factures=with_column(INVOICES, "pdf", "pdf/F1.pdf", ""))
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf" / "F1.pdf").write_bytes(PDF_BYTES)
    report = import_erp([tmp_path])
    assert report.as_json()["rejected"] == []
    invoice = Invoice.objects.get(number="F1")
    document = invoice.documents.get()
    assert (invoice.origin, document.role, document.source) == ("pdf", "pdf", "received")
    with default_storage.open(document.storage_name) as file:
        assert file.read() == PDF_BYTES
    assert import_erp([tmp_path]).unchanged["invoices"] == 2
    assert Document.objects.count() == 1


def test_another_pdf_is_another_content(tmp_path: Path) -> None:
    write_export(tmp_path, factures=with_column(INVOICES, "pdf", "F1.pdf", ""))
    (tmp_path / "F1.pdf").write_bytes(PDF_BYTES)
    import_erp([tmp_path])
    (tmp_path / "F1.pdf").write_bytes(PDF_BYTES + b"\n")
    assert import_erp([tmp_path]).updated["invoices"] == 1
    invoice = Invoice.objects.get(number="F1")
    assert invoice.documents.count() == 2
    assert invoice.documents.latest("version").size == len(PDF_BYTES) + 1


def test_an_invoice_with_its_pdf_needs_no_lines(tmp_path: Path) -> None:
    write_export(tmp_path, factures=with_column(INVOICES, "pdf", "F1.pdf", "F2.pdf"), lignes=[])
    for name in ("F1", "F2"):
        (tmp_path / f"{name}.pdf").write_bytes(PDF_BYTES)
    assert import_erp([tmp_path]).created["invoices"] == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("absent.pdf", "Le fichier « absent.pdf » n’est pas parmi les fichiers donnés."),
        ("../secret.pdf", "Le fichier « ../secret.pdf » n’est pas parmi les fichiers donnés."),
        ("clients.csv", "Le fichier « clients.csv » n’est pas un PDF."),
    ],
)
def test_a_pdf_that_is_not_there_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    write_export(tmp_path / "erp", factures=with_column(INVOICES, "pdf", name, ""))
    (tmp_path / "secret.pdf").write_bytes(PDF_BYTES)
    rejection = only_rejection(import_erp([tmp_path / "erp"]))
    assert (rejection["column"], rejection["value"], rejection["reason"]) == ("pdf", name, reason)
    assert list(Invoice.objects.values_list("number", flat=True)) == ["F2"]


def test_a_refused_import_leaves_no_stored_file(tmp_path: Path) -> None:
    rows = [{**row, "numero": f"F{n}", "pdf": "F.pdf"} for n, row in enumerate([INVOICES[1]] * 50)]
    rows[-1]["total_ht"] = "1,00"
    rows[-1]["total_ttc"] = "3,00"
    lines = [{**LINES[3], "numero": f"F{n}"} for n in range(50)]
    write_export(tmp_path / "erp", factures=rows, lignes=lines)
    (tmp_path / "erp" / "F.pdf").write_bytes(PDF_BYTES)
    assert not import_erp([tmp_path / "erp"], strict=True).is_clean
    assert not Document.objects.exists()
    assert [path for path in (tmp_path / "documents").rglob("*") if path.is_file()] == []
