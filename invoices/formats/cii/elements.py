"""The smallest pieces of a CII document: names, texts, numbers, dates, identifiers."""

import datetime
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from lxml import etree

from invoices.en16931.model import Identifier

RSM: Final = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}"
RAM: Final = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
UDT: Final = "{urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100}"
QDT: Final = "{urn:un:unece:uncefact:data:standard:QualifiedDataType:100}"
NAMESPACES: Final = {"rsm": RSM[1:-1], "qdt": QDT[1:-1], "ram": RAM[1:-1], "udt": UDT[1:-1]}

_CENT: Final = Decimal("0.01")
_WIDE: Final = Context(prec=80)  # an absurd amount is written, for the rules to find, and not an exception
# XML 1.0 has no way to write these, not even as a character reference.
_NOT_IN_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def add_text(parent: etree._Element, tag: str, text: str) -> etree._Element | None:
    """Appends ``text`` as child ``tag``; a blank text is no element (PEPPOL-EN16931-R008)."""
    text = text.strip()
    if not text:
        return None
    child = etree.SubElement(parent, tag)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        child.text = text
    except ValueError:
        child.text = _NOT_IN_XML.sub("", text)
    return child


def add_amount(parent: etree._Element, tag: str, amount: Decimal | None, currency: str = "") -> None:
    """Appends an amount with exactly two decimals."""
    if amount is None:
        return
    amount = amount.quantize(_CENT, ROUND_HALF_UP, _WIDE)
    child = etree.SubElement(parent, tag)
    child.text = format(amount or abs(amount), "f")  # never "-0.00"
    if currency:
        child.set("currencyID", currency)


def add_number(parent: etree._Element, tag: str, number: Decimal | None, unit: str = "") -> None:
    """Appends a quantity or a price with the digits it was given, never in exponent notation."""
    if number is None:
        return
    child = etree.SubElement(parent, tag)
    child.text = format(number or abs(number), "f")
    if unit:
        child.set("unitCode", unit)


def add_percentage(parent: etree._Element, tag: str, percentage: Decimal | None) -> None:
    """Appends a percentage without needless zeros: BR-FR-DEC-04 counts digits, ``100.00`` has one too many."""
    if percentage is None:
        return
    text = format(percentage or abs(percentage), "f")
    etree.SubElement(parent, tag).text = text.rstrip("0").rstrip(".") if "." in text else text


def add_date(parent: etree._Element, tag: str, date: datetime.date | None, inner: str = UDT + "DateTimeString") -> None:
    """Appends a date in format 102 (UNTDID 2379)."""
    if date is None:
        return
    child = etree.SubElement(etree.SubElement(parent, tag), inner)
    child.text = f"{date.year:04}{date.month:02}{date.day:02}"
    child.set("format", "102")


def add_identifier(parent: etree._Element, tag: str, identifier: Identifier | None) -> None:
    """Appends an identifier with its scheme, if it has one."""
    if identifier is None:
        return
    child = add_text(parent, tag, identifier.value)
    if child is not None and identifier.scheme:
        child.set("schemeID", identifier.scheme)
