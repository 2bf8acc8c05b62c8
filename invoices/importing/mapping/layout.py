"""Where our columns are in a user's table, and how it writes numbers and dates."""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, NamedTuple

from customers.searching import search_key
from invoices.files.tables import Table
from invoices.importing.mapping.fields import AMOUNTS, DATES, LINE, NUMBERS, holds
from invoices.importing.mapping.names import is_of_a_product, name_key, notions_of
from invoices.importing.mapping.other_languages import writes_day_first
from invoices.importing.mapping.samples import Column, Sample
from invoices.importing.mapping.values import DateOrder, date_order, decimal_mark, number_alone, read_number
from invoices.importing.tables.columns import header_key
from invoices.importing.words import currency_in_header

_NUMERIC: Final = NUMBERS | {"ligne.taux_tva"}
# Types of documents by number; the sign says which of its invoices are credit notes. Sage 100: F_DOCENTETE.DO_Type;
# Dolibarr: Facture::TYPE_ of htdocs/compta/facture/class/facture.class.php.
_SAGE_KINDS: Final = {"6": "", "7": "", "0": "devis", "1": "bon de commande", "3": "bon de livraison"}
_DOLIBARR_KINDS: Final = {"0": "", "1": "rectificative", "2": "avoir", "3": "acompte", "4": "325", "5": ""}
_DOLIBARR: Final = frozenset(
    ("ref_facture", "facture_payee", "statut_facture", "nom_du_tiers", "id_ligne", "f_ref", "f_type", "f_total_ttc")
)
# SAP: types of billing documents (FKART). Cancellations are refused: nothing says which invoice they end.
_SAP_KINDS: Final = {"F1": "", "F2": "", "L2": "", "G2": "avoir", "RE": "avoir", "S1": "annulation", "S2": "annulation"}
_X3_KINDS: Final = {"FAC": "", "INV": "", "AVC": "avoir", "CRM": "avoir"}
_JDE_KINDS: Final = {"RI": "", "RM": "avoir"}
_KINDS_BY_HEADER: Final = {
    "do_type": _SAGE_KINDS,
    **dict.fromkeys(("fkart", "billing_type", "fakturaart"), _SAP_KINDS),
    "sivtyp_0": _X3_KINDS,
    **dict.fromkeys(("doc_ty", "doc_type"), _JDE_KINDS),
}
HARMLESS_FACTORS: Final = frozenset((Decimal(0), Decimal(1), Decimal(100)))
"""By which a price may be multiplied, or not: one, or 100 %."""
_BY_NAME_ONLY: Final = ("ligne.prix_unitaire_ht", "ligne.remise", "ligne.quantite")
_OF_ALL: Final = frozenset(("global", "globale", "pied", "facture", "document", "invoice", "totale", "generale"))
_REDUCED: Final = frozenset("net nets nette remise remisee remises apres discounted".split())  # noqa: SIM905
_LEVELS: Final = frozenset("niveau niv level levels ebene nivel livello nomenclature profondeur depth".split())  # noqa: SIM905
_NET_COLUMNS: Final = ("total_ht", "ligne.total_ht", "ligne.prix_unitaire_ht")


_PER_HUNDRED: Final = re.compile(r"\b(?:aux|au|les|pour|par|per|je|le) ?(100|1000|cent|mille)\b|/ ?(100|1000)\b")
_BASES: Final = frozenset(
    (
        *("par", "prix par", "prix pour", "pour", "base prix", "base de prix", "base du prix", "unite de prix"),
        *("diviseur", "diviseur prix", "quantite prix", "per", "price per", "price base", "price quantity", "pe"),
        *("preiseinheit", "kpein", "base quantity", "price base quantity", "pricing unit", "px par"),
    )
)


def pieces_in_name(text: str) -> int:
    """Of how many pieces a column named ``text`` has the price: 100 of «Prix aux 100»; 1 where it does not say."""
    found = _PER_HUNDRED.search(search_key(text))
    return int({"cent": "100", "mille": "1000"}.get(said := found[1] or found[2], said)) if found else 1


