"""Rows of ``lignes.csv`` as canonical text, checked one by one."""

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple

from customers.searching import search_key
from invoices.en16931.units import ONE, unit_code
from invoices.en16931.vat import CATEGORIES, category_of_words, cited_reason
from invoices.importing.tables.cells import (
    NEEDED,
    Cells,
    amount_text,
    date_text,
    needed_text,
    number_text,
    plain_text,
    rate_text,
    text_of_at_most,
)
from invoices.importing.tables.columns import EDITION, LINES, RecognisedTable, read_terms
from invoices.importing.values import THOUSANDS, BadValue, not_an_error, rate_of_code, shown
from invoices.money import to_cents, whole_cents, write_decimal

_MOST_REMEMBERED: Final = 8192
LONGEST_NUMBER: Final = 100
_TAXED: Final = frozenset(("S", "L", "M"))


class _Values(NamedTuple):
    item_code: str
    name: str
    quantity: str
    unit: str
    net_price: str
    discount_percentage: str
    vat_category: str
    vat_rate: str
    net_amount: str
    exemption_reason: str
    delivery_date: str
    cells: str = ""
    """The row as it stood (:func:`.columns.cells_text`)."""
    terms: str = ""
    """What columns with a term state (:func:`.columns.terms_text`)."""


class ParsedLine(_Values):
    """An invoice line, each value in its canonical writing; empty where the file says nothing.

    Rows that say the same of a line are one object, which keeps what is asked of it again and again.
    """

    @cached_property
    def cents(self) -> int:
        """The net amount in whole cents."""
        return whole_cents(self.net_amount)

    @cached_property
    def hashed(self) -> str:
        """What the content hash of its invoice takes of the line."""
        return self.hashed_in(EDITION)

    def hashed_in(self, edition: int) -> str:
        """The same, seen with the columns that there were in ``edition``."""
        # A line without a day of its own is hashed as it was before lines had one.
        fields = self[_WITH_DAY if self.delivery_date else _WITHOUT_DAY]
        if not self.terms:
            return HASH_FIELD.join(fields)
        return HASH_FIELD.join((*fields, *(HASH_FIELD.join(term) for term in read_terms(self.terms, edition))))


HASH_FIELD: Final = "\x1f"
_WITHOUT_DAY: Final = slice(ParsedLine._fields.index("delivery_date"))
_WITH_DAY: Final = slice(ParsedLine._fields.index("delivery_date") + 1)


def _designation(text: str) -> str:
    """A row of hashes is a line between others, as people draw it; other errors of a spreadsheet are none."""
    return text if not text.strip("#") else not_an_error(text)


def line_parsers() -> dict[str, Callable[[str], str]]:
    """The parser of each column of lines; columns with a term have none."""
    return {
        "societe": plain_text,
        "numero": needed_text(LONGEST_NUMBER),
        "article": text_of_at_most(200),
        "designation": _designation,
        "quantite": number_text,
        "unite": _unit_text,
        "prix_unitaire_ht": number_text,
        "remise": _discount_text,
        "categorie_tva": category_text,
        "taux_tva": line_rate_text,
        "total_ht": amount_text,
        "motif_exoneration": text_of_at_most(300),
        "date_livraison": date_text,
    }


