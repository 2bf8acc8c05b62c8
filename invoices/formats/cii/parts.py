"""What the head of a CII document and its lines have in common: VAT categories, periods, allowances, references."""

from decimal import Decimal
from typing import Final

from lxml import etree

from invoices.en16931.model import AllowanceCharge, Identifier, Period
from invoices.formats.cii.elements import RAM, UDT, add_amount, add_date, add_percentage, add_text

OUT_OF_SCOPE: Final = "O"
"""The VAT category of what is outside of the scope of VAT."""


def add_vat_category(tax: etree._Element, category: str, rate: Decimal | None) -> None:
    """BT-151 and BT-152, BT-95 and BT-96, BT-102 and BT-103; category O has no rate (BR-O-05 to BR-O-07)."""
    etree.SubElement(tax, RAM + "TypeCode").text = "VAT"
    add_text(tax, RAM + "CategoryCode", category)
    if category != OUT_OF_SCOPE:
        add_percentage(tax, RAM + "RateApplicablePercent", rate)


def add_period(parent: etree._Element, period: Period | None) -> None:
    """BG-14, BG-26."""
    if period is None or (period.start is None and period.end is None):
        return
    child = etree.SubElement(parent, RAM + "BillingSpecifiedPeriod")
    add_date(child, RAM + "StartDateTime", period.start)
    add_date(child, RAM + "EndDateTime", period.end)


def add_indicator(parent: etree._Element, *, is_charge: bool) -> None:
    """Says whether the parent is a charge or an allowance."""
    child = etree.SubElement(etree.SubElement(parent, RAM + "ChargeIndicator"), UDT + "Indicator")
    child.text = "true" if is_charge else "false"


def add_allowance_charge(parent: etree._Element, allowance_charge: AllowanceCharge) -> None:
    """BG-20, BG-21 at the head, BG-27, BG-28 at a line."""
    child = etree.SubElement(parent, RAM + "SpecifiedTradeAllowanceCharge")
    add_indicator(child, is_charge=allowance_charge.is_charge)
    add_percentage(child, RAM + "CalculationPercent", allowance_charge.percentage)
    add_amount(child, RAM + "BasisAmount", allowance_charge.base_amount)
    add_amount(child, RAM + "ActualAmount", allowance_charge.amount)
    add_text(child, RAM + "ReasonCode", allowance_charge.reason_code)
    add_text(child, RAM + "Reason", allowance_charge.reason)
    if allowance_charge.vat_category:
        tax = etree.SubElement(child, RAM + "CategoryTradeTax")
        add_vat_category(tax, allowance_charge.vat_category, allowance_charge.vat_rate)


def add_typed_reference(parent: etree._Element, type_code: str, identifier: Identifier) -> None:
    """Another document or object by its number and the code of what it is (BT-17, BT-18, BT-128)."""
    if not identifier.value.strip():
        return
    document = etree.SubElement(parent, RAM + "AdditionalReferencedDocument")
    add_text(document, RAM + "IssuerAssignedID", identifier.value)
    add_text(document, RAM + "TypeCode", type_code)
    add_text(document, RAM + "ReferenceTypeCode", identifier.scheme)


def add_account(settlement: etree._Element, number: str) -> None:
    """The buyer's account to book to (BT-19, BT-133)."""
    if number.strip():
        account = etree.SubElement(settlement, RAM + "ReceivableSpecifiedTradeAccountingAccount")
        add_text(account, RAM + "ID", number)
