"""A UN/CEFACT Cross Industry Invoice (D16B to D22B) into the semantic model.

The same mapping serves Factur-X and ZUGFeRD 2 from MINIMUM to EXTENDED and XRechnung: a profile that lacks
a term leaves it empty. Comments name the business term where the path does not.
"""

from decimal import Decimal

from invoices.einvoices.refusals import Refused
from invoices.einvoices.xml_values import Element, Values
from invoices.semantics import (
    Address,
    AllowanceCharge,
    ContactPoint,
    Delivery,
    DocumentReference,
    InvoiceContent,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Period,
    VatBreakdown,
)

CII = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
_NAMESPACES = {
    "rsm": CII,
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}


def read_cii(root: Element) -> tuple[InvoiceContent, tuple[str, ...]]:
    """What the CII document under ``root`` states, and French warnings about what had to be left out.

    Raises :class:`Refused` where the number (BT-1) is missing or an amount is no number.
    """
    reader = _CiiReader(_NAMESPACES)
    return reader.invoice(root), tuple(reader.warnings)


class _CiiReader(Values):
    def invoice(self, root: Element) -> InvoiceContent:
        context = self.find(root, "rsm:ExchangedDocumentContext")
        document = self.find(root, "rsm:ExchangedDocument")
        transaction = self.find(root, "rsm:SupplyChainTradeTransaction")
        agreement = self.find(transaction, "ram:ApplicableHeaderTradeAgreement")
        delivery = self.find(transaction, "ram:ApplicableHeaderTradeDelivery")
        settlement = self.find(transaction, "ram:ApplicableHeaderTradeSettlement")
        totals = self.find(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
        number = self.text(document, "ram:ID")
        if not number:
            raise Refused("BT-1 : cette facture n’a pas de numéro.")
        currency = self.text(settlement, "ram:InvoiceCurrencyCode")
        vat_currency = self.text(settlement, "ram:TaxCurrencyCode")
        return InvoiceContent(
            number=number,
            issue_date=self.date(document, "ram:IssueDateTime/*", "BT-2"),
            type_code=self.text(document, "ram:TypeCode"),
            currency=currency,
            seller=self.party(self.find(agreement, "ram:SellerTradeParty")) or Party(),
            buyer=self.party(self.find(agreement, "ram:BuyerTradeParty")) or Party(),
            lines=tuple(map(self.line, self.all(transaction, "ram:IncludedSupplyChainTradeLineItem"))),
            vat_breakdown=self.vat_breakdown(settlement),
            total_without_vat=self.total(totals, "ram:TaxBasisTotalAmount", currency, "BT-109"),
            total_with_vat=self.total(totals, "ram:GrandTotalAmount", currency, "BT-112"),
            amount_due=self.total(totals, "ram:DuePayableAmount", currency, "BT-115"),
            total_vat=self.total(totals, "ram:TaxTotalAmount", currency, "BT-110", unless=vat_currency),
            vat_currency=vat_currency,
            total_vat_in_vat_currency=self.total_in_vat_currency(totals, currency, vat_currency),
            line_total=self.total(totals, "ram:LineTotalAmount", currency, "BT-106"),
            allowance_total=self.total(totals, "ram:AllowanceTotalAmount", currency, "BT-107"),
            charge_total=self.total(totals, "ram:ChargeTotalAmount", currency, "BT-108"),
            prepaid_amount=self.total(totals, "ram:TotalPrepaidAmount", currency, "BT-113"),
            rounding_amount=self.total(totals, "ram:RoundingAmount", currency, "BT-114"),
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

    def total(self, totals: Element | None, path: str, currency: str, term: str, *, unless: str = "") -> Decimal | None:
        """A total in ``currency``: of several the one that says so, else the first that says nothing.

        One that says ``unless`` (the VAT currency, where it differs) is another term's.
        """
        candidates = [found for found in self.all(totals, path) if self.text(found)]
        stated = [found for found in candidates if found.get("currencyID") == currency]
        silent = [found for found in candidates if not found.get("currencyID")]
        others = [found for found in candidates if unless in ("", currency) or found.get("currencyID") != unless]
        for found in (*stated, *silent, *others):
            return self.amount(found, ".", term)
        return None

    def total_in_vat_currency(self, totals: Element | None, currency: str, vat_currency: str) -> Decimal | None:
        """BT-111: the VAT total that says the VAT currency, where it is another one than the invoice's."""
        if vat_currency in ("", currency):
            return None
        for found in self.all(totals, "ram:TaxTotalAmount"):
            if found.get("currencyID") == vat_currency:
                return self.amount(found, ".", "BT-111")
        return None

    def party(self, element: Element | None) -> Party | None:
        if element is None:
            return None
        registrations = {
            found.get("schemeID", ""): self.text(found)
            for found in reversed(self.all(element, "ram:SpecifiedTaxRegistration/ram:ID"))
        }
        identifiers = [*self.all(element, "ram:ID"), *self.all(element, "ram:GlobalID")]
        party = Party(
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
        return party if party != Party() else None

    def address(self, element: Element | None) -> Address | None:
        address = Address(
            line1=self.text(element, "ram:LineOne"),
            line2=self.text(element, "ram:LineTwo"),
            line3=self.text(element, "ram:LineThree"),
            city=self.text(element, "ram:CityName"),
            postcode=self.text(element, "ram:PostcodeCode"),
            subdivision=self.text(element, "ram:CountrySubDivisionName"),
            country=self.text(element, "ram:CountryID"),
        )
        return address if address != Address() else None

    def contact(self, element: Element | None) -> ContactPoint | None:
        contact = ContactPoint(
            name=self.text(element, "ram:PersonName") or self.text(element, "ram:DepartmentName"),
            phone=self.text(element, "ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
            email=self.text(element, "ram:EmailURIUniversalCommunication/ram:URIID"),
        )
        return contact if contact != ContactPoint() else None

    def delivery(self, element: Element | None) -> Delivery | None:
        recipient = self.find(element, "ram:ShipToTradeParty")
        delivery = Delivery(
            name=self.text(recipient, "ram:Name"),
            location=self.identifier(recipient, "ram:GlobalID") or self.identifier(recipient, "ram:ID"),
            date=self.date(element, "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/*", "BT-72"),
            address=self.address(self.find(recipient, "ram:PostalTradeAddress")),
        )
        return delivery if delivery != Delivery() else None

    def period(self, element: Element | None, start_term: str, end_term: str) -> Period | None:
        found = self.find(element, "ram:BillingSpecifiedPeriod")
        period = Period(
            start=self.date(found, "ram:StartDateTime/*", start_term),
            end=self.date(found, "ram:EndDateTime/*", end_term),
        )
        return period if period != Period() else None

    def payment(self, settlement: Element | None) -> PaymentInstructions | None:
        """The first means of payment; of several transfers the first account (the model holds one)."""
        means = self.find(settlement, "ram:SpecifiedTradeSettlementPaymentMeans")
        account = self.find(means, "ram:PayeePartyCreditorFinancialAccount")
        payment = PaymentInstructions(
            means_code=self.text(means, "ram:TypeCode"),
            means_text=self.text(means, "ram:Information"),
            remittance_information=self.text(settlement, "ram:PaymentReference"),
            iban=self.text(account, "ram:IBANID") or self.text(account, "ram:ProprietaryID"),
            account_name=self.text(account, "ram:AccountName"),
            bic=self.text(means, "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"),
            mandate_reference=self.text(settlement, "ram:SpecifiedTradePaymentTerms/ram:DirectDebitMandateID"),
            creditor_identifier=self.text(settlement, "ram:CreditorReferenceID"),
            debited_iban=self.text(means, "ram:PayerPartyDebtorFinancialAccount/ram:IBANID"),
        )
        return payment if payment != PaymentInstructions() else None

    def vat_breakdown(self, settlement: Element | None) -> tuple[VatBreakdown, ...]:
        breakdown = []
        for found in self.all(settlement, "ram:ApplicableTradeTax"):
            category = self.text(found, "ram:CategoryCode")
            taxable_amount = self.amount(found, "ram:BasisAmount", "BT-116")
            tax_amount = self.amount(found, "ram:CalculatedAmount", "BT-117")
            if taxable_amount is None or tax_amount is None:
                term = "base (BT-116)" if taxable_amount is None else "montant (BT-117)"
                self.warnings.append(f"Une ligne de TVA « {category} » sans {term} a été laissée de côté.")
                continue
            breakdown.append(
                VatBreakdown(
                    category=category,
                    rate=self.amount(found, "ram:RateApplicablePercent", "BT-119"),
                    taxable_amount=taxable_amount,
                    tax_amount=tax_amount,
                    exemption_reason=self.text(found, "ram:ExemptionReason"),
                    exemption_code=self.text(found, "ram:ExemptionReasonCode"),
                )
            )
        return tuple(breakdown)

    def allowances_charges(
        self, element: Element | None, allowance_term: str, charge_term: str
    ) -> tuple[AllowanceCharge, ...]:
        return tuple(
            found
            for item in self.all(element, "ram:SpecifiedTradeAllowanceCharge")
            if (found := self.allowance_charge(item, allowance_term, charge_term))
        )

    def allowance_charge(self, element: Element, allowance_term: str, charge_term: str) -> AllowanceCharge | None:
        is_charge = self.text(element, "ram:ChargeIndicator/udt:Indicator").lower() in ("true", "1")
        term = charge_term if is_charge else allowance_term
        amount = self.amount(element, "ram:ActualAmount", term)
        if amount is None:
            self.warnings.append(f"{term} : une remise ou majoration sans montant a été laissée de côté.")
            return None
        return AllowanceCharge(
            is_charge=is_charge,
            amount=amount,
            base_amount=self.amount(element, "ram:BasisAmount", term),
            percentage=self.amount(element, "ram:CalculationPercent", term),
            vat_category=self.text(element, "ram:CategoryTradeTax/ram:CategoryCode"),
            vat_rate=self.amount(element, "ram:CategoryTradeTax/ram:RateApplicablePercent", term),
            reason=self.text(element, "ram:Reason"),
            reason_code=self.text(element, "ram:ReasonCode"),
        )

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
        return Line(
            identifier=identifier,
            name=self.text(product, "ram:Name"),
            net_amount=self.line_amount(settlement, summation, identifier),
            quantity=self.amount(quantity, ".", "BT-129"),
            unit="" if quantity is None else quantity.get("unitCode", "").strip(),
            net_price=self.amount(net, "ram:ChargeAmount", "BT-146"),
            price_base_quantity=self.base_quantity(net, gross),
            gross_price=self.amount(gross, "ram:ChargeAmount", "BT-148"),
            price_discount=self.price_discount(gross),
            vat_category=self.text(tax, "ram:CategoryCode"),
            vat_rate=self.amount(tax, "ram:RateApplicablePercent", "BT-152"),
            description=self.text(product, "ram:Description"),
            note="\n".join(self.texts(document, "ram:IncludedNote/ram:Content")),
            seller_item_identifier=self.text(product, "ram:SellerAssignedID"),
            buyer_item_identifier=self.text(product, "ram:BuyerAssignedID"),
            standard_item_identifier=self.identifier(product, "ram:GlobalID"),
            order_line_reference=self.text(agreement, "ram:BuyerOrderReferencedDocument/ram:LineID"),
            period=self.period(settlement, "BT-134", "BT-135"),
            allowances_charges=self.allowances_charges(settlement, "BT-136", "BT-141"),
            kind=self.text(document, "ram:LineStatusReasonCode"),
            parent_identifier=self.text(document, "ram:ParentLineID"),
        )

    def base_quantity(self, net: Element | None, gross: Element | None) -> Decimal | None:
        """BT-149 stands with the net price, or with the gross price alone."""
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