class LineParser:
    """Reads the rows of one table of lines."""

    def __init__(self, table: RecognisedTable) -> None:
        self.cells = Cells(table)
        self._stated = self.cells.stated()
        self._terms = self.cells.reader_of_terms()
        self._texts_of = self.cells.picker(
            "societe", "numero", "article", "designation", "motif_exoneration", "date_livraison"
        )
        self._figures_of = self.cells.picker(
            "quantite", "unite", "prix_unitaire_ht", "remise", "categorie_tva", "taux_tva", "total_ht"
        )
        self._read = self.cells.reader(line_parsers())
        self._invoice_of = self.cells.picker("societe", "numero")
        self._line_of = self.cells.picker(*(name for name in table.positions if name not in LINES.identity))
        self._known: dict[tuple[str, ...], ParsedLine] = {}

    def parse(self) -> tuple[str, str, ParsedLine]:
        """Company, number of the invoice and line of the row that :attr:`cells` is at.

        What is wrong is in ``cells.rejections``. Catalogues and subscriptions repeat their lines: a row that says of a
        line what another one said is read once.
        """
        row = self.cells.current()
        company, number = self._invoice_of(row)
        stated = self._line_of(row)
        line = self._known.get(stated)
        if line is None or not 0 < len(number) <= LONGEST_NUMBER:
            company, number, line = self._parse(row)
            if not self.cells.rejections:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[stated] = line
        return company, number, line

    def _parse(self, row: list[str]) -> tuple[str, str, ParsedLine]:
        company, number, item, name, reason, day = self._texts_of(row)
        name = name or item
        if number and name and len(number) <= LONGEST_NUMBER and len(item) <= 200 and len(reason) <= 300:
            try:
                figures = _usual_figures(*self._figures_of(row))
                day = day and date_text(day)
            except BadValue:
                return self._parse_carefully()
            return company, number, self._line(item, name, figures, reason, day)
        return self._parse_carefully()

    def _line(self, item: str, name: str, figures: "_Figures", reason: str, day: str) -> ParsedLine:
        """The line; an article in the place of its rate is its reason."""
        if not reason and figures[4] == "E":
            reason = cited_reason(self.cells.text("taux_tva"))
        return ParsedLine(item, name, *figures, reason, day, self._stated(), self._terms())

    def _parse_carefully(self) -> tuple[str, str, ParsedLine]:
        """The same, cell by cell, refusing each that is wrong."""
        company, number, item, name, quantity, unit, price, discount, category, rate, net, reason, day = self._read()
        name = name or item
        if not name and "designation" not in (each.column for each in self.cells.rejections):
            self.cells.refuse("designation", "", NEEDED)
        category = category or (_untaxed(self.cells.text("taux_tva")) if rate else "")
        figures = (
            quantity,
            unit,
            price,
            discount,
            category,
            rate,
            net,
        )
        if not self.cells.rejections:
            figures, column, problem = _with_thousands(
                figures, self.cells.text("quantite"), self.cells.text("prix_unitaire_ht")
            )
            if problem:
                self.cells.refuse(column, self.cells.text(column), problem)
        return company, number, self._line(item, name, figures, reason, day)


type _Figures = tuple[str, str, str, str, str, str, str]


@functools.lru_cache(maxsize=16384)  # a catalogue sells the same things at the same prices
def _usual_figures(quantity: str, unit: str, price: str, discount: str, category: str, rate: str, net: str) -> _Figures:
    """The canonical form of the seven cells together. Raises :class:`BadValue` where anything is wrong with them."""
    read = (
        number_text(quantity),
        _unit_text(unit),
        number_text(price),
        _discount_text(discount),
        category_text(category) or _untaxed(rate),
        line_rate_text(rate),
        amount_text(net),
    )
    figures, _, problem = _completed(*read)
    if problem:
        figures, _, problem = _with_thousands(read, quantity, price)
    if problem:
        raise BadValue(problem)
    return figures


def _with_thousands(read: _Figures, quantity: str, price: str) -> tuple[_Figures, str, str]:
    """:func:`_completed` with ``1,000`` as a thousand in the cells of quantity or price, where the total says so."""
    thousands = [re.sub("[.,]", "", text) if THOUSANDS.fullmatch(text) else "" for text in (quantity, price)]
    usual = _completed(*read)
    if not read[6]:
        return usual
    for many, dear in ((thousands[0], read[2]), (read[0], thousands[1]), tuple(thousands)):
        if many and dear:
            found = _completed(many, read[1], dear, *read[3:])
            if not found[2]:
                return found
    return usual


