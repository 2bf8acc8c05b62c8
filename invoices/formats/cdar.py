"""Reads lifecycle messages (CDAR, UN/CEFACT Cross Domain Acknowledgement and Response) as platforms send them.

Pure: bytes in, statuses out. Source: XP Z12-012 of AFNOR, annex on statuses (MDT-…), rules BR-FR-CDV.
"""

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from invoices.en16931.model import SIREN_SCHEME
from invoices.formats.reading import Kind, kind_of
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.safe_xml import parse
from invoices.formats.xml_values import Values
from invoices.money import write_amount, write_decimal

NAMESPACES: Final = {
    "rsm": "urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_TIME: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?")
# No status is older than electronic invoices; a time at the ends of the calendar cannot be turned into another zone.
_FIRST_YEAR: Final = 1990
_LAST_YEAR: Final = 2200
_PARIS: Final = ZoneInfo("Europe/Paris")  # format 204 has no zone: the reform's times are French ones
RECEIVED_AMOUNT: Final = "MEN"  # MDT-207: an amount that was paid


@dataclass(frozen=True, slots=True)
class ReceivedAmount:
    """What was paid at one VAT rate, VAT included."""

    amount: Decimal  # MDT-215
    currency: str
    rate: Decimal | None  # MDT-224


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """One status of one invoice."""

    message_id: str  # MDT-4
    number: str  # MDT-87, BT-1 of the invoice
    issue_date: datetime.date | None  # MDT-100, BT-2
    seller_siren: str  # MDT-129
    code: str  # MDT-105: 200 to 501
    at: datetime.datetime  # MDT-78, aware
    reason: str = ""  # MDT-113 and MDT-114, notes and amounts, as one French text
    received: tuple[ReceivedAmount, ...] = ()


def read_statuses(data: bytes) -> tuple[StatusMessage, ...]:
    """The statuses in a CDAR file, one for each invoice that it speaks of.

    Raises :class:`UnreadableEInvoice` with a French sentence where it is another file or says no number, code or time.
    """
    if kind_of(data) != Kind.LIFECYCLE_MESSAGE:
        raise UnreadableEInvoice("Ce fichier n’est pas un message de statut (CDAR).")
    root = parse(data)
    values = Values(NAMESPACES)
    acknowledgement = values.find(root, "rsm:AcknowledgementDocument")
    message_id = values.text(root, "rsm:ExchangedDocument/ram:ID")
    stated_at = values.text(acknowledgement, "ram:IssueDateTime/udt:DateTimeString") or values.text(
        root, "rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString"
    )
    at = _time(stated_at)
    if at is None:
        raise UnreadableEInvoice(f"Ce message de statut n’a pas de date lisible (« {stated_at[:40]} »).")
    references = values.all(acknowledgement, "ram:ReferenceReferencedDocument")
    if not references:
        raise UnreadableEInvoice("Ce message de statut ne nomme aucune facture.")
    return tuple(_status(values, reference, message_id, at) for reference in references)


def _status(values: Values, reference: etree._Element, message_id: str, at: datetime.datetime) -> StatusMessage:
    number = values.text(reference, "ram:IssuerAssignedID")
    code = values.text(reference, "ram:ProcessConditionCode")
    if not number:
        raise UnreadableEInvoice("Ce message de statut ne donne pas le numéro de la facture (MDT-87).")
    if not code:
        raise UnreadableEInvoice(f"Ce message ne donne pas de statut à la facture {number[:40]} (MDT-105).")
    return StatusMessage(
        message_id=message_id,
        number=number,
        issue_date=values.date(reference, "ram:FormattedIssueDateTime/qdt:DateTimeString", "MDT-100"),
        seller_siren=_siren(values, reference),
        code=code,
        at=at,
        reason=_reason(values, reference),
        received=tuple(
            received
            for status in values.all(reference, "ram:SpecifiedDocumentStatus")
            for received in _payments(values, status)
        ),
    )


def _siren(values: Values, reference: etree._Element) -> str:
    for found in values.all(reference, "ram:IssuerTradeParty/ram:GlobalID"):
        if found.get("schemeID") == SIREN_SCHEME and (text := values.text(found)):
            return text
    return ""


def _reason(values: Values, reference: etree._Element) -> str:
    """«TX_TVA_ERR : Taux de TVA erroné ; action attendue : …», and what was paid: «12 000,00 € encaissés (20 %)»."""
    parts: list[str] = []
    for status in values.all(reference, "ram:SpecifiedDocumentStatus"):
        code, text = values.text(status, "ram:ReasonCode"), values.text(status, "ram:Reason")
        if code or text:
            parts.append(" : ".join(filter(None, (code, text))))
        parts += values.texts(status, "ram:IncludedNote/ram:Content")
        if action := values.text(status, "ram:RequestedAction"):
            parts.append(f"action attendue : {action}")
        parts += [_words_of(received) for received in _payments(values, status)]
    return " ; ".join(dict.fromkeys(parts))


def _payments(values: Values, status: etree._Element) -> list[ReceivedAmount]:
    """The amounts that were paid, by VAT rate: what the tax office wants to know of status 212."""
    paid = []
    for characteristic in values.all(status, "ram:SpecifiedDocumentCharacteristic"):
        if values.text(characteristic, "ram:TypeCode") != RECEIVED_AMOUNT:
            continue
        element = values.find(characteristic, "ram:ValueAmount")
        amount = values.amount(characteristic, "ram:ValueAmount", "MDT-215")
        if element is None or amount is None:
            continue
        rate = values.amount(characteristic, "ram:ValuePercent", "MDT-224")
        paid.append(ReceivedAmount(amount, element.get("currencyID") or "EUR", rate))
    return paid


def _words_of(received: ReceivedAmount) -> str:
    words = f"{write_amount(received.amount, received.currency)} encaissés"
    return words if received.rate is None else f"{words} (TVA {write_decimal(_shortest(received.rate))} %)"


def _shortest(rate: Decimal) -> Decimal:
    return rate.quantize(Decimal(1)) if rate == rate.to_integral_value() else rate.normalize()


def _time(text: str) -> datetime.datetime | None:
    """Format 204 (AAAAMMJJhhmmss) or 203, French time; ISO 8601 where somebody writes that."""
    match = _TIME.fullmatch(text)
    try:
        if match is not None:
            numbers = [int(part or 0) for part in match.groups()]
            found = datetime.datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - French time, below
        else:
            found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=_PARIS)
