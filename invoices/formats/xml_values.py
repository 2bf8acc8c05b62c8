"""Texts, amounts and dates taken out of XML elements, with the business term named where one is wrong."""

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal

from lxml import etree

from invoices.en16931.model import Identifier
from invoices.formats.refusals import UnreadableEInvoice

type Element = etree._Element

_BLANKS = re.compile(r"\s+")  # no-break spaces too
_NUMBER = re.compile(r"[+-]?0*(?:[0-9]{1,15}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})")  # beyond, arithmetic would round
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T.*|Z|[+-][0-9]{2}:[0-9]{2})?", re.DOTALL)
_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{4}|[0-9]{6})?")  # formats 102, 203 and 204


class Values:
    """Reads the values below an element by path; collects in ``warnings`` what had to be left out (French)."""

    def __init__(self, namespaces: Mapping[str, str]) -> None:
        self.namespaces = dict(namespaces)
        self.warnings: list[str] = []

    def find(self, element: Element | None, path: str) -> Element | None:
        """The first element at ``path``, or None; None below None."""
        return None if element is None else element.find(path, self.namespaces)

    def all(self, element: Element | None, path: str) -> list[Element]:
        """Every element at ``path``; nothing below None."""
        return [] if element is None else element.findall(path, self.namespaces)

    def text(self, element: Element | None, path: str = ".") -> str:
        """The text of the first element at ``path`` that has any, without blanks around; "" where there is none."""
        for found in self.all(element, path) if path != "." else ([] if element is None else [element]):
            if found.text and (stripped := found.text.strip()):
                return stripped
        return ""

    def texts(self, element: Element | None, path: str) -> tuple[str, ...]:
        """The texts of all elements at ``path``, empty ones left out."""
        return tuple(text for found in self.all(element, path) if (text := self.text(found)))

    def identifier(self, element: Element | None, path: str = ".") -> Identifier | None:
        """The identifier at ``path`` with its scheme, or None where it is not stated."""
        for found in self.all(element, path) if path != "." else ([] if element is None else [element]):
            if value := self.text(found):
                return Identifier(value, (found.get("schemeID") or "").strip())
        return None

    def amount(self, element: Element | None, path: str, term: str) -> Decimal | None:
        """The number at ``path`` as it is stated, or None; ``term`` is the business term named in a refusal."""
        text = self.text(element, path)
        return parse_amount(text, term) if text else None

    def line_amount(self, element: Element | None, path: str, identifier: str) -> Decimal:
        """BT-131 of the line ``identifier``; a line of text alone, without it, counts for nothing and is warned of."""
        amount = self.amount(element, path, "BT-131")
        if amount is None:
            self.warnings.append(
                f"Ligne {identifier or '?'} : aucun montant net (BT-131) n’est écrit ; comptée pour 0."
            )
            return Decimal(0)
        return amount

    def date(self, element: Element | None, path: str, term: str) -> datetime.date | None:
        """The date at ``path``, or None; a date that is none is a warning naming ``term`` and is left out."""
        text = self.text(element, path)
        if not text:
            return None
        found = parse_date(text)
        if found is None:
            self.warnings.append(f"{term} : « {text[:40]} » n’est pas une date ; elle a été laissée de côté.")
        return found


def parse_amount(text: str, term: str) -> Decimal:
    """The decimal number that ``text`` states, digits kept; blanks in it are ignored.

    Raises :class:`UnreadableEInvoice` naming ``term`` (such as "BT-112") and the value where it is no number.
    """
    compact = _BLANKS.sub("", text)
    if not _NUMBER.fullmatch(compact):
        raise UnreadableEInvoice(f"{term} : « {text[:40]} » n’est pas un nombre.")
    return Decimal(compact)


def parse_date(text: str) -> datetime.date | None:
    """The date that ``text`` states as 2026-11-24, with time or zone, or 20261124; None if it is none."""
    match = _ISO_DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None
