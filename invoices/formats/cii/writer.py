"""Writes an invoice as Factur-X XML: UN/CEFACT Cross Industry Invoice, profile EN 16931.

A pure function of its argument: the same content gives the same bytes, which the reproducible PDF needs.
The writer states what the content states and nothing more. What is missing is left out, even where the
schema demands it: :mod:`invoices.formats.rules` then names it in French, which an exception here would not.
"""

import re
from typing import Final

from lxml import etree

from invoices.en16931.model import (
    CreditAccount,
    Delivery,
    DocumentReference,
    Identifier,
    InvoiceContent,
    PaymentInstructions,
    SupportingDocument,
    VatBreakdown,
)
from invoices.formats.cii.elements import (
    NAMESPACES,
    QDT,
    RAM,
    RSM,
    UDT,
    add_amount,
    add_date,
    add_identifier,
    add_percentage,
    add_text,
)
from invoices.formats.cii.lines import add_line
from invoices.formats.cii.parties import add_address, add_buyer, add_one_identifier, add_seller, add_tax_registration
from invoices.formats.cii.parts import OUT_OF_SCOPE, add_account, add_allowance_charge, add_period, add_typed_reference
from invoices.formats.semantic_reader import INVOICED_OBJECT, SUPPORTING_DOCUMENT, TENDER

GUIDELINE: Final = "urn:cen.eu:en16931:2017"
"""BT-24 of everything written here."""

_IBAN_SHAPE: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")

# BT-11 is an identifier; the syntax wants a name beside it and the Factur-X guide gives this constant.
_PROJECT_NAME: Final = "Project reference"


def write_cii(content: InvoiceContent) -> bytes:
    """The CII document of ``content``, UTF-8 with declaration, ready to be attached as ``factur-x.xml``.

    Amounts are written with two decimals, quantities and prices with the digits they were given, dates as
    YYYYMMDD. Where a VAT category is O, the VAT identifiers of the parties are left out: BR-O-02 to BR-O-04
    forbid them. BT-6 and BT-111 are left out where the VAT currency is the invoice's own, and lines that only
    gather or explain others (profile EXTENDED) since EN 16931 would add them up.
    """
    root = etree.Element(RSM + "CrossIndustryInvoice", nsmap=NAMESPACES)
    _context(root, content)
    _document(root, content)
    transaction = etree.SubElement(root, RSM + "SupplyChainTradeTransaction")
    for line in content.lines:
        if line.counts_in_totals:
            add_line(transaction, line)
    _agreement(transaction, content)
    _delivery(transaction, content)
    _settlement(transaction, content)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


# Head.


def _context(root: etree._Element, content: InvoiceContent) -> None:
    """BG-2: BT-23 and BT-24."""
    context = etree.SubElement(root, RSM + "ExchangedDocumentContext")
    if content.business_process:
        process = etree.SubElement(context, RAM + "BusinessProcessSpecifiedDocumentContextParameter")
        add_text(process, RAM + "ID", content.business_process)
    add_text(etree.SubElement(context, RAM + "GuidelineSpecifiedDocumentContextParameter"), RAM + "ID", GUIDELINE)


def _document(root: etree._Element, content: InvoiceContent) -> None:
    """BT-1 to BT-3 and the notes (BG-1)."""
    document = etree.SubElement(root, RSM + "ExchangedDocument")
    add_text(document, RAM + "ID", content.number)
    add_text(document, RAM + "TypeCode", content.type_code)
    add_date(document, RAM + "IssueDateTime", content.issue_date)
    for note in content.notes:
        if note.text.strip():
            child = etree.SubElement(document, RAM + "IncludedNote")
            add_text(child, RAM + "Content", note.text)
            add_text(child, RAM + "SubjectCode", note.subject_code)


# Parties and references.


def _agreement(transaction: etree._Element, content: InvoiceContent) -> None:
    """BT-10 to BT-14, seller, buyer, tax representative."""
    agreement = etree.SubElement(transaction, RAM + "ApplicableHeaderTradeAgreement")
    with_vat_identifiers = not _has_out_of_scope_vat(content)
    add_text(agreement, RAM + "BuyerReference", content.buyer_reference)
    add_seller(agreement, content.seller, with_vat_identifier=with_vat_identifiers)
    add_buyer(agreement, content.buyer, with_vat_identifier=with_vat_identifiers)
    if content.tax_representative is not None:
        representative = etree.SubElement(agreement, RAM + "SellerTaxRepresentativeTradeParty")
        add_text(representative, RAM + "Name", content.tax_representative.name)
        add_address(representative, content.tax_representative.address)
        if with_vat_identifiers:
            add_tax_registration(representative, content.tax_representative.vat_identifier, "VA")
    for tag, number in (
        ("SellerOrderReferencedDocument", content.sales_order_reference),
        ("BuyerOrderReferencedDocument", content.purchase_order_reference),
        ("ContractReferencedDocument", content.contract_reference),
    ):
        _document_number(agreement, RAM + tag, number)
    for document in content.supporting_documents:
        _supporting_document(agreement, document)
    add_typed_reference(agreement, TENDER, Identifier(content.tender_reference))
    if content.invoiced_object is not None:
        add_typed_reference(agreement, INVOICED_OBJECT, content.invoiced_object)
    if content.project_reference.strip():
        project = etree.SubElement(agreement, RAM + "SpecifiedProcuringProject")
        add_text(project, RAM + "ID", content.project_reference)
        add_text(project, RAM + "Name", _PROJECT_NAME)


