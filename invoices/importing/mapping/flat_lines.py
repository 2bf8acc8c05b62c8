"""The cells of a flat table as values, and its lines, each checked by what is in its own row.

Catalogues and subscriptions repeat their lines: a row that says of a line what another one said is judged once.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from itertools import product
from operator import itemgetter
from typing import Final

from django.utils.translation import gettext as _

from invoices.en16931.vat import category_of_words
from invoices.importing.mapping.fields import AMOUNTS, CUSTOMER, DATES, LINE, LINE_GROSS, LINE_VAT, NUMBERS
from invoices.importing.mapping.layout import Layout
from invoices.importing.mapping.values import rate_in
from invoices.importing.payment_terms import term_of
from invoices.importing.tables.cells import is_no_date
from invoices.importing.tables.columns import CELLS, cells_text
from invoices.importing.tables.rows import is_total_line
from invoices.importing.values import THOUSANDS, shown
from invoices.money import CENT, to_cents, write_decimal

_KNOWN_RATES: Final = tuple(map(Decimal, ("20", "10", "5.5", "2.1", "8.5", "0")))
_FEW: Final = Decimal("0.02")
QUANTITY: Final = f"{LINE}quantite"
PRICE: Final = f"{LINE}prix_unitaire_ht"
LINE_NET: Final = f"{LINE}total_ht"
DISCOUNT: Final = f"{LINE}remise"
_WRITTEN: Final = (QUANTITY, PRICE, DISCOUNT)
_DECIDED: Final = (QUANTITY, PRICE)
_MOST_REMEMBERED: Final = 8192


class Unreconciled(Exception):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """An invoice cannot be taken; ``column``, ``value`` and ``reason`` (French) say why."""

    def __init__(self, column: str, value: str, reason: str, *, is_misread: bool = False) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason
        self.line = 0
        self.is_misread = is_misread


def differs(column: str, expected: Decimal, found: Decimal) -> Unreconciled:
    """An amount that is not what others make it."""
    reason = _("%(expected)s attendu, %(found)s trouvé.")
    values = {"expected": write_decimal(to_cents(expected)), "found": write_decimal(to_cents(found))}
    return Unreconciled(column, str(found), reason % values, is_misread=True)


@dataclass(slots=True)
class FlatLine:
    """What a row says of a line. ``vat`` and ``rate`` are None where it does not."""

    texts: dict[str, str]
    numbers: dict[str, Decimal]
    rate: Decimal | None
    vat: Decimal | None
    net: Decimal
    cells: str
    """As they stood (:func:`~invoices.importing.tables.columns.cells_text`)."""
    checks: int
    """How many of its amounts confirmed each other."""
    is_net_sure: bool = False
    """Whether its own VAT says that the net amount is one."""
    total: str = ""
    """Its text where that says that the amount is the sum of others."""
    written_rate: Decimal | None = None
    """At which it was written last, and how."""
    written_cells: list[str] = field(default_factory=list)

    def written(self, rate: Decimal, columns: Sequence[str]) -> list[str]:
        """The cells of ``columns``, canonical. Raises Unreconciled where the line says nothing."""
        if self.written_rate == rate:
            return self.written_cells
        values = dict(self.texts)
        for name in _WRITTEN:
            if name in self.numbers:
                values[name.removeprefix(LINE)] = f"{self.numbers[name]:f}"
        values.setdefault("designation", values.get("article", ""))
        if not values["designation"]:
            raise Unreconciled("ligne.designation", "", _("une ligne n’a pas de désignation."))
        values.setdefault("taux_tva", f"{rate.normalize():f}")
        values |= {"total_ht": str(self.net), CELLS: self.cells}
        self.written_rate, self.written_cells = rate, [values.get(column, "") for column in columns]
        return self.written_cells


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A line's cells of a row: the line, None where there is none; amounts with signs beside their figures, and sums
    over several columns, each with the text of the first.
    """

    line: FlatLine | None
    amounts: list[str]
    sums: dict[str, tuple[Decimal, str]]


