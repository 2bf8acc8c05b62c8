"""A published invoice is corrected by a credit note or by a new version: both are kept."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from invoices.documents.versions import VersionRefusedError, publish_new_version, published_versions
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Document, Export, ExportItem, Invoice
from invoices.platforms.handover import Format, einvoices_to_hand_over
from invoices.platforms.handover_folder import write_handover
from invoices.store.frozen import read_document
from tests.support.factories import make_company, make_customer, make_invoice, make_published_invoice
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

SIREN = "552100554"
SAMPLES = Path(__file__).parents[2] / "data" / "einvoices"
FACTURX = SAMPLES / "akretion-factur-x" / "invoice_EN16931.pdf"


def publish(**fields: Any) -> Invoice:
    company = make_company()
    company.operations = "S"
    company.save()
    customer = make_customer(siren=SIREN, vat_identifier=french_vat(SIREN))
    invoice = make_invoice(**{"company": company, "customer": customer, **fields})
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    return Invoice.objects.select_related("customer", "company", "document").get(pk=invoice.pk)


def test_a_new_version_shows_what_was_corrected_and_the_old_one_stays_as_it_was(tmp_path: Path) -> None:
    invoice = publish()
    first = invoice.document
    assert first is not None
    write_handover(tmp_path / "remise", einvoices_to_hand_over(), form=Format.FACTURX)
    before = read_document(first)
    invoice.customer.address = "2 rue Neuve"
    invoice.customer.save()

    second = publish_new_version(invoice=invoice, reason="Adresse du client", author_name="Paul")

    invoice = Invoice.objects.select_related("document").get(pk=invoice.pk)
    assert invoice.document == second
    assert (second.version, second.reason, second.author_name, second.profile) == (
        2,
        "Adresse du client",
        "Paul",
        "EN 16931",
    )
    assert read_document(first) == before
    assert second.sha256 == hashlib.sha256(read_document(second)).hexdigest()
    assert second.xml_sha256 != first.xml_sha256
    assert list(published_versions(invoice)) == [second, first]
    # What the platform got is no longer what the customer gets: it is due again.
    assert list(einvoices_to_hand_over()) == [invoice]


def test_a_version_needs_a_reason_and_a_published_invoice() -> None:
    with pytest.raises(VersionRefusedError, match="motif"):
        publish_new_version(invoice=make_published_invoice(), reason=" ")
    with pytest.raises(VersionRefusedError, match="n’est pas publiée"):
        publish_new_version(invoice=make_invoice(), reason="Adresse")


def test_an_e_invoice_does_not_become_a_plain_pdf_by_being_mended() -> None:
    invoice = publish()
    invoice.customer.siren, invoice.customer.vat_identifier = "", "FR00552100554"
    invoice.customer.save()

    with pytest.raises(VersionRefusedError, match="n’est pas conforme"):
        publish_new_version(invoice=invoice, reason="Adresse")

    assert invoice.documents.count() == 1


def test_two_people_at_once_make_one_version() -> None:
    invoice = publish()
    same = Invoice.objects.select_related("customer", "company", "document").get(pk=invoice.pk)
    publish_new_version(invoice=invoice, reason="Adresse")

    with pytest.raises(VersionRefusedError, match="vient d’être publiée"):
        publish_new_version(invoice=same, reason="Adresse")

    assert invoice.documents.count() == 2
    assert len(default_storage.listdir("2025")[1]) == 2


def test_a_pdf_of_the_erp_is_replaced_by_a_pdf_of_the_erp() -> None:
    invoice = make_published_invoice(origin=Invoice.Origin.PDF)
    with pytest.raises(VersionRefusedError, match="venue en PDF"):
        publish_new_version(invoice=invoice, reason="Tampon")
    with pytest.raises(VersionRefusedError, match="pas un PDF"):
        publish_new_version(invoice=invoice, reason="Tampon", pdf=b"<x/>")

    plain = (SAMPLES / "mustangproject" / "MustangGnuaccountingBeispielRE-20201121_508blankoA3.pdf").read_bytes()
    document = publish_new_version(invoice=invoice, reason="Tampon", pdf=plain)

    assert (document.source, document.version) == (Document.Source.RECEIVED, 2)
    assert read_document(document) == plain


def test_a_version_with_other_amounts_is_refused_in_favour_of_a_credit_note() -> None:
    invoice = publish()

    with pytest.raises(VersionRefusedError, match=r"le numéro .*il faut un avoir"):
        publish_new_version(invoice=invoice, reason="Prix", pdf=FACTURX.read_bytes())

    assert invoice.documents.count() == 1


def test_an_unpublished_file_that_was_replaced_is_not_among_the_versions() -> None:
    invoice = make_published_invoice(content=b"%PDF replaced before its export")
    replaced = invoice.document
    document = Document.objects.create(
        invoice=invoice, version=2, storage_name="2025/x.pdf", sha256="0" * 64, size=1, source=Document.Source.RECEIVED
    )
    invoice.document = document
    invoice.save()
    export = Export.objects.create(number=1)
    ExportItem.objects.create(export=export, invoice=invoice, document=document, state=ExportItem.State.PUBLISHED)

    assert list(published_versions(invoice)) == [document]
    assert replaced not in published_versions(invoice)


def test_a_credit_note_points_to_what_it_corrects_and_says_so() -> None:
    invoice = publish()
    note = publish(kind=Invoice.Kind.CREDIT_NOTE, type_code="381", corrects=invoice, due_date=None)

    assert list(invoice.corrections.all()) == [note]
    assert note.document is not None
    assert note.document.profile == "EN 16931"
