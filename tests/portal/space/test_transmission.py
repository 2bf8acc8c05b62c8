"""What customers read of the platform's part: the copy that our PDF is, the status, the versions."""

import datetime
import io
import subprocess
from typing import Any

import pikepdf
import pytest
from django.test import Client
from django.urls import reverse

from invoices.documents.rendering import render_document
from invoices.documents.versions import publish_new_version
from invoices.einvoices.einvoice import einvoice_of
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Company, Document, Invoice
from invoices.platforms.lifecycle import record_status
from tests.support.factories import make_account, make_company, make_customer, make_invoice, make_published_invoice

pytestmark = pytest.mark.django_db

FROM = datetime.date(2025, 1, 1)


def oblige(**fields: Any) -> Company:
    company = make_company()
    for name, value in {"einvoice_from": FROM, "platform_name": "PA Exemple", "operations": "S", **fields}.items():
        setattr(company, name, value)
    company.save()
    return company


def page_of(invoice: Invoice, client: Client) -> str:
    account = invoice.customer.accounts.first() or make_account(invoice.customer)
    client.force_login(account)
    return client.get(reverse("invoice", args=[invoice.pk])).content.decode()


def words_of(pdf: bytes) -> str:
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def test_where_the_platform_has_the_original_the_page_says_that_ours_is_a_copy(client: Client) -> None:
    invoice = make_published_invoice(company=oblige())
    page = page_of(invoice, client)
    assert "<strong>Copie</strong>" in page
    assert "PA Exemple" in page


@pytest.mark.parametrize(
    ("company", "customer"),
    [({"einvoice_from": None}, {}), ({"platform_name": ""}, {}), ({}, {"kind": "individual"}), ({}, {"country": "DE"})],
)
def test_elsewhere_the_page_says_nothing_of_a_copy(
    client: Client, company: dict[str, Any], customer: dict[str, Any]
) -> None:
    invoice = make_published_invoice(company=oblige(**company), customer=make_customer(**customer))
    assert "<strong>Copie</strong>" not in page_of(invoice, client)


def test_the_last_status_is_shown_with_its_reason(client: Client) -> None:
    invoice = make_published_invoice()
    at = datetime.datetime(2025, 7, 1, 12, tzinfo=datetime.UTC)
    record_status(invoice=invoice, code="200", at=at)
    record_status(invoice=invoice, code="207", at=at + datetime.timedelta(days=1), reason="Taux de TVA <erroné>")

    page = page_of(invoice, client)

    assert "<strong>En litige</strong>" in page
    assert "02/07/2025" in page
    assert "Taux de TVA &lt;erroné&gt;" in page
    assert "Déposée" not in page


def test_a_factur_x_is_the_original_itself_and_a_plain_pdf_is_labelled_as_a_copy() -> None:
    invoice = make_invoice(company=oblige())
    einvoice = einvoice_of(invoice)

    assert "<strong>Copie</strong>" not in words_of(render_document(invoice, einvoice).content)
    assert "Copie" in words_of(render_document(invoice, einvoice.without_xml()).content)
    invoice.company.platform_name = ""
    assert "<strong>Copie</strong>" not in words_of(render_document(invoice, einvoice.without_xml()).content)


def test_versions_after_publication_are_listed_and_files_replaced_before_it_are_not(client: Client) -> None:
    invoice = make_invoice(company=oblige(einvoice_from=None))
    replaced = Document.objects.create(
        invoice=invoice, version=1, storage_name="2025/draft.pdf", sha256="0" * 64, size=1, source="received"
    )
    Invoice.objects.update(version=2)
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    invoice = Invoice.objects.select_related("company", "customer", "document").get()
    publish_new_version(invoice=invoice, reason="Adresse corrigée")

    page = page_of(invoice, client)

    assert reverse("invoice_version", args=[invoice.pk, 2]) in page
    assert "Adresse corrigée" in page
    assert reverse("invoice_version", args=[invoice.pk, replaced.version]) not in page
    assert client.get(reverse("invoice_version", args=[invoice.pk, replaced.version])).status_code == 404
    response = client.get(reverse("invoice_version", args=[invoice.pk, 2]))
    assert response.status_code == 200
    with pikepdf.open(io.BytesIO(b"".join(response.streaming_content))) as pdf:  # type: ignore[attr-defined]
        assert len(pdf.pages) == 1