def names_pieces(text: str) -> bool:
    """Whether a column says by its name of how many pieces each row has the price: «Prix par»."""
    return name_key(text) in _BASES


class Fields(NamedTuple):
    """Our columns of a table, those of heads and customers apart from those of lines, each with its places."""

    heads: tuple[tuple[str, list[int]], ...]
    lines: tuple[tuple[str, list[int]], ...]
    head_places: tuple[int, ...]
    width: int
    """How many cells a row needs to have."""


@dataclass
class Layout:
    """A reading of one table: our columns by their places there."""

    header_line: int
    header: list[str]
    fields: dict[str, list[int]]
    marks: dict[int, str] = field(default_factory=dict)
    orders: dict[int, DateOrder | None] = field(default_factory=dict)
    is_net_by_name: bool = False
    rates_are_fractions: bool = False
    is_price_of_a_unit: bool = True
    """Whether names of columns, or a person, say that prices are those of one unit, and how many are invoiced."""
    is_discount_in_percent: bool = True
    """Whether names of columns, or a person, say that discounts are in per cent of the price beside them."""
    is_price_reduced: bool = False
    """Whether the name of the prices says that discounts are in them."""
    pieces: int = 1
    """Of how many pieces the prices are, by the name of their column: «Prix aux 100»."""
    pieces_at: int = -1
    """The place of a column that says so of each row («Prix par»), or -1."""
    apart: tuple[int, ...] = ()
    """The places of columns of carriage, discounts and the like, in no line: a total says whether they count."""
    factors: tuple[int, ...] = ()
    """The places of numbers by which a price may be multiplied too: another quantity, days, a coefficient."""

    @cached_property
    def header_currencies(self) -> tuple[str, ...]:
        """The currencies that the names of the columns of amounts say: «Montant HT (€)», «Total USD»."""
        places = {
            place for name in (*(AMOUNTS - {"tva_en_euros"}), *_BY_NAME_ONLY[:1]) for place in self.fields.get(name, ())
        }
        names = (currency_in_header(self.header[place]) for place in sorted(places) if place < len(self.header))
        return tuple(filter(None, names))

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """What the numbers mean by which a product writes its types of documents; others are words."""
        place = self.position("type")
        name = header_key(self.header[place]) if 0 <= place < len(self.header) else ""
        if kinds := _KINDS_BY_HEADER.get(name):
            return kinds
        return _DOLIBARR_KINDS if len(_DOLIBARR & set(map(header_key, self.header))) >= 2 else {}

    @cached_property
    def parted(self) -> Fields:
        """The fields of heads and those of lines."""
        heads = tuple((name, places) for name, places in self.fields.items() if not name.startswith(LINE))
        lines = tuple((name, places) for name, places in self.fields.items() if name.startswith(LINE))
        all_places = [place for _, places in (*heads, *lines) for place in places]
        return Fields(
            heads, lines, tuple(place for _, places in heads for place in places), max(all_places, default=-1) + 1
        )

    @cached_property
    def holds(self) -> frozenset[str]:
        """What the table holds: factures, lignes, clients."""
        return frozenset(holds(set(self.fields)))

    def position(self, name: str) -> int:
        """The place of our column ``name``; -1 where there is none."""
        return self.fields.get(name, [-1])[0]

    @staticmethod
    def cell(cells: Sequence[str], position: int) -> str:
        """The cell at ``position``, empty where the row ends before it."""
        return cells[position] if 0 <= position < len(cells) else ""

    def is_noise(self, cells: Sequence[str]) -> bool:
        """Whether a row is the header once more, as page breaks of reports repeat it."""
        return cells[:3] == self.header[:3] and list(cells) == self.header

    def number(self, text: str, position: int) -> Decimal | None:
        """A number of the column at ``position``; None where it is none, or could be two."""
        return read_number(text, self.marks.get(position, ""))

    def pieces_of(self, cells: Sequence[str]) -> Decimal | None:
        """Of how many pieces the price of a row is; None where its cell does not say."""
        text = self.cell(cells, self.pieces_at)
        if not text:
            return Decimal(self.pieces)
        number = number_alone(text)
        return number if number is not None and number > 0 else None

    def date(self, text: str, position: int) -> datetime.date | None:
        """A date of the column at ``position``; None where it is none, or could be two."""
        order = self.orders.get(position)
        return order.read(text) if order is not None else None