def _completed(
    quantity: str, unit: str, price: str, discount: str, category: str, rate: str, net: str
) -> tuple[_Figures, str, str]:
    """The figures with what follows from others; then the column and the sentence of what does not fit together."""
    column = problem = ""
    if price.startswith("-"):
        # A price is never negative (BR-27): what is taken back is a negative quantity.
        price, quantity = price[1:], negated(quantity or "1")
    if net and net.strip("-0.") and not price.strip("0."):
        # What is taken off in money beside a price of zero: the line's total counts.
        quantity, price = _from_net(quantity, price, net)
    if category and (category in _TAXED) != (rate != "0.00"):
        column, problem = "categorie_tva", f"La catégorie de TVA {category} ne va pas avec le taux {rate} %."
    elif not net:
        if quantity and price and not _is_no_percentage(discount):
            net = str(_product(quantity, price, discount))
        elif not quantity and not price:
            net = "0.00"  # a line of text
        else:
            column, problem = "total_ht", "Cette valeur est obligatoire sans quantité et prix unitaire."
    elif quantity and price:
        discount, problem = _fitting_discount(quantity, price, discount, net)
        column = "total_ht" if problem else ""
    if not problem and _is_no_percentage(discount):
        column, problem = "remise", f"« {shown(discount)} » n’est pas une remise : un pourcentage de 0 à 100."
    return (quantity, unit or (ONE if quantity else ""), price, discount, category, rate, net), column, problem


def _from_net(quantity: str, price: str, net: str) -> tuple[str, str]:
    """Quantity and price of a line that has ``net`` but the price zero, or none beside no quantity."""
    if not price and not quantity:
        return quantity, price
    pieces = abs(Decimal(quantity or 1)) or Decimal(1)
    each = abs(Decimal(net)) / pieces
    if each != round(each, 8):
        pieces, each = Decimal(1), abs(Decimal(net))
    sign = "-" if net.startswith("-") else ""
    return f"{sign}{plain_number(pieces)}", plain_number(each)


def _fitting_discount(quantity: str, price: str, discount: str, net: str) -> tuple[str, str]:
    """The discount in per cent that gives ``net``, where it was one, a fraction of one or an amount; else why none is.

    ``10`` is ten per cent, or ten euros off the line; ``0.1`` what a spreadsheet stores for 10 %.
    """
    problem = "" if _is_no_percentage(discount) else price_problem(quantity, price, discount, net)
    if not discount or not (problem or _is_no_percentage(discount)):
        return discount, problem
    gross, stated = Decimal(quantity) * Decimal(price), abs(Decimal(discount))
    for percentage in (stated, stated * 100, stated * 100 / gross if gross else stated, _per_piece(stated, price)):
        fitting = plain_number(round(percentage, 4))
        if 0 <= percentage <= 100 and not price_problem(quantity, price, fitting, net):
            return fitting, ""
    return discount, problem


def _per_piece(amount: Decimal, price: str) -> Decimal:
    return amount * 100 / Decimal(price) if Decimal(price) else amount


def _is_no_percentage(discount: str) -> bool:
    return bool(discount) and not (0 <= Decimal(discount) <= 100 and len(discount.partition(".")[2]) <= 4)


def negated(number: str) -> str:
    """``12.5`` as ``-12.5``, and back; zero stays."""
    if number.strip("0.") == "":
        return number
    return number[1:] if number.startswith("-") else f"-{number}"


@functools.lru_cache(maxsize=256)
def category_text(text: str) -> str:
    """A VAT category of EN 16931 (S, Z, E, AE, K, G, O) by its code or in words, or none. Raises :class:`BadValue`."""
    category = text.upper()
    if not category or category in CATEGORIES:
        return category
    category = "S" if search_key(text) in _STANDARD else category_of_words(text)
    if not category:
        raise BadValue(f"« {shown(text)} » n’est pas une catégorie de TVA (S, Z, E, AE, K, G ou O).")
    return category


