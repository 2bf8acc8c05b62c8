"""The semantic model of an invoice (EN 16931), as plain frozen values.

One structure is in the middle of the product: what an ERP gives is read into it, what is printed
and what is written as XML is made from it. Business terms (BT) and groups (BG) are named beside each
field. What a document does not state is ``None`` or an empty tuple: nothing is ever invented.

Amounts are :class:`~decimal.Decimal` in the unit of ``currency``, rounded to the cent by the document's
author; prices and quantities keep the digits they were given.
"""

import datetime
import functools
import operator
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from typing import Any, Final, get_args, get_origin, get_type_hints

from invoices.en16931.vat import printed_reason

SIREN_SCHEME: Final = "0002"
SIRET_SCHEME: Final = "0009"
DIRECTORY_SCHEME: Final = "0225"
"""The French directory of e-invoicing addresses: the SIREN, with or without a suffix."""
MAIL_SCHEME: Final = "EM"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A value and the scheme that issued it (ISO 6523, or EM for a mail address)."""

    value: str
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address (BG-5, BG-8, BG-12, BG-15). ``country`` is ISO 3166-1 alpha-2."""

    line1: str = ""
    line2: str = ""
    line3: str = ""
    city: str = ""
    postcode: str = ""
    subdivision: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """Whom to ask (BG-6, BG-9)."""

    name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Seller (BG-4), buyer (BG-7), payee (BG-10) or tax representative (BG-11)."""

    name: str = ""  # BT-27, BT-44, BT-59, BT-62
    trading_name: str = ""  # BT-28, BT-45
    identifiers: tuple[Identifier, ...] = ()  # BT-29, BT-46, BT-60 (SIRET under scheme 0009)
    legal_identifier: Identifier | None = None  # BT-30, BT-47, BT-61 (SIREN under scheme 0002)
    vat_identifier: str = ""  # BT-31, BT-48, BT-63
    tax_registration: str = ""  # BT-32
    legal_information: str = ""  # BT-33
    electronic_address: Identifier | None = None  # BT-34, BT-49
    address: Address | None = None
    contact: ContactPoint | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """BG-14 or BG-26."""

    start: datetime.date | None = None
    end: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """BG-13."""

    name: str = ""  # BT-70
    location: Identifier | None = None  # BT-71
    date: datetime.date | None = None  # BT-72
    address: Address | None = None  # BG-15


@dataclass(frozen=True, slots=True)
class Note:
    """BG-1: ``subject_code`` is UNTDID 4451 (PMT, PMD, AAB, REG, ABL, AAI, BAR…)."""

    text: str
    subject_code: str = ""


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """Another document by its number, and its date where given (BG-3, BT-12, BT-13…)."""

    number: str
    date: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class SupportingDocument:
    """BG-24: a document that goes with the invoice, elsewhere (``location``) or inside of it (``content``)."""

    reference: str = ""  # BT-122
    description: str = ""  # BT-123
    location: str = ""  # BT-124, an address
    filename: str = ""  # BT-125
    mime_type: str = ""  # BT-125
    content: str = ""  # BT-125, in base64


@dataclass(frozen=True, slots=True)
class AllowanceCharge:
    """An allowance (BG-20, BG-27) or, where ``is_charge``, a charge (BG-21, BG-28). VAT is empty on a line's own."""

    is_charge: bool
    amount: Decimal
    base_amount: Decimal | None = None
    percentage: Decimal | None = None
    vat_category: str = ""
    vat_rate: Decimal | None = None
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class VatBreakdown:
    """BG-23, one per category and rate."""

    category: str  # BT-118: S Z E AE K G O (L M)
    rate: Decimal | None  # BT-119, per cent
    taxable_amount: Decimal  # BT-116
    tax_amount: Decimal  # BT-117
    exemption_reason: str = ""  # BT-120
    exemption_code: str = ""  # BT-121

    @property
    def printed_reason(self) -> str:
        """Why no VAT is due, as a page says it; empty where VAT is due."""
        return printed_reason(self.category, self.exemption_reason, self.exemption_code)


@dataclass(frozen=True, slots=True)
class CreditAccount:
    """BG-17: an account to pay to."""

    iban: str = ""  # BT-84
    name: str = ""  # BT-85
    bic: str = ""  # BT-86


