"""Leaving with everything: open formats, pages whose links all lead somewhere, done again where it stopped."""

import csv
import hashlib
import html
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from invoices.einvoices.xml_files import read_xml
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Document, Invoice, Platform
from mailing.trail.models import Entry
from tests.support.factories import (
    freeze,
    make_account,
    make_company,
    make_customer,
    make_invoice,
    make_published_invoice,
)

pytestmark = pytest.mark.django_db


def leave(folder: Path) -> dict[str, Any]:
    """What ``leave --json`` prints."""
    out = StringIO()
    call_command("leave", folder, json=True, stdout=out)
    told: dict[str, Any] = json.loads(out.getvalue())
    return told


@pytest.fixture
def invoices() -> list[Invoice]:
    """Two invoices, one of two versions, and two numbers that are the same as names of files."""
    customer = make_customer(name="Élan & Fils")
    made = [make_published_invoice(customer=customer, number=number) for number in ("A/1", "A-1", "Été-2026")]
    freeze(made[0], b"%PDF-1.7 a second version")
    return made


def test_every_document_leaves_and_every_link_leads_somewhere(invoices: list[Invoice], tmp_path: Path) -> None:
    told = leave(tmp_path / "tout")
    assert (told["invoices"], told["copied"], told["damaged"]) == (3, 4, [])
    left = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "tout/documents").rglob("*.pdf")}
    assert left == set(Document.objects.values_list("sha256", flat=True))
    pages = [tmp_path / "tout/index.html", *(tmp_path / "tout/factures").glob("*.html")]
    links = [(page, link) for page in pages for link in re.findall(r'href="([^"]+)"', page.read_text())]
    assert len(links) > 30
    assert [link for page, link in links if not (page.parent / unquote(link)).is_file()] == []
    assert "Élan &amp; Fils" in pages[1].read_text()
    assert Entry.objects.filter(action="left").exists()


def test_the_xml_inside_of_each_factur_x_leaves_beside_it(tmp_path: Path) -> None:
    invoice = make_invoice(customer=make_customer(), company=make_company())
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL, mail_only_reason="Copie"))))
    invoice.refresh_from_db()
    assert invoice.document is not None
    for run in ("first", "again"):
        told = leave(tmp_path)
        assert told["damaged"] == [], run
        (file,) = (tmp_path / "documents").rglob("*-factur-x.xml")
        assert file.read_bytes() == read_xml(invoice.document)
    (page,) = (tmp_path / "factures").glob("*.html")
    assert file.name in unquote(page.read_text())


def test_the_pages_open_from_the_disk_alone(invoices: list[Invoice], tmp_path: Path) -> None:
    leave(tmp_path)
    pages = [tmp_path / "index.html", *(tmp_path / "factures").glob("*.html"), tmp_path / "style.css"]
    text = "".join(page.read_text() for page in pages)
    assert re.findall(r"""https?://|(?:href|src)=["']/|url\(|@import|<script""", text) == []


def test_every_kind_of_data_has_its_table(invoices: list[Invoice], tmp_path: Path) -> None:
    leave(tmp_path)
    names = {path.stem for path in (tmp_path / "donnees").glob("*.csv")}
    assert names >= {
        "customers.customer",
        "customers.contact",
        "customers.account",
        "invoices.company",
        "invoices.invoice",
        "invoices.invoiceline",
        "invoices.document",
        "invoices.consultation",
        "invoices.lifecyclestatus",
        "invoices.payment",
        "invoices.export",
        "invoices.exportitem",
        "invoices.delivery",
        "mailing.message",
        "mailing.reply",
        "trail.entry",
        "trail.link",
        "trail.personalvalues",
        "trail.root",
        "trail.timestamp",
    }


def test_tables_are_read_by_a_spreadsheet_and_by_programs(invoices: list[Invoice], tmp_path: Path) -> None:
    told = leave(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "donnees/invoices.invoice.json").read_text().splitlines()]
    assert {row["number"] for row in rows} == {"A/1", "A-1", "Été-2026"}
    with (tmp_path / "donnees/invoices.invoice.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file, delimiter=";"))
    assert [row["number"] for row in table] == [row["number"] for row in rows]
    assert table[0]["total_with_vat"] == "120,00"
    assert told["tables"] == len(list((tmp_path / "donnees").glob("*.csv"))) > 20


def test_what_opens_something_stays(invoices: list[Invoice], tmp_path: Path) -> None:
    account = make_account(make_customer())
    platform = Platform(
        name="PA", flow_url="https://pa.example/flow", token_url="https://pa.example/token", client_id="c"
    )
    platform.set_client_secret("très secret")
    platform.save()
    leave(tmp_path)
    everything = "".join(path.read_text() for path in (tmp_path / "donnees").iterdir())
    assert account.login in everything
    for secret in (account.password, platform.client_secret, str(platform.callback_key), "très secret"):
        assert secret not in everything


def test_done_again_it_copies_only_what_is_new_or_was_damaged(invoices: list[Invoice], tmp_path: Path) -> None:
    leave(tmp_path)
    first = next((tmp_path / "documents").rglob("*.pdf"))
    first.write_bytes(b"x" * first.stat().st_size)
    make_published_invoice(customer=invoices[0].customer, number="B2")
    told = leave(tmp_path)
    assert (told["copied"], told["reused"], told["invoices"]) == (2, 3, 4)


def test_a_document_that_is_lost_is_named_and_the_others_leave(invoices: list[Invoice], tmp_path: Path) -> None:
    lost = Document.objects.order_by("pk")[2]
    (Path(settings.DOCUMENTS_ROOT) / lost.storage_name).unlink()
    out = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("leave", tmp_path, stdout=out)
    assert end.value.code == 1
    assert f"manquant : {lost.storage_name} (facture {lost.invoice.number})" in out.getvalue()
    assert lost.storage_name in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize(
    "number", ["請" * 100, "é" * 100, "<script>", "../../etc/passwd", "=cmd|' /C calc'!A1", "..", "%2e#?"]
)
def test_whatever_an_invoice_is_called_its_file_has_a_name_that_every_disk_takes(number: str, tmp_path: Path) -> None:
    make_published_invoice(number=number)
    make_published_invoice(number=f"{number[:99]}/")
    told = leave(tmp_path / "tout")
    assert (told["copied"], told["damaged"]) == (2, [])
    (page,) = (tmp_path / "tout/factures").glob("*.html")
    links = re.findall(r'href="([^"]+)"', page.read_text())
    assert all((page.parent / html.unescape(unquote(link))).is_file() for link in links)
    assert len(set(links)) == 4  # the style sheet, the index and two documents
    assert all((tmp_path / "tout") in path.resolve().parents for path in (tmp_path / "tout").rglob("*"))
    assert "<script" not in page.read_text()


def test_a_folder_that_cannot_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match=r"Départ : .*n’est pas un dossier"):
        call_command("leave", tmp_path / "file" / "tout")
    with pytest.raises(CommandError, match="dossier des documents"):
        call_command("leave", Path(settings.DOCUMENTS_ROOT) / "tout")
