"""The e-invoices inside of the demonstration's frozen PDFs: what was checked, what was written, what others read."""

import csv
import datetime
import hashlib
import os
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from facturx import get_xml_from_pdf
from lxml import etree

from invoices.content.from_rows import prefetch_for_content
from invoices.einvoices.checks import check_invoices, findings_of
from invoices.einvoices.einvoice import einvoice_of
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.formats.reading_child import read_in_child
from invoices.models import Invoice
from portal.demonstration import create_demo_company
from tests.invoices.einvoices.test_chain import frozen
from tests.invoices.formats.test_cii_writer import as_written

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "demo" / "chinook"


@pytest.fixture(scope="module")
def spring(shared_rows: Path) -> list[Invoice]:
    """Professionals' invoices of the demonstration, March to May 2025: imported, checked, exported."""
    create_demo_company()
    call_command("import_erp", str(DEMO))
    start, end = datetime.date(2025, 3, 1), datetime.date(2025, 5, 31)
    wanted = Invoice.objects.issued_between(start, end).filter(customer__kind="professional")
    check_invoices(wanted)
    criteria = Criteria(scope=Scope.ALL, kind="professional", start=start, end=end)
    run_lines(start_export(export=create_export(criteria=criteria)))
    return list(prefetch_for_content(Invoice.objects.published().select_related("document", "content_check")))


def test_the_xml_inside_of_the_pdf_is_the_one_that_was_checked(spring: list[Invoice]) -> None:
    assert len(spring) == 6
    for invoice in spring:
        inside = read_in_child(frozen(invoice)).xml
        assert invoice.content_check is not None
        assert invoice.document is not None
        fingerprint = hashlib.sha256(inside).hexdigest()
        assert fingerprint == invoice.content_check.xml_sha256 == invoice.document.xml_sha256
        assert invoice.check_state == Invoice.CheckState.VALID
        assert [finding for finding in findings_of(invoice.content_check) if finding.is_error] == []


def test_what_is_read_back_from_the_pdf_is_what_was_written(spring: list[Invoice]) -> None:
    for invoice in spring:
        reading = read_in_child(frozen(invoice))
        assert reading.content == as_written(einvoice_of(invoice).content)
        assert reading.warnings == ()


def test_another_reader_finds_the_figures_of_the_erp(spring: list[Invoice]) -> None:
    with (DEMO / "factures.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["numero"]: row for row in csv.DictReader(file, delimiter=";")}
    for invoice in spring:
        name, xml = get_xml_from_pdf(frozen(invoice), check_xsd=False, check_schematron=False)
        assert name == "factur-x.xml"
        root = etree.fromstring(xml)
        row = rows[invoice.number]
        assert Decimal(text_of(root, "TaxBasisTotalAmount")) == Decimal(row["total_ht"].replace(",", "."))
        assert Decimal(text_of(root, "GrandTotalAmount")) == Decimal(row["total_ttc"].replace(",", "."))
        assert text_of(root, "ExchangedDocument/*[local-name()='ID']") == invoice.number


def text_of(root: etree._Element, path: str) -> str:
    """The text of the first element of this name."""
    first, _slash, rest = path.partition("/")
    return str(root.xpath(f"string(//*[local-name()='{first}']{_slash}{rest})"))


RENDER_ELSEWHERE = """
import hashlib, pickle, sys, django
django.setup()
from invoices.documents.rendering import render_document
invoice = pickle.load(open(sys.argv[1], "rb"))
print(hashlib.sha256(render_document(invoice).content).hexdigest())
"""


def test_two_processes_render_the_bytes_that_were_frozen(spring: list[Invoice], tmp_path: Path, settings: Any) -> None:
    invoice = next(each for each in spring if each.total_vat)
    given = tmp_path / "invoice"
    given.write_bytes(pickle.dumps(invoice))
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DOCUMENTS_ROOT": str(settings.DOCUMENTS_ROOT),
        "DATABASE_URL": "sqlite://:memory:",
    }
    printed = {
        subprocess.run(
            [sys.executable, "-c", RENDER_ELSEWHERE, str(given)],
            cwd=ROOT,
            env={**environment, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert invoice.document is not None
    assert printed == {invoice.document.sha256}
