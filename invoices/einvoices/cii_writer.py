"""Writes an invoice as Factur-X XML: UN/CEFACT Cross Industry Invoice, profile EN 16931.

A pure function of its argument: the same content gives the same bytes, which the reproducible PDF needs.
The writer states what the content states and nothing more. What is missing is left out, even where the
schema demands it: :mod:`invoices.einvoices.rules` then names it in French, which an exception here would not.
"""

import re
from decimal import Decimal
from typing import Final

from lxml import etree

from invoices.einvoices.cii_elements import (
    NAMESPACES,
    QDT,
    RAM,
    RSM,
    UDT,
    add_amount,
    add_date,
    add_identifier,
    add_number,
    add_percentage,
    add_text,
)
from invoices.einvoices.cii_parties import (
    add_address,
    add_buyer,
    add_one_identifier,
    add_seller,
    add_tax_registration,
)
from invoices.semantics import (
    AllowanceCharge,
    Delivery,
    DocumentReference,
    InvoiceContent,
    Line,
    PaymentInstructions,
    Period,
    VatBreakdown,
)

GUIDELINE: Final = "urn:cen.eu:en16931:2017"
"""BT-24 of everything written here."""

_IBAN_SHAPE: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")

# BT-11 is an identifier; the syntax wants a name beside it and the Factur-X guide gives this constant.
_PROJECT_NAME: Final = "Project reference"
_OUT_OF_SCOPE: Final = "O"


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
            _line(transaction, line)
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


# Lines.


def _line(transaction: etree._Element, line: Line) -> None:
    """BG-25."""
    item = etree.SubElement(transaction, RAM + "IncludedSupplyChainTradeLineItem")
    document = etree.SubElement(item, RAM + "AssociatedDocumentLineDocument")
    add_text(document, RAM + "LineID", line.identifier)
    if line.note.strip():
        add_text(etree.SubElement(document, RAM + "IncludedNote"), RAM + "Content", line.note)

    product = etree.SubElement(item, RAM + "SpecifiedTradeProduct")
    add_identifier(product, RAM + "GlobalID", line.standard_item_identifier)
    add_text(product, RAM + "SellerAssignedID", line.seller_item_identifier)
    add_text(product, RAM + "BuyerAssignedID", line.buyer_item_identifier)
    add_text(product, RAM + "Name", line.name)
    add_text(product, RAM + "Description", line.description)

    agreement = etree.SubElement(item, RAM + "SpecifiedLineTradeAgreement")
    if line.order_line_reference.strip():
        add_text(
            etree.SubElement(agreement, RAM + "BuyerOrderReferencedDocument"),
            RAM + "LineID",
            line.order_line_reference,
        )
    _prices(agreement, line)

    delivery = etree.SubElement(item, RAM + "SpecifiedLineTradeDelivery")
    add_number(delivery, RAM + "BilledQuantity", line.quantity, line.unit)

    settlement = etree.SubElement(item, RAM + "SpecifiedLineTradeSettlement")
    if line.vat_category:
        _vat_category(etree.SubElement(settlement, RAM + "ApplicableTradeTax"), line.vat_category, line.vat_rate)
    _period(settlement, line.period)
    for allowance_charge in line.allowances_charges:
        _allowance_charge(settlement, allowance_charge)
    summation = etree.SubElement(settlement, RAM + "SpecifiedTradeSettlementLineMonetarySummation")
    add_amount(summation, RAM + "LineTotalAmount", line.net_amount)


def _prices(agreement: etree._Element, line: Line) -> None:
    """BG-29; BT-147 is worked out from neither price: it is written where stated, within the gross price."""
    base_unit = line.unit if line.price_base_quantity is not None else ""
    if line.gross_price is not None:
        gross = etree.SubElement(agreement, RAM + "GrossPriceProductTradePrice")
        add_number(gross, RAM + "ChargeAmount", line.gross_price)
        add_number(gross, RAM + "BasisQuantity", line.price_base_quantity, base_unit)
        if line.price_discount is not None:
            discount = etree.SubElement(gross, RAM + "AppliedTradeAllowanceCharge")
            _indicator(discount, is_charge=False)
            add_number(discount, RAM + "ActualAmount", line.price_discount)
    if line.net_price is not None:
        net = etree.SubElement(agreement, RAM + "NetPriceProductTradePrice")
        add_number(net, RAM + "ChargeAmount", line.net_price)
        add_number(net, RAM + "BasisQuantity", line.price_base_quantity, base_unit)


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
    if content.project_reference.strip():
        project = etree.SubElement(agreement, RAM + "SpecifiedProcuringProject")
        add_text(project, RAM + "ID", content.project_reference)
        add_text(project, RAM + "Name", _PROJECT_NAME)


def _has_out_of_scope_vat(content: InvoiceContent) -> bool:
    """Whether any part of the invoice is outside the scope of VAT (category O)."""
    return (
        any(breakdown.category == _OUT_OF_SCOPE for breakdown in content.vat_breakdown)
        or any(line.vat_category == _OUT_OF_SCOPE for line in content.lines)
        or any(each.vat_category == _OUT_OF_SCOPE for each in content.allowances_charges)
    )


