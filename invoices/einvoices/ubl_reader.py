"""A UBL 2.x Invoice or CreditNote (EN 16931, Peppol, XRechnung, EXTENDED-CTC-FR) into the semantic model.

Both roots differ in a few names only; each path is written once with the names of the root at hand.
"""

import re
from decimal import Decimal

from lxml import etree

from invoices.einvoices.refusals import Refused
from invoices.einvoices.xml_values import Element, Values
from invoices.semantics import (
    Address,
    AllowanceCharge,
    ContactPoint,
    Delivery,
    DocumentReference,
    Identifier,
    InvoiceContent,
    Line,
    Note,
    Party,
    PaymentInstructions,
    Period,
    VatBreakdown,
)

UBL_INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
UBL_CREDIT_NOTE = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
_NAMESPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_NOTE_WITH_CODE = re.compile(r"#([A-Z]{3})#\s*(.*)", re.DOTALL)
# UBL writes BT-8 in UNTDID 2005, CII in UNTDID 2475; the model keeps the latter.
_VAT_POINT_CODES = {"3": "5", "35": "29", "432": "72"}
_CREDIT_NOTE = "381"
_SEPA_CREDITOR = "SEPA"  # the scheme under which a creditor identifier (BT-90) stands among a party's identifiers


def read_ubl(root: Element) -> tuple[InvoiceContent, tuple[str, ...]]:
    """What the UBL document under ``root`` states, and French warnings about what had to be left out.

    Raises :class:`Refused` where the number (BT-1) is missing or an amount is no number.
    """
    reader = _UblReader(_NAMESPACES)
    return reader.invoice(root), tuple(reader.warnings)