def _says_unit(name: str) -> bool:
    """Whether a name of prices says that they are those of one unit: «PU», «Unit Price», «Rate», a product's own."""
    is_short = any(word.startswith(("pu", "pv")) for word in name_key(name).split())
    return is_short or bool({"unitary", "rate"} & notions_of(name)) or is_of_a_product(name)


def _is_ordered(quantity: Column | None) -> bool:
    """Whether a quantity is what was ordered, and not sure to be what is invoiced."""
    return quantity is not None and "ordered" in notions_of(quantity.name)


def _is_reduced(price: Column | None) -> bool:
    """Whether a price says that discounts are in it: «PU net HT», «Prix remisé»."""
    return price is not None and not _REDUCED.isdisjoint(name_key(price.name).split())


def _says_discount(column: Column) -> bool:
    """Whether a column holds discounts that are no single number: «10+5», «10 % puis 5 %»."""
    notions = notions_of(column.name)
    return "discount" in notions and "code" not in notions


def _is_apart(name: str) -> bool:
    """Whether a column may be an amount that is in no line: carriage, a discount, «Fournitures HT», a deposit."""
    notions = notions_of(name)
    return (
        name_key(name) == "shipping"
        or bool({"fee", "discount"} & notions and "price" not in notions)
        or notions == {"net"}
        or {"paid", "net"} <= notions
    )


def _has_levels(column: Column) -> bool:
    """Whether a column may say which lines are parts of others: the «Niveau» of a kit and of what is in it."""
    return column.distinct != 1 and not _LEVELS.isdisjoint(name_key(column.name).split())


def _is_factor(column: Column, quantity: Column) -> bool:
    """Whether a number beside ``quantity`` may multiply the price too."""
    notions = notions_of(column.name)
    if "quantity" in notions and not {"invoice", "billing"} & notions_of(quantity.name):
        return not {"ordered", "balance", "order", "weight"} & notions
    return "factor" in notions


