"""What the readers of CII and UBL do alike: each names its paths, the parts of the model are put together here."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, TypedDict

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    Attribute,
    Classification,
    ContactPoint,
    Identifier,
    Period,
    SupportingDocument,
    VatBreakdown,
)
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.xml_values import Element, Values

SUPPORTING_DOCUMENT = "916"
"""UNTDID 1001 of a document that goes with the invoice (BG-24); CII and UBL keep other references beside it."""
INVOICED_OBJECT = "130"
"""UNTDID 1001 of the object that is invoiced (BT-18, BT-128)."""
TENDER = "50"
"""UNTDID 1001 of the tender or lot in CII (BT-17), of the project in a UBL credit note (BT-11)."""


@dataclass(frozen=True, slots=True)
class AllowancePaths:
    """Where the parts of an allowance or a charge are below it, and it below its document or line."""

    item: str
    indicator: str
    amount: str
    base: str
    percentage: str
    category: str
    rate: str
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class VatPaths:
    """Where the parts of a VAT breakdown are below it."""

    taxable: str
    tax: str
    category: str
    rate: str
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True)
class ItemPaths:
    """Where the classifications and attributes of an item are below it (BT-158, BG-32)."""

    classification: str
    attribute: str
    attribute_name: str
    attribute_value: str


@dataclass(frozen=True, slots=True)
class DocumentPaths:
    """Where the parts of a supporting document are below it (BG-24)."""

    reference: str
    description: str
    location: str
    content: str


class DocumentTotals(TypedDict):
    """BG-22 and the currencies that it is in, as fields of the invoice."""

    currency: str
    vat_currency: str
    total_without_vat: Decimal | None
    total_with_vat: Decimal | None
    amount_due: Decimal | None
    total_vat: Decimal | None
    total_vat_in_vat_currency: Decimal | None
    line_total: Decimal | None
    allowance_total: Decimal | None
    charge_total: Decimal | None
    prepaid_amount: Decimal | None
    rounding_amount: Decimal | None


class Deadlines(TypedDict):
    """When the invoice is due and when its VAT is (BT-7 to BT-9, BT-20)."""

    due_date: datetime.date | None
    payment_terms: str
    vat_point_date: datetime.date | None
    vat_point_code: str


class References(TypedDict):
    """What the invoice refers to (BT-10 to BT-19)."""

    buyer_reference: str
    project_reference: str
    contract_reference: str
    purchase_order_reference: str
    sales_order_reference: str
    despatch_advice_reference: str
    receiving_advice_reference: str
    tender_reference: str
    invoiced_object: Identifier | None
    buyer_accounting_reference: str


class PriceDetails(TypedDict):
    """BG-29."""

    net_price: Decimal | None
    price_base_quantity: Decimal | None
    price_base_unit: str
    gross_price: Decimal | None
    price_discount: Decimal | None


class ItemInformation(TypedDict):
    """BG-31, but for the name (BT-153), which a line always has."""

    description: str
    seller_item_identifier: str
    buyer_item_identifier: str
    standard_item_identifier: Identifier | None
    classifications: tuple[Classification, ...]
    origin_country: str
    attributes: tuple[Attribute, ...]


def unless_empty[T](value: T) -> T | None:
    """``value``, or None where nothing of it is stated."""
    return None if value == type(value)() else value


class SemanticReader(Values):
    """Reads parts of the model by the paths that a syntax gives them."""

    address_paths: ClassVar[Mapping[str, str]]
    contact_paths: ClassVar[Mapping[str, tuple[str, ...]]]
    """For each field the paths at which it may be, the first that says something wins."""
    period_paths: ClassVar[tuple[str, str]]
    allowance_paths: ClassVar[AllowancePaths]
    vat_paths: ClassVar[VatPaths]
    item_paths: ClassVar[ItemPaths]
    document_paths: ClassVar[DocumentPaths]

    def number(self, element: Element | None, path: str) -> str:
        """BT-1. Raises :class:`UnreadableEInvoice` where it is missing."""
        if number := self.text(element, path):
            return number
        raise UnreadableEInvoice("BT-1 : cette facture n’a pas de numéro.")

    def by_type(self, references: Iterable[Element], type_path: str) -> dict[str, list[Element]]:
        """``references`` by the type (UNTDID 1001) that each states at ``type_path``, empty where it states none."""
        typed: dict[str, list[Element]] = {}
        for found in references:
            typed.setdefault(self.text(found, type_path), []).append(found)
        return typed

    def supporting_documents(self, elements: Iterable[Element]) -> tuple[SupportingDocument, ...]:
        """BG-24."""
        return tuple(filter(None, map(self.supporting_document, elements)))

    def total(self, candidates: Iterable[Element], currency: str, term: str, *, unless: str = "") -> Decimal | None:
        """A total in ``currency``: of several the one that says so, else the first that says nothing.

        One that says ``unless`` (the VAT currency, where it differs) is another term's.
        """
        found = [each for each in candidates if self.text(each)]
        stated = [each for each in found if each.get("currencyID") == currency]
        silent = [each for each in found if not each.get("currencyID")]
        others = [each for each in found if unless in ("", currency) or each.get("currencyID") != unless]
        for each in (*stated, *silent, *others):
            return self.amount(each, ".", term)
        return None

    def total_in_vat_currency(self, candidates: Iterable[Element], currency: str, vat_currency: str) -> Decimal | None:
        """BT-111: the VAT total that says the VAT currency, where it is another one than the invoice's."""
        if vat_currency in ("", currency):
            return None
        for found in candidates:
            if found.get("currencyID") == vat_currency:
                return self.amount(found, ".", "BT-111")
        return None

    def address(self, element: Element | None) -> Address | None:
        """The postal address at ``element``."""
        return unless_empty(Address(**{name: self.text(element, path) for name, path in self.address_paths.items()}))

    def contact(self, element: Element | None) -> ContactPoint | None:
        """Whom to ask, at ``element``."""
        stated = {
            name: next(filter(None, (self.text(element, path) for path in paths)), "")
            for name, paths in self.contact_paths.items()
        }
        return unless_empty(ContactPoint(**stated))

    def period(self, element: Element | None, start_term: str, end_term: str) -> Period | None:
        """The period of a document or of a line."""
        start, end = self.period_paths
        return unless_empty(Period(self.date(element, start, start_term), self.date(element, end, end_term)))

    def vat_breakdown(self, elements: Iterable[Element]) -> tuple[VatBreakdown, ...]:
        """BG-23; a part without its base or its amount is left out with a warning."""
        paths = self.vat_paths
        breakdown = []
        for found in elements:
            category = self.text(found, paths.category)
            taxable_amount = self.amount(found, paths.taxable, "BT-116")
            tax_amount = self.amount(found, paths.tax, "BT-117")
            if taxable_amount is None or tax_amount is None:
                term = "base (BT-116)" if taxable_amount is None else "montant (BT-117)"
                self.warnings.append(f"Une ligne de TVA « {category} » sans {term} a été laissée de côté.")
                continue
            breakdown.append(
                VatBreakdown(
                    category=category,
                    rate=self.amount(found, paths.rate, "BT-119"),
                    taxable_amount=taxable_amount,
                    tax_amount=tax_amount,
                    exemption_reason=self.text(found, paths.reason),
                    exemption_code=self.text(found, paths.reason_code),
                )
            )
        return tuple(breakdown)

    def allowances_charges(
        self, element: Element | None, allowance_term: str, charge_term: str
    ) -> tuple[AllowanceCharge, ...]:
        """BG-20 and BG-21 of a document, BG-27 and BG-28 of a line; one without amount is left out with a warning."""
        paths = self.allowance_paths
        stated = []
        for item in self.all(element, paths.item):
            is_charge = self.text(item, paths.indicator).lower() in ("true", "1")
            term = charge_term if is_charge else allowance_term
            amount = self.amount(item, paths.amount, term)
            if amount is None:
                self.warnings.append(f"{term} : une remise ou majoration sans montant a été laissée de côté.")
                continue
            stated.append(
                AllowanceCharge(
                    is_charge=is_charge,
                    amount=amount,
                    base_amount=self.amount(item, paths.base, term),
                    percentage=self.amount(item, paths.percentage, term),
                    vat_category=self.text(item, paths.category),
                    vat_rate=self.amount(item, paths.rate, term),
                    reason=self.text(item, paths.reason),
                    reason_code=self.text(item, paths.reason_code),
                )
            )
        return tuple(stated)

    def classifications(self, item: Element | None) -> tuple[Classification, ...]:
        """BT-158."""
        return tuple(
            Classification(code, _attribute(found, "listID"), _attribute(found, "listVersionID"))
            for found in self.all(item, self.item_paths.classification)
            if (code := self.text(found))
        )

    def attributes(self, item: Element | None) -> tuple[Attribute, ...]:
        """BG-32."""
        paths = self.item_paths
        stated = (
            Attribute(self.text(found, paths.attribute_name), self.text(found, paths.attribute_value))
            for found in self.all(item, paths.attribute)
        )
        return tuple(each for each in stated if each.name or each.value)

    def supporting_document(self, element: Element) -> SupportingDocument | None:
        """BG-24. The content stays in base64, without the line breaks it was given."""
        paths = self.document_paths
        embedded = self.find(element, paths.content)
        return unless_empty(
            SupportingDocument(
                reference=self.text(element, paths.reference),
                description=self.text(element, paths.description),
                location=self.text(element, paths.location),
                filename=_attribute(embedded, "filename"),
                mime_type=_attribute(embedded, "mimeCode"),
                content="".join(self.text(embedded).split()),
            )
        )

    def base_unit(self, quantities: Iterable[Element | None], unit: str) -> str:
        """BT-150 of the first quantity that states one; nothing where it is the line's own ``unit``."""
        stated = next(filter(None, (_attribute(quantity, "unitCode") for quantity in quantities)), "")
        return "" if stated == unit else stated


def scheme_of(value: str, scheme: str) -> Identifier | None:
    """An identifier whose scheme is not beside it as an attribute; None where it is not stated."""
    return Identifier(value, scheme) if value else None


def _attribute(element: Element | None, name: str) -> str:
    return "" if element is None else (element.get(name) or "").strip()
