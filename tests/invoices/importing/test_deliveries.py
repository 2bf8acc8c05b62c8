"""Where and when things were delivered: stated at the head or by line, once or several times, and never invented."""

import datetime
import io
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from invoices.content.from_rows import content_of
from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.model import Address, Delivery
from invoices.files.archives import GivenFile
from invoices.formats.reading import read_einvoice
from invoices.importing.run import import_erp
from invoices.models import Invoice
from invoices.printing import PrintStyle, render_invoice
from tests.support.import_files import INVOICES, LINES, TABLES, changed, import_tables, with_column
from tests.support.pdf_structure import text_of

SAMPLES = Path(__file__).parents[2] / "data" / "einvoices" / "zugferd-corpus"
CREATED = datetime.datetime(2022, 6, 7, tzinfo=datetime.UTC)


def ubl_delivery(day: str, name: str, city: str) -> str:
    return (
        f"<cac:Delivery><cbc:ActualDeliveryDate>{day}</cbc:ActualDeliveryDate>"
        f"<cac:DeliveryLocation><cac:Address><cbc:StreetName>3 rue du Port</cbc:StreetName><cbc:CityName>{city}"
        "</cbc:CityName><cbc:PostalZone>69002</cbc:PostalZone><cac:Country><cbc:IdentificationCode>FR"
        "</cbc:IdentificationCode></cac:Country></cac:Address></cac:DeliveryLocation>"
        f"<cac:DeliveryParty><cac:PartyName><cbc:Name>{name}</cbc:Name></cac:PartyName></cac:DeliveryParty>"
        "</cac:Delivery>"
    )


def depot(day: int, name: str, city: str) -> Delivery:
    address = Address(line1="3 rue du Port", city=city, postcode="69002", country="FR")
    return Delivery(name=name, date=date(2024, 11, day), address=address)


LYON, BRON, NICE = depot(3, "Dépôt Lyon", "Lyon"), depot(5, "Dépôt Bron", "Bron"), depot(6, "Magasin Nice", "Nice")


def ubl_with_deliveries() -> bytes:
    """Two deliveries at the head, the second stated twice, and one of the first line."""
    text = (SAMPLES / "EN16931_Einfach.ubl.xml").read_text(encoding="utf-8")
    lyon, bron = ubl_delivery("2024-11-03", "Dépôt Lyon", "Lyon"), ubl_delivery("2024-11-05", "Dépôt Bron", "Bron")
    start, end = text.index("<cac:Delivery>"), text.index("</cac:Delivery>") + len("</cac:Delivery>")
    text = text[:start] + lyon + bron + bron + text[end:]
    line = text.index("<cac:Item>", text.index("<cac:InvoiceLine>"))
    return (text[:line] + ubl_delivery("2024-11-06", "Magasin Nice", "Nice") + text[line:]).encode()


def test_ubl_states_several_deliveries_at_the_head_and_by_line() -> None:
    content = read_einvoice(ubl_with_deliveries()).content
    assert content.delivery == LYON
    assert content.other_deliveries == (BRON,)
    assert content.lines[0].deliveries == (NICE,)
    assert content.lines[1].deliveries == ()


def test_cii_of_the_profile_extended_states_the_delivery_of_a_line() -> None:
    text = (SAMPLES / "EN16931_Einfach.cii.xml").read_text(encoding="utf-8")
    place = text.index("</ram:SpecifiedLineTradeDelivery>")
    given = (
        "<ram:ShipToTradeParty><ram:Name>Magasin Nice</ram:Name><ram:PostalTradeAddress><ram:PostcodeCode>69002"
        "</ram:PostcodeCode><ram:LineOne>3 rue du Port</ram:LineOne><ram:CityName>Nice</ram:CityName><ram:CountryID>FR"
        "</ram:CountryID></ram:PostalTradeAddress></ram:ShipToTradeParty><ram:ActualDeliverySupplyChainEvent>"
        '<ram:OccurrenceDateTime><udt:DateTimeString format="102">20241106</udt:DateTimeString>'
        "</ram:OccurrenceDateTime></ram:ActualDeliverySupplyChainEvent>"
    )
    content = read_einvoice((text[:place] + given + text[place:]).encode()).content
    assert content.lines[0].deliveries == (NICE,)
    assert all(line.deliveries == () for line in content.lines[1:])


@pytest.mark.django_db
def test_each_delivery_is_kept_and_printed_and_the_xml_says_the_one_it_can(tmp_path: Path) -> None:
    path = tmp_path / "facture.xml"
    path.write_bytes(ubl_with_deliveries())
    assert import_erp([path], create_companies=True).is_clean
    invoice = Invoice.objects.get()

    content = content_of(invoice)
    assert content.other_deliveries == (BRON,)
    assert content.lines[0].deliveries == (NICE,)

    text = " ".join(text_of(render_invoice(content, PrintStyle(), created=CREATED)).split())
    assert "Dépôt Lyon" in text
    assert "Autre livraison le 05/11/2024 : Dépôt Bron, 3 rue du Port, 69002 Bron." in text
    assert "Livré le 06/11/2024 : Magasin Nice, 3 rue du Port, 69002 Nice" in text

    xml = einvoice_of(invoice).xml
    assert xml is not None
    written = read_einvoice(xml).content
    assert written.delivery == LYON
    assert written.other_deliveries == ()
    assert b"Nice" not in xml


