"""From the ERP's file to the e-invoice inside of the frozen PDF and back: nothing is lost, nothing is invented."""

import csv
import datetime
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from customers.models import Customer
from invoices.content.from_rows import prefetch_for_content
from invoices.documents.rendering import render_document
from invoices.einvoices.checks import check_invoices
from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.model import DocumentReference
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.formats.cii.writer import GUIDELINE
from invoices.formats.reading_child import read_in_child
from invoices.models import Company, Document, Export, ExportCustomer, ExportItem, Invoice, InvoiceLine
from invoices.store.frozen import read_document
from portal.demonstration import create_demo_company

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parents[2] / "data" / "einvoices"
with (SAMPLES / "expected.csv").open(encoding="utf-8", newline="") as _table:
    EXPECTED = [row for row in csv.DictReader(_table) if row["outcome"] == "import"]


def export_all() -> Export:
    export = start_export(export=create_export(criteria=Criteria(scope=Scope.ALL)))
    run_lines(export)
    return export


def frozen(invoice: Invoice) -> bytes:
    assert invoice.document is not None
    return read_document(invoice.document)


def test_each_sample_is_imported_exported_and_handed_on_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other: several of the samples share their number, and the last one would win."""
    rendered: list[str] = []

    def render(invoice: Invoice, *einvoice: Any) -> Any:
        rendered.append(invoice.number)
        return render_document(invoice, *einvoice)

    monkeypatch.setattr("invoices.exporting.run.freezing.render_document", render)
    for row in EXPECTED:
        rendered.clear()
        import_sample(row)

        invoice = Invoice.objects.select_related("document").get()
        export = export_all()

        item = export.items.get()
        assert (item.state, item.error) == (ExportItem.State.PUBLISHED, ""), row["file"]
        invoice.refresh_from_db()
        assert invoice.document is not None
        if row["container"] == "pdf":
            assert rendered == []
            assert frozen(invoice) == (SAMPLES / row["source"] / row["file"]).read_bytes()
            assert invoice.document.source == Document.Source.RECEIVED
        else:
            assert rendered == [row["number"]]
            assert invoice.document.source == Document.Source.RENDERED
            assert (invoice.document.profile == "EN 16931") is (not item.note and int(row["lines"]) > 0), row["file"]
        forget_everything()


def import_sample(row: dict[str, str]) -> None:
    """Import one sample, making its company; its customer is in D with an address."""
    call_command("import_erp", str(SAMPLES / row["source"] / row["file"]), create_companies=True)
    Customer.objects.update(invoice_copies="D")
    Customer.objects.filter(email="").update(email="acheteur@client.example")


def forget_everything() -> None:
    """An empty database again, within the test's transaction."""
    ExportItem.objects.all().delete()
    ExportCustomer.objects.all().delete()
    Export.objects.all().delete()
    Invoice.objects.update(published_at=None, document=None, content_check=None)
    Document.objects.all().delete()
    Invoice.objects.all().delete()
    Customer.objects.all().delete()
    Company.objects.all().delete()


def test_a_cii_of_the_profile_en_16931_keeps_its_own_xml_in_our_pdf() -> None:
    row = next(row for row in EXPECTED if row["file"] == "factur-x-en16931.xml")
    import_sample(row)
    # The company of the sample is made up, its SIREN too: our checks report it, the XML is the ERP's.
    invoice = prefetch_for_content(Invoice.objects.all()).get()

    assert einvoice_of(invoice).xml == (SAMPLES / row["source"] / row["file"]).read_bytes()


@pytest.mark.parametrize("name", ["factur-x-minimum.xml", "factur-x-basicwl.xml"])
def test_a_profile_without_lines_is_not_written_again(name: str) -> None:
    import_sample(next(row for row in EXPECTED if row["file"] == name))
    invoice = prefetch_for_content(Invoice.objects.all()).get()

    assert einvoice_of(invoice).xml is None
    check_invoices(Invoice.objects.all())
    assert Invoice.objects.get().check_state == Invoice.CheckState.NOT_NEEDED


def test_what_a_ubl_states_is_written_as_cii_with_nothing_added() -> None:
    row = next(row for row in EXPECTED if row["file"] == "ubl-tc434-example9.xml")
    import_sample(row)
    invoice = prefetch_for_content(Invoice.objects.all()).get()
    stated = read_in_child(SAMPLES / row["source"] / row["file"]).content

    xml = einvoice_of(invoice).xml

    assert xml is not None
    assert read_in_child(xml).content == replace(stated, profile=GUIDELINE)


def test_lines_that_only_gather_others_are_printed_and_not_written() -> None:
    row = next(row for row in EXPECTED if row["file"] == "ubl-tc434-example9.xml")
    import_sample(row)
    InvoiceLine.objects.create(
        invoice=Invoice.objects.get(),
        position=99,
        identifier="99",
        name="Lot 1",
        net_amount=Decimal("147.00"),
        details={"kind": "GROUP"},
    )
    invoice = prefetch_for_content(Invoice.objects.all()).get()
    einvoice = einvoice_of(invoice)

    assert [line.name for line in einvoice.content.lines][-1] == "Lot 1"
    assert einvoice.xml is not None
    assert "Lot 1" not in einvoice.xml.decode()


def test_a_credit_note_of_the_erp_names_what_it_corrects_in_its_xml(tmp_path: Path) -> None:
    create_demo_company()
    customers = "code;raison_sociale;type;email;adresse;code_postal;ville;pays;siren;nb_factures\n"
    customers += "C1;Client SA;professionnel;c@client.example;1 rue Neuve;75001;Paris;FR;552100554;D\n"
    heads = "numero;date;code_client;echeance;devise;total_ht;total_tva;total_ttc;facture_corrigee\n"
    heads += "F1;01/06/2025;C1;01/07/2025;EUR;100,00;20,00;120,00;\nA1;02/06/2025;C1;;EUR;-100,00;-20,00;-120,00;F1\n"
    lines = "numero;designation;quantite;unite;prix_unitaire_ht;taux_tva;total_ht\n"
    lines += "F1;Disque;1;C62;100,00;20,00;100,00\nA1;Disque;-1;C62;100,00;20,00;-100,00\n"
    for name, text in (("clients", customers), ("factures", heads), ("lignes", lines)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    call_command("import_erp", *(str(tmp_path / f"{name}.csv") for name in ("clients", "factures", "lignes")))

    export_all()

    note = Invoice.objects.select_related("document").get(number="A1")
    assert note.corrects is not None
    assert note.corrects.number == "F1"
    reading = read_in_child(frozen(note))
    assert reading.content.type_code == "381"
    assert reading.content.preceding_invoices == (DocumentReference("F1", datetime.date(2025, 6, 1)),)
    assert note.check_state == Invoice.CheckState.VALID
