"""What a second import of tables changes, leaves alone and refuses."""

from decimal import Decimal

import pytest

from customers.models import Contact, Customer
from invoices.models import Invoice
from tests.support.factories import freeze
from tests.support.import_files import (
    CONTACTS,
    CUSTOMERS,
    INVOICES,
    LINES,
    changed,
    import_tables,
    only_rejection,
)

pytestmark = pytest.mark.django_db


def publish(invoice: Invoice) -> None:
    freeze(invoice)
    invoice.published_at = invoice.imported_at
    invoice.save()


def test_a_changed_customer_is_updated_and_the_others_are_not() -> None:
    import_tables()
    report = import_tables(clients=changed(CUSTOMERS, 1, ville="Lyon"))
    assert report.updated == {"customers": 1, "contacts": 0, "invoices": 0, "lines": 0}
    assert report.unchanged["customers"] == 1
    assert Customer.objects.get(code="C2").city == "Lyon"


def test_columns_that_a_file_has_not_are_left_alone() -> None:
    import_tables()
    rows = [{"code": "C1", "raison_sociale": "Bois & Cie"}]
    assert import_tables(clients=rows, contacts=[], factures=[], lignes=[]).updated["customers"] == 1
    customer = Customer.objects.get(code="C1")
    assert (customer.name, customer.city, customer.invoice_copies) == ("Bois & Cie", "Bourg", "D")


def test_a_new_main_contact_takes_over_and_a_new_address_stays_the_same_contact() -> None:
    import_tables()
    rows = changed(
        changed(CONTACTS, 0, interlocuteur_principal="N"), 1, interlocuteur_principal="O", email="b@bois.example"
    )
    assert import_tables(contacts=rows).updated["contacts"] == 2
    assert set(Contact.objects.values_list("name", "email", "is_main")) == {
        ("Anne", "anne@bois.example", False),
        ("Bruno", "b@bois.example", True),
    }


def test_a_main_contact_of_the_file_takes_over_from_one_that_is_not_in_it() -> None:
    import_tables()
    rows = [{"code_client": "C1", "nom": "Chloé", "email": "chloe@bois.example", "interlocuteur_principal": "oui"}]
    report = import_tables(contacts=rows)
    assert (report.created["contacts"], report.updated["contacts"]) == (1, 0)
    assert Contact.objects.get(is_main=True).name == "Chloé"
    assert Contact.objects.count() == 3


def test_a_changed_invoice_is_a_new_version_until_it_is_published() -> None:
    import_tables()
    heads = changed(INVOICES, 1, total_ht="20,00", total_tva="4,00", total_ttc="24,00")
    lines = [*changed(LINES, 3, designation="Transport"), {**LINES[3], "designation": "Péage"}]
    report = import_tables(factures=heads, lignes=lines)
    assert report.updated == {"customers": 0, "contacts": 0, "invoices": 1, "lines": 1}
    assert report.created == {"customers": 0, "contacts": 0, "invoices": 0, "lines": 1}
    invoice = Invoice.objects.get(number="F2")
    assert (invoice.version, invoice.total_with_vat) == (2, Decimal("24.00"))
    assert list(invoice.lines.values_list("name", flat=True)) == ["Transport", "Péage"]
    assert import_tables(factures=heads, lignes=lines).unchanged["invoices"] == 2


def test_a_published_invoice_that_has_changed_is_refused_by_its_name() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    report = import_tables(factures=changed(INVOICES, 0, reference="BC 8"))
    rejection = only_rejection(report)
    assert (rejection["file"], rejection["line"], rejection["column"]) == ("factures.csv", 2, "numero")
    assert rejection["value"] == "F1"
    assert rejection["reason"].startswith("La facture F1 est déjà publiée")
    assert Invoice.objects.get(number="F1").purchase_order_reference == "BC 7"
    assert import_tables().unchanged["invoices"] == 2


def test_a_published_invoice_that_is_the_same_refuses_nothing() -> None:
    import_tables()
    publish(Invoice.objects.get(number="F1"))
    Customer.objects.filter(code="C1").update(vat_identifier="FR44732829320")
    assert import_tables().is_clean


@pytest.mark.parametrize("change", [{"date": "15/01/2019", "echeance": "28/02/2019"}, {"code_client": "C2"}])
def test_the_same_number_for_another_customer_or_another_year_is_refused_with_both_named(
    change: dict[str, str],
) -> None:
    import_tables()
    before = list(Invoice.objects.order_by("number").values())

    refused = only_rejection(import_tables(factures=changed(INVOICES, 0, **change)))

    assert refused["value"] == "F1"
    assert "existe déjà pour « Société Générale de Bois » en 2025" in refused["reason"]
    assert list(Invoice.objects.order_by("number").values()) == before
