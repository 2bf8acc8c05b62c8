"""A UN/CEFACT Cross Industry Invoice (D16B to D22B) into the semantic model.

The same mapping serves Factur-X and ZUGFeRD 2 from MINIMUM to EXTENDED and XRechnung: a profile that lacks
a term leaves it empty. Comments name the business term where the path does not.
"""

from collections.abc import Mapping, Sequence
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
from invoices.formats.semantic_reader import (
    INVOICED_OBJECT,
    TENDER,
    AllowancePaths,
    Deadlines,
    DocumentPaths,
    DocumentTotals,
    ItemInformation,
    ItemPaths,
    PriceDetails,
    References,
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
_ACCOUNTING_REFERENCE = "ram:ReceivableSpecifiedTradeAccountingAccount/ram:ID"


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
        """The whole invoice, its parts in the order of the model."""
        context = self.find(root, "rsm:ExchangedDocumentContext")
        document = self.find(root, "rsm:ExchangedDocument")
        transaction = self.find(root, "rsm:SupplyChainTradeTransaction")
        agreement = self.find(transaction, "ram:ApplicableHeaderTradeAgreement")
        delivery = self.find(transaction, "ram:ApplicableHeaderTradeDelivery")
        settlement = self.find(transaction, "ram:ApplicableHeaderTradeSettlement")
        documents = self.by_type(self.all(agreement, "ram:AdditionalReferencedDocument"), "ram:TypeCode")
        return InvoiceContent(
            number=self.number(document, "ram:ID"),
            issue_date=self.date(document, "ram:IssueDateTime/*", "BT-2"),
            type_code=self.text(document, "ram:TypeCode"),
            seller=self.party(self.find(agreement, "ram:SellerTradeParty")) or Party(),
            buyer=self.party(self.find(agreement, "ram:BuyerTradeParty")) or Party(),
            lines=tuple(map(self.line, self.all(transaction, "ram:IncludedSupplyChainTradeLineItem"))),
            vat_breakdown=self.vat_breakdown(self.all(settlement, "ram:ApplicableTradeTax")),
            **self.totals(settlement),
            **self.deadlines(settlement),
            **self.references(agreement, delivery, settlement, documents),
            business_process=self.text(context, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID"),
            profile=self.text(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"),
            notes=self.notes(document),
            preceding_invoices=self.preceding_invoices(settlement),
            supporting_documents=self.supporting_documents(
                found
                for kind, references in documents.items()
                if kind not in (TENDER, INVOICED_OBJECT)
                for found in references
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

    def totals(self, settlement: Element | None) -> DocumentTotals:
        """BG-22, BT-5 and BT-6."""
        totals = self.find(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        vat_totals = self.all(totals, "ram:TaxTotalAmount")
        currency = self.text(settlement, "ram:InvoiceCurrencyCode")
        vat_currency = self.text(settlement, "ram:TaxCurrencyCode")

        def total(path: str, term: str) -> Decimal | None:
            return self.total(self.all(totals, path), currency, term)

        return DocumentTotals(
            currency=currency,
            vat_currency=vat_currency,
            total_without_vat=total("ram:TaxBasisTotalAmount", "BT-109"),
            total_with_vat=total("ram:GrandTotalAmount", "BT-112"),
            amount_due=total("ram:DuePayableAmount", "BT-115"),
            total_vat=self.total(vat_totals, currency, "BT-110", unless=vat_currency),
            total_vat_in_vat_currency=self.total_in_vat_currency(vat_totals, currency, vat_currency),
            line_total=total("ram:LineTotalAmount", "BT-106"),
            allowance_total=total("ram:AllowanceTotalAmount", "BT-107"),
            charge_total=total("ram:ChargeTotalAmount", "BT-108"),
            prepaid_amount=total("ram:TotalPrepaidAmount", "BT-113"),
            rounding_amount=total("ram:RoundingAmount", "BT-114"),
        )

    def deadlines(self, settlement: Element | None) -> Deadlines:
        """BT-7 to BT-9, BT-20."""
        return Deadlines(
            due_date=self.date(settlement, "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime/*", "BT-9"),
            payment_terms="\n".join(self.texts(settlement, "ram:SpecifiedTradePaymentTerms/ram:Description")),
            vat_point_date=self.date(settlement, "ram:ApplicableTradeTax/ram:TaxPointDate/*", "BT-7"),
            vat_point_code=self.text(settlement, "ram:ApplicableTradeTax/ram:DueDateTypeCode"),
        )

    def references(
        self,
        agreement: Element | None,
        delivery: Element | None,
        settlement: Element | None,
        documents: Mapping[str, Sequence[Element]],
    ) -> References:
        """BT-10 to BT-19; ``documents`` are the additional ones by their type."""
        return References(
            buyer_reference=self.text(agreement, "ram:BuyerReference"),
            project_reference=self.text(agreement, "ram:SpecifiedProcuringProject/ram:ID"),
            contract_reference=self.text(agreement, f"ram:ContractReferencedDocument/{_REFERENCE}"),
            purchase_order_reference=self.text(agreement, f"ram:BuyerOrderReferencedDocument/{_REFERENCE}"),
            sales_order_reference=self.text(agreement, f"ram:SellerOrderReferencedDocument/{_REFERENCE}"),
            despatch_advice_reference=self.text(delivery, f"ram:DespatchAdviceReferencedDocument/{_REFERENCE}"),
            receiving_advice_reference=self.text(delivery, f"ram:ReceivingAdviceReferencedDocument/{_REFERENCE}"),
            tender_reference=next((self.text(found, _REFERENCE) for found in documents.get(TENDER, [])), ""),
            invoiced_object=next(map(self.typed_identifier, documents.get(INVOICED_OBJECT, [])), None),
            buyer_accounting_reference=self.text(settlement, _ACCOUNTING_REFERENCE),
        )

    def notes(self, document: Element | None) -> tuple[Note, ...]:
        """BG-1."""
        return tuple(
            Note(text, self.text(note, "ram:SubjectCode"))
            for note in self.all(document, "ram:IncludedNote")
            if (text := "\n".join(self.texts(note, "ram:Content")))
        )

    def preceding_invoices(self, settlement: Element | None) -> tuple[DocumentReference, ...]:
        """BG-3."""
        return tuple(
            DocumentReference(reference, self.date(found, "ram:FormattedIssueDateTime/*", "BT-26"))
            for found in self.all(settlement, "ram:InvoiceReferencedDocument")
            if (reference := self.text(found, _REFERENCE))
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
        """BG-25."""
        document = self.find(element, "ram:AssociatedDocumentLineDocument")
        product = self.find(element, "ram:SpecifiedTradeProduct")
        agreement = self.find(element, "ram:SpecifiedLineTradeAgreement")
        settlement = self.find(element, "ram:SpecifiedLineTradeSettlement")
        quantity = self.find(element, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity")
        tax = self.find(settlement, "ram:ApplicableTradeTax")
        summation = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
        identifier = self.text(document, "ram:LineID")
        unit = "" if quantity is None else quantity.get("unitCode", "").strip()
        return Line(
            identifier=identifier,
            name=self.text(product, "ram:Name"),
            net_amount=self.line_amount(settlement, summation, identifier),
            quantity=self.amount(quantity, ".", "BT-129"),
            unit=unit,
            **self.price(agreement, unit),
            vat_category=self.text(tax, "ram:CategoryCode"),
            vat_rate=self.amount(tax, "ram:RateApplicablePercent", "BT-152"),
            **self.item(product),
            note="\n".join(self.texts(document, "ram:IncludedNote/ram:Content")),
            object_identifier=self.line_object(settlement),
            order_line_reference=self.text(agreement, "ram:BuyerOrderReferencedDocument/ram:LineID"),
            accounting_reference=self.text(settlement, _ACCOUNTING_REFERENCE),
            period=self.period(settlement, "BT-134", "BT-135"),
            allowances_charges=self.allowances_charges(settlement, "BT-136", "BT-141"),
            kind=self.text(document, "ram:LineStatusReasonCode"),
            parent_identifier=self.text(document, "ram:ParentLineID"),
            deliveries=tuple(filter(None, [self.delivery(self.find(element, "ram:SpecifiedLineTradeDelivery"))])),
        )

    def price(self, agreement: Element | None, unit: str) -> PriceDetails:
        """BG-29 of a line whose quantity is in ``unit``."""
        gross = self.find(agreement, "ram:GrossPriceProductTradePrice")
        net = self.find(agreement, "ram:NetPriceProductTradePrice")
        base_quantities = (self.find(net, "ram:BasisQuantity"), self.find(gross, "ram:BasisQuantity"))
        return PriceDetails(
            net_price=self.amount(net, "ram:ChargeAmount", "BT-146"),
            price_base_quantity=self.base_quantity(net, gross),
            price_base_unit=self.base_unit(base_quantities, unit),
            gross_price=self.amount(gross, "ram:ChargeAmount", "BT-148"),
            price_discount=self.price_discount(gross),
        )

    def item(self, product: Element | None) -> ItemInformation:
        """BG-31."""
        return ItemInformation(
            description=self.text(product, "ram:Description"),
            seller_item_identifier=self.text(product, "ram:SellerAssignedID"),
            buyer_item_identifier=self.text(product, "ram:BuyerAssignedID"),
            standard_item_identifier=self.identifier(product, "ram:GlobalID"),
            classifications=self.classifications(product),
            origin_country=self.text(product, "ram:OriginTradeCountry/ram:ID"),
            attributes=self.attributes(product),
        )

    def line_object(self, settlement: Element | None) -> Identifier | None:
        """BT-128."""
        documents = self.by_type(self.all(settlement, "ram:AdditionalReferencedDocument"), "ram:TypeCode")
        return next(map(self.typed_identifier, documents.get(INVOICED_OBJECT, [])), None)

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
