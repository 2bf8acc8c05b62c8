"""A table of customers that gives a code another company than its card: nothing comes on the card, and it is said."""

import re
from dataclasses import replace
from typing import Any

import pytest

from customers.models import Contact, Customer
from invoices.en16931.model import SIREN_SCHEME, Identifier, Party
from invoices.files.archives import GivenFile
from invoices.importing.buyers import printed_buyer_problem
from invoices.importing.parties import AmbiguousCustomerError, matching_customer
from invoices.importing.report import ImportReport, card_identity
from invoices.importing.run import import_erp
from invoices.models import Invoice
from tests.support.import_files import CONTACTS, CUSTOMERS, INVOICES, LINES, Rows, as_csv, changed
from tests.support.import_files import import_tables as import_all

pytestmark = pytest.mark.django_db

# SIREN and VAT numbers of python-stdnum's documentation, and SIRET of them.
WOOD, GARAGE = "404833048", "732829320"
WOOD_VAT, GARAGE_VAT = f"FR83{WOOD}", f"FR44{GARAGE}"
WOOD_SIRET, SECOND_SITE_OF_WOOD = f"{WOOD}00022", f"{WOOD}00014"
GARAGE_SIRET = f"{GARAGE}00074"


def customers(**numbers: str) -> Rows:
    """The sound customers with these numbers of C1; C2 has none."""
    return [{**row, **(numbers if row["code"] == "C1" else dict.fromkeys(numbers, ""))} for row in CUSTOMERS]


def import_alone(**tables: Rows) -> ImportReport:
    return import_erp([GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in tables.items()])


def numbers_of_card() -> tuple[Any, ...]:
    return Customer.objects.values_list("siren", "siret", "vat_identifier").get(code="C1")


@pytest.mark.parametrize(
    ("known", "given", "column"),
    [
        ({"siren": WOOD}, {"siren": GARAGE}, "siren"),
        ({"siret": WOOD_SIRET}, {"siret": GARAGE_SIRET}, "siren"),
        ({"siren": WOOD}, {"tva_intracom": GARAGE_VAT}, "tva_intracom"),
        ({"tva_intracom": WOOD_VAT}, {"siren": GARAGE}, "siren"),
        ({"tva_intracom": WOOD_VAT}, {"tva_intracom": GARAGE_VAT}, "tva_intracom"),
        ({"tva_intracom": "DE136695976"}, {"tva_intracom": "DE129273398"}, "tva_intracom"),
        ({"siren": WOOD, "tva_intracom": WOOD_VAT}, {"siren": GARAGE, "tva_intracom": GARAGE_VAT}, "siren"),
    ],
)
def test_another_company_under_the_code_of_a_card_changes_nothing_of_the_card(
    known: dict[str, str], given: dict[str, str], column: str
) -> None:
    assert import_alone(clients=customers(**known)).is_clean
    before = numbers_of_card()

    report = import_alone(
        clients=changed(customers(**given), 0, raison_sociale="Garage Petit", email="g@petit.example")
    )

    (refusal,) = report.as_json()["rejected"]
    assert (refusal["file"], refusal["line"], refusal["column"]) == ("clients.csv", 2, column)
    assert {"Société Générale de Bois", "Garage Petit"} <= set(re.findall("« (.+?) »", refusal["reason"]))
    assert refusal["value"] in refusal["reason"]
    assert refusal["value"] in next(iter(given.values()))
    assert numbers_of_card() == before
    assert Customer.objects.values_list("name", "email").get(code="C1") == (
        "Société Générale de Bois",
        "a@bois.example",
    )
    assert report.unchanged["customers"] == 1


@pytest.mark.parametrize(
    ("known", "given"),
    [
        ({"siret": WOOD_SIRET}, {"siret": SECOND_SITE_OF_WOOD}),
        ({"siren": WOOD}, {"siren": WOOD, "siret": WOOD_SIRET, "tva_intracom": WOOD_VAT}),
        ({"siren": ""}, {"siren": GARAGE}),
        ({"siren": WOOD}, {"siren": ""}),
        ({"siren": WOOD}, {"tva_intracom": WOOD_VAT}),
        ({"tva_intracom": "CHE123456789"}, {"tva_intracom": "DE136695976"}),
    ],
)
def test_a_move_of_the_head_office_or_an_empty_field_is_no_contradiction(
    known: dict[str, str], given: dict[str, str]
) -> None:
    import_alone(clients=customers(**known))

    report = import_alone(clients=customers(**given))

    assert report.is_clean
    assert report.updated["customers"] == 1


def new_of_garage(**given: Any) -> dict[str, Rows]:
    """The tables of later, in which C1 is another company with one more invoice and one more contact."""
    more = {**INVOICES[1], "numero": "F3", "code_client": "C1"}
    contact = {**CONTACTS[1], "nom": "Zoé", "email": "zoe@petit.example"}
    return {
        "clients": changed(customers(siren=GARAGE), 0, raison_sociale="Garage Petit"),
        "contacts": [*CONTACTS, contact],
        "factures": [*INVOICES, more],
        "lignes": [*LINES, {**LINES[3], "numero": "F3"}],
        **given,
    }


def test_its_new_invoices_and_contacts_are_refused_with_it_and_what_was_there_stays_unchanged() -> None:
    import_all(clients=customers(siren=WOOD))

    report = import_all(**new_of_garage())

    assert {(each["file"], each["line"]) for each in report.as_json()["rejected"]} == {
        ("clients.csv", 2),
        ("contacts.csv", 4),
        ("factures.csv", 4),
    }
    assert report.unchanged == {"customers": 1, "contacts": 2, "invoices": 2, "lines": 4}
    assert not Invoice.objects.filter(number="F3").exists()
    assert not Contact.objects.filter(name="Zoé").exists()


