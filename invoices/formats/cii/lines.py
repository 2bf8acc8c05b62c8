"""The lines of a CII document (BG-25)."""

from lxml import etree

from invoices.en16931.model import Line
from invoices.formats.cii.elements import RAM, add_amount, add_identifier, add_number, add_text
from invoices.formats.cii.parts import (
    add_account,
    add_allowance_charge,
    add_indicator,
    add_period,
    add_typed_reference,
    add_vat_category,
)
from invoices.formats.semantic_reader import INVOICED_OBJECT


def add_line(transaction: etree._Element, line: Line) -> None:
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
    _item(product, line)

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
        add_vat_category(etree.SubElement(settlement, RAM + "ApplicableTradeTax"), line.vat_category, line.vat_rate)
    add_period(settlement, line.period)
    for allowance_charge in line.allowances_charges:
        add_allowance_charge(settlement, allowance_charge)
    summation = etree.SubElement(settlement, RAM + "SpecifiedTradeSettlementLineMonetarySummation")
    add_amount(summation, RAM + "LineTotalAmount", line.net_amount)
    if line.object_identifier is not None:
        add_typed_reference(settlement, INVOICED_OBJECT, line.object_identifier)
    add_account(settlement, line.accounting_reference)


def _item(product: etree._Element, line: Line) -> None:
    """BG-32, BT-158 and BT-159."""
    for attribute in line.attributes:
        if attribute.name.strip() and attribute.value.strip():
            characteristic = etree.SubElement(product, RAM + "ApplicableProductCharacteristic")
            add_text(characteristic, RAM + "Description", attribute.name)
            add_text(characteristic, RAM + "Value", attribute.value)
    for classification in line.classifications:
        if not classification.code.strip():
            continue
        code = add_text(
            etree.SubElement(product, RAM + "DesignatedProductClassification"), RAM + "ClassCode", classification.code
        )
        for name, value in (("listID", classification.scheme), ("listVersionID", classification.version)):
            if code is not None and value:
                code.set(name, value)
    if line.origin_country.strip():
        add_text(etree.SubElement(product, RAM + "OriginTradeCountry"), RAM + "ID", line.origin_country)


def _prices(agreement: etree._Element, line: Line) -> None:
    """BG-29. UBL may state a discount (BT-147) alone; CII has it within the gross price, which it then implies."""
    base_unit = (line.price_base_unit or line.unit) if line.price_base_quantity is not None else ""
    gross_price = line.gross_price
    if gross_price is None and line.price_discount is not None and line.net_price is not None:
        gross_price = line.net_price + line.price_discount
    if gross_price is not None:
        gross = etree.SubElement(agreement, RAM + "GrossPriceProductTradePrice")
        add_number(gross, RAM + "ChargeAmount", gross_price)
        add_number(gross, RAM + "BasisQuantity", line.price_base_quantity, base_unit)
        if line.price_discount is not None:
            discount = etree.SubElement(gross, RAM + "AppliedTradeAllowanceCharge")
            add_indicator(discount, is_charge=False)
            add_number(discount, RAM + "ActualAmount", line.price_discount)
    if line.net_price is not None:
        net = etree.SubElement(agreement, RAM + "NetPriceProductTradePrice")
        add_number(net, RAM + "ChargeAmount", line.net_price)
        add_number(net, RAM + "BasisQuantity", line.price_base_quantity, base_unit)