_STANDARD: Final = frozenset(("standard", "normal", "normale", "taux normal", "tva normale", "taxable", "soumis"))
_RATE_IN_WORDS: Final = re.compile(r"(?<![0-9.,])([0-9]{1,2}(?:[.,][0-9]{1,2}0*)?) ?%")
_ONLY_NUMBER: Final = re.compile(
    r"[^0-9]*?(?<![0-9.,])(20|19[.,]6|10|8[.,]5|7|5[.,]50?|2[.,]10?|0)(?:[.,]00?)?(?![0-9.,])[^0-9]*"
)


@functools.lru_cache(maxsize=1024)
def line_rate_text(text: str) -> str:
    """A VAT rate as ``20.00``, also out of a code («20 % B», «TVA 20») or in words («Exonéré»); empty is no VAT.

    A fraction with more decimals than a rate has (0.055) comes back as it is: the totals show whether it is 5.5 %.
    Raises :class:`BadValue`.
    """
    try:
        return rate_text(text)
    except BadValue:
        rates = {rate_text(found) for found in _RATE_IN_WORDS.findall(text)}
        if len(rates) > 1:
            raise
        if rates:
            return rates.pop()
        if found := _ONLY_NUMBER.fullmatch(text):
            return rate_text(found[1])
        if code := rate_of_code(text):
            return rate_text(code)
        if category_of_words(text):
            return "0.00"
        try:
            number = number_text(text)
        except BadValue:
            number = ""
        if number.startswith("0.") and len(number) <= 6:
            return number
        raise


@functools.lru_cache(maxsize=256)
def _untaxed(rate: str) -> str:
    """The category that the cell of a rate says in words: «Autoliquidation»."""
    if not any(char.isalpha() for char in rate) or line_rate_text(rate) != "0.00":
        return ""
    return category_of_words(rate)


@functools.lru_cache(maxsize=1024)
def _discount_text(text: str) -> str:
    """A discount as ``10``; empty for zero. Whether it is per cent or money its line says. Raises BadValue."""
    discount = number_text(text)
    return "" if discount == "0" else discount


@functools.lru_cache(maxsize=1024)
def _unit_text(text: str) -> str:
    """The code of a unit, or the word itself where it has none. Raises :class:`BadValue` where it is too long."""
    unit = unit_code(text)
    if len(unit) > 50:
        raise BadValue(f"« {shown(text)} » est trop long pour une unité : 50 caractères au plus.")
    return unit if text else ""


def price_problem(quantity: str, price: str, discount: str, net: str) -> str:
    """A French sentence where ``net`` is not quantity × price × (1 − discount/100), else nothing.

    ERPs print prices that they have rounded: a difference that the last printed digit explains is none, nor is a cent.
    """
    if not discount and Decimal(quantity) * Decimal(price) == Decimal(net):
        return ""
    product = _product(quantity, price, discount)
    decimals = max(2, len(price.partition(".")[2]))
    explained = abs(Decimal(quantity)) * Decimal(5).scaleb(-decimals - 1) + Decimal("0.01")
    if abs(product - Decimal(net)) <= explained:
        return ""
    shown_price = Decimal(price) if len(price.partition(".")[2]) >= 2 else to_cents(Decimal(price))
    less = f" − {write_decimal(Decimal(discount))} %" if discount else ""
    factors = f"{write_decimal(Decimal(quantity))} × {write_decimal(shown_price)}{less}"
    return f"{factors} = {write_decimal(product)}, et non {write_decimal(Decimal(net))}."


def plain_number(number: Decimal) -> str:
    """``number`` without zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _product(quantity: str, price: str, discount: str) -> Decimal:
    return to_cents(Decimal(quantity) * Decimal(price) * (100 - Decimal(discount or 0)) / 100)