def _has_out_of_scope_vat(content: InvoiceContent) -> bool:
    """Whether any part of the invoice is outside the scope of VAT (category O)."""
    return (
        any(breakdown.category == OUT_OF_SCOPE for breakdown in content.vat_breakdown)
        or any(line.vat_category == OUT_OF_SCOPE for line in content.lines)
        or any(each.vat_category == OUT_OF_SCOPE for each in content.allowances_charges)
    )


def _document_number(parent: etree._Element, tag: str, number: str) -> None:
    """A reference to another document by its number alone."""
    if number.strip():
        add_text(etree.SubElement(parent, tag), RAM + "IssuerAssignedID", number)


def _supporting_document(agreement: etree._Element, document: SupportingDocument) -> None:
    """BG-24. The number (BT-122) is what all others hang on: without it there is nothing to refer to."""
    element = etree.SubElement(agreement, RAM + "AdditionalReferencedDocument")
    add_text(element, RAM + "IssuerAssignedID", document.reference)
    add_text(element, RAM + "URIID", document.location)
    add_text(element, RAM + "TypeCode", SUPPORTING_DOCUMENT)
    add_text(element, RAM + "Name", document.description)
    embedded = add_text(element, RAM + "AttachmentBinaryObject", document.content)
    if embedded is not None:
        embedded.set("mimeCode", document.mime_type)
        embedded.set("filename", document.filename)


def _delivery(transaction: etree._Element, content: InvoiceContent) -> None:
    """BG-13 and BT-16. The schema wants the element even where there is nothing to say."""
    element = etree.SubElement(transaction, RAM + "ApplicableHeaderTradeDelivery")
    delivery = content.delivery or Delivery()
    if delivery.name.strip() or delivery.location is not None or delivery.address is not None:
        party = etree.SubElement(element, RAM + "ShipToTradeParty")
        if delivery.location is not None:
            add_one_identifier(party, (delivery.location,))
        add_text(party, RAM + "Name", delivery.name)
        add_address(party, delivery.address)
    if delivery.date is not None:
        event = etree.SubElement(element, RAM + "ActualDeliverySupplyChainEvent")
        add_date(event, RAM + "OccurrenceDateTime", delivery.date)
    _document_number(element, RAM + "DespatchAdviceReferencedDocument", content.despatch_advice_reference)
    _document_number(element, RAM + "ReceivingAdviceReferencedDocument", content.receiving_advice_reference)


# Settlement.


def _settlement(transaction: etree._Element, content: InvoiceContent) -> None:
    """BT-5, BT-6, payee, payment, VAT, allowances and charges, terms, totals, preceding invoices."""
    settlement = etree.SubElement(transaction, RAM + "ApplicableHeaderTradeSettlement")
    payment = content.payment or PaymentInstructions()
    vat_currency = content.vat_currency if content.vat_currency != content.currency else ""
    add_text(settlement, RAM + "CreditorReferenceID", payment.creditor_identifier)
    add_text(settlement, RAM + "PaymentReference", payment.remittance_information)
    add_text(settlement, RAM + "TaxCurrencyCode", vat_currency)
    add_text(settlement, RAM + "InvoiceCurrencyCode", content.currency)
    if content.payee is not None:
        payee = etree.SubElement(settlement, RAM + "PayeeTradeParty")
        add_one_identifier(payee, content.payee.identifiers)
        add_text(payee, RAM + "Name", content.payee.name)
        if content.payee.legal_identifier is not None:
            organization = etree.SubElement(payee, RAM + "SpecifiedLegalOrganization")
            add_identifier(organization, RAM + "ID", content.payee.legal_identifier)
    _payment_means(settlement, payment)
    for breakdown in content.vat_breakdown:
        _vat_breakdown(settlement, breakdown, content)
    add_period(settlement, content.period)
    for allowance_charge in content.allowances_charges:
        add_allowance_charge(settlement, allowance_charge)
    _payment_terms(settlement, content, payment)
    _totals(settlement, content, vat_currency)
    for reference in content.preceding_invoices:
        _preceding_invoice(settlement, reference)
    add_account(settlement, content.buyer_accounting_reference)


