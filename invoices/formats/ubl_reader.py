"""A UBL 2.x Invoice or CreditNote (EN 16931, Peppol, XRechnung, EXTENDED-CTC-FR) into the semantic model.

Both roots differ in a few names only; each path is written once with the names of the root at hand.
"""

import re
from collections.abc import Mapping, Sequence

from lxml import etree

from invoices.en16931.model import (
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
    SUPPORTING_DOCUMENT,
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
    unless_empty,
)
from invoices.formats.xml_values import Element

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
_SEPA_CREDITOR = "SEPA"  # the scheme under which a creditor identifier (BT-90) is among a party's identifiers


def read_ubl(root: Element) -> tuple[InvoiceContent, tuple[str, ...]]:
    """What the UBL document under ``root`` states, and French warnings about what had to be left out.

    Raises :class:`UnreadableEInvoice` where the number (BT-1) is missing or an amount is no number.
    """
    reader = _UblReader(_NAMESPACES)
    return reader.invoice(root), tuple(reader.warnings)


class _UblReader(SemanticReader):
    address_paths = {
        "line1": "cbc:StreetName",
        "line2": "cbc:AdditionalStreetName",
        "line3": "cac:AddressLine/cbc:Line",
        "city": "cbc:CityName",
        "postcode": "cbc:PostalZone",
        "subdivision": "cbc:CountrySubentity",
        "country": "cac:Country/cbc:IdentificationCode",
    }
    contact_paths = {"name": ("cbc:Name",), "phone": ("cbc:Telephone",), "email": ("cbc:ElectronicMail",)}
    period_paths = ("cac:InvoicePeriod/cbc:StartDate", "cac:InvoicePeriod/cbc:EndDate")
    allowance_paths = AllowancePaths(
        item="cac:AllowanceCharge",
        indicator="cbc:ChargeIndicator",
        amount="cbc:Amount",
        base="cbc:BaseAmount",
        percentage="cbc:MultiplierFactorNumeric",
        category="cac:TaxCategory/cbc:ID",
        rate="cac:TaxCategory/cbc:Percent",
        reason="cbc:AllowanceChargeReason",
        reason_code="cbc:AllowanceChargeReasonCode",
    )
    vat_paths = VatPaths(
        taxable="cbc:TaxableAmount",
        tax="cbc:TaxAmount",
        category="cac:TaxCategory/cbc:ID",
        rate="cac:TaxCategory/cbc:Percent",
        reason="cac:TaxCategory/cbc:TaxExemptionReason",
        reason_code="cac:TaxCategory/cbc:TaxExemptionReasonCode",
    )
    item_paths = ItemPaths(
        classification="cac:CommodityClassification/cbc:ItemClassificationCode",
        attribute="cac:AdditionalItemProperty",
        attribute_name="cbc:Name",
        attribute_value="cbc:Value",
    )
    document_paths = DocumentPaths(
        reference="cbc:ID",
        description="cbc:DocumentDescription",
        location="cac:Attachment/cac:ExternalReference/cbc:URI",
        content="cac:Attachment/cbc:EmbeddedDocumentBinaryObject",
    )

    def invoice(self, root: Element) -> InvoiceContent:
        """The whole invoice, its parts in the order of the model."""
        is_credit_note = etree.QName(root).localname == "CreditNote"
        line_name, quantity_name, type_name = (
            ("cac:CreditNoteLine", "cbc:CreditedQuantity", "cbc:CreditNoteTypeCode")
            if is_credit_note
            else ("cac:InvoiceLine", "cbc:InvoicedQuantity", "cbc:InvoiceTypeCode")
        )
        number = self.number(root, "cbc:ID")
        documents = self.by_type(self.all(root, "cac:AdditionalDocumentReference"), "cbc:DocumentTypeCode")
        seller = self.find(root, "cac:AccountingSupplierParty/cac:Party")
        payee = self.find(root, "cac:PayeeParty")
        deliveries = self.deliveries(root)
        if self.find(root, f"{line_name}/cac:SubInvoiceLine") is not None:
            self.warnings.append("Les sous-lignes de cette facture ne sont pas reprises ; leurs lignes le sont.")
        return InvoiceContent(
            number=number,
            issue_date=self.date(root, "cbc:IssueDate", "BT-2"),
            # Before the European norm, the root alone said what it is.
            type_code=self.text(root, type_name) or (_CREDIT_NOTE if is_credit_note else ""),
            seller=self.party(seller) or Party(),
            buyer=self.party(self.find(root, "cac:AccountingCustomerParty/cac:Party")) or Party(),
            lines=tuple(self.line(found, quantity_name) for found in self.all(root, line_name)),
            vat_breakdown=self.vat_breakdown(self.all(root, "cac:TaxTotal/cac:TaxSubtotal")),
            **self.totals(root),
            **self.deadlines(root),
            **self.references(root, documents),
            business_process=self.text(root, "cbc:ProfileID"),
            profile=self.text(root, "cbc:CustomizationID"),
            notes=tuple(map(_note, self.texts(root, "cbc:Note"))),
            preceding_invoices=self.preceding_invoices(root),
            supporting_documents=self.supporting_documents(
                found for kind in ("", SUPPORTING_DOCUMENT) for found in documents.get(kind, [])
            ),
            payee=self.party(payee),
            tax_representative=self.party(self.find(root, "cac:TaxRepresentativeParty")),
            delivery=deliveries[0] if deliveries else None,
            other_deliveries=deliveries[1:],
            period=self.period(root, "BT-73", "BT-74"),
            payment=self.payment(root, seller, payee),
            allowances_charges=self.allowances_charges(root, "BT-92", "BT-99"),
        )

    def totals(self, root: Element) -> DocumentTotals:
        """BG-22, BT-5 and BT-6."""
        totals = self.find(root, "cac:LegalMonetaryTotal")
        vat_totals = self.all(root, "cac:TaxTotal/cbc:TaxAmount")
        currency = self.text(root, "cbc:DocumentCurrencyCode")
        vat_currency = self.text(root, "cbc:TaxCurrencyCode")
        return DocumentTotals(
            currency=currency,
            vat_currency=vat_currency,
            total_without_vat=self.amount(totals, "cbc:TaxExclusiveAmount", "BT-109"),
            total_with_vat=self.amount(totals, "cbc:TaxInclusiveAmount", "BT-112"),
            amount_due=self.amount(totals, "cbc:PayableAmount", "BT-115"),
            total_vat=self.total(vat_totals, currency, "BT-110", unless=vat_currency),
            total_vat_in_vat_currency=self.total_in_vat_currency(vat_totals, currency, vat_currency),
            line_total=self.amount(totals, "cbc:LineExtensionAmount", "BT-106"),
            allowance_total=self.amount(totals, "cbc:AllowanceTotalAmount", "BT-107"),
            charge_total=self.amount(totals, "cbc:ChargeTotalAmount", "BT-108"),
            prepaid_amount=self.amount(totals, "cbc:PrepaidAmount", "BT-113"),
            rounding_amount=self.amount(totals, "cbc:PayableRoundingAmount", "BT-114"),
        )

    def deadlines(self, root: Element) -> Deadlines:
        """BT-7 to BT-9, BT-20. A credit note has no DueDate of its own: its date is with the means of payment."""
        vat_point_code = self.text(root, "cac:InvoicePeriod/cbc:DescriptionCode")
        return Deadlines(
            due_date=self.date(root, "cbc:DueDate", "BT-9")
            or self.date(root, "cac:PaymentMeans/cbc:PaymentDueDate", "BT-9"),
            payment_terms="\n".join(self.texts(root, "cac:PaymentTerms/cbc:Note")),
            vat_point_date=self.date(root, "cbc:TaxPointDate", "BT-7"),
            vat_point_code=_VAT_POINT_CODES.get(vat_point_code, vat_point_code),
        )

    def references(self, root: Element, documents: Mapping[str, Sequence[Element]]) -> References:
        """BT-10 to BT-19; ``documents`` are the additional ones by their type."""
        return References(
            buyer_reference=self.text(root, "cbc:BuyerReference"),
            project_reference=self.text(root, "cac:ProjectReference/cbc:ID")
            or next((self.text(found, "cbc:ID") for found in documents.get(TENDER, [])), ""),
            contract_reference=self.text(root, "cac:ContractDocumentReference/cbc:ID"),
            purchase_order_reference=self.text(root, "cac:OrderReference/cbc:ID"),
            sales_order_reference=self.text(root, "cac:OrderReference/cbc:SalesOrderID"),
            despatch_advice_reference=self.text(root, "cac:DespatchDocumentReference/cbc:ID"),
            receiving_advice_reference=self.text(root, "cac:ReceiptDocumentReference/cbc:ID"),
            tender_reference=self.text(root, "cac:OriginatorDocumentReference/cbc:ID"),
            invoiced_object=next(
                (self.identifier(found, "cbc:ID") for found in documents.get(INVOICED_OBJECT, [])), None
            ),
            buyer_accounting_reference=self.text(root, "cbc:AccountingCost"),
        )

    def preceding_invoices(self, root: Element) -> tuple[DocumentReference, ...]:
        """BG-3."""
        return tuple(
            DocumentReference(reference, self.date(found, "cbc:IssueDate", "BT-26"))
            for kind in ("cac:InvoiceDocumentReference", "cac:CreditNoteDocumentReference")
            for found in self.all(root, f"cac:BillingReference/{kind}")
            if (reference := self.text(found, "cbc:ID"))
        )

    def party(self, element: Element | None) -> Party | None:
        """BT-27, BT-44: the registered name; where only the trading name is given, that one is the name."""
        if element is None:
            return None
        legal = self.find(element, "cac:PartyLegalEntity")
        trading_name = self.text(element, "cac:PartyName/cbc:Name")
        name = self.text(legal, "cbc:RegistrationName")
        vat_identifier, tax_registration = self.tax_registrations(element)
        return unless_empty(
            Party(
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
        )

    def identifiers(self, element: Element) -> tuple[Identifier, ...]:
        """BT-29, BT-46: those without a scheme first, as CII orders them; UBL gives their order no meaning."""
        found = (self.identifier(item) for item in self.all(element, "cac:PartyIdentification/cbc:ID"))
        stated = [identifier for identifier in found if identifier and identifier.scheme != _SEPA_CREDITOR]
        return tuple(sorted(stated, key=lambda identifier: bool(identifier.scheme)))

    def tax_registrations(self, element: Element) -> tuple[str, str]:
        """BT-31 is under the tax scheme VAT, BT-32 under any other."""
        vat_identifier = tax_registration = ""
        for found in self.all(element, "cac:PartyTaxScheme"):
            value = self.text(found, "cbc:CompanyID")
            if self.text(found, "cac:TaxScheme/cbc:ID").upper() in ("VAT", "VA"):
                vat_identifier = vat_identifier or value
            else:
                tax_registration = tax_registration or value
        return vat_identifier, tax_registration

    def deliveries(self, parent: Element) -> tuple[Delivery, ...]:
        found = [self.delivery(element) for element in self.all(parent, "cac:Delivery")]
        return tuple(dict.fromkeys(filter(None, found)))

    def delivery(self, element: Element) -> Delivery | None:
        return unless_empty(
            Delivery(
                name=self.text(element, "cac:DeliveryParty/cac:PartyName/cbc:Name"),
                location=self.identifier(element, "cac:DeliveryLocation/cbc:ID"),
                date=self.date(element, "cbc:ActualDeliveryDate", "BT-72"),
                address=self.address(self.find(element, "cac:DeliveryLocation/cac:Address")),
            )
        )

    def payment(self, root: Element, seller: Element | None, payee: Element | None) -> PaymentInstructions | None:
        """The first means of payment, with the accounts that the others add (BG-17 may be repeated)."""
        found = self.all(root, "cac:PaymentMeans")
        means = found[0] if found else None
        code = self.find(means, "cbc:PaymentMeansCode")
        accounts = [self.account(each) for each in found]
        first = accounts[0] if accounts else CreditAccount()
        creditors = [
            self.text(identifier)
            for party in (payee, seller)
            for identifier in self.all(party, "cac:PartyIdentification/cbc:ID")
            if identifier.get("schemeID") == _SEPA_CREDITOR
        ]
        return unless_empty(
            PaymentInstructions(
                means_code=self.text(code),
                means_text="" if code is None else code.get("name", "").strip(),
                remittance_information=self.text(means, "cbc:PaymentID"),
                iban=first.iban,
                account_name=first.name,
                bic=first.bic,
                mandate_reference=self.text(means, "cac:PaymentMandate/cbc:ID"),
                creditor_identifier=creditors[0] if creditors else "",
                debited_iban=self.text(means, "cac:PaymentMandate/cac:PayerFinancialAccount/cbc:ID"),
                card_number=self.text(means, "cac:CardAccount/cbc:PrimaryAccountNumberID"),
                card_holder=self.text(means, "cac:CardAccount/cbc:HolderName"),
                other_accounts=tuple(account for account in accounts[1:] if account.iban),
            )
        )

    def account(self, means: Element) -> CreditAccount:
        account = self.find(means, "cac:PayeeFinancialAccount")
        return CreditAccount(
            iban=self.text(account, "cbc:ID"),
            name=self.text(account, "cbc:Name"),
            bic=self.text(account, "cac:FinancialInstitutionBranch/cbc:ID"),
        )

    def line(self, element: Element, quantity_name: str) -> Line:
        """BG-25."""
        item = self.find(element, "cac:Item")
        quantity = self.find(element, quantity_name)
        tax = self.find(item, "cac:ClassifiedTaxCategory")
        identifier = self.text(element, "cbc:ID")
        unit = "" if quantity is None else quantity.get("unitCode", "").strip()
        return Line(
            identifier=identifier,
            name=self.text(item, "cbc:Name"),
            net_amount=self.line_amount(element, "cbc:LineExtensionAmount", identifier),
            quantity=self.amount(quantity, ".", "BT-129"),
            unit=unit,
            **self.price(self.find(element, "cac:Price"), unit),
            vat_category=self.text(tax, "cbc:ID"),
            vat_rate=self.amount(tax, "cbc:Percent", "BT-152"),
            **self.item(item),
            note="\n".join(self.texts(element, "cbc:Note")),
            object_identifier=next(
                (
                    self.identifier(found, "cbc:ID")
                    for found in self.all(element, "cac:DocumentReference")
                    if self.text(found, "cbc:DocumentTypeCode") in ("", INVOICED_OBJECT)
                ),
                None,
            ),
            order_line_reference=self.text(element, "cac:OrderLineReference/cbc:LineID"),
            accounting_reference=self.text(element, "cbc:AccountingCost"),
            period=self.period(element, "BT-134", "BT-135"),
            allowances_charges=self.allowances_charges(element, "BT-136", "BT-141"),
            deliveries=self.deliveries(element),
        )

    def price(self, price: Element | None, unit: str) -> PriceDetails:
        """BG-29 of a line whose quantity is in ``unit``."""
        allowance = self.find(price, "cac:AllowanceCharge")
        return PriceDetails(
            net_price=self.amount(price, "cbc:PriceAmount", "BT-146"),
            price_base_quantity=self.amount(price, "cbc:BaseQuantity", "BT-149"),
            price_base_unit=self.base_unit([self.find(price, "cbc:BaseQuantity")], unit),
            gross_price=self.amount(allowance, "cbc:BaseAmount", "BT-148"),
            price_discount=self.amount(allowance, "cbc:Amount", "BT-147"),
        )

    def item(self, item: Element | None) -> ItemInformation:
        """BG-31."""
        return ItemInformation(
            description=self.text(item, "cbc:Description"),
            seller_item_identifier=self.text(item, "cac:SellersItemIdentification/cbc:ID"),
            buyer_item_identifier=self.text(item, "cac:BuyersItemIdentification/cbc:ID"),
            standard_item_identifier=self.identifier(item, "cac:StandardItemIdentification/cbc:ID"),
            classifications=self.classifications(item),
            origin_country=self.text(item, "cac:OriginCountry/cbc:IdentificationCode"),
            attributes=self.attributes(item),
        )


def _note(text: str) -> Note:
    """A note whose subject code UBL writes into the text: ``#PMT#…``."""
    match = _NOTE_WITH_CODE.fullmatch(text)
    return Note(match[2], match[1]) if match and match[2] else Note(text)
