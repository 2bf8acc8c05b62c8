"""E-invoices are read as they are: samples as the table with them says, each term where its syntax has it."""

import contextlib
import datetime
import random
from dataclasses import replace
from decimal import Decimal

import pytest

from invoices.en16931.model import (
    Attribute,
    Classification,
    CreditAccount,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Note,
    SupportingDocument,
    from_json,
    to_json,
)
from invoices.formats.cii.writer import write_cii
from invoices.formats.reading import Reading, read_einvoice
from invoices.formats.reading_child import ReadingChild
from invoices.formats.refusals import UnreadableEInvoice
from tests.support.einvoice_samples import CII, EXPECTED, IMPORTED, OTHERS, PDF, SAMPLES, UBL, changed, row_name, sample


def amount_or_none(text: str) -> Decimal | None:
    return Decimal(text) if text else None


# The samples.


def test_all_the_samples_are_listed() -> None:
    files = {path.name for path in SAMPLES.glob("*/*") if path.suffix in (".xml", ".pdf")}
    assert {row["file"] for row in EXPECTED} == files
    assert len(EXPECTED) == 37


@pytest.mark.parametrize("row", IMPORTED, ids=row_name)
def test_a_sample_is_read_as_listed(row: dict[str, str]) -> None:
    reading = read_einvoice(sample(row["source"], row["file"]))
    content = reading.content
    legal = content.buyer.legal_identifier
    assert {
        "container": reading.container,
        "attachment": reading.attachment_name,
        "syntax": reading.syntax,
        "profile": reading.profile,
        "type_code": content.type_code,
        "number": content.number,
        "issue_date": str(content.issue_date or ""),
        "due_date": str(content.due_date or ""),
        "seller": content.seller.name,
        "seller_vat": content.seller.vat_identifier,
        "buyer": content.buyer.name,
        "buyer_legal_id": legal.value if legal else "",
        "buyer_vat": content.buyer.vat_identifier,
        "currency": content.currency,
        "lines": str(len(content.lines)),
    } == {
        name: value.split()[0] if name == "syntax" else value
        for name, value in row.items()
        if name not in ("source", "file", "sums_ok", "outcome", "remark", "prepaid", "amount_due")
        and not name.startswith("total_")
    }
    for name, value in {
        "total_without_vat": content.total_without_vat,
        "total_vat": content.total_vat,
        "total_with_vat": content.total_with_vat,
        "amount_due": content.amount_due,
        "prepaid": content.prepaid_amount,
    }.items():
        assert value == amount_or_none(row[name]), name


@pytest.mark.parametrize("row", OTHERS, ids=row_name)
def test_a_sample_that_is_no_invoice_is_refused_with_a_sentence(row: dict[str, str]) -> None:
    with pytest.raises(UnreadableEInvoice) as refusal:
        read_einvoice(sample(row["source"], row["file"]))
    assert refusal.value.reason.endswith((".", ")."))


@pytest.mark.parametrize("row", IMPORTED, ids=row_name)
def test_what_was_read_survives_json(row: dict[str, str]) -> None:
    content = read_einvoice(sample(row["source"], row["file"])).content
    assert from_json(InvoiceContent, to_json(content)) == content


def test_the_same_invoice_reads_the_same_from_pdf_and_from_xml() -> None:
    from_pdf, from_xml = read_einvoice(PDF), read_einvoice(CII)
    assert from_pdf.content.lines == from_xml.content.lines
    assert from_pdf.content.seller == from_xml.content.seller
    assert from_pdf.xml.lstrip().startswith(b"<?xml")


def test_the_same_invoice_reads_the_same_from_cii_and_from_ubl() -> None:
    cii, ubl = read_einvoice(CII).content, read_einvoice(UBL).content
    for name in ("number", "issue_date", "currency", "vat_breakdown", "total_with_vat", "notes"):
        assert getattr(cii, name) == getattr(ubl, name), name
    for from_cii, from_ubl in zip(cii.lines, ubl.lines, strict=True):
        for name in ("name", "quantity", "unit", "net_price", "net_amount", "vat_category", "vat_rate"):
            assert getattr(from_cii, name) == getattr(from_ubl, name), name


def test_what_a_minimum_profile_does_not_state_stays_empty() -> None:
    content = read_einvoice(sample("akretion-factur-x", "factur-x-minimum.xml")).content
    assert (content.lines, content.vat_breakdown, content.notes, content.allowances_charges) == ((), (), (), ())
    assert (content.due_date, content.line_total, content.delivery, content.payment) == (None, None, None, None)
    assert content.seller.address is not None
    assert content.seller.address.city == ""


def test_a_french_invoice_is_read_to_its_last_term() -> None:
    content = read_einvoice(sample("akretion-factur-x", "ubl-21-en16931.xml")).content
    assert content.seller.legal_identifier == Identifier("999999998", "0002")
    assert {note.subject_code for note in content.notes} >= {"PMT", "PMD", "AAB"}
    assert not any(note.text.startswith("#") for note in content.notes)
    assert content.purchase_order_reference
    assert content.payment is not None
    assert content.payment.iban.startswith("FR")