def _says_percent(column: Column) -> bool:
    if _OF_ALL & set(name_key(column.name).split()):
        return False  # of the invoice, not of the line
    stated = [abs(number) for number in column.numbers if number]
    if stated and max(stated) < 1 and not column.has_percents:
        return False  # 0,1 is ten per cent to a spreadsheet
    says = bool({"percent", "rate"} & notions_of(column.name))
    return says or column.has_percents or is_of_a_product(column.name)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person saw in the table of which he said what its columns are."""

    day_first: bool = True
    """How its dates were read where nothing in a later table decides."""
    seen: frozenset[int] | None = None
    """The places that held numbers which may change an amount; None where it is not known, and all count as seen."""

    def has_seen(self, place: int) -> bool:
        """Whether the person knows that the column at ``place`` may hold such a number."""
        return self.seen is None or place in self.seen

    def as_json(self) -> dict[str, Any]:
        """What is kept."""
        return {"day_first": self.day_first, "seen": sorted(self.seen or ())}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Confirmed":
        """What was kept; all counts as seen where it was not yet noted."""
        return cls(kept["day_first"], frozenset(kept["seen"])) if kept else cls()


def seen_in(table: Table, layout: Layout) -> Confirmed:
    """What a person who confirms ``layout`` sees in the whole ``table``.

    Raises :class:`~invoices.files.tables.UnreadableTable` where the file breaks.
    """
    watched = {place: frozenset((Decimal(0),)) for place in layout.apart}
    watched |= dict.fromkeys((*layout.factors, layout.position("ligne.quantite")), HARMLESS_FACTORS)
    watched[layout.position("ligne.remise")] = frozenset((Decimal(0),))
    seen: set[int] = set()
    for row in table.rows():
        if row.line > layout.header_line:
            for place in watched.keys() - seen:
                number = number_alone(layout.cell(row.cells, place))
                if number is not None and number not in watched[place]:
                    seen.add(place)
    orders = [order.day_first for order in layout.orders.values() if order is not None]
    return Confirmed(False not in orders, frozenset(seen))


def layout_of(sample: Sample, fields: Mapping[str, list[int]], confirmed: Confirmed | None = None) -> Layout:
    """The layout of a table by its ``sample``; ``confirmed`` where a person has said what each column is.

    A column writes its numbers as its own cells show, else as the other columns do; its dates likewise.
    """
    is_confirmed = confirmed is not None
    by_index = {column.index: column for column in sample.columns}
    numeric = [index for name, places in fields.items() if name in _NUMERIC for index in places if index in by_index]
    shared = decimal_mark(cell for index in numeric for cell in by_index[index].filled)
    dates = [index for name, places in fields.items() if name in DATES for index in places if index in by_index]
    all_dates = date_order(cell for index in dates for cell in by_index[index].filled)
    is_no_english = any(
        set(column.name.lower()) & set("éèàôû°") or writes_day_first(name_key(column.name).split())
        for column in sample.columns
    )
    if all_dates is not None and all_dates.day_first is None:
        if confirmed is not None:
            all_dates = DateOrder(confirmed.day_first)
        elif is_no_english or shared == ",":  # who writes a decimal comma writes the day first
            all_dates = DateOrder(True)
    orders: dict[int, DateOrder | None] = {}
    for index in dates:
        own = date_order(by_index[index].filled)
        orders[index] = own if own is None or own.day_first is not None else all_dates or own
    price, discount, quantity = (by_index.get(fields.get(name, [-1])[0]) for name in _BY_NAME_ONLY)
    used = {place for places in fields.values() for place in places}
    unsure = [
        each
        for each in sample.columns
        if each.index not in used
        and (not each.filled or (each.is_numeric and not each.is_dates) or _says_discount(each))
        and not (confirmed is not None and confirmed.has_seen(each.index))
    ]
    is_known = [
        each is None or (confirmed is not None and confirmed.has_seen(each.index)) for each in (quantity, discount)
    ]
    pieces_at = (each.index for each in sample.columns if names_pieces(each.name) and each.is_numeric)
    rate = by_index.get(fields.get("ligne.taux_tva", [-1])[0])
    rates = [abs(number) for number in rate.numbers if number] if rate is not None and not rate.has_percents else []
    return Layout(
        sample.header_line,
        sample.header,
        {name: list(places) for name, places in fields.items()},
        {index: by_index[index].mark if by_index[index].mark in (".", ",") else shared for index in numeric},
        orders,
        is_confirmed
        or any(
            "net" in notions_of(by_index[place].name)
            for name in _NET_COLUMNS
            for place in fields.get(name, ())
            if place in by_index
        ),
        bool(rates) and max(rates) <= Decimal("0.25"),
        price is None or is_known[0] or (_says_unit(price.name) and not _is_ordered(quantity)),
        is_known[1] or discount is None or (_says_percent(discount) and not _is_reduced(price)),
        _is_reduced(price),
        1 if price is None else pieces_in_name(price.name),
        next(pieces_at, -1) if price is not None else -1,
        tuple(column.index for column in unsure if _is_apart(column.name) or _has_levels(column)),
        () if quantity is None else tuple(each.index for each in unsure if _is_factor(each, quantity)),
    )
