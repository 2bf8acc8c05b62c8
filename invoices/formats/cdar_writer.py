"""Writes lifecycle messages (CDAR): the status of one invoice, as a seller or a platform states it.

Pure: values in, bytes out. What is written is read back by :mod:`invoices.formats.cdar`. Rules: BR-FR-CDV of the
FNFE-MPE.
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from invoices.en16931.model import DIRECTORY_SCHEME, SIREN_SCHEME
from invoices.formats.cdar import NAMESPACES, RECEIVED_AMOUNT

_GUIDELINE: Final = "urn.cpro.gouv.fr:1p0:CDV:invoice"
_PARIS: Final = ZoneInfo("Europe/Paris")
_OF_TRANSMISSION: Final = frozenset({"200", "201", "202", "203", "213", "501"})
"""Statuses that platforms set (MDT-77 305); the others are set by seller and buyer (23)."""
# MDT-88, which may be left out, where its value is known.
_STATUS_CODES: Final = {"200": "10", "212": "47"}

SELLER: Final = "SE"
BUYER: Final = "BY"
PLATFORM: Final = "WK"


@dataclass(frozen=True, slots=True)
class StatusParty:
    """The sender or the receiver of a status: a SIREN, a name, a role (SE, BY, WK), and its address for messages."""

    siren: str
    name: str
    role: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class StatusToWrite:
    """One status of one invoice; moments are aware."""

    message_id: str  # MDT-4
    written_at: datetime.datetime  # MDT-8
    issuer: StatusParty
    recipient: StatusParty
    code: str  # MDT-105
    label: str  # MDT-106
    at: datetime.datetime  # MDT-78
    number: str  # MDT-87
    type_code: str  # MDT-91
    issue_date: datetime.date  # MDT-100
    seller_siren: str  # MDT-129
    reason_code: str = ""  # MDT-113
    reason: str = ""  # MDT-114
    currency: str = "EUR"
    received: tuple[tuple[Decimal, Decimal], ...] = ()
    """Of 212: amount and VAT rate (MDT-215, MDT-224), the amounts with VAT."""


def write_status(status: StatusToWrite) -> bytes:
    """The CDAR message of ``status``."""
    is_transmission = status.code in _OF_TRANSMISSION
    root = etree.Element(_name("rsm", "CrossDomainAcknowledgementAndResponse"), nsmap=NAMESPACES)
    context = _add(root, "rsm:ExchangedDocumentContext")
    _add(_add(context, "ram:BusinessProcessSpecifiedDocumentContextParameter"), "ram:ID", "REGULATED")
    _add(_add(context, "ram:GuidelineSpecifiedDocumentContextParameter"), "ram:ID", _GUIDELINE)
    document = _add(root, "rsm:ExchangedDocument")
    _add(document, "ram:ID", status.message_id)
    _add_moment(document, status.written_at)
    _add(_add(document, "ram:SenderTradeParty"), "ram:RoleCode", PLATFORM)
    _add_party(document, "ram:IssuerTradeParty", status.issuer, with_identifier=not is_transmission)
    _add_party(document, "ram:RecipientTradeParty", status.recipient, with_identifier=True)
    acknowledgement = _add(root, "rsm:AcknowledgementDocument")
    _add(_add(acknowledgement, "ram:MultipleReferencesIndicator"), "udt:Indicator", "false")
    _add(acknowledgement, "ram:TypeCode", "305" if is_transmission else "23")
    _add_moment(acknowledgement, status.at)
    _add_reference(acknowledgement, status)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _add_reference(acknowledgement: etree._Element, status: StatusToWrite) -> None:
    reference = _add(acknowledgement, "ram:ReferenceReferencedDocument")
    _add(reference, "ram:IssuerAssignedID", status.number)
    if status.code in _STATUS_CODES:
        _add(reference, "ram:StatusCode", _STATUS_CODES[status.code])
    _add(reference, "ram:TypeCode", status.type_code)
    date = _add(_add(reference, "ram:FormattedIssueDateTime"), "qdt:DateTimeString", f"{status.issue_date:%Y%m%d}")
    date.set("format", "102")
    _add(reference, "ram:ProcessConditionCode", status.code)
    _add(reference, "ram:ProcessCondition", status.label)
    seller = _add(_add(reference, "ram:IssuerTradeParty"), "ram:GlobalID", status.seller_siren)
    seller.set("schemeID", SIREN_SCHEME)
    if not (status.reason_code or status.received):
        return
    detail = _add(reference, "ram:SpecifiedDocumentStatus")
    if status.reason_code:
        _add(detail, "ram:ReasonCode", status.reason_code)
        if status.reason:
            _add(detail, "ram:Reason", status.reason)
    _add(detail, "ram:SequenceNumeric", "1")
    for amount, rate in status.received:
        characteristic = _add(detail, "ram:SpecifiedDocumentCharacteristic")
        _add(characteristic, "ram:TypeCode", RECEIVED_AMOUNT)
        _add(_add(characteristic, "ram:ValueChangedIndicator"), "udt:IndicatorString", "false")
        _add(characteristic, "ram:ValueAmount", f"{amount:.2f}").set("currencyID", status.currency)
        _add(characteristic, "ram:ValuePercent", f"{rate:.2f}")


def _add_party(parent: etree._Element, name: str, party: StatusParty, *, with_identifier: bool) -> None:
    element = _add(parent, name)
    if with_identifier:
        _add(element, "ram:GlobalID", party.siren).set("schemeID", SIREN_SCHEME)
        _add(element, "ram:Name", party.name)
    _add(element, "ram:RoleCode", party.role)
    if party.address:
        uri = _add(_add(element, "ram:URIUniversalCommunication"), "ram:URIID", party.address)
        uri.set("schemeID", DIRECTORY_SCHEME)


def _add_moment(parent: etree._Element, moment: datetime.datetime) -> None:
    text = f"{moment.astimezone(_PARIS):%Y%m%d%H%M%S}"
    _add(_add(parent, "ram:IssueDateTime"), "udt:DateTimeString", text).set("format", "204")


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    prefix, _colon, local = name.partition(":")
    element = etree.SubElement(parent, _name(prefix, local))
    if text:
        element.text = text
    return element


def _name(prefix: str, local: str) -> str:
    return f"{{{NAMESPACES[prefix]}}}{local}"