def test_references_and_items_of_a_ubl_are_read() -> None:
    content = read_einvoice(sample("akretion-factur-x", "ubl-21-en16931.xml")).content
    assert (content.receiving_advice_reference, content.tender_reference) == ("BR-2026/06/42", "LOT12")
    assert content.invoiced_object == Identifier("EMPL042", "AHK")
    oil, nougat = content.lines
    assert (oil.origin_country, oil.accounting_reference) == ("FR", "623400")
    assert oil.classifications == (Classification("LOT1242", "BB", "1.0"), Classification("15092000", "HS", "NC8"))
    assert oil.attributes == (Attribute("Couleur", "Vert"), Attribute("Taille", "L"))
    assert nougat.object_identifier == Identifier("AWB129871", "MWB")


def test_references_and_items_of_a_cii_are_read() -> None:
    content = read_einvoice(sample("akretion-factur-x", "factur-x-en16931.xml")).content
    paper = next(line for line in content.lines if line.origin_country)
    assert (paper.origin_country, paper.accounting_reference) == ("FR", "BUY_ACC_REF")
    assert paper.classifications == (Classification("LOT6254784", "BB"),)
    assert paper.attributes == (Attribute("COULEUR", "BLANC"), Attribute("GRAMMAGE", "80g"))
    assert paper.object_identifier == Identifier("TARIF_2022", "AFG")


def test_supporting_documents_are_read_with_what_is_inside_of_them() -> None:
    content = read_einvoice(sample("cen-en16931", "ubl-tc434-example5.xml")).content
    assert content.supporting_documents == (
        SupportingDocument("OBJ999", "ATS"),
        SupportingDocument(
            "sales slip",
            "your sales slip",
            filename="EHF.pdf",
            mime_type="application/pdf",
            content="VGVzdGluZyBCYXNlNjQgZW5jb2Rpbmc=",
        ),
    )


def test_a_second_account_and_a_card_of_ubl_are_read() -> None:
    means = (
        "<cac:PaymentMeans><cbc:PaymentMeansCode>48</cbc:PaymentMeansCode><cac:CardAccount>"
        "<cbc:PrimaryAccountNumberID>1234</cbc:PrimaryAccountNumberID><cbc:NetworkID>CB</cbc:NetworkID>"
        "<cbc:HolderName>Jean Dupont</cbc:HolderName></cac:CardAccount></cac:PaymentMeans>"
    )
    transfer = (
        "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode><cac:PayeeFinancialAccount>"
        "<cbc:ID>FR7610107001011234567890129</cbc:ID><cbc:Name>Nous</cbc:Name></cac:PayeeFinancialAccount>"
        "</cac:PaymentMeans>"
    )
    payment = read_einvoice(changed(UBL, "<cac:TaxTotal>", means + transfer + "<cac:TaxTotal>")).content.payment
    assert payment is not None
    assert (payment.card_number, payment.card_holder, payment.iban) == ("1234", "Jean Dupont", "")
    assert payment.other_accounts == (CreditAccount("FR7610107001011234567890129", "Nous"),)


# Details of the syntaxes.


def test_a_note_of_ubl_gives_its_subject_code() -> None:
    note = "<cbc:Note>#PMT#Indemnité forfaitaire\nde 40 €</cbc:Note>"
    document = changed(UBL, "<cbc:DocumentCurrencyCode>", f"{note}<cbc:DocumentCurrencyCode>")
    assert Note("Indemnité forfaitaire\nde 40 €", "PMT") in read_einvoice(document).content.notes


def test_the_vat_total_in_another_currency_is_distinguished_in_cii() -> None:
    total = '<ram:TaxTotalAmount currencyID="EUR">56.87</ram:TaxTotalAmount>'
    both = '<ram:TaxTotalAmount currencyID="CHF">60.00</ram:TaxTotalAmount>' + total
    document = changed(CII, total, both)
    document = changed(
        document, "<ram:InvoiceCurrencyCode>", "<ram:TaxCurrencyCode>CHF</ram:TaxCurrencyCode><ram:InvoiceCurrencyCode>"
    )
    content = read_einvoice(document).content
    assert (content.total_vat, content.total_vat_in_vat_currency) == (Decimal("56.87"), Decimal("60.00"))


def test_the_vat_total_in_another_currency_is_distinguished_in_ubl() -> None:
    other = '<cac:TaxTotal><cbc:TaxAmount currencyID="CHF">60.00</cbc:TaxAmount></cac:TaxTotal>'
    document = changed(UBL, "<cac:LegalMonetaryTotal>", f"{other}<cac:LegalMonetaryTotal>")
    document = changed(
        document,
        "</cbc:DocumentCurrencyCode>",
        "</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>CHF</cbc:TaxCurrencyCode>",
    )
    content = read_einvoice(document).content
    assert (content.total_vat, content.total_vat_in_vat_currency) == (Decimal("56.87"), Decimal("60.00"))