class Sort(Enum):
    """What a column of heads holds."""

    SUM = auto()
    NUMBER = auto()
    DATE = auto()
    CUSTOMER = auto()
    TEXT = auto()

    @classmethod
    def of(cls, name: str, places: Sequence[int]) -> "Sort":
        """By our name of the column; one of several of the table is a sum."""
        if len(places) > 1:
            return cls.SUM
        if name in NUMBERS:
            return cls.NUMBER
        if name in DATES:
            return cls.DATE
        return cls.CUSTOMER if name.startswith(CUSTOMER) else cls.TEXT


class FlatCells:
    """Reads the cells of one flat table as its layout says; what it gives is the same for the same cells."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        fields = layout.parted
        self.width = fields.width
        self._lines = fields.lines
        self._has_lines = "lignes" in layout.holds
        self.heads = [(name, places[0], places, Sort.of(name, places)) for name, places in fields.heads]
        self.pick_head = _picker(fields.head_places)
        judging = [layout.pieces_at] if layout.pieces_at >= 0 else []
        self.width = max(self.width, layout.pieces_at + 1)
        self.pick_line = _picker([place for _, places in fields.lines for place in places] + judging)
        self._names_at = [layout.position(f"{LINE}{name}") for name in ("designation", "article")]
        stated = sorted((name.removeprefix(LINE), places) for name, places in fields.lines)
        self._names = [name for name, _ in stated]
        self._places = [places for _, places in stated]
        self.known: dict[tuple[str, ...], ReadRow] = {}
        """What rows were read as, by what :attr:`pick_line` picks of them."""
        self._orders: dict[tuple[str, ...], list[str]] = {}
        self._dates: dict[tuple[int, str], str] = {}

    def names_a_line(self, cells: list[str]) -> bool:
        """Whether a row has the text or the code of a line."""
        return any(self.layout.cell(cells, place) for place in self._names_at)

    def read_line(self, cells: list[str]) -> ReadRow:
        """The line in a row of at least :attr:`width` cells, which is :attr:`known` then. Raises Unreconciled."""
        found = self._read_line(cells)
        if len(self.known) >= _MOST_REMEMBERED:
            self.known.clear()
        self.known[self.pick_line(cells)] = found
        return found

    def _read_line(self, cells: list[str]) -> ReadRow:
        texts: dict[str, str] = {}
        numbers: dict[str, Decimal] = {}
        amounts: list[str] = []
        sums: dict[str, tuple[Decimal, str]] = {}
        unsure: dict[str, tuple[str, Decimal | None]] = {}
        rate: Decimal | None = None
        for name, places in self._lines:
            place = places[0]
            text = cells[place]
            if len(places) > 1:
                total = self.sum(name, cells, places, amounts)
                if total is not None:
                    sums[name] = total, text
            elif not text:
                continue
            elif name == "ligne.taux_tva":
                rate = self.rate(text, place)
                if rate == 0 and category_of_words(text):
                    texts["taux_tva"] = text  # «Autoliquidation»: why, which is read where a table of lines says it
            elif name in _DECIDED and THOUSANDS.fullmatch(text):
                unsure[name] = text, self.layout.number(text, place)
            elif name in NUMBERS:
                numbers[name] = self.number(name, text, place, amounts)
            elif name in DATES:
                texts[name.removeprefix(LINE)] = self.date(name, text, place)
            else:
                texts[name.removeprefix(LINE)] = text
        if unsure:
            numbers |= _decided_by_net(unsure, numbers)
        if PRICE in numbers and (self.layout.pieces_at >= 0 or self.layout.pieces != 1):
            numbers[PRICE] = _of_one_piece(numbers, self.layout.pieces_of(cells))
        line = self._judged(texts, numbers, rate, cells) if self._has_lines and (texts or numbers) else None
        return ReadRow(line, amounts, sums)

    def joined(self, cells: Sequence[str], places: Sequence[int]) -> str:
        """The filled cells at ``places`` as one text."""
        return " + ".join(filter(None, (cells[place] for place in places)))

    def sum(self, name: str, cells: Sequence[str], places: Sequence[int], amounts: list[str]) -> Decimal | None:
        """The sum of the filled cells at ``places``. Raises Unreconciled."""
        numbers = [self.number(name, cells[place], place, amounts) for place in places if cells[place]]
        return sum(numbers, Decimal(0)) if numbers else None

    def number(self, name: str, text: str, place: int, amounts: list[str]) -> Decimal:
        """The number in a cell, which goes to ``amounts`` where signs are beside it. Raises Unreconciled."""
        number = Decimal(0) if text in ("-", "—") else self.layout.number(text, place)
        if name != "tva_en_euros" and not (text[0].isdigit() and text[-1].isdigit()):
            amounts.append(text)
        if number is None or ("%" in text and name in AMOUNTS):
            raise Unreconciled(name, text, _("« %(text)s » n’est pas un nombre sûr.") % {"text": text}, is_misread=True)
        return number

    def rate(self, text: str, place: int) -> Decimal | None:
        """The VAT rate in a cell, in per cent."""
        rate = rate_in(text, self.layout.marks.get(place, "") or ".")
        if rate is not None and self.layout.rates_are_fractions and "%" not in text:
            rate *= 100
        return rate

    def date(self, name: str, text: str, place: int) -> str:
        """The date in a cell, or a term of payment that counts from the invoice's. Raises Unreconciled."""
        known = self._dates.get((place, text))
        if known is not None:
            return known
        date = self.layout.date(text, place)
        if date is None:
            if name != "date" and is_no_date(text):
                return ""
            if name == "echeance" and term_of(text) is not None:
                return text  # counted from the invoice's date where the canonical tables are read
            raise Unreconciled(name, text, _("« %(text)s » n’est pas une date sûre.") % {"text": text}, is_misread=True)
        if len(self._dates) >= _MOST_REMEMBERED:
            self._dates.clear()
        written = self._dates[place, text] = date.isoformat()
        return written

    def text_of(self, stated: dict[str, str]) -> str:
        """Cells by name as they stood (:func:`~invoices.importing.tables.columns.cells_text`)."""
        names = tuple(stated)
        order = self._orders.get(names)
        if order is None:
            if len(self._orders) >= _MOST_REMEMBERED:
                self._orders.clear()
            order = self._orders[names] = sorted(names)
        return cells_text(order, [stated[name] for name in order])

    def _judged(
        self, texts: dict[str, str], numbers: dict[str, Decimal], rate: Decimal | None, cells: Sequence[str]
    ) -> FlatLine | None:
        """The line, with what follows from its own cells; None where they say nothing. Raises Unreconciled."""
        quantity, price = numbers.get(QUANTITY), numbers.get(PRICE)
        net, discount = numbers.get(LINE_NET), numbers.get(DISCOUNT, Decimal(0))
        products = grosses = 0
        if not numbers:
            if not texts.get("designation"):
                return None
            net = Decimal(0)  # a line of text
        if net is None:
            if quantity is None or price is None:
                raise Unreconciled(LINE_NET, "", _("une ligne n’a pas de montant."), is_misread=True)
            net = quantity * price * (100 - discount) / 100
        elif quantity is not None and price is not None:
            if discount and self.layout.is_price_reduced and quantity * price == net:
                del numbers[DISCOUNT]
            else:
                _check_product(quantity, price, discount, net)
            products = 1
        vat, gross = numbers.get(LINE_VAT), numbers.get(LINE_GROSS)
        if vat is not None and gross is not None:
            if abs(net + vat - gross) > CENT:
                raise differs(LINE_NET, net + vat, gross)
            grosses = 1
        elif vat is None and gross is not None:
            vat = gross - net
        if rate is not None and rate < 0:
            if net > 0 and vat is None:
                reason = _("ce taux est négatif, et le montant de la ligne ne l’est pas.")
                raise Unreconciled("ligne.taux_tva", str(rate), reason)
            rate = -rate
        if rate is None and vat is not None:
            rate = rate_of(net, vat)
        elif rate is not None and vat is not None:
            if abs(net * rate / 100 - vat) > _FEW:
                raise differs("ligne.taux_tva", to_cents(net * rate / 100), vat)
            grosses += bool(vat)
        name = texts.get("designation") or texts.get("article", "")
        total = name if net and is_total_line(name) else ""
        stated = [cells[places[0]] if len(places) == 1 else self.joined(cells, places) for places in self._places]
        return FlatLine(
            texts,
            numbers,
            rate,
            vat,
            to_cents(net),
            cells_text(self._names, stated),
            products + grosses,
            bool(grosses),
            total,
        )


