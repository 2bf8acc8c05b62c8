"""A published invoice's pages say what its frozen document says, whatever its card and its company say since."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from invoices.documents.printed_content import content_to_keep, printed_content_of
from invoices.documents.rendering import render_document
from invoices.documents.versions import publish_new_version
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Document, Export, ExportItem, Invoice, PrintedContent
from tests.support.factories import freeze, make_account, make_company, make_customer, make_invoice, make_staff
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

SIREN = "552100554"
OLD_IBAN, NEW_IBAN = "FR76 3000 6000 0112 3456 7890 189", "DE89370400440532013000"
BACKEND = "customers.authentication.AccountBackend"


def export_all() -> Export:
    export = start_export(export=create_export(criteria=Criteria(scope=Scope.ALL)))
    run_lines(export)
    return export


def publish(**fields: Any) -> Invoice:
    company = make_company()
    company.operations = "S"
    company.save()
    customer = make_customer(siren=SIREN, vat_identifier=french_vat(SIREN), address="1 rue Vieille")
    invoice = make_invoice(company=company, customer=customer, **fields)
    export_all()
    return read(invoice)


def read(invoice: Invoice) -> Invoice:
    return Invoice.objects.select_related("customer", "company", "document__printed").get(pk=invoice.pk)


def street_of(invoice: Invoice) -> str:
    """Where the customer lives, by the published document."""
    address = printed_content_of(read(invoice)).buyer.address
    assert address is not None
    return address.line1


def move(invoice: Invoice, address: str) -> None:
    invoice.customer.address = address
    invoice.customer.save()
    invoice.company.iban = NEW_IBAN
    invoice.company.late_penalty = "Pénalités nouvelles"
    invoice.company.save()


def test_a_changed_card_and_a_changed_bank_do_not_change_what_a_published_invoice_says(client: Client) -> None:
    invoice = publish()
    move(invoice, "2 rue Neuve")

    client.force_login(make_account(invoice.customer), backend=BACKEND)
    page = client.get(f"/factures/{invoice.pk}/").content.decode()
    client.force_login(make_staff(), backend=BACKEND)
    staff_client = client.get(reverse("admin:invoices_invoice_change", args=[invoice.pk])).content.decode()

    assert "1 rue Vieille" in page
    assert OLD_IBAN in page.replace("\u00a0", " ")
    assert "Prestation de service" in page
    for shown in (page, staff_client):
        assert "2 rue Neuve" not in shown
        assert "Pénalités nouvelles" not in shown


def test_what_was_not_said_is_not_said_later(client: Client) -> None:
    make_company(iban="")
    invoice = publish()
    move(invoice, "2 rue Neuve")

    client.force_login(make_account(invoice.customer), backend=BACKEND)

    assert "Payer par virement" not in client.get(f"/factures/{invoice.pk}/").content.decode()


def test_an_invoice_that_waits_says_what_its_card_says_now() -> None:
    invoice = make_invoice(customer=make_customer(address="1 rue Vieille"))
    invoice.customer.address = "2 rue Neuve"
    invoice.customer.save()

    assert street_of(invoice) == "2 rue Neuve"


def test_a_new_version_says_what_it_was_made_of() -> None:
    invoice = publish()
    move(invoice, "2 rue Neuve")
    publish_new_version(invoice=invoice, reason="Adresse")
    invoice.customer.address = "3 rue Future"
    invoice.customer.save()

    assert street_of(invoice) == "2 rue Neuve"
    assert PrintedContent.objects.count() == 2


def test_a_version_that_the_erp_gave_says_what_its_xml_states() -> None:
    invoice = publish()
    move(invoice, "2 rue Neuve")
    given = render_document(read(invoice)).content
    move(invoice, "3 rue Future")

    publish_new_version(invoice=invoice, reason="Adresse", pdf=given)

    content = printed_content_of(read(invoice))
    assert street_of(invoice) == "2 rue Neuve"
    assert [line.name for line in content.lines] == ["Prestation de service"]


def test_a_pdf_that_came_beside_its_row_keeps_what_was_known_when_it_was_published() -> None:
    customer = make_customer(address="1 rue Vieille")
    invoice = make_invoice(customer=customer, origin=Invoice.Origin.PDF)
    document = freeze(invoice)
    Document.objects.filter(pk=document.pk).update(source=Document.Source.RECEIVED)
    export = export_all()
    assert ExportItem.objects.get(export=export).state == ExportItem.State.PUBLISHED
    move(read(invoice), "2 rue Neuve")

    assert street_of(invoice) == "1 rue Vieille"


@pytest.mark.parametrize("origin", [Invoice.Origin.CII, Invoice.Origin.UBL, Invoice.Origin.FACTURX])
def test_nothing_is_kept_twice_of_an_e_invoice_that_states_all_itself(origin: Invoice.Origin) -> None:
    invoice = make_invoice(origin=origin)

    assert content_to_keep(invoice, printed_content_of(make_invoice())) is None
