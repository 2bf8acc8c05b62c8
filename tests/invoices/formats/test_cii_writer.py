"""The XML of an e-invoice: what is written where, in which form, and how fast."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from facturx.parse_xml import parse_ubl_cii_xml
from hypothesis import HealthCheck, given, settings
from lxml import etree

from invoices.en16931.model import AllowanceCharge, Identifier, InvoiceContent, Note, PaymentInstructions, Period
from invoices.formats.cii.writer import write_cii
from invoices.formats.reading import read_einvoice
from tests.support.invoice_examples import BUYER, EXAMPLES, GERMAN_BUYER, ISSUED, SELLER, Example, content, line
from tests.support.invoice_strategies import varied_invoices

NAMESPACES = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
SELLER_PATH = "//ram:SellerTradeParty"
BUYER_PATH = "//ram:BuyerTradeParty"
HEAD = "//ram:ApplicableHeaderTradeSettlement"
AGREEMENT = "//ram:ApplicableHeaderTradeAgreement"
SUPPORTING = AGREEMENT + "/ram:AdditionalReferencedDocument[ram:TypeCode='916']"
LINE = "//ram:IncludedSupplyChainTradeLineItem"


def texts(invoice: InvoiceContent, path: str) -> list[str]:
    """The texts (or attribute values) at ``path`` in the XML of ``invoice``."""
    root: Any = etree.fromstring(write_cii(invoice))
    return [str(getattr(found, "text", found)) for found in root.xpath(path, namespaces=NAMESPACES)]


EVERYTHING = EXAMPLES["everything"].content


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", "M1"),
        ("//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", "urn:cen.eu:en16931:2017"),
        ("//rsm:ExchangedDocument/ram:ID", "F-2026-0001"),
        ("//rsm:ExchangedDocument/ram:TypeCode", "380"),
        ("//ram:IssueDateTime/udt:DateTimeString[@format='102']", "20261005"),
        ("//ram:IncludedNote[ram:SubjectCode='AAI']/ram:Content", "Première ligne\nDeuxième ligne"),
        ("//ram:ApplicableHeaderTradeAgreement/ram:BuyerReference", "SERVICE-12"),
        (SELLER_PATH + "/ram:GlobalID[@schemeID='0009']", "73282932000074"),
        (SELLER_PATH + "/ram:Name", "Atelier des Érables SAS"),
        (SELLER_PATH + "/ram:Description", "SAS au capital de 50 000 €, RCS Lyon"),
        (SELLER_PATH + "/ram:SpecifiedLegalOrganization/ram:ID[@schemeID='0002']", "732829320"),
        (SELLER_PATH + "/ram:SpecifiedLegalOrganization/ram:TradingBusinessName", "Les Érables"),
        (SELLER_PATH + "/ram:DefinedTradeContact/ram:PersonName", "Camille Petit"),
        (SELLER_PATH + "//ram:TelephoneUniversalCommunication/ram:CompleteNumber", "+33 4 72 00 00 00"),
        (SELLER_PATH + "//ram:EmailURIUniversalCommunication/ram:URIID", "compta@erables.example"),
        (SELLER_PATH + "//ram:PostcodeCode", "69003"),
        (SELLER_PATH + "//ram:LineOne", "12 rue des Érables"),
        (SELLER_PATH + "//ram:LineTwo", "Bâtiment B"),
        (SELLER_PATH + "//ram:CityName", "Lyon"),
        (SELLER_PATH + "//ram:CountryID", "FR"),
        (SELLER_PATH + "/ram:URIUniversalCommunication/ram:URIID[@schemeID='0225']", "732829320"),
        (SELLER_PATH + "/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']", "FR44732829320"),
        (BUYER_PATH + "/ram:Name", "Papeterie du Château & Fils"),
        (BUYER_PATH + "/ram:GlobalID[@schemeID='0009']", "55210055400427"),
        (BUYER_PATH + "/ram:SpecifiedLegalOrganization/ram:ID[@schemeID='0002']", "552100554"),
        (BUYER_PATH + "/ram:URIUniversalCommunication/ram:URIID[@schemeID='0225']", "552100554"),
        (BUYER_PATH + "/ram:SpecifiedTaxRegistration/ram:ID[@schemeID='VA']", "FR96552100554"),
        ("//ram:SellerTaxRepresentativeTradeParty/ram:Name", "Représentation Fiscale SARL"),
        ("//ram:SellerTaxRepresentativeTradeParty//ram:CountryID", "FR"),
        ("//ram:SellerOrderReferencedDocument/ram:IssuerAssignedID", "CMD-12"),
        ("//ram:ApplicableHeaderTradeAgreement/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", "BC-778"),
        ("//ram:ContractReferencedDocument/ram:IssuerAssignedID", "C-2025-04"),
        ("//ram:SpecifiedProcuringProject/ram:ID", "CHANTIER-7"),
        ("//ram:ShipToTradeParty/ram:Name", "Entrepôt sud"),
        ("//ram:ShipToTradeParty/ram:GlobalID[@schemeID='0009']", "55210055400591"),
        ("//ram:ShipToTradeParty//ram:CityName", "Marseille"),
        ("//ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/udt:DateTimeString", "20261001"),
        ("//ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID", "BL-31"),
        ("//ram:ReceivingAdviceReferencedDocument/ram:IssuerAssignedID", "REC-31"),
        (AGREEMENT + "/ram:AdditionalReferencedDocument[ram:TypeCode='50']/ram:IssuerAssignedID", "LOT-2"),
        (AGREEMENT + "/ram:AdditionalReferencedDocument[ram:TypeCode='130']/ram:IssuerAssignedID", "CONTRAT-EAU-55"),
        (AGREEMENT + "/ram:AdditionalReferencedDocument[ram:TypeCode='130']/ram:ReferenceTypeCode", "AWT"),
        (SUPPORTING + "[1]/ram:IssuerAssignedID", "BL-31"),
        (SUPPORTING + "[1]/ram:Name", "BON_LIVRAISON"),
        (SUPPORTING + "[1]/ram:AttachmentBinaryObject/@filename", "bl-31.pdf"),
        (SUPPORTING + "[1]/ram:AttachmentBinaryObject/@mimeCode", "application/pdf"),
        (SUPPORTING + "[2]/ram:URIID", "https://erables.example/plans/3"),
        (HEAD + "/ram:CreditorReferenceID", "FR72ZZZ123456"),
        (HEAD + "/ram:PaymentReference", "F-2026-0001"),
        (HEAD + "/ram:InvoiceCurrencyCode", "EUR"),
        ("//ram:PayeeTradeParty/ram:Name", "Affactor SA"),
        ("//ram:PayeeTradeParty/ram:SpecifiedLegalOrganization/ram:ID[@schemeID='0002']", "404833048"),
        ("//ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", "59"),
        ("//ram:SpecifiedTradeSettlementPaymentMeans/ram:Information", "Prélèvement SEPA"),
        ("//ram:PayerPartyDebtorFinancialAccount/ram:IBANID", "FR1420041010050500013M02606"),
        (HEAD + "/ram:ApplicableTradeTax/ram:CalculatedAmount", "20.00"),
        (HEAD + "/ram:ApplicableTradeTax/ram:BasisAmount", "100.00"),
        (HEAD + "/ram:ApplicableTradeTax/ram:CategoryCode", "S"),
        (HEAD + "/ram:ApplicableTradeTax/ram:DueDateTypeCode", "5"),
        (HEAD + "/ram:ApplicableTradeTax/ram:RateApplicablePercent", "20"),
        (HEAD + "/ram:BillingSpecifiedPeriod/ram:StartDateTime/udt:DateTimeString", "20260901"),
        (HEAD + "/ram:BillingSpecifiedPeriod/ram:EndDateTime/udt:DateTimeString", "20260930"),
        ("//ram:SpecifiedTradePaymentTerms/ram:Description", "30 jours nets"),
        ("//ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/udt:DateTimeString", "20261104"),
        ("//ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID", "RUM-44"),
        (HEAD + "//ram:TaxTotalAmount[@currencyID='EUR']", "20.00"),
        (HEAD + "//ram:RoundingAmount", "-0.01"),
        (HEAD + "//ram:GrandTotalAmount", "120.00"),
        (HEAD + "//ram:DuePayableAmount", "119.99"),
        ("//ram:InvoiceReferencedDocument/ram:IssuerAssignedID", "F-2026-0000"),
        ("//ram:InvoiceReferencedDocument/ram:FormattedIssueDateTime/qdt:DateTimeString", "20260901"),
        (HEAD + "/ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", "606100"),
        (LINE + "//ram:LineID[parent::ram:AssociatedDocumentLineDocument]", "1"),
        (LINE + "//ram:IncludedNote/ram:Content", "Voir le rapport"),
        (LINE + "//ram:SpecifiedTradeProduct/ram:GlobalID[@schemeID='0160']", "3660000000004"),
        (LINE + "//ram:SellerAssignedID", "REF-1"),
        (LINE + "//ram:BuyerAssignedID", "ART-9"),
        (LINE + "//ram:SpecifiedTradeProduct/ram:Name", "Prestation 1"),
        (LINE + "//ram:SpecifiedTradeProduct/ram:Description", "Sur trois jours,\navec déplacement"),
        (LINE + "//ram:BuyerOrderReferencedDocument/ram:LineID", "10"),
        (LINE + "//ram:ApplicableProductCharacteristic[ram:Description='Couleur']/ram:Value", "Bleu nuit"),
        (LINE + "//ram:ClassCode[@listID='STI'][@listVersionID='23.0501']", "43211503"),
        (LINE + "//ram:ClassCode[@listID='HS'][not(@listVersionID)]", "84713000"),
        (LINE + "//ram:OriginTradeCountry/ram:ID", "DE"),
        (LINE + "//ram:AdditionalReferencedDocument[ram:TypeCode='130']/ram:IssuerAssignedID", "COMPTEUR-8"),
        (LINE + "//ram:AdditionalReferencedDocument/ram:ReferenceTypeCode", "ABT"),
        (LINE + "//ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID", "606110"),
        (LINE + "//ram:NetPriceProductTradePrice/ram:BasisQuantity[@unitCode='C62']", "1"),
        (LINE + "//ram:NetPriceProductTradePrice/ram:ChargeAmount", "50.00"),
        (LINE + "//ram:BilledQuantity[@unitCode='HUR']", "2"),
        (LINE + "//ram:ApplicableTradeTax/ram:CategoryCode", "S"),
        (LINE + "//ram:BillingSpecifiedPeriod/ram:EndDateTime/udt:DateTimeString", "20260930"),
        (LINE + "//ram:LineTotalAmount", "100.00"),
    ],
)
def test_each_business_term_is_in_its_place(path: str, expected: str) -> None:
    assert texts(EVERYTHING, path) == [expected]


def test_an_account_to_credit_is_written_with_its_holder_and_bank() -> None:
    means = "//ram:SpecifiedTradeSettlementPaymentMeans"
    assert texts(content(), means + "//ram:PayeePartyCreditorFinancialAccount/ram:IBANID") == [
        "FR7630006000011234567890189"
    ]
    assert texts(content(), means + "//ram:AccountName") == ["Atelier des Érables"]
    assert texts(content(), means + "//ram:BICID") == ["AGRIFRPP"]


def test_a_second_account_is_a_means_of_its_own_and_a_card_is_with_the_first() -> None:
    invoice = EXAMPLES["card and two accounts"].content
    means = "//ram:SpecifiedTradeSettlementPaymentMeans"
    assert texts(invoice, means + "/ram:TypeCode") == ["48", "48"]
    assert texts(invoice, means + "[1]//ram:CardholderName") == ["Jean Dupont"]
    assert texts(invoice, means + "[2]//ram:IBANID") == ["FR7610107001011234567890129"]
    assert texts(invoice, means + "[2]//ram:BICID") == ["BREDFRPP"]
    assert texts(invoice, means + "[2]/ram:ApplicableTradeSettlementFinancialCard") == []


def test_a_discount_stated_alone_brings_the_gross_price_that_it_implies() -> None:
    invoice = content((line(1, price="9.00", price_discount=Decimal("1.00")),))
    assert texts(invoice, LINE + "//ram:GrossPriceProductTradePrice/ram:ChargeAmount") == ["10.00"]
    assert texts(invoice, LINE + "//ram:AppliedTradeAllowanceCharge/ram:ActualAmount") == ["1.00"]


def test_an_exemption_code_in_small_letters_is_written_as_the_list_has_it() -> None:
    exempt = EXAMPLES["exempt"].content
    breakdown = (replace(exempt.vat_breakdown[0], exemption_code="vatex-eu-132-1a"),)
    assert texts(replace(exempt, vat_breakdown=breakdown), HEAD + "//ram:ExemptionReasonCode") == ["VATEX-EU-132-1A"]


def test_an_account_number_that_is_no_iban_is_written_as_proprietary() -> None:
    invoice = content(payment=PaymentInstructions(means_code="30", iban="021000021-4455"))
    assert texts(invoice, "//ram:ProprietaryID") == ["021000021-4455"]
    assert texts(invoice, "//ram:IBANID") == []


def test_an_iban_printed_in_groups_is_written_without_spaces() -> None:
    invoice = content(payment=PaymentInstructions(means_code="30", iban="fr76 3000 6000 0112 3456 7890 189"))
    assert texts(invoice, "//ram:IBANID") == ["FR7630006000011234567890189"]


def test_line_allowances_charges_and_gross_prices_are_written() -> None:
    invoice = EXAMPLES["allowances and charges"].content
    first = LINE + "[1]//ram:SpecifiedTradeAllowanceCharge"
    assert texts(invoice, first + "/ram:ChargeIndicator/udt:Indicator") == ["false", "true"]
    assert texts(invoice, first + "/ram:ActualAmount") == ["9.90", "2.50"]
    assert texts(invoice, first + "/ram:CalculationPercent") == ["10"]
    assert texts(invoice, first + "/ram:BasisAmount") == ["99.00"]
    assert texts(invoice, first + "/ram:Reason") == ["Fidélité", "Emballage"]
    assert texts(invoice, LINE + "[2]//ram:GrossPriceProductTradePrice/ram:ChargeAmount") == ["8.00"]
    assert texts(invoice, LINE + "[2]//ram:AppliedTradeAllowanceCharge/ram:ActualAmount") == ["0.50"]
    assert texts(invoice, LINE + "[3]//ram:NetPriceProductTradePrice/ram:BasisQuantity[@unitCode='H87']") == ["1000"]


def test_head_allowances_and_charges_are_written_with_their_vat() -> None:
    invoice = EXAMPLES["allowances and charges"].content
    head = HEAD + "/ram:SpecifiedTradeAllowanceCharge"
    assert texts(invoice, head + "/ram:ActualAmount") == ["5.00", "15.00"]
    assert texts(invoice, head + "/ram:ReasonCode") == ["95", "FC"]
    assert texts(invoice, head + "/ram:CategoryTradeTax/ram:RateApplicablePercent") == ["20", "20"]
    assert texts(invoice, HEAD + "//ram:AllowanceTotalAmount") == ["5.00"]
    assert texts(invoice, HEAD + "//ram:ChargeTotalAmount") == ["15.00"]


def test_a_foreign_currency_brings_the_vat_in_euros() -> None:
    invoice = EXAMPLES["foreign currency"].content
    assert texts(invoice, HEAD + "/ram:TaxCurrencyCode") == ["EUR"]
    assert texts(invoice, HEAD + "//ram:TaxTotalAmount/@currencyID") == ["USD", "EUR"]
    assert texts(invoice, HEAD + "//ram:TaxTotalAmount") == ["20.00", "18.52"]


def test_a_vat_currency_equal_to_the_currency_is_left_out() -> None:
    invoice = content(vat_currency="EUR", total_vat_in_vat_currency=Decimal("20.00"))
    assert texts(invoice, HEAD + "/ram:TaxCurrencyCode") == []
    assert texts(invoice, HEAD + "//ram:TaxTotalAmount") == ["20.00"]


def test_an_invoice_out_of_scope_bears_no_vat_number_and_no_rate() -> None:
    invoice = content((line(category="O", rate="0"),), buyer=GERMAN_BUYER)
    assert texts(invoice, "//ram:SpecifiedTaxRegistration") == []
    assert texts(invoice, "//ram:RateApplicablePercent") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_amount_has_exactly_two_decimals(name: str) -> None:
    amounts = (
        "//*[self::ram:LineTotalAmount or self::ram:BasisAmount or self::ram:CalculatedAmount"
        " or self::ram:GrandTotalAmount or self::ram:TaxBasisTotalAmount or self::ram:TaxTotalAmount"
        " or self::ram:DuePayableAmount"
        " or (self::ram:ActualAmount and not(parent::ram:AppliedTradeAllowanceCharge))]"
    )
    found = texts(EXAMPLES[name].content, amounts)
    assert len(found) >= 7
    assert [amount for amount in found if len(amount.partition(".")[2]) != 2] == []


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("7", "7.00"),
        ("7.005", "7.01"),
        ("-0.004", "0.00"),
        ("1E+3", "1000.00"),
        ("-7.1", "-7.10"),
        ("9e40", "9" + "0" * 40 + ".00"),
    ],
)
def test_an_amount_is_rounded_half_up_and_never_minus_zero(amount: str, written: str) -> None:
    assert texts(content(amount_due=Decimal(amount)), HEAD + "//ram:DuePayableAmount") == [written]


@pytest.mark.parametrize(("given", "written"), [("1.2300", "1.2300"), ("1E+2", "100"), ("0.000001", "0.000001")])
def test_quantities_and_prices_keep_their_digits(given: str, written: str) -> None:
    invoice = content((replace(line(), quantity=Decimal(given), net_price=Decimal(given)),))
    assert texts(invoice, LINE + "//ram:BilledQuantity") == [written]
    assert texts(invoice, LINE + "//ram:NetPriceProductTradePrice/ram:ChargeAmount") == [written]


@pytest.mark.parametrize(("given", "written"), [("100.00", "100"), ("5.50", "5.5"), ("0", "0"), ("20", "20")])
def test_percentages_are_written_without_needless_zeros(given: str, written: str) -> None:
    allowance = AllowanceCharge(False, Decimal("1.00"), percentage=Decimal(given), vat_category="S")
    assert texts(content(allowances_charges=(allowance,)), HEAD + "//ram:CalculationPercent") == [written]


def test_the_same_content_gives_the_same_bytes() -> None:
    again = EXAMPLES["everything"].content
    assert write_cii(EVERYTHING) == write_cii(replace(again))
    assert write_cii(EVERYTHING).startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<rsm:CrossIndustryInvoice")


def test_characters_that_xml_cannot_hold_are_dropped_and_line_ends_are_plain() -> None:
    invoice = content(notes=(Note("Un\x0bdeux\ud800\r\ntrois\x00"),))
    assert texts(invoice, "//ram:IncludedNote/ram:Content") == ["Undeux\ntrois"]


def test_blank_texts_are_no_elements() -> None:
    invoice = content(
        notes=(Note("  "),),
        buyer_reference=" ",
        period=Period(),
        seller=replace(SELLER, trading_name=" ", electronic_address=Identifier(" ", "EM")),
    )
    root: Any = etree.fromstring(write_cii(invoice))
    empty = root.xpath("//*[not(*) and not(normalize-space())]")
    # The schema demands this one.
    assert [etree.QName(element).localname for element in empty] == ["ApplicableHeaderTradeDelivery"]


def test_the_buyer_has_one_identifier_and_it_is_the_one_with_a_scheme() -> None:
    buyer = replace(BUYER, identifiers=(Identifier("CLIENT 7"), *BUYER.identifiers))
    assert texts(content(buyer=buyer), BUYER_PATH + "/ram:GlobalID") == ["55210055400427"]
    assert texts(content(buyer=buyer), BUYER_PATH + "/ram:ID") == []


def test_lines_that_only_gather_others_are_not_written() -> None:
    invoice = content((line(1), replace(line(2), kind="GROUP"), replace(line(3), kind="DETAIL")))
    assert texts(invoice, LINE + "//ram:SpecifiedTradeProduct/ram:Name") == ["Prestation 1", "Prestation 3"]


def test_an_incomplete_invoice_is_written_as_far_as_it_goes() -> None:
    invoice = content(issue_date=None, line_total=None, payment=None, due_date=None, payment_terms="")
    assert texts(invoice, "//ram:IssueDateTime") == []
    assert texts(invoice, HEAD + "//ram:LineTotalAmount") == []
    assert texts(invoice, "//ram:SpecifiedTradePaymentTerms") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_parser_of_factur_x_reads_the_same(name: str) -> None:
    invoice = EXAMPLES[name].content
    read = parse_ubl_cii_xml(write_cii(invoice))
    assert read["BT-1"] == invoice.number
    assert read["BT-2"] == ISSUED
    assert read.get("BT-9") == invoice.due_date
    assert read["BT-3"] == invoice.type_code
    assert read["BT-5"] == invoice.currency
    assert read["BT-23"] == invoice.business_process
    assert read["BG-4"]["name"] == invoice.seller.name
    assert read["BG-4"]["legal_identifier"] == "732829320"
    assert read["BG-7"]["name"] == invoice.buyer.name
    assert Decimal(read["BT-109"]) == invoice.total_without_vat
    assert Decimal(read["BT-112"]) == invoice.total_with_vat
    assert Decimal(read["BT-115"]) == invoice.amount_due
    assert [(each["BT-118"], Decimal(each["BT-116"]), Decimal(each["BT-117"])) for each in read["BG-23"]] == [
        (each.category, each.taxable_amount, each.tax_amount) for each in invoice.vat_breakdown
    ]
    assert [(each["BT-153"], Decimal(each["BT-129"]), Decimal(each["BT-131"])) for each in read["BG-25"]] == [
        (each.name, each.quantity, each.net_amount) for each in invoice.lines
    ]
    assert [note["BT-22"] for note in read["BG-1"]] == [note.text for note in invoice.notes]


def as_written(invoice: InvoiceContent) -> InvoiceContent:
    """What a reader must find: the profile, and no VAT number where the rules forbid one (BR-O-02)."""
    expected = replace(invoice, profile="urn:cen.eu:en16931:2017")
    if any(each.category == "O" for each in invoice.vat_breakdown):
        expected = replace(
            expected,
            seller=replace(invoice.seller, vat_identifier=""),
            buyer=replace(invoice.buyer, vat_identifier=""),
        )
    return expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_written_is_read_back_identically(name: str) -> None:
    reading = read_einvoice(write_cii(EXAMPLES[name].content))
    assert reading.content == as_written(EXAMPLES[name].content)
    assert reading.warnings == ()


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(example=varied_invoices())
def test_any_lawful_invoice_is_read_back_identically(example: Example) -> None:
    reading = read_einvoice(write_cii(example.content))
    assert reading.content == as_written(example.content)
    assert reading.warnings == ()