def _decided_by_net(unsure: dict[str, tuple[str, Decimal | None]], numbers: dict[str, Decimal]) -> dict[str, Decimal]:
    """``1,000`` as a quantity or a price is one or a thousand: what its column says where the line's net amount agrees.

    Otherwise whichever alone gives the net amount. ``unsure`` has each cell and what its column makes of it, None where
    that says nothing. Raises Unreconciled where none or several readings do.
    """
    usual = {name: number for name, (_text, number) in unsure.items() if number is not None}
    is_read = len(usual) == len(unsure)
    if is_read and (LINE_NET not in numbers or _is_product(numbers | usual)):
        return usual
    readings = [
        (Decimal(re.sub("[.,]", "", text)), Decimal(text.replace(",", "."))) for text, _number in unsure.values()
    ]
    fitting = [
        found
        for values in product(*readings)
        if _is_product(numbers | (found := dict(zip(unsure, values, strict=True))))
    ]
    if len(fitting) == 1:
        return fitting[0]
    if is_read:
        return usual
    column, (text, _number) = next(iter(unsure.items()))
    raise Unreconciled(column, text, _("« %(text)s » n’est pas un nombre sûr.") % {"text": text}, is_misread=True)


def _of_one_piece(numbers: dict[str, Decimal], pieces: Decimal | None) -> Decimal:
    """The price of one of ``pieces``; as it is where the net amount says so. Raises Unreconciled."""
    price = numbers[PRICE]
    of_one = price / pieces if pieces else price
    if pieces is None or of_one != round(of_one, 8):
        raise Unreconciled(PRICE, str(price), _("rien ne dit de combien de pièces est ce prix."), is_misread=True)
    if of_one != price and _is_product(numbers) and not _is_product(numbers | {PRICE: of_one}):
        return price
    return of_one


