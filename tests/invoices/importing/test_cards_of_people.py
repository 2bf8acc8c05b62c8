"""Cards as people fill them in: what a cell says is taken, what says nothing is empty, what is wrong is refused."""

import pytest

from customers.models import Contact, Customer
from invoices.files.archives import GivenFile
from invoices.importing.report import ImportReport
from invoices.importing.run import import_erp
from tests.support.import_files import as_csv

pytestmark = pytest.mark.django_db
SIREN, SIRET, VAT = "732829320", "73282932000074", "FR44732829320"


def cards(column: str, cells: list[str]) -> tuple[dict[str, Customer], ImportReport]:
    """One card a cell, imported at once, by the cell of each; refused ones are not there."""
    rows = [
        {"code": f"C{place}", "raison_sociale": "Dupont", "email": "", column: cell} for place, cell in enumerate(cells)
    ]
    report = import_erp([GivenFile("clients.csv", as_csv(rows).encode())])
    return {cells[int(card.code[1:])]: card for card in Customer.objects.all()}, report


RIGHT = {
    "siren": {
        SIREN: [
            "732 829 320", "732.829.320", "732829320.0", "732-829-320", "732\u00a0829\u00a0320", "SIREN 732829320",
            "SIREN : 732 829 320", "732829320 RCS Paris",
            "732829320 R.C.S. LYON", "RCS Paris B 732 829 320", "N° 732829320", SIRET,
        ],
        "": ["NC", "-", "0", "néant", "en cours", "En cours d’attribution", "particulier", "non assujetti"],
    },
    "siret": {SIRET: ["732 829 320 00074", "732.829.320.00074", "73282932000074.0", "SIRET : 732 829 320 00074"]},
    "tva_intracom": {
        VAT: ["FR 44 732 829 320", "fr44732829320", "FR-44-732829320", "44732829320", "44 732 829 320"],
        "": ["N/A", "-", "0", "non assujetti", "Non assujetti à la TVA", "exonéré"],
        "BE0403170701": ["BE 0403.170.701"],
        "CHE-123.456.788 TVA": ["CHE-123.456.788 TVA"],
    },
    "email": {
        "a@x.fr": [
            "mailto:a@x.fr?subject=Facture", "[a@x.fr](mailto:a@x.fr)", "a@x.fr (compta)", "E-mail : a@x.fr", "a@x.fr.",
        ],
        "": ["pas de mail", "(vide)", "a@x.f", "a@x", "a@192.168.1.1", "a[at]x.fr", "www.x.fr", "a#x.fr", "a@x..fr"],
    },
    "pays": {
        "FR": ["F", "FRANCE (métropole)", "FR - France"], "DE": ["D", "RFA"], "BE": ["B", "Belgique (BE)"],
        "IE": ["Rép. d’Irlande"], "CF": ["Centrafrique"], "PS": ["Palestine"], "ES": ["Iles Canaries"], "LU": ["Luxbg"],
    },
    "type": {"individual": ["Person", "Personne physique", "B2C"], "professional": ["Personne morale", "Collectivité"]},
    "nb_factures": {"D": ["Oui démat", "par mail"], "2": ["Papier 2", "2 ex.", "2,0"], "1": ["courrier"]},
}  # fmt: skip
REFUSED = {
    "siren": ["732829321", "123456789", "12345678", "ABC", "7,32829E+13"],
    "siret": ["73282932000075", "7328293200007"],
    "tva_intracom": ["FR45732829320", "XX1234567", "inconnu du service"],
    "pays": ["UE", "Atlantide", "ZZ"],
}
FIELDS = {
    "siren": "siren", "siret": "siret", "tva_intracom": "vat_identifier", "email": "email", "pays": "country",
    "type": "kind", "nb_factures": "invoice_copies",
}  # fmt: skip


@pytest.mark.parametrize("column", RIGHT)
def test_a_cell_of_a_card_is_read_however_people_write_it(column: str) -> None:
    right = {cell: value for value, cells in RIGHT[column].items() for cell in cells}
    found, _report = cards(column, list(right))
    assert {cell: getattr(card, FIELDS[column]) for cell, card in found.items()} == right


@pytest.mark.parametrize("column", REFUSED)
def test_a_wrong_cell_of_a_card_refuses_the_card(column: str) -> None:
    found, report = cards(column, REFUSED[column])
    assert not found
    assert {(each.column, each.value) for each in report.rejected} == {(column, cell) for cell in REFUSED[column]}


@pytest.mark.parametrize(
    "cell", ["a@x.fr / b@y.fr", "a@x.fr\nb@y.fr", "a@x.fr et b@y.fr", "a@x.fr - b@y.fr", "<a@x.fr>; <b@y.fr>"]
)
def test_a_second_address_becomes_a_contact(cell: str) -> None:
    found, _report = cards("email", [cell])
    assert found[cell].email == "a@x.fr"
    assert [contact.email for contact in Contact.objects.all()] == ["b@y.fr"]