@dataclass(frozen=True, slots=True)
class PaymentInstructions:
    """BG-16 to BG-19."""

    means_code: str = ""  # BT-81, UNTDID 4461 (30 transfer, 58 SEPA transfer, 59 SEPA debit…)
    means_text: str = ""  # BT-82
    remittance_information: str = ""  # BT-83
    iban: str = ""  # BT-84
    account_name: str = ""  # BT-85
    bic: str = ""  # BT-86
    mandate_reference: str = ""  # BT-89
    creditor_identifier: str = ""  # BT-90
    debited_iban: str = ""  # BT-91
    card_number: str = ""  # BT-87, its last digits
    card_holder: str = ""  # BT-88
    other_accounts: tuple[CreditAccount, ...] = ()  # BG-17, after the first


@dataclass(frozen=True, slots=True)
class Classification:
    """BT-158: the code of an item in a scheme (UNTDID 7143: STI, HS, CPV…), and the scheme's version."""

    code: str
    scheme: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Attribute:
    """BG-32: a property of an item, «Couleur», «Bleu»."""

    name: str  # BT-160
    value: str  # BT-161


@dataclass(frozen=True, slots=True)
class Line:
    """BG-25."""

    identifier: str  # BT-126
    name: str  # BT-153
    net_amount: Decimal  # BT-131
    quantity: Decimal | None = None  # BT-129
    unit: str = ""  # BT-130, UN/ECE Recommendation 20
    net_price: Decimal | None = None  # BT-146
    price_base_quantity: Decimal | None = None  # BT-149
    price_base_unit: str = ""  # BT-150, where it is not the line's own unit
    gross_price: Decimal | None = None  # BT-148
    price_discount: Decimal | None = None  # BT-147
    vat_category: str = ""  # BT-151
    vat_rate: Decimal | None = None  # BT-152, per cent
    description: str = ""  # BT-154
    note: str = ""  # BT-127
    seller_item_identifier: str = ""  # BT-155
    buyer_item_identifier: str = ""  # BT-156
    standard_item_identifier: Identifier | None = None  # BT-157
    classifications: tuple[Classification, ...] = ()  # BT-158
    origin_country: str = ""  # BT-159, ISO 3166-1 alpha-2
    attributes: tuple[Attribute, ...] = ()  # BG-32
    object_identifier: Identifier | None = None  # BT-128
    order_line_reference: str = ""  # BT-132
    accounting_reference: str = ""  # BT-133
    period: Period | None = None  # BG-26
    allowances_charges: tuple[AllowanceCharge, ...] = ()  # BG-27, BG-28
    kind: str = ""  # BT-X-8, profile EXTENDED: DETAIL, GROUP or INFORMATION; the last two count in no total
    parent_identifier: str = ""  # BT-X-304, the line that this one is a part of
    deliveries: tuple[Delivery, ...] = ()  # BG-X-7, profile EXTENDED; UBL's own for each line

    @property
    def counts_in_totals(self) -> bool:
        """False for the lines of the profile EXTENDED that only gather or explain others."""
        return self.kind not in ("GROUP", "INFORMATION")


@dataclass(frozen=True, slots=True)
class InvoiceContent:
    """An invoice or a credit note, whole. Credit notes (381) have positive amounts."""

    number: str  # BT-1
    issue_date: datetime.date | None  # BT-2
    type_code: str  # BT-3, UNTDID 1001
    currency: str  # BT-5
    seller: Party
    buyer: Party
    lines: tuple[Line, ...] = ()
    vat_breakdown: tuple[VatBreakdown, ...] = ()
    total_without_vat: Decimal | None = None  # BT-109
    total_with_vat: Decimal | None = None  # BT-112
    amount_due: Decimal | None = None  # BT-115
    total_vat: Decimal | None = None  # BT-110
    vat_currency: str = ""  # BT-6
    total_vat_in_vat_currency: Decimal | None = None  # BT-111
    line_total: Decimal | None = None  # BT-106
    allowance_total: Decimal | None = None  # BT-107
    charge_total: Decimal | None = None  # BT-108
    prepaid_amount: Decimal | None = None  # BT-113
    rounding_amount: Decimal | None = None  # BT-114
    due_date: datetime.date | None = None  # BT-9
    payment_terms: str = ""  # BT-20
    vat_point_date: datetime.date | None = None  # BT-7
    vat_point_code: str = ""  # BT-8: "5" invoice date (debits), "29" delivery, "72" payment (CII codes)
    buyer_reference: str = ""  # BT-10
    project_reference: str = ""  # BT-11
    contract_reference: str = ""  # BT-12
    purchase_order_reference: str = ""  # BT-13
    sales_order_reference: str = ""  # BT-14
    despatch_advice_reference: str = ""  # BT-16
    receiving_advice_reference: str = ""  # BT-15
    tender_reference: str = ""  # BT-17
    invoiced_object: Identifier | None = None  # BT-18
    buyer_accounting_reference: str = ""  # BT-19
    business_process: str = ""  # BT-23, French "cadre de facturation": S1, B1, M1…
    profile: str = ""  # BT-24, the guideline as the document states it
    notes: tuple[Note, ...] = ()  # BG-1
    preceding_invoices: tuple[DocumentReference, ...] = ()  # BG-3
    supporting_documents: tuple[SupportingDocument, ...] = ()  # BG-24
    payee: Party | None = None  # BG-10
    tax_representative: Party | None = None  # BG-11
    delivery: Delivery | None = None  # BG-13
    other_deliveries: tuple[Delivery, ...] = ()  # UBL may state several, EN 16931 has one
    period: Period | None = None  # BG-14
    payment: PaymentInstructions | None = None  # BG-16
    allowances_charges: tuple[AllowanceCharge, ...] = ()  # BG-20, BG-21

    @property
    def is_credit_note(self) -> bool:
        """True for the type codes that take money back (UNTDID 1001)."""
        return self.type_code in CREDIT_NOTE_TYPE_CODES

    @property
    def is_paid_in_advance(self) -> bool:
        """True where nothing is left to pay because all of it was paid before (BT-113, BT-115)."""
        return bool(self.total_with_vat) and self.prepaid_amount == self.total_with_vat and self.amount_due == 0