def _payment_means(settlement: etree._Element, payment: PaymentInstructions) -> None:
    """BG-16 to BG-19; each account after the first is a means of its own, of the same kind."""
    if not (payment.means_code or payment.means_text or payment.iban or payment.debited_iban or payment.card_number):
        return
    means = _means(settlement, payment)
    if payment.card_number.strip():
        card = etree.SubElement(means, RAM + "ApplicableTradeSettlementFinancialCard")
        add_text(card, RAM + "ID", payment.card_number)
        add_text(card, RAM + "CardholderName", payment.card_holder)
    if payment.debited_iban.strip():
        debtor = etree.SubElement(means, RAM + "PayerPartyDebtorFinancialAccount")
        add_text(debtor, RAM + "IBANID", payment.debited_iban.replace(" ", ""))
    _credit_account(means, CreditAccount(payment.iban, payment.account_name, payment.bic))
    for account in payment.other_accounts:
        _credit_account(_means(settlement, payment), account)


def _means(settlement: etree._Element, payment: PaymentInstructions) -> etree._Element:
    """BT-81 and BT-82."""
    means = etree.SubElement(settlement, RAM + "SpecifiedTradeSettlementPaymentMeans")
    add_text(means, RAM + "TypeCode", payment.means_code)
    add_text(means, RAM + "Information", payment.means_text)
    return means


def _credit_account(means: etree._Element, account: CreditAccount) -> None:
    """BG-17. An account number that has not the shape of an IBAN goes into the proprietary field."""
    if account.iban.strip():
        creditor = etree.SubElement(means, RAM + "PayeePartyCreditorFinancialAccount")
        iban = account.iban.replace(" ", "").upper()
        is_iban = _IBAN_SHAPE.fullmatch(iban) is not None
        if is_iban:
            add_text(creditor, RAM + "IBANID", iban)
        add_text(creditor, RAM + "AccountName", account.name)
        if not is_iban:
            add_text(creditor, RAM + "ProprietaryID", account.iban)
    if account.bic.strip():
        institution = etree.SubElement(means, RAM + "PayeeSpecifiedCreditorFinancialInstitution")
        add_text(institution, RAM + "BICID", account.bic.replace(" ", ""))


def _vat_breakdown(settlement: etree._Element, breakdown: VatBreakdown, content: InvoiceContent) -> None:
    """BG-23, with BT-7 or BT-8, which the syntax repeats in each. UBL writes VATEX codes in small letters too."""
    tax = etree.SubElement(settlement, RAM + "ApplicableTradeTax")
    add_amount(tax, RAM + "CalculatedAmount", breakdown.tax_amount)
    etree.SubElement(tax, RAM + "TypeCode").text = "VAT"
    add_text(tax, RAM + "ExemptionReason", breakdown.exemption_reason)
    add_amount(tax, RAM + "BasisAmount", breakdown.taxable_amount)
    add_text(tax, RAM + "CategoryCode", breakdown.category)
    add_text(tax, RAM + "ExemptionReasonCode", breakdown.exemption_code.upper())
    add_date(tax, RAM + "TaxPointDate", content.vat_point_date, UDT + "DateString")
    add_text(tax, RAM + "DueDateTypeCode", content.vat_point_code)
    if breakdown.category != OUT_OF_SCOPE:
        add_percentage(tax, RAM + "RateApplicablePercent", breakdown.rate)


def _payment_terms(settlement: etree._Element, content: InvoiceContent, payment: PaymentInstructions) -> None:
    """BT-20, BT-9 and BT-89."""
    if not (content.payment_terms.strip() or content.due_date or payment.mandate_reference.strip()):
        return
    terms = etree.SubElement(settlement, RAM + "SpecifiedTradePaymentTerms")
    add_text(terms, RAM + "Description", content.payment_terms)
    add_date(terms, RAM + "DueDateDateTime", content.due_date)
    add_text(terms, RAM + "DirectDebitMandateID", payment.mandate_reference)


def _totals(settlement: etree._Element, content: InvoiceContent, vat_currency: str) -> None:
    """BG-22."""
    totals = etree.SubElement(settlement, RAM + "SpecifiedTradeSettlementHeaderMonetarySummation")
    add_amount(totals, RAM + "LineTotalAmount", content.line_total)
    add_amount(totals, RAM + "ChargeTotalAmount", content.charge_total)
    add_amount(totals, RAM + "AllowanceTotalAmount", content.allowance_total)
    add_amount(totals, RAM + "TaxBasisTotalAmount", content.total_without_vat)
    add_amount(totals, RAM + "TaxTotalAmount", content.total_vat, content.currency)
    if vat_currency:
        add_amount(totals, RAM + "TaxTotalAmount", content.total_vat_in_vat_currency, vat_currency)
    add_amount(totals, RAM + "RoundingAmount", content.rounding_amount)
    add_amount(totals, RAM + "GrandTotalAmount", content.total_with_vat)
    add_amount(totals, RAM + "TotalPrepaidAmount", content.prepaid_amount)
    add_amount(totals, RAM + "DuePayableAmount", content.amount_due)


def _preceding_invoice(settlement: etree._Element, reference: DocumentReference) -> None:
    """BG-3: BT-25 and BT-26."""
    document = etree.SubElement(settlement, RAM + "InvoiceReferencedDocument")
    add_text(document, RAM + "IssuerAssignedID", reference.number)
    add_date(document, RAM + "FormattedIssueDateTime", reference.date, QDT + "DateTimeString")
