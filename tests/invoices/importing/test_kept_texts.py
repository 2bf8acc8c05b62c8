"""Texts as they are kept: accents in one sign, no entities of HTML; what was imported before stays unchanged."""

import unicodedata

import pytest

from customers.models import Contact, Customer
from invoices.files.archives import GivenFile
from invoices.importing.run import import_erp
from invoices.importing.words import kept_text, same
from invoices.models import Invoice, InvoiceLine
from tests.invoices.importing.test_second_import import publish
from tests.support.factories import make_company
from tests.support.import_files import CONTACTS, CUSTOMERS, INVOICES, LINES, changed, import_tables

DECOMPOSED = unicodedata.normalize("NFD", "Société Générale de Bois")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Dupont &amp; Fils", "Dupont & Fils"),
        ("l&#39;ensemble", "l'ensemble"),
        ("Caf&eacute;", "Café"),
        ("10 &lt; 20 &euro;", "10 < 20 €"),
        ("R&D; suite", "R&D; suite"),
        ("AT&T", "AT&T"),
        ("a &amp b", "a &amp b"),
        ("&inconnu;", "&inconnu;"),
        ("&#0;", "&#0;"),
        (DECOMPOSED, "Société Générale de Bois"),
        ("plain", "plain"),
    ],
)
def test_entities_are_signs_and_accents_are_with_their_letters(text: str, kept: str) -> None:
    assert kept_text(text) == kept


def test_values_that_are_no_texts_are_compared_as_they_are() -> None:
    assert same(DECOMPOSED, "Société Générale de Bois")
    assert not same("", None)
    assert same(True, True)


@pytest.mark.django_db
def test_names_of_a_mac_are_kept_as_people_type_them_and_the_same_afterwards() -> None:
    given = {
        "clients": changed(CUSTOMERS, 0, raison_sociale=DECOMPOSED),
        "contacts": changed(CONTACTS, 0, nom=unicodedata.normalize("NFD", "Zoé")),
        "lignes": changed(LINES, 0, designation=unicodedata.normalize("NFD", "Chêne")),
    }
    assert import_tables(**given).is_clean

    assert Customer.objects.get(code="C1").name == "Société Générale de Bois"
    assert Contact.objects.filter(name="Zoé").exists()
    assert InvoiceLine.objects.filter(name="Chêne").exists()
    assert not any(import_tables(**given).updated.values())


@pytest.mark.django_db
def test_a_card_that_was_kept_otherwise_before_is_unchanged_and_found_by_its_code() -> None:
    import_tables()
    code = unicodedata.normalize("NFD", "É1")
    Customer.objects.filter(code="C1").update(name=DECOMPOSED, code=code)

    report = import_tables(
        clients=changed(CUSTOMERS, 0, code="É1"),
        contacts=[{**row, "code_client": "É1"} for row in CONTACTS],
        factures=changed(INVOICES, 0, code_client="É1"),
    )

    assert report.is_clean
    assert report.unchanged["customers"] == 2
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_an_invoice_published_before_with_entities_is_unchanged() -> None:
    given = {"lignes": changed(LINES, 0, designation="Bois &amp; Ch&ecirc;ne")}
    import_tables(**given)
    assert InvoiceLine.objects.filter(name="Bois & Chêne").count() == 1
    InvoiceLine.objects.filter(name="Bois & Chêne").update(name="Bois &amp; Ch&ecirc;ne")  # as it was kept then
    publish(Invoice.objects.get(number="F1"))

    report = import_tables(**given)

    assert report.is_clean
    assert report.unchanged["invoices"] == 2


@pytest.mark.django_db
@pytest.mark.parametrize("names", ["code;raison_sociale;ville", "Code client;Nom;Ville"])
def test_the_semicolon_of_an_entity_separates_no_cells(names: str) -> None:
    text = f"{names}\nC1;Dupont &amp; Fils &#201;l&eacute;gance;Lyon\nC2;Martin &amp;;Paris\nC3;R&D;Nice\n"

    assert import_erp([GivenFile("clients.csv", text.encode())]).is_clean

    cards = list(Customer.objects.order_by("code").values_list("name", "city"))
    assert cards == [("Dupont & Fils Élégance", "Lyon"), ("Martin &", "Paris"), ("R&D", "Nice")]


@pytest.mark.django_db
def test_an_article_in_the_place_of_a_rate_is_the_printed_reason() -> None:
    make_company()
    Customer.objects.create(code="C1", name="Dupont")
    text = (
        "Numéro;Date;Code client;Désignation;Quantité;PU HT;Taux TVA;Montant HT;Total HT;Total TTC\n"
        "F1;05/01/2024;C1;Cours;2;50,00;art. 293 B;100,00;100,00;100,00\n"
        "F2;05/01/2024;C1;Soins;1;50,00;Exonéré art. 261-4;50,00;50,00;50,00\n"
        "F3;05/01/2024;C1;Soins;1;50,00;Exonéré;50,00;50,00;50,00\n"
    )

    report = import_erp([GivenFile("ventes.csv", text.encode())])

    assert report.is_clean, report.rejected
    reasons = {
        invoice.number: [each["exemption_reason"] for each in invoice.details.get("vat_breakdown", [])]
        for invoice in Invoice.objects.all()
    }
    assert reasons == {"F1": ["TVA non applicable, art. 293 B du CGI"], "F2": ["Exonéré art. 261-4"], "F3": []}
