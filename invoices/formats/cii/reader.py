"""A UN/CEFACT Cross Industry Invoice (D16B to D22B) into the semantic model.

The same mapping serves Factur-X and ZUGFeRD 2 from MINIMUM to EXTENDED and XRechnung: a profile that lacks
a term leaves it empty. Comments name the business term where the path does not.
"""

from decimal import Decimal

from invoices.en16931.model import (
    AllowanceCharge,
    CreditAccount,
    Delivery,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Line,
    Note,
    Party,
    PaymentInstructions,
)
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.semantic_reader import (
    INVOICED_OBJECT,
    TENDER,
    AllowancePaths,
    DocumentPaths,
    ItemPaths,
    SemanticReader,
    VatPaths,
    scheme_of,
    unless_empty,
)
from invoices.formats.xml_values import Element

CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_NAMESPACES = {
    "rsm": CII,
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}


def read_cii(root: Element) -> tuple[InvoiceContent, tuple[str, ...]]:
    """What the CII document under ``root`` states, and French warnings about what had to be left out.

    Raises :class:`UnreadableEInvoice` where the number (BT-1) is missing or an amount is no number.
    """
    reader = _CiiReader(_NAMESPACES)
    return reader.invoice(root), tuple(reader.warnings)


_REFERENCE = "ram:IssuerAssignedID"