def test_a_changed_unpublished_invoice_of_the_card_is_not_taken_either() -> None:
    import_all(clients=customers(siren=WOOD))

    report = import_all(clients=customers(siren=GARAGE), factures=changed(INVOICES, 0, reference="BC 8"))

    assert {each["file"] for each in report.as_json()["rejected"]} == {"clients.csv", "factures.csv"}
    assert Invoice.objects.get(number="F1").purchase_order_reference == "BC 7"


def test_invoices_that_come_later_in_a_file_of_their_own_wait_too_until_card_and_erp_agree() -> None:
    import_all(clients=customers(siren=WOOD))
    later = new_of_garage()
    import_alone(clients=later["clients"])
    invoices = {name: later[name] for name in ("factures", "lignes")}

    refused = import_alone(**invoices)

    (refusal,) = refused.as_json()["rejected"]
    assert WOOD in refusal["reason"]
    assert GARAGE in refusal["reason"]
    assert import_alone(clients=CUSTOMERS).is_clean, "a table without these columns says nothing of it"
    assert not import_alone(**invoices).is_clean
    # Either the ERP gives the other company a code of its own …
    assert import_alone(clients=customers(siren=WOOD)).unchanged["customers"] == 2
    assert import_alone(**invoices).created["invoices"] == 1
    # … or the card is corrected.
    import_alone(clients=customers(siren=GARAGE))
    Customer.objects.filter(code="C1").update(siren=GARAGE)
    more = [*INVOICES, {**INVOICES[1], "numero": "F4", "code_client": "C1"}]
    assert import_alone(factures=more, lignes=[*LINES, {**LINES[3], "numero": "F4"}]).created["invoices"] == 1


def test_what_was_imported_before_is_said_on_the_list_while_the_card_is_contested() -> None:
    import_all(clients=customers(siren=WOOD))
    assert printed_buyer_problem(Invoice.objects.get(number="F1")) == ""
    import_alone(clients=customers(siren=GARAGE))

    assert GARAGE in printed_buyer_problem(Invoice.objects.get(number="F1"))
    assert printed_buyer_problem(Invoice.objects.get(number="F2")) == ""


def test_a_row_that_is_refused_for_something_else_contests_its_card_all_the_same() -> None:
    import_all(clients=customers(siren=WOOD))

    report = import_all(**new_of_garage(clients=changed(customers(siren=GARAGE), 0, pays="Narnia")))

    assert {each["file"] for each in report.as_json()["rejected"]} == {"clients.csv", "contacts.csv", "factures.csv"}


def test_a_dry_run_says_the_same_and_marks_nothing() -> None:
    import_all(clients=customers(siren=WOOD))
    files = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in new_of_garage().items()]

    dry = import_erp(files, dry_run=True)

    assert Customer.objects.get(code="C1").contested_by == {}
    assert dry.as_json()["rejected"] == import_erp(files).as_json()["rejected"]


def test_who_accepts_the_replacement_has_the_card_changed_and_its_invoices_imported() -> None:
    import_all(clients=customers(siren=WOOD))
    import_alone(clients=customers(siren=GARAGE))
    files = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in new_of_garage().items()]
    assert any(each.replaces == card_identity("C1") for each in import_erp(files, dry_run=True).rejected)

    report = import_erp(files, replace=[card_identity("C1")])

    assert report.is_clean
    card = Customer.objects.get(code="C1")
    assert (card.siren, card.name, card.contested_by) == (GARAGE, "Garage Petit", {})
    assert Invoice.objects.get(number="F3").customer == card


def test_all_or_nothing_keeps_the_mark_though_nothing_is_written() -> None:
    import_all(clients=customers(siren=WOOD))
    files = [GivenFile(f"{name}.csv", as_csv(rows).encode()) for name, rows in new_of_garage().items()]

    assert not import_erp(files, strict=True).is_clean

    assert Customer.objects.get(code="C1").contested_number == ("siren", GARAGE, WOOD)
    assert Invoice.objects.count() == 2


def test_a_flat_table_that_states_another_company_by_its_vat_number_is_refused() -> None:
    import_alone(clients=customers(siren=WOOD))
    text = (
        "N° facture;Date;Code client;TVA intra;Désignation;Qté;PU HT;Montant HT;Taux TVA\n"
        f"F87;01/02/2024;C1;{GARAGE_VAT};Pommes;1;10,00;10,00;20\n"
    )

    report = import_erp([GivenFile("ventes.csv", text.encode())])

    assert GARAGE in report.rejected[0].reason
    assert not Invoice.objects.exists()


def test_an_e_invoice_that_the_contested_code_alone_would_join_is_refused_and_others_are_joined_by_their_numbers() -> (
    None
):
    import_alone(clients=customers(siren=WOOD))
    by_code = Party(name="Société Générale de Bois", identifiers=(Identifier("C1"),))
    by_number = replace(by_code, legal_identifier=Identifier(WOOD, SIREN_SCHEME))
    assert matching_customer(by_code) is not None
    import_alone(clients=customers(siren=GARAGE))

    with pytest.raises(AmbiguousCustomerError, match=GARAGE):
        matching_customer(by_code)
    found = matching_customer(by_number)
    assert found is not None
    assert found.customer.code == "C1"
