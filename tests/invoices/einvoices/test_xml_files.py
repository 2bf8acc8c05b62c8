"""The XML of an invoice by itself: from the file that came or out of the PDF, for staff and for its customer."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Account, Customer
from invoices.documents.rendering import received_document
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.formats.reading import read_einvoice
from invoices.importing.run import import_erp
from invoices.models import Consultation, Document, Invoice
from tests.support.factories import (
    PASSWORD,
    make_account,
    make_company,
    make_customer,
    make_invoice,
    make_published_invoice,
    make_staff,
)
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

BACKEND = "customers.authentication.AccountBackend"
SAMPLES = Path(__file__).parents[2] / "data" / "einvoices" / "akretion-factur-x"
FACTURX = SAMPLES / "invoice_EN16931.pdf"
CII = SAMPLES / "factur-x-basic.xml"


def export_all() -> None:
    Customer.objects.update(invoice_copies="D")
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))


def make_facturx() -> Invoice:
    """A published invoice of table rows, whose PDF is a Factur-X of ours."""
    company = make_company()
    company.operations = "S"
    company.save()
    siren = "552100554"
    invoice = make_invoice(company=company, customer=make_customer(siren=siren, vat_identifier=french_vat(siren)))
    export_all()
    invoice.refresh_from_db()
    return invoice


def downloaded(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/xml"
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.getvalue()


def desk_address(invoice: Invoice) -> str:
    return reverse("admin:invoices_invoice_xml", args=[invoice.pk])


def test_the_customer_and_staff_get_the_xml_inside_of_our_facturx(client: Client) -> None:
    invoice = make_facturx()
    reader = make_account(invoice.customer)
    client.force_login(reader, backend=BACKEND)
    address = reverse("invoice_xml", args=[invoice.pk])
    assert address in client.get(reverse("invoice", args=[invoice.pk])).content.decode()
    xml = downloaded(client, address)
    assert read_einvoice(xml).content.number == invoice.number
    assert set(Consultation.objects.values_list("channel", flat=True)) == {"page", "xml"}

    client.force_login(make_staff(), backend=BACKEND)
    page = client.get(reverse("admin:invoices_invoice_change", args=[invoice.pk])).content.decode()
    assert desk_address(invoice) in page
    assert downloaded(client, desk_address(invoice)) == xml
    assert Consultation.objects.count() == 2


def test_a_received_facturx_gives_its_xml_before_its_export(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    import_erp([FACTURX], create_companies=True)
    invoice = Invoice.objects.get()
    xml = downloaded(client, desk_address(invoice))
    assert xml == read_einvoice(FACTURX.read_bytes()).xml
    document = received_document(invoice)
    assert document is not None
    assert document.xml_sha256


def test_the_xml_that_came_is_the_original_and_not_the_one_written_again(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    import_erp([CII], create_companies=True)
    export_all()
    assert downloaded(client, desk_address(Invoice.objects.get())) == CII.read_bytes()


def test_a_plain_pdf_has_no_xml(client: Client) -> None:
    client.force_login(make_staff(), backend=BACKEND)
    invoice = make_published_invoice()
    assert client.get(desk_address(invoice)).status_code == 404
    page = client.get(reverse("admin:invoices_invoice_change", args=[invoice.pk])).content.decode()
    assert desk_address(invoice) not in page


def test_the_xml_of_the_back_office_is_for_those_who_may_see_invoices(client: Client) -> None:
    invoice = make_published_invoice()
    trainee = Account.objects.create_user("stage@aquila.example", PASSWORD, is_staff=True)
    client.force_login(trainee, backend=BACKEND)
    assert client.get(desk_address(invoice)).status_code == 403


@pytest.mark.parametrize(
    ("guideline", "name"),
    [
        ("EN 16931", "EN 16931"),
        ("urn:cen.eu:en16931:2017", "EN 16931"),
        ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "EXTENDED"),
        ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "BASIC"),
        ("urn:factur-x.eu:1p0:basicwl", "BASIC WL"),
        ("urn:factur-x.eu:1p0:minimum", "MINIMUM"),
        ("urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0", "XRechnung 3.0"),
        ("A1", "A1"),
    ],
)
def test_a_profile_is_named_as_people_name_it(guideline: str, name: str) -> None:
    assert Document(profile=guideline).profile_name == name