class _CiiReader(SemanticReader):
    address_paths = {
        "line1": "ram:LineOne",
        "line2": "ram:LineTwo",
        "line3": "ram:LineThree",
        "city": "ram:CityName",
        "postcode": "ram:PostcodeCode",
        "subdivision": "ram:CountrySubDivisionName",
        "country": "ram:CountryID",
    }
    contact_paths = {
        "name": ("ram:PersonName", "ram:DepartmentName"),
        "phone": ("ram:TelephoneUniversalCommunication/ram:CompleteNumber",),
        "email": ("ram:EmailURIUniversalCommunication/ram:URIID",),
    }
    period_paths = ("ram:BillingSpecifiedPeriod/ram:StartDateTime/*", "ram:BillingSpecifiedPeriod/ram:EndDateTime/*")
    allowance_paths = AllowancePaths(
        item="ram:SpecifiedTradeAllowanceCharge",
        indicator="ram:ChargeIndicator/udt:Indicator",
        amount="ram:ActualAmount",
        base="ram:BasisAmount",
        percentage="ram:CalculationPercent",
        category="ram:CategoryTradeTax/ram:CategoryCode",
        rate="ram:CategoryTradeTax/ram:RateApplicablePercent",
        reason="ram:Reason",
        reason_code="ram:ReasonCode",
    )
    vat_paths = VatPaths(
        taxable="ram:BasisAmount",
        tax="ram:CalculatedAmount",
        category="ram:CategoryCode",
        rate="ram:RateApplicablePercent",
        reason="ram:ExemptionReason",
        reason_code="ram:ExemptionReasonCode",
    )
    item_paths = ItemPaths(
        classification="ram:DesignatedProductClassification/ram:ClassCode",
        attribute="ram:ApplicableProductCharacteristic",
        attribute_name="ram:Description",
        attribute_value="ram:Value",
    )
    document_paths = DocumentPaths(
        reference=_REFERENCE, description="ram:Name", location="ram:URIID", content="ram:AttachmentBinaryObject"
    )

    def invoice(self, root: Element) -> InvoiceContent:
        context = self.find(root, "rsm:ExchangedDocumentContext")
        document = self.find(root, "rsm:ExchangedDocument")
        transaction = self.find(root, "rsm:SupplyChainTradeTransaction")
        agreement = self.find(transaction, "ram:ApplicableHeaderTradeAgreement")
        delivery = self.find(transaction, "ram:ApplicableHeaderTradeDelivery")
        settlement = self.find(transaction, "ram:ApplicableHeaderTradeSettlement")
        totals = self.find(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        typed: dict[str, list[Element]] = {}
        for found in self.all(agreement, "ram:AdditionalReferencedDocument"):
            typed.setdefault(self.text(found, "ram:TypeCode"), []).append(found)
        number = self.text(document, "ram:ID")
        if not number:
            raise UnreadableEInvoice("BT-1 : cette facture n’a pas de numéro.")
        currency = self.text(settlement, "ram:InvoiceCurrencyCode")
        vat_currency = self.text(settlement, "ram:TaxCurrencyCode")

        def total(path: str, term: str, *, unless: str = "") -> Decimal | None:
            return self.total(self.all(totals, path), currency, term, unless=unless)

        return InvoiceContent(
            number=number,
            issue_date=self.date(document, "ram:IssueDateTime/*", "BT-2"),
            type_code=self.text(document, "ram:TypeCode"),
            currency=currency,
            seller=self.party(self.find(agreement, "ram:SellerTradeParty")) or Party(),
            buyer=self.party(self.find(agreement, "ram:BuyerTradeParty")) or Party(),
            lines=tuple(map(self.line, self.all(transaction, "ram:IncludedSupplyChainTradeLineItem"))),
            vat_breakdown=self.vat_breakdown(self.all(settlement, "ram:ApplicableTradeTax")),
            total_without_vat=total("ram:TaxBasisTotalAmount", "BT-109"),
            total_with_vat=total("ram:GrandTotalAmount", "BT-112"),
            amount_due=total("ram:DuePayableAmount", "BT-115"),
            total_vat=total("ram:TaxTotalAmount", "BT-110", unless=vat_currency),
            vat_currency=vat_currency,
            total_vat_in_vat_currency=self.total_in_vat_currency(
                self.all(totals, "ram:TaxTotalAmount"), currency, vat_currency
            ),
            line_total=total("ram:LineTotalAmount", "BT-106"),
            allowance_total=total("ram:AllowanceTotalAmount", "BT-107"),
            charge_total=total("ram:ChargeTotalAmount", "BT-108"),
            prepaid_amount=total("ram:TotalPrepaidAmount", "BT-113"),
            rounding_amount=total("ram:RoundingAmount", "BT-114"),
            due_date=self.date(settlement, "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/*", "BT-9"),
            payment_terms="\n".join(self.texts(settlement, "ram:SpecifiedTradePaymentTerms/ram:Description")),
            vat_point_date=self.date(settlement, "ram:ApplicableTradeTax/ram:TaxPointDate/*", "BT-7"),
            vat_point_code=self.text(settlement, "ram:ApplicableTradeTax/ram:DueDateTypeCode"),
            buyer_reference=self.text(agreement, "ram:BuyerReference"),
            project_reference=self.text(agreement, "ram:SpecifiedProcuringProject/ram:ID"),
            contract_reference=self.text(agreement, "ram:ContractReferencedDocument/ram:IssuerAssignedID"),
            purchase_order_reference=self.text(agreement, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID"),
            sales_order_reference=self.text(agreement, "ram:SellerOrderReferencedDocument/ram:IssuerAssignedID"),
            despatch_advice_reference=self.text(delivery, "ram:DespatchAdviceReferencedDocument/ram:IssuerAssignedID"),
            receiving_advice_reference=self.text(delivery, f"ram:ReceivingAdviceReferencedDocument/{_REFERENCE}"),
            tender_reference=next((self.text(found, _REFERENCE) for found in typed.get(TENDER, [])), ""),
            invoiced_object=next(map(self.typed_identifier, typed.get(INVOICED_OBJECT, [])), None),
            buyer_accounting_reference=self.text(settlement, "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
            business_process=self.text(context, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
            profile=self.text(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"),
            notes=tuple(
                Note(text, self.text(note, "ram:SubjectCode"))
                for note in self.all(document, "ram:IncludedNote")
                if (text := "\n".join(self.texts(note, "ram:Content")))
            ),
            preceding_invoices=tuple(
                DocumentReference(reference, self.date(found, "ram:FormattedIssueDateTime/*", "BT-26"))
                for found in self.all(settlement, "ram:InvoiceReferencedDocument")
                if (reference := self.text(found, "ram:IssuerAssignedID"))
            ),
            supporting_documents=tuple(
                supporting
                for kind, references in typed.items()
                if kind not in (TENDER, INVOICED_OBJECT)
                for found in references
                if (supporting := self.supporting_document(found))
            ),
            payee=self.party(self.find(settlement, "ram:PayeeTradeParty")),
            tax_representative=self.party(self.find(agreement, "ram:SellerTaxRepresentativeTradeParty")),
            delivery=self.delivery(delivery),
            period=self.period(settlement, "BT-73", "BT-74"),
            payment=self.payment(settlement),
            allowances_charges=(
                *self.allowances_charges(settlement, "BT-92", "BT-99"),
                *map(self.logistics_charge, self.all(settlement, "ram:SpecifiedLogisticsServiceCharge")),
            ),
        )

    def party(self, element: Element | None) -> Party | None:
        if element is None:
            return None
        registrations = {
            found.get("schemeID", ""): self.text(found)
            for found in reversed(self.all(element, "ram:SpecifiedTaxRegistration/ram:ID"))
        }
        identifiers = [*self.all(element, "ram:ID"), *self.all(element, "ram:GlobalID")]
        return unless_empty(
            Party(
                name=self.text(element, "ram:Name"),
                trading_name=self.text(element, "ram:SpecifiedLegalOrganization/ram:TradingBusinessName"),
                identifiers=tuple(found for item in identifiers if (found := self.identifier(item))),
                legal_identifier=self.identifier(element, "ram:SpecifiedLegalOrganization/ram:ID"),
                vat_identifier=registrations.get("VA", registrations.get("VAT", "")),
                tax_registration=registrations.get("FC", ""),
                legal_information=self.text(element, "ram:Description"),
                electronic_address=self.identifier(element, "ram:URIUniversalCommunication/ram:URIID"),
                address=self.address(self.find(element, "ram:PostalTradeAddress")),
                contact=self.contact(self.find(element, "ram:DefinedTradeContact")),
            )
        )

    def delivery(self, element: Element | None) -> Delivery | None:
        recipient = self.find(element, "ram:ShipToTradeParty")
        return unless_empty(
            Delivery(
                name=self.text(recipient, "ram:Name"),
                location=self.identifier(recipient, "ram:GlobalID") or self.identifier(recipient, "ram:ID"),
                date=self.date(element, "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/*", "BT-72"),
                address=self.address(self.find(recipient, "ram:PostalTradeAddress")),
            )
        )

    def payment(self, settlement: Element | None) -> PaymentInstructions | None:
        """The first means of payment, with the accounts that the others add (BG-17 may be repeated)."""
        found = self.all(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
        means = found[0] if found else None
        accounts = [self.account(each) for each in found]
        first = accounts[0] if accounts else CreditAccount()
        card = self.find(means, "ram:ApplicableTradeSettlementFinancialCard")
        return unless_empty(
            PaymentInstructions(
                means_code=self.text(means, "ram:TypeCode"),
                means_text=self.text(means, "ram:Information"),
                remittance_information=self.text(settlement, "ram:PaymentReference"),
                iban=first.iban,
                account_name=first.name,
                bic=first.bic,
                mandate_reference=self.text(settlement, "ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID"),
                creditor_identifier=self.text(settlement, "ram:CreditorReferenceID"),
                debited_iban=self.text(means, "ram:PayerPartyDebtorFinancialAccount/ram:IBANID"),
                card_number=self.text(card, "ram:ID"),
                card_holder=self.text(card, "ram:CardholderName"),
                other_accounts=tuple(account for account in accounts[1:] if account.iban),
            )
        )

    def account(self, means: Element) -> CreditAccount:
        account = self.find(means, "ram:PayeePartyCreditorFinancialAccount")
        return CreditAccount(
            iban=self.text(account, "ram:IBANID") or self.text(account, "ram:ProprietaryID"),
            name=self.text(account, "ram:AccountName"),
            bic=self.text(means, "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
        )

    def typed_identifier(self, reference: Element) -> Identifier | None:
        """BT-18, BT-128: the scheme is in an element of its own."""
        return scheme_of(self.text(reference, _REFERENCE), self.text(reference, "ram:ReferenceTypeCode"))

    def logistics_charge(self, element: Element) -> AllowanceCharge:
        """The EXTENDED profile's own kind of charge (BG-X-42), counted in the total of charges."""
        return AllowanceCharge(
            is_charge=True,
            amount=self.amount(element, "ram:AppliedAmount", "BT-X-272") or Decimal(0),
            vat_category=self.text(element, "ram:AppliedTradeTax/ram:CategoryCode"),
            vat_rate=self.amount(element, "ram:AppliedTradeTax/ram:RateApplicablePercent", "BT-X-274"),
            reason=self.text(element, "ram:Description"),
        )

    def line(self, element: Element) -> Line:
        document = self.find(element, "ram:AssociatedDocumentLineDocument")
        product = self.find(element, "ram:SpecifiedTradeProduct")
        agreement = self.find(element, "ram:SpecifiedLineTradeAgreement")
        settlement = self.find(element, "ram:SpecifiedLineTradeSettlement")
        gross = self.find(agreement, "ram:GrossPriceProductTradePrice")
        net = self.find(agreement, "ram:NetPriceProductTradePrice")
        quantity = self.find(element, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity")
        tax = self.find(settlement, "ram:ApplicableTradeTax")
        summation = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        identifier = self.text(document, "ram:LineID")
        unit = "" if quantity is None else quantity.get("unitCode", "").strip()
        base_quantities = (self.find(net, "ram:BasisQuantity"), self.find(gross, "ram:BasisQuantity"))
        return Line(
            identifier=identifier,
            name=self.text(product, "ram:Name"),
            net_amount=self.line_amount(settlement, summation, identifier),
            quantity=self.amount(quantity, ".", "BT-129"),
            unit=unit,
            net_price=self.amount(net, "ram:ChargeAmount", "BT-146"),
            price_base_quantity=self.base_quantity(net, gross),
            price_base_unit=self.base_unit(base_quantities, unit),
            gross_price=self.amount(gross, "ram:ChargeAmount", "BT-148"),
            price_discount=self.price_discount(gross),
            vat_category=self.text(tax, "ram:CategoryCode"),
            vat_rate=self.amount(tax, "ram:RateApplicablePercent", "BT-152"),
            description=self.text(product, "ram:Description"),
            note="\n".join(self.texts(document, "ram:IncludedNote/ram:Content")),
            seller_item_identifier=self.text(product, "ram:SellerAssignedID"),
            buyer_item_identifier=self.text(product, "ram:BuyerAssignedID"),
            standard_item_identifier=self.identifier(product, "ram:GlobalID"),
            classifications=self.classifications(product),
            origin_country=self.text(product, "ram:OriginTradeCountry/ram:ID"),
            attributes=self.attributes(product),
            object_identifier=next(
                (
                    self.typed_identifier(found)
                    for found in self.all(settlement, "ram:AdditionalReferencedDocument")
                    if self.text(found, "ram:TypeCode") == INVOICED_OBJECT
                ),
                None,
            ),
            order_line_reference=self.text(agreement, "ram:BuyerOrderReferencedDocument/ram:LineID"),
            accounting_reference=self.text(settlement, "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"),
            period=self.period(settlement, "BT-134", "BT-135"),
            allowances_charges=self.allowances_charges(settlement, "BT-136", "BT-141"),
            kind=self.text(document, "ram:LineStatusReasonCode"),
            parent_identifier=self.text(document, "ram:ParentLineID"),
            deliveries=tuple(filter(None, [self.delivery(self.find(element, "ram:SpecifiedLineTradeDelivery"))])),
        )

    def base_quantity(self, net: Element | None, gross: Element | None) -> Decimal | None:
        """BT-149 is with the net price, or with the gross price alone."""
        stated = self.amount(net, "ram:BasisQuantity", "BT-149")
        return self.amount(gross, "ram:BasisQuantity", "BT-149") if stated is None else stated

    def price_discount(self, gross: Element | None) -> Decimal | None:
        """BT-147; the EXTENDED profile knows several, and surcharges: what they come to."""
        total = None
        for found in self.all(gross, "ram:AppliedTradeAllowanceCharge"):
            amount = self.amount(found, "ram:ActualAmount", "BT-147")
            is_charge = self.text(found, "ram:ChargeIndicator/udt:Indicator").lower() in ("true", "1")
            if amount is not None:
                signed = -amount if is_charge else amount
                total = signed if total is None else total + signed
        return total
