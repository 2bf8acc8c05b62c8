"""Values as people and tools write them, read by the parsers of the import."""

import pytest

from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.countries import country_code
from invoices.en16931.units import unit_code
from invoices.importing.tables.cells import date_text, optional_date_text
from invoices.importing.tables.invoice_rows import type_code
from invoices.importing.values import BadValue
from invoices.models import Invoice
from tests.support.factories import make_company
from tests.support.import_files import CUSTOMERS, INVOICES, LINES, changed, import_tables


@pytest.mark.parametrize(
    "text",
    ["7 juin 2025", "07 juin 2025", "7 Jun 2025", "7-juin-2025", "samedi 7 juin 2025", "45815.0", "7 JUIN 2025 10:30"],
)
def test_a_date_may_be_written_in_words(text: str) -> None:
    assert date_text(text) == "2025-06-07"


@pytest.mark.parametrize("text", ["31 juin 2025", "7 brumaire 2025", "070625"])
def test_a_date_that_is_none_or_two_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        date_text(text)


@pytest.mark.parametrize(
    "text", ["00/00/0000", "30/12/1899", "01/01/1900", "01/01/1753", "0000-00-00", "1899-12-30 00:00:00", "1900-01-01"]
)
def test_the_first_day_of_a_program_s_calendar_is_no_due_date(text: str) -> None:
    assert optional_date_text(text) == ""


def test_types_of_documents_are_read_in_words_and_a_pro_forma_is_refused() -> None:
    assert {type_code(text) for text in ("Facture d'avoir", "AVOIR CLIENT", "Avoir", "AV", "381 - Avoir")} == {"381"}
    assert {type_code(text) for text in ("Facture", "FACTURE CLIENT", "FC", "Facture de solde", "380")} == {"380"}
    assert {type_code(text) for text in ("Facture d’acompte", "Acompte")} == {"386"}
    with pytest.raises(BadValue, match="pro forma"):
        type_code("325")
    for text in ("Pro forma", "Devis", "Bon de livraison", "Commande"):
        with pytest.raises(BadValue, match="n’est pas une facture"):
            type_code(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Unité(s)", "C62"),
        ("m.l.", "MTR"),
        ("ml", "MTR"),
        ("mL", "MLT"),
        ("Pièce(s)", "H87"),
        ("Millilitres", "MLT"),
        ("Heure(s)", "HUR"),
        ("H.", "HUR"),
        ("KG", "KGM"),
        ("M²", "MTK"),
        ("Lot(s)", "C62"),
        ("Mètres linéaires", "LM"),
        ("bte", "XBX"),
        ("FORFAIT", "LS"),
        ("jrs", "DAY"),
        ("HUR", "HUR"),
    ],
)
def test_units_are_read_by_their_usual_words(text: str, code: str) -> None:
    assert unit_code(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Grande Bretagne", "GB"),
        ("Pays Bas", "NL"),
        ("Corée du Sud", "KR"),
        ("GD Luxembourg", "LU"),
        ("Viet-Nam", "VN"),
        ("États Unis", "US"),
    ],
)
def test_countries_are_read_with_or_without_hyphens(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.django_db
def test_a_card_and_an_invoice_with_such_words_come_in() -> None:
    report = import_tables(
        clients=changed(CUSTOMERS, 0, nb_factures="DEMAT", type="Client professionnel"),
        factures=changed(INVOICES, 0, echeance="00/00/0000", date="31 janvier 2025"),
    )
    assert report.is_clean


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["Nuitée(s)", "Barquette de 6 pièces", "NUL"])
def test_a_unit_without_a_code_is_printed_as_written_and_is_one_in_the_xml(word: str) -> None:
    make_company()
    report = import_tables(contacts=[], lignes=changed(LINES, 0, unite=word))
    assert report.is_clean, report.rejected
    einvoice = einvoice_of(Invoice.objects.get(number="F1"))
    assert einvoice.content.lines[0].unit == word
    assert einvoice.xml is not None
    assert b'unitCode="C62">10<' in einvoice.xml