def test_the_due_date_of_a_ubl_credit_note_is_with_the_means_of_payment() -> None:
    credit_note = sample("cen-en16931", "ubl-tc434-creditnote1.xml")
    means = (
        "<cac:PaymentMeans><cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>"
        "<cbc:PaymentDueDate>2019-10-23</cbc:PaymentDueDate></cac:PaymentMeans>"
    )
    document = changed(credit_note, "</cac:AccountingCustomerParty>", "</cac:AccountingCustomerParty>" + means)
    content = read_einvoice(document).content
    assert content.due_date == datetime.date(2019, 10, 23)
    assert content.is_credit_note


def test_the_invoice_that_a_credit_note_corrects_is_read_with_its_date() -> None:
    content = read_einvoice(
        sample("fnfe-factur-x-samples", "Facture_F20220028-LE_FOURNISSEUR-POUR-LE_CLIENT_EN_16931.pdf")
    ).content
    assert content.preceding_invoices == (DocumentReference("F20220003", datetime.date(2022, 1, 1)),)


@pytest.mark.parametrize(
    ("stated", "term"), [("12,50", "BT-112"), ("NaN", "BT-112"), ("1e9", "BT-112"), ("9" * 40, "BT-112")]
)
def test_an_amount_that_is_no_number_is_refused_with_its_term_and_value(stated: str, term: str) -> None:
    document = changed(CII, "529.87</ram:GrandTotalAmount>", f"{stated}</ram:GrandTotalAmount>")
    with pytest.raises(UnreadableEInvoice, match=f"{term}.*{stated[:20]}"):
        read_einvoice(document)


def test_blanks_in_an_amount_are_ignored() -> None:
    document = changed(CII, "529.87</ram:GrandTotalAmount>", "\n\t529.87\u00a0</ram:GrandTotalAmount>")
    assert read_einvoice(document).content.total_with_vat == Decimal("529.87")


def test_a_date_that_is_none_is_left_out_with_a_warning() -> None:
    reading = read_einvoice(changed(CII, "20180305", "20180231"))
    assert reading.content.issue_date is None
    assert any("BT-2" in warning and "20180231" in warning for warning in reading.warnings)


def test_an_invoice_without_number_is_refused() -> None:
    with pytest.raises(UnreadableEInvoice, match="BT-1"):
        read_einvoice(changed(UBL, "<cbc:ID>471102</cbc:ID>", "<cbc:ID> </cbc:ID>"))


def test_a_line_of_text_alone_counts_for_nothing_and_is_warned_of() -> None:
    line = (
        "<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>3</ram:LineID>"
        "<ram:IncludedNote><ram:Content>Livraison gratuite</ram:Content></ram:IncludedNote>"
        "</ram:AssociatedDocumentLineDocument></ram:IncludedSupplyChainTradeLineItem>"
    )
    reading = read_einvoice(
        changed(CII, "<ram:ApplicableHeaderTradeAgreement>", line + "<ram:ApplicableHeaderTradeAgreement>")
    )
    assert reading.content.lines[2].note == "Livraison gratuite"
    assert [warning for warning in reading.warnings if "Ligne 3" in warning]


# Whatever comes.


@pytest.mark.parametrize("document", [CII, UBL, PDF], ids=["cii", "ubl", "pdf"])
def test_a_damaged_file_is_read_or_refused_and_nothing_else(document: bytes) -> None:
    chance = random.Random(document[:100])
    with ReadingChild() as child:
        for _ in range(40):
            damaged = bytearray(document)
            for position in (chance.randrange(len(damaged)) for _ in range(chance.choice((1, 5, 50)))):
                damaged[position] = chance.randrange(256)
            if chance.random() < 0.3:
                del damaged[chance.randrange(len(damaged)) :]
            with contextlib.suppress(UnreadableEInvoice):
                assert isinstance(child.read(bytes(damaged)), Reading)


def test_an_invoice_of_the_profile_en_16931_is_written_and_read_back_equal() -> None:
    french = "Facture_F20220024-LE_FOURNISSEUR-POUR-LE_CLIENT_EN_16931.pdf"
    for data in (CII, PDF, sample("fnfe-factur-x-samples", french)):
        content = read_einvoice(data).content
        again = read_einvoice(write_cii(content)).content
        if content.payment and again.payment:  # an IBAN is written without the blanks it was stated with
            payment = replace(content.payment, iban=content.payment.iban.replace(" ", ""))
            content = replace(content, payment=payment)
        assert again == content


def test_a_ubl_credit_note_without_type_is_one_by_its_root() -> None:
    credit_note = sample("cen-en16931", "ubl-tc434-creditnote1.xml")
    document = changed(credit_note, "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>", "")
    assert read_einvoice(document).content.is_credit_note


@pytest.mark.parametrize("row", IMPORTED, ids=row_name)
def test_what_is_read_is_written_and_read_again_unchanged(row: dict[str, str]) -> None:
    """Through the writer, for what its profile can hold: the second reading is the fixed point."""
    content = read_einvoice(sample(row["source"], row["file"])).content
    once = read_einvoice(write_cii(content)).content
    twice = read_einvoice(write_cii(once)).content
    assert twice == once
    assert (once.number, once.issue_date, once.due_date) == (content.number, content.issue_date, content.due_date)
    assert [line.net_amount for line in once.lines] == [line.net_amount for line in content.lines]
    assert once.seller.name == content.seller.name