@pytest.mark.django_db
def test_the_place_of_delivery_of_a_row_reaches_the_page_and_the_xml() -> None:
    rows = INVOICES
    for column, value in (
        ("date_livraison", "30/01/2025"),
        ("nom_livraison", "Chantier Gare"),
        ("adresse_livraison", "9 quai de la Gare"),
        ("code_postal_livraison", "01000"),
        ("ville_livraison", "Bourg"),
    ):
        rows = with_column(rows, column, value, "")
    assert import_tables(factures=rows).is_clean

    content = content_of(Invoice.objects.get(number="F1"))
    address = Address(line1="9 quai de la Gare", city="Bourg", postcode="01000", country="FR")
    assert content.delivery == Delivery(name="Chantier Gare", date=date(2025, 1, 30), address=address)
    assert content_of(Invoice.objects.get(number="F2")).delivery is None
    text = text_of(render_invoice(content, PrintStyle(), created=CREATED))
    assert "Livré à" in text
    assert "9 quai de la Gare" in text
    xml = einvoice_of(Invoice.objects.get(number="F1")).xml
    assert xml is not None
    assert read_einvoice(xml).content.delivery == content.delivery


@pytest.mark.django_db
def test_a_row_without_place_of_delivery_is_the_one_that_was_imported_before() -> None:
    assert import_tables().is_clean
    before = set(Invoice.objects.values_list("number", "content_hash"))
    rows = INVOICES
    for column in ("nom_livraison", "adresse_livraison", "pays_livraison"):
        rows = with_column(rows, column, "", "")
    report = import_tables(factures=rows)
    assert report.is_clean
    assert set(Invoice.objects.values_list("number", "content_hash")) == before

    report = import_tables(factures=changed(rows, 0, adresse_livraison="9 quai de la Gare"))
    assert report.is_clean
    assert len(set(Invoice.objects.values_list("number", "content_hash")) - before) == 1


@pytest.mark.django_db
def test_an_unknown_country_of_delivery_is_refused_with_its_cell() -> None:
    report = import_tables(factures=with_column(INVOICES, "pays_livraison", "Atlantide", ""))
    (rejection,) = report.rejected
    assert rejection.column == "pays_livraison"
    assert "Atlantide" in rejection.reason


@pytest.mark.django_db
def test_the_days_of_delivery_of_the_lines_reach_the_page_and_the_xml() -> None:
    assert import_tables().is_clean
    before = set(Invoice.objects.values_list("number", "content_hash"))
    assert import_tables(lignes=with_column(LINES, "date_livraison", "", "", "", "")).is_clean
    assert set(Invoice.objects.values_list("number", "content_hash")) == before

    assert import_tables(lignes=with_column(LINES, "date_livraison", "06/01/2025", "20/01/2025", "", "")).is_clean

    content = content_of(Invoice.objects.get(number="F1"))
    days = [line.period and (line.period.start, line.period.end) for line in content.lines]
    assert days == [(date(2025, 1, 6), date(2025, 1, 6)), (date(2025, 1, 20), date(2025, 1, 20)), None]
    text = text_of(render_invoice(content, PrintStyle(), created=CREATED))
    assert "Le 06/01/2025" in text
    assert "Le 20/01/2025" in text
    xml = einvoice_of(Invoice.objects.get(number="F1")).xml
    assert xml is not None
    assert [line.period for line in read_einvoice(xml).content.lines] == [line.period for line in content.lines]


@pytest.mark.django_db
def test_a_day_of_delivery_that_is_none_is_refused_with_its_cell() -> None:
    (rejection,) = import_tables(lignes=with_column(LINES, "date_livraison", "32/01/2025", "", "", "")).rejected
    assert (rejection.column, rejection.value) == ("date_livraison", "32/01/2025")


@pytest.mark.django_db
def test_a_postcode_of_delivery_that_a_spreadsheet_made_a_number_gets_its_zero_back() -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in {**TABLES, "factures": with_column(INVOICES, "code_postal_livraison", 1000, 69002)}.items():
        sheet = book.create_sheet(name)
        sheet.append(list(rows[0]))
        for row in rows:
            sheet.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    assert import_erp([GivenFile("export.xlsx", out.getvalue())]).is_clean
    found = [content_of(invoice).delivery for invoice in Invoice.objects.order_by("number")]
    assert [each and each.address and each.address.postcode for each in found] == ["01000", "69002"]