def _document_number(parent: etree._Element, tag: str, number: str) -> None:
    """A reference to another document by its number alone."""
    if number.strip():
        add_text(etree.SubElement(parent, tag), RAM + "IssuerAssignedID", number)


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
    _period(settlement, content.period)
    for allowance_charge in content.allowances_charges:
        _allowance_charge(settlement, allowance_charge)
    _payment_terms(settlement, content, payment)
    _totals(settlement, content, vat_currency)
    for reference in content.preceding_invoices:
        _preceding_invoice(settlement, reference)
    if content.buyer_accounting_reference.strip():
        account = etree.SubElement(settlement, RAM + "ReceivableSpecifiedTradeAccountingAccount")
        add_text(account, RAM + "ID", content.buyer_accounting_reference)


def _payment_means(settlement: etree._Element, payment: PaymentInstructions) -> None:
    """BG-16 to BG-19. An account number that has not the shape of an IBAN goes into the proprietary field."""
    if not (payment.means_code or payment.means_text or payment.iban or payment.debited_iban):
        return
    means = etree.SubElement(settlement, RAM + "SpecifiedTradeSettlementPaymentMeans")
    add_text(means, RAM + "TypeCode", payment.means_code)
    add_text(means, RAM + "Information", payment.means_text)
    if payment.debited_iban.strip():
        debtor = etree.SubElement(means, RAM + "PayerPartyDebtorFinancialAccount")
        add_text(debtor, RAM + "IBANID", payment.debited_iban.replace(" ", ""))
    if payment.iban.strip():
        creditor = etree.SubElement(means, RAM + "PayeePartyCreditorFinancialAccount")
        iban = payment.iban.replace(" ", "").upper()
        is_iban = _IBAN_SHAPE.fullmatch(iban) is not None
        if is_iban:
            add_text(creditor, RAM + "IBANID", iban)
        add_text(creditor, RAM + "AccountName", payment.account_name)
        if not is_iban:
            add_text(creditor, RAM + "ProprietaryID", payment.iban)
    if payment.bic.strip():
        institution = etree.SubElement(means, RAM + "PayeeSpecifiedCreditorFinancialInstitution")
        add_text(institution, RAM + "BICID", payment.bic.replace(" ", ""))


def _vat_category(tax: etree._Element, category: str, rate: Decimal | None) -> None:
    """BT-151 and BT-152, BT-95 and BT-96, BT-102 and BT-103; category O has no rate (BR-O-05 to BR-O-07)."""
    etree.SubElement(tax, RAM + "TypeCode").text = "VAT"
    add_text(tax, RAM + "CategoryCode", category)
    if category != _OUT_OF_SCOPE:
        add_percentage(tax, RAM + "RateApplicablePercent", rate)


def _vat_breakdown(settlement: etree._Element, breakdown: VatBreakdown, content: InvoiceContent) -> None:
    """BG-23, with BT-7 or BT-8, which the syntax repeats in each."""
    tax = etree.SubElement(settlement, RAM + "ApplicableTradeTax")
    add_amount(tax, RAM + "CalculatedAmount", breakdown.tax_amount)
    etree.SubElement(tax, RAM + "TypeCode").text = "VAT"
    add_text(tax, RAM + "ExemptionReason", breakdown.exemption_reason)
    add_amount(tax, RAM + "BasisAmount", breakdown.taxable_amount)
    add_text(tax, RAM + "CategoryCode", breakdown.category)
    add_text(tax, RAM + "ExemptionReasonCode", breakdown.exemption_code)
    add_date(tax, RAM + "TaxPointDate", content.vat_point_date, UDT + "DateString")
    add_text(tax, RAM + "DueDateTypeCode", content.vat_point_code)
    if breakdown.category != _OUT_OF_SCOPE:
        add_percentage(tax, RAM + "RateApplicablePercent", breakdown.rate)


def _period(parent: etree._Element, period: Period | None) -> None:
    """BG-14, BG-26."""
    if period is None or (period.start is None and period.end is None):
        return
    child = etree.SubElement(parent, RAM + "BillingSpecifiedPeriod")
    add_date(child, RAM + "StartDateTime", period.start)
    add_date(child, RAM + "EndDateTime", period.end)


def _indicator(parent: etree._Element, *, is_charge: bool) -> None:
    """Says whether the parent is a charge or an allowance."""
    child = etree.SubElement(etree.SubElement(parent, RAM + "ChargeIndicator"), UDT + "Indicator")
    child.text = "true" if is_charge else "false"


def _allowance_charge(parent: etree._Element, allowance_charge: AllowanceCharge) -> None:
    """BG-20, BG-21 at the head, BG-27, BG-28 at a line."""
    child = etree.SubElement(parent, RAM + "SpecifiedTradeAllowanceCharge")
    _indicator(child, is_charge=allowance_charge.is_charge)
    add_percentage(child, RAM + "CalculationPercent", allowance_charge.percentage)
    add_amount(child, RAM + "BasisAmount", allowance_charge.base_amount)
    add_amount(child, RAM + "ActualAmount", allowance_charge.amount)
    add_text(child, RAM + "ReasonCode", allowance_charge.reason_code)
    add_text(child, RAM + "Reason", allowance_charge.reason)
    if allowance_charge.vat_category:
        tax = etree.SubElement(child, RAM + "CategoryTradeTax")
        _vat_category(tax, allowance_charge.vat_category, allowance_charge.vat_rate)


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