class _UblReader(Values):
    def invoice(self, root: Element) -> InvoiceContent:
        is_credit_note = etree.QName(root).localname == "CreditNote"
        line_name, quantity_name, type_name = (
            ("cac:CreditNoteLine", "cbc:CreditedQuantity", "cbc:CreditNoteTypeCode")
            if is_credit_note
            else ("cac:InvoiceLine", "cbc:InvoicedQuantity", "cbc:InvoiceTypeCode")
        )
        number = self.text(root, "cbc:ID")
        if not number:
            raise Refused("BT-1 : cette facture n’a pas de numéro.")
        currency = self.text(root, "cbc:DocumentCurrencyCode")
        vat_currency = self.text(root, "cbc:TaxCurrencyCode")
        totals = self.find(root, "cac:LegalMonetaryTotal")
        seller = self.find(root, "cac:AccountingSupplierParty/cac:Party")
        payee = self.find(root, "cac:PayeeParty")
        vat_point_code = self.text(root, "cac:InvoicePeriod/cbc:DescriptionCode")
        if self.find(root, f"{line_name}/cac:SubInvoiceLine") is not None:
            self.warnings.append("Les sous-lignes de cette facture ne sont pas reprises ; leurs lignes le sont.")
        return InvoiceContent(
            number=number,
            issue_date=self.date(root, "cbc:IssueDate", "BT-2"),
            # Before the European norm, the root alone said what it is.
            type_code=self.text(root, type_name) or (_CREDIT_NOTE if is_credit_note else ""),
            currency=currency,
            seller=self.party(seller) or Party(),
            buyer=self.party(self.find(root, "cac:AccountingCustomerParty/cac:Party")) or Party(),
            lines=tuple(self.line(found, quantity_name) for found in self.all(root, line_name)),
            vat_breakdown=self.vat_breakdown(root, currency),
            total_without_vat=self.amount(totals, "cbc:TaxExclusiveAmount", "BT-109"),
            total_with_vat=self.amount(totals, "cbc:TaxInclusiveAmount", "BT-112"),
            amount_due=self.amount(totals, "cbc:PayableAmount", "BT-115"),
            total_vat=self.total_vat(root, currency, vat_currency),
            vat_currency=vat_currency,
            total_vat_in_vat_currency=self.total_in_vat_currency(root, currency, vat_currency),
            line_total=self.amount(totals, "cbc:LineExtensionAmount", "BT-106"),
            allowance_total=self.amount(totals, "cbc:AllowanceTotalAmount", "BT-107"),
            charge_total=self.amount(totals, "cbc:ChargeTotalAmount", "BT-108"),
            prepaid_amount=self.amount(totals, "cbc:PrepaidAmount", "BT-113"),
            rounding_amount=self.amount(totals, "cbc:PayableRoundingAmount", "BT-114"),
            # A credit note has no DueDate of its own: its date stands with the means of payment.
            due_date=self.date(root, "cbc:DueDate", "BT-9")
            or self.date(root, "cac:PaymentMeans/cbc:PaymentDueDate", "BT-9"),
            payment_terms="\n".join(self.texts(root, "cac:PaymentTerms/cbc:Note")),
            vat_point_date=self.date(root, "cbc:TaxPointDate", "BT-7"),
            vat_point_code=_VAT_POINT_CODES.get(vat_point_code, vat_point_code),
            buyer_reference=self.text(root, "cbc:BuyerReference"),
            project_reference=self.text(root, "cac:ProjectReference/cbc:ID") or self.typed_reference(root, "50"),
            contract_reference=self.text(root, "cac:ContractDocumentReference/cbc:ID"),
            purchase_order_reference=self.text(root, "cac:OrderReference/cbc:ID"),
            sales_order_reference=self.text(root, "cac:OrderReference/cbc:SalesOrderID"),
            despatch_advice_reference=self.text(root, "cac:DespatchDocumentReference/cbc:ID"),
            buyer_accounting_reference=self.text(root, "cbc:AccountingCost"),
            business_process=self.text(root, "cbc:ProfileID"),
            profile=self.text(root, "cbc:CustomizationID"),
            notes=tuple(map(_note, self.texts(root, "cbc:Note"))),
            preceding_invoices=tuple(
                DocumentReference(reference, self.date(found, "cbc:IssueDate", "BT-26"))
                for kind in ("cac:InvoiceDocumentReference", "cac:CreditNoteDocumentReference")
                for found in self.all(root, f"cac:BillingReference/{kind}")
                if (reference := self.text(found, "cbc:ID"))
            ),
            payee=self.party(payee),
            tax_representative=self.party(self.find(root, "cac:TaxRepresentativeParty")),
            delivery=self.delivery(self.find(root, "cac:Delivery")),
            period=self.period(root, "BT-73", "BT-74"),
            payment=self.payment(root, seller, payee),
            allowances_charges=self.allowances_charges(root, "BT-92", "BT-99"),
        )

    def typed_reference(self, root: Element, type_code: str) -> str:
        for found in self.all(root, "cac:AdditionalDocumentReference"):
            if self.text(found, "cbc:DocumentTypeCode") == type_code:
                return self.text(found, "cbc:ID")
        return ""

    def total_vat(self, root: Element, currency: str, vat_currency: str) -> Decimal | None:
        """BT-110: the VAT total in the invoice's currency, never the one in the VAT currency."""
        amounts = [found for found in self.all(root, "cac:TaxTotal/cbc:TaxAmount") if self.text(found)]
        stated = [found for found in amounts if found.get("currencyID") == currency]
        others = [
            found for found in amounts if vat_currency in ("", currency) or found.get("currencyID") != vat_currency
        ]
        for found in (*stated, *others):
            return self.amount(found, ".", "BT-110")
        return None

    def total_in_vat_currency(self, root: Element, currency: str, vat_currency: str) -> Decimal | None:
        """BT-111: the VAT total that says the VAT currency, where it is another one than the invoice's."""
        if vat_currency in ("", currency):
            return None
        for found in self.all(root, "cac:TaxTotal/cbc:TaxAmount"):
            if found.get("currencyID") == vat_currency:
                return self.amount(found, ".", "BT-111")
        return None

    def party(self, element: Element | None) -> Party | None:
        """BT-27, BT-44: the registered name; where only the trading name is given, that one is the name."""
        if element is None:
            return None
        legal = self.find(element, "cac:PartyLegalEntity")
        trading_name = self.text(element, "cac:PartyName/cbc:Name")
        name = self.text(legal, "cbc:RegistrationName")
        vat_identifier, tax_registration = self.tax_registrations(element)
        party = Party(
            name=name or trading_name,
            trading_name=trading_name if name else "",
            identifiers=self.identifiers(element),
            legal_identifier=self.identifier(legal, "cbc:CompanyID"),
            vat_identifier=vat_identifier,
            tax_registration=tax_registration,
            legal_information=self.text(legal, "cbc:CompanyLegalForm"),
            electronic_address=self.identifier(element, "cbc:EndpointID"),
            address=self.address(self.find(element, "cac:PostalAddress")),
            contact=self.contact(self.find(element, "cac:Contact")),
        )
        return party if party != Party() else None

    def identifiers(self, element: Element) -> tuple[Identifier, ...]:
        """BT-29, BT-46: those without a scheme first, as CII orders them; UBL gives their order no meaning."""
        found = (self.identifier(item) for item in self.all(element, "cac:PartyIdentification/cbc:ID"))
        stated = [identifier for identifier in found if identifier and identifier.scheme != _SEPA_CREDITOR]
        return tuple(sorted(stated, key=lambda identifier: bool(identifier.scheme)))

    def tax_registrations(self, element: Element) -> tuple[str, str]:
        """BT-31 stands under the tax scheme VAT, BT-32 under any other."""
        vat_identifier = tax_registration = ""
        for found in self.all(element, "cac:PartyTaxScheme"):
            value = self.text(found, "cbc:CompanyID")
            if self.text(found, "cac:TaxScheme/cbc:ID").upper() in ("VAT", "VA"):
                vat_identifier = vat_identifier or value
            else:
                tax_registration = tax_registration or value
        return vat_identifier, tax_registration

    def address(self, element: Element | None) -> Address | None:
        address = Address(
            line1=self.text(element, "cbc:StreetName"),
            line2=self.text(element, "cbc:AdditionalStreetName"),
            line3=self.text(element, "cac:AddressLine/cbc:Line"),
            city=self.text(element, "cbc:CityName"),
            postcode=self.text(element, "cbc:PostalZone"),
            subdivision=self.text(element, "cbc:CountrySubentity"),
            country=self.text(element, "cac:Country/cbc:IdentificationCode"),
        )
        return address if address != Address() else None

    def contact(self, element: Element | None) -> ContactPoint | None:
        contact = ContactPoint(
            name=self.text(element, "cbc:Name"),
            phone=self.text(element, "cbc:Telephone"),
            email=self.text(element, "cbc:ElectronicMail"),
        )
        return contact if contact != ContactPoint() else None

    def delivery(self, element: Element | None) -> Delivery | None:
        delivery = Delivery(
            name=self.text(element, "cac:DeliveryParty/cac:PartyName/cbc:Name"),
            location=self.identifier(element, "cac:DeliveryLocation/cbc:ID"),
            date=self.date(element, "cbc:ActualDeliveryDate", "BT-72"),
            address=self.address(self.find(element, "cac:DeliveryLocation/cac:Address")),
        )
        return delivery if delivery != Delivery() else None

    def period(self, element: Element, start_term: str, end_term: str) -> Period | None:
        period = Period(
            start=self.date(element, "cac:InvoicePeriod/cbc:StartDate", start_term),
            end=self.date(element, "cac:InvoicePeriod/cbc:EndDate", end_term),
        )
        return period if period != Period() else None

    def payment(self, root: Element, seller: Element | None, payee: Element | None) -> PaymentInstructions | None:
        """The first means of payment (the model holds one account)."""
        means = self.find(root, "cac:PaymentMeans")
        code = self.find(means, "cbc:PaymentMeansCode")
        account = self.find(means, "cac:PayeeFinancialAccount")
        creditors = [
            self.text(found)
            for party in (payee, seller)
            for found in self.all(party, "cac:PartyIdentification/cbc:ID")
            if found.get("schemeID") == _SEPA_CREDITOR
        ]
        payment = PaymentInstructions(
            means_code=self.text(code),
            means_text="" if code is None else code.get("name", "").strip(),
            remittance_information=self.text(means, "cbc:PaymentID"),
            iban=self.text(account, "cbc:ID"),
            account_name=self.text(account, "cbc:Name"),
            bic=self.text(account, "cac:FinancialInstitutionBranch/cbc:ID"),
            mandate_reference=self.text(means, "cac:PaymentMandate/cbc:ID"),
            creditor_identifier=creditors[0] if creditors else "",
            debited_iban=self.text(means, "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID"),
        )
        return payment if payment != PaymentInstructions() else None

    def vat_breakdown(self, root: Element, currency: str) -> tuple[VatBreakdown, ...]:
        breakdown = []
        for found in self.all(root, "cac:TaxTotal/cac:TaxSubtotal"):
            category = self.find(found, "cac:TaxCategory")
            code = self.text(category, "cbc:ID")
            taxable_amount = self.amount(found, "cbc:TaxableAmount", "BT-116")
            tax_amount = self.amount(found, "cbc:TaxAmount", "BT-117")
            if taxable_amount is None or tax_amount is None:
                term = "base (BT-116)" if taxable_amount is None else "montant (BT-117)"
                self.warnings.append(f"Une ligne de TVA « {code} » sans {term} a été laissée de côté.")
                continue
            breakdown.append(
                VatBreakdown(
                    category=code,
                    rate=self.amount(category, "cbc:Percent", "BT-119"),
                    taxable_amount=taxable_amount,
                    tax_amount=tax_amount,
                    exemption_reason=self.text(category, "cbc:TaxExemptionReason"),
                    exemption_code=self.text(category, "cbc:TaxExemptionReasonCode"),
                )
            )
        return tuple(breakdown)

    def allowances_charges(
        self, element: Element, allowance_term: str, charge_term: str
    ) -> tuple[AllowanceCharge, ...]:
        return tuple(
            found
            for item in self.all(element, "cac:AllowanceCharge")
            if (found := self.allowance_charge(item, allowance_term, charge_term))
        )

    def allowance_charge(self, element: Element, allowance_term: str, charge_term: str) -> AllowanceCharge | None:
        is_charge = self.text(element, "cbc:ChargeIndicator").lower() in ("true", "1")
        term = charge_term if is_charge else allowance_term
        amount = self.amount(element, "cbc:Amount", term)
        if amount is None:
            self.warnings.append(f"{term} : une remise ou majoration sans montant a été laissée de côté.")
            return None
        return AllowanceCharge(
            is_charge=is_charge,
            amount=amount,
            base_amount=self.amount(element, "cbc:BaseAmount", term),
            percentage=self.amount(element, "cbc:MultiplierFactorNumeric", term),
            vat_category=self.text(element, "cac:TaxCategory/cbc:ID"),
            vat_rate=self.amount(element, "cac:TaxCategory/cbc:Percent", term),
            reason=self.text(element, "cbc:AllowanceChargeReason"),
            reason_code=self.text(element, "cbc:AllowanceChargeReasonCode"),
        )

    def line(self, element: Element, quantity_name: str) -> Line:
        item = self.find(element, "cac:Item")
        price = self.find(element, "cac:Price")
        price_allowance = self.find(price, "cac:AllowanceCharge")
        quantity = self.find(element, quantity_name)
        tax = self.find(item, "cac:ClassifiedTaxCategory")
        identifier = self.text(element, "cbc:ID")
        return Line(
            identifier=identifier,
            name=self.text(item, "cbc:Name"),
            net_amount=self.line_amount(element, "cbc:LineExtensionAmount", identifier),
            quantity=self.amount(quantity, ".", "BT-129"),
            unit="" if quantity is None else quantity.get("unitCode", "").strip(),
            net_price=self.amount(price, "cbc:PriceAmount", "BT-146"),
            price_base_quantity=self.amount(price, "cbc:BaseQuantity", "BT-149"),
            gross_price=self.amount(price_allowance, "cbc:BaseAmount", "BT-148"),
            price_discount=self.amount(price_allowance, "cbc:Amount", "BT-147"),
            vat_category=self.text(tax, "cbc:ID"),
            vat_rate=self.amount(tax, "cbc:Percent", "BT-152"),
            description=self.text(item, "cbc:Description"),
            note="\n".join(self.texts(element, "cbc:Note")),
            seller_item_identifier=self.text(item, "cac:SellersItemIdentification/cbc:ID"),
            buyer_item_identifier=self.text(item, "cac:BuyersItemIdentification/cbc:ID"),
            standard_item_identifier=self.identifier(item, "cac:StandardItemIdentification/cbc:ID"),
            order_line_reference=self.text(element, "cac:OrderLineReference/cbc:LineID"),
            period=self.period(element, "BT-134", "BT-135"),
            allowances_charges=self.allowances_charges(element, "BT-136", "BT-141"),
        )


def _note(text: str) -> Note:
    """A note whose subject code UBL writes into the text: ``#PMT#…``."""
    match = _NOTE_WITH_CODE.fullmatch(text)
    return Note(match[2], match[1]) if match and match[2] else Note(text)
