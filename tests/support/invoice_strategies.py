"""Generated invoices, as varied as the law allows, consistent and completed for France."""

import datetime
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from invoices.en16931.model import (
    Address,
    AllowanceCharge,
    Attribute,
    Classification,
    Delivery,
    DocumentReference,
    Identifier,
    Line,
    Note,
    Party,
    SupportingDocument,
)
from invoices.formats.french import OperationCategory, SellerPolicy
from invoices.formats.french_parties import BuyerKind
from tests.support.invoice_examples import (
    AMERICAN_BUYER,
    GERMAN_BUYER,
    INDIVIDUAL,
    Example,
    cents,
    completed,
    content,
    french_vat,
    line,
    siren,
    siret,
)

_CENTS = st.integers(1, 2_000_000).map(lambda amount: Decimal(amount) / 100)
_PRICES = st.integers(0, 99_999_999).flatmap(
    lambda digits: st.integers(2, 6).map(lambda places: Decimal(digits).scaleb(-places))
)
_QUANTITIES = st.integers(1, 500_000).flatmap(
    lambda digits: st.integers(0, 4).map(lambda places: Decimal(digits).scaleb(-places))
)
_TEXTS = (
    st.text(
        st.characters(codec="utf-8", categories=("Ll", "Lu", "Lo", "Nd", "Po", "Sm", "Sc", "Zs")),
        min_size=1,
        max_size=60,
    )
    .map(str.strip)
    .filter(bool)
)
_NUMBERS = st.from_regex(r"[A-Za-z0-9+\-_/]{1,35}", fullmatch=True)
_DATES = st.dates(datetime.date(2020, 1, 1), datetime.date(2050, 12, 31))
_UNITS = st.sampled_from(["C62", "H87", "HUR", "DAY", "MON", "KGM", "LTR", "MTR", "MTK", "heures", "m²", "pièce"])
_SIRENS = st.integers(10_000_000, 99_999_999).map(lambda stem: siren(str(stem)))
_FOREIGN_BUYERS = st.sampled_from(
    [
        GERMAN_BUYER,
        replace(GERMAN_BUYER, name="Bianchi S.p.A.", vat_identifier="IT00743110157", address=Address(country="IT")),
        replace(GERMAN_BUYER, name="Grand-Duché S.A.", vat_identifier="LU15027442", address=Address(country="LU")),
    ]
)
# Per draw: the categories that may are together with these buyers, with their rates.
_TAXED = [("S", "20"), ("S", "10"), ("S", "5.5"), ("S", "2.1"), ("S", "8.5"), ("Z", "0"), ("E", "0")]


# Terms that are beside the figures: where an ERP states any of these, it states several.
_ITEM_TERMS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "origin_country": st.sampled_from(["", "FR", "CN"]),
            "attributes": st.lists(st.builds(Attribute, _TEXTS, _TEXTS), max_size=2).map(tuple),
            "classifications": st.lists(
                st.builds(Classification, _NUMBERS, st.sampled_from(["HS", "STI", "CG"]), st.sampled_from(["", "23"])),
                max_size=2,
            ).map(tuple),
            "object_identifier": st.one_of(st.none(), st.builds(Identifier, _NUMBERS, st.sampled_from(["", "AWT"]))),
            "order_line_reference": st.one_of(st.just(""), _NUMBERS),
            "accounting_reference": st.one_of(st.just(""), _NUMBERS),
        }
    ),
)


def _described_once(documents: list[SupportingDocument]) -> tuple[SupportingDocument, ...]:
    """The rules warn of a second description (CII-SR-475), which the norm allows."""
    return tuple(replace(each, description=each.description if not at else "") for at, each in enumerate(documents))


_HEAD_TERMS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "receiving_advice_reference": st.one_of(st.just(""), _NUMBERS),
            "tender_reference": st.one_of(st.just(""), _NUMBERS),
            "invoiced_object": st.one_of(st.none(), st.builds(Identifier, _NUMBERS, st.sampled_from(["", "AWT"]))),
            "supporting_documents": st.lists(
                st.builds(
                    SupportingDocument,
                    _NUMBERS,
                    st.sampled_from(["", "BON_LIVRAISON", "DOCUMENT_ANNEXE"]),
                    st.sampled_from(["", "https://exemple.example/plan.pdf"]),
                ),
                max_size=3,
            ).map(_described_once),
        }
    ),
)


@st.composite
def _french_parties(draw: st.DrawFn) -> Party:
    number = draw(_SIRENS)
    return Party(
        name=draw(_TEXTS),
        legal_identifier=Identifier(number, "0002"),
        identifiers=draw(
            st.sampled_from([(), (Identifier(siret(number, "0001"), "0009"),), (Identifier("CLIENT 7"),)])
        ),
        vat_identifier=french_vat(number),
        address=Address(draw(_TEXTS), "", "", draw(_TEXTS), "75011", "", "FR"),
    )