CREDIT_NOTE_TYPE_CODES = frozenset(
    {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"}
)


_EMPTY = (None, "", ())
_PLAIN = frozenset({type(None), str, bool, int})


def replace[T](value: T, **changes: Any) -> T:
    """``value`` of this model with ``changes``: ``dataclasses.replace`` in a third of its time.

    That one names and checks each of thirty fields, several times for each line of an invoice; here the slots are
    copied. Raises ``KeyError`` on a field that the model does not know.
    """
    read, write = _slots(typing.cast("Hashable", type(value)))
    changed = object.__new__(type(value))
    for put, item in zip(write.values(), read(value), strict=True):
        put(changed, item)
    for name, item in changes.items():
        write[name](changed, item)
    return changed


@functools.cache
def _slots(kind: Hashable) -> tuple[Callable[[Any], tuple[Any, ...]], dict[str, Callable[[Any, Any], None]]]:
    """What reads all values of a dataclass with slots, two at least, and what writes each, by its name."""
    names = [name for name, _is_demanded in _fields(kind)]
    return operator.attrgetter(*names), {name: getattr(kind, name).__set__ for name in names}


def to_json(value: Any) -> Any:
    """Plain JSON values for any value of this model; ``Decimal`` and ``date`` are text.

    Empty fields are left out, except those that the dataclass demands: :func:`from_json` gives an equal value back.
    """
    kind = type(value)
    if kind in _PLAIN or isinstance(value, str):
        return value
    if kind is Decimal:
        return format(value, "f")
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    read, _write = _slots(typing.cast("Hashable", kind))
    return {
        name: item if type(item) in _PLAIN else to_json(item)
        for (name, is_demanded), item in zip(_fields(typing.cast("Hashable", kind)), read(value), strict=True)
        if item or is_demanded or item not in _EMPTY
    }


@functools.cache
def _fields(kind: Hashable) -> tuple[tuple[str, bool], ...]:
    """The names of the fields of a dataclass, and whether it demands them; read once."""
    return tuple((field.name, field.default is MISSING) for field in fields(typing.cast("type[Any]", kind)))


def from_json[T](kind: type[T], data: Any) -> T:
    """The value of dataclass ``kind`` that :func:`to_json` wrote as ``data``.

    Raises ``TypeError`` where an obligatory field is missing, ``KeyError`` on a field the model does not know.
    """
    return kind(**fields_from_json(kind, data))


def fields_from_json(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of some fields of dataclass ``kind``, from what :func:`to_json` wrote; ``KeyError`` as above."""
    hints = _type_hints(typing.cast("Hashable", kind))
    return {name: _revive(hints[name], item) for name, item in data.items()}


@functools.cache
def _type_hints(kind: Hashable) -> dict[str, Any]:
    """The annotations of a class, read once: reading them takes longer than reading an invoice."""
    return get_type_hints(kind)


def _revive(hint: Any, data: Any) -> Any:
    """``data`` as the type that ``hint`` says, inside of optional and tuple types too."""
    if data is None:
        return None
    if get_origin(hint) in (types.UnionType, typing.Union):
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_revive(get_args(hint)[0], item) for item in data)
    if is_dataclass(hint):
        return from_json(typing.cast("type[Any]", hint), data)
    if hint is Decimal:
        return Decimal(data)
    if hint is datetime.date:
        return datetime.date.fromisoformat(data)
    return data