def _is_product(numbers: dict[str, Decimal]) -> bool:
    """Whether the net amount is there and what quantity, price and discount make."""
    try:
        _check_product(numbers[QUANTITY], numbers[PRICE], numbers.get(DISCOUNT, Decimal(0)), numbers[LINE_NET])
    except (KeyError, Unreconciled):
        return False
    return True


def _check_product(quantity: Decimal, price: Decimal, discount: Decimal, net: Decimal) -> None:
    """Raises Unreconciled where ``net`` is not quantity × price less the discount, in per cent or in money."""
    plain = quantity * price
    if not discount and plain == net:
        return
    decimals = max(2, -int(price.as_tuple().exponent))
    allowed = abs(quantity) * Decimal(5).scaleb(-decimals - 1) + CENT
    in_percent = plain * (100 - discount) / 100
    if all(abs(less - net) > allowed for less in (in_percent, plain - discount, plain - quantity * discount)):
        raise differs(LINE_NET, to_cents(in_percent), net)


def sums_of_others(lines: Sequence[tuple[int, FlatLine]]) -> set[int]:
    """The rows of ``lines``, of an invoice without totals, that are the sum of those since the last such row or of all.

    Raises Unreconciled for one that says so and is not, where nothing decides. A line with a price is a line.
    """
    if len(lines) < 2:
        return set()
    totals = {row for row, line in lines if line.total and PRICE not in line.numbers}
    of_all = sum([line.net for row, line in lines if row not in totals], Decimal(0))
    since = until_here = Decimal(0)
    for row, line in lines:
        if row not in totals:
            since += line.net
            until_here += line.net
        elif line.net in (since, until_here, of_all):
            since = Decimal(0)
        else:
            reason = _("« %(text)s » n’est pas la somme d’autres lignes, et aucun total ne dit si c’en est une.")
            problem = Unreconciled(LINE_NET, str(line.net), reason % {"text": shown(line.total)})
            problem.line = row
            raise problem
    return totals


def rate_of(net: Decimal, vat: Decimal) -> Decimal | None:
    """The only known rate that gives ``vat`` of ``net`` to the cent, else None."""
    if not net:
        return None
    found = [rate for rate in _KNOWN_RATES if to_cents(net * rate / 100) == to_cents(vat)]
    return found[0] if len(found) == 1 else None


def _picker(places: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """A function that picks the cells at ``places``."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda cells: tuple(cells[place] for place in places)