@st.composite
def _line_parts(draw: st.DrawFn, number: int, category: str, rate: str | None) -> Line:
    quantity, price = draw(_QUANTITIES), draw(_PRICES)
    if draw(st.integers(0, 9)) == 0:
        quantity = -quantity
    base_quantity = draw(st.sampled_from([None, None, None, Decimal(100), Decimal("0.5")]))
    gross: dict[str, Any] = {}
    if draw(st.booleans()):
        discount = draw(_CENTS)
        gross = {"gross_price": price + discount, "price_discount": discount}
    allowances_charges = tuple(
        AllowanceCharge(is_charge, amount, reason=reason)
        for is_charge, amount, reason in draw(
            st.lists(st.tuples(st.booleans(), _CENTS, st.sampled_from(["", "Fidélité"])), max_size=2)
        )
    )
    return line(
        number,
        str(quantity),
        str(price),
        category,
        rate,
        allowances_charges,
        name=draw(_TEXTS),
        unit=draw(_UNITS),
        price_base_quantity=base_quantity,
        description=draw(st.one_of(st.just(""), _TEXTS)),
        **gross,
        **draw(_ITEM_TERMS),
    )


@st.composite
def varied_invoices(draw: st.DrawFn) -> Example:
    """Any invoice that a French company may write, completed for France."""
    kind = draw(st.sampled_from(["french", "french", "individual", "public", "union", "world", "out of scope"]))
    buyer_kind = {"individual": BuyerKind.INDIVIDUAL, "public": BuyerKind.PUBLIC}.get(kind, BuyerKind.PROFESSIONAL)
    buyer: Party
    pairs: list[tuple[str, str | None]]
    if kind == "individual":
        buyer, pairs = replace(INDIVIDUAL, name=draw(_TEXTS)), [*_TAXED]
    elif kind == "union":
        buyer, pairs = draw(_FOREIGN_BUYERS), [("AE", "0"), ("K", "0"), ("S", "20")]
    elif kind == "world":
        buyer, pairs = replace(AMERICAN_BUYER, name=draw(_TEXTS)), [("G", "0"), ("S", "20")]
    elif kind == "out of scope":
        buyer, pairs = AMERICAN_BUYER, [("O", None)]
    else:
        buyer, pairs = draw(_french_parties()), [*_TAXED, ("AE", "0")]
    used = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=3, unique=True))
    lines = tuple(
        draw(_line_parts(number, *draw(st.sampled_from(used)))) for number in range(1, draw(st.integers(1, 8)) + 1)
    )
    head = []
    for _ in range(draw(st.integers(0, 2))):
        category, rate = draw(st.sampled_from([(each.vat_category, each.vat_rate) for each in lines]))
        head.append(AllowanceCharge(draw(st.booleans()), draw(_CENTS), vat_category=category, vat_rate=rate))
    issued = draw(_DATES)
    type_code = draw(st.sampled_from(["380", "380", "380", "381", "384", "386"]))
    overrides: dict[str, Any] = {
        "number": draw(_NUMBERS),
        "type_code": type_code,
        "issue_date": issued,
        "due_date": issued + datetime.timedelta(days=draw(st.integers(0, 90))),
        "buyer": buyer,
        "currency": draw(st.sampled_from(["EUR", "EUR", "USD", "CHF", "GBP", "JPY"])),
        "purchase_order_reference": draw(st.one_of(st.just(""), _TEXTS)),
        "notes": tuple(Note(text) for text in draw(st.lists(_TEXTS, max_size=2))),
        "delivery": draw(
            st.sampled_from([None, Delivery(date=issued), Delivery("Dépôt", address=Address(country="FR"))])
        ),
    }
    overrides |= draw(_HEAD_TERMS)
    if type_code in ("381", "384"):
        overrides["preceding_invoices"] = (DocumentReference(draw(_NUMBERS), issued - datetime.timedelta(days=30)),)
    raw = content(lines, tuple(head), **overrides)
    if raw.currency != "EUR":
        assert raw.total_vat is not None
        raw = replace(raw, total_vat_in_vat_currency=cents(raw.total_vat * Decimal("0.91")))
    paid = draw(st.sampled_from(["nothing", "nothing", "part", "all"]))
    assert raw.total_with_vat is not None
    if paid != "nothing" and raw.total_with_vat > 0:
        prepaid = raw.total_with_vat if paid == "all" else cents(raw.total_with_vat / 3)
        raw = replace(raw, prepaid_amount=prepaid, amount_due=raw.total_with_vat - prepaid)
    policy = SellerPolicy(
        operation_category=draw(st.sampled_from(OperationCategory)),
        vat_on_debits=draw(st.booleans()),
        regulatory_note=draw(st.one_of(st.just(""), _TEXTS)),
        exemption_reason="Exonération de TVA, article 261 C du CGI",
    )
    return completed(raw, buyer_kind, policy)
