"""A row of a recognised table by the names of its columns, and what is wrong with its cells."""

import functools
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Final

from invoices.en16931.countries import country_code
from invoices.files.tables import Row, UnreadableTable
from invoices.importing.report import Rejection
from invoices.importing.tables.columns import CELLS, RecognisedTable, cells_text, terms_text
from invoices.importing.values import BadValue, not_an_error, parse_amount, parse_date, parse_number, parse_rate, shown
from invoices.importing.words import says_nothing

_MOST_DECIMALS: Final = 8  # of quantities and prices, as their columns hold them
_LARGEST: Final = Decimal(10) ** 15
_USUAL_AMOUNT: Final = re.compile(r"(?:-(?!0[.,]00))?(?:0|[1-9][0-9]{0,11})[.,][0-9]{2}", re.ASCII)
_USUAL_NUMBER: Final = re.compile(r"-?[1-9][0-9]{0,11}(?:[.,][0-9]{0,7}[1-9])?|0[.,][0-9]{0,7}[1-9]", re.ASCII)
NEEDED: Final = "Cette valeur est obligatoire."


def whole_postcode(postcode: str, country: str) -> str:
    """A French postcode as ``01000``: with the zero that a spreadsheet takes from it, without ``F-`` or a blank."""
    found = _FRENCH_POSTCODE.fullmatch(postcode) if country == "FR" else None
    return found[1].replace(" ", "").zfill(5) if found else postcode


_FRENCH_POSTCODE: Final = re.compile(r"(?:FR?[- ]?)?([0-9]{4,5}|[0-9]{2} [0-9]{3})(?:\.0+)?", re.ASCII | re.IGNORECASE)


_DATE_COLUMNS: Final = ("date", "echeance", "date_facture_corrigee", "date_livraison")
_ROWS_LOOKED_AT: Final = 1000
_SLASHED: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?![0-9])", re.ASCII)
_DAY_NUMBER: Final = re.compile(r"([0-9]{5})(?:\.0+)?", re.ASCII)
_DAYS_TO_1904: Final = 1462


def _day_readers(table: RecognisedTable) -> list[tuple[int, Callable[[str], str]]]:
    """For the columns of dates that are not written as the parsers expect: their place, and what rewrites a cell.

    Days of a workbook that counts from 1904; and month before day, where a cell of the column cannot be otherwise and
    none contradicts it.
    """
    places = [table.positions[name] for name in _DATE_COLUMNS if name in table.positions]
    if table.table.counts_from_1904:
        return [(place, _from_1904) for place in places]
    if not places or table.table.has_typed_cells:
        return []
    day_first, month_first = set(), set()
    try:
        for row in islice(table.table.rows(), _ROWS_LOOKED_AT):
            for place in places:
                if place < len(row.cells) and (parts := _SLASHED.match(row.cells[place])):
                    if int(parts[1]) > 12:
                        day_first.add(place)
                    elif int(parts[2]) > 12:
                        month_first.add(place)
    except UnreadableTable:
        return []  # said where the rows are read
    return [(place, _day_before_month) for place in places if month_first and not day_first]


def _from_1904(text: str) -> str:
    found = _DAY_NUMBER.fullmatch(text)
    return str(int(found[1]) + _DAYS_TO_1904) if found else text


def _day_before_month(text: str) -> str:
    return _SLASHED.sub(r"\2/\1/\3", text, count=1)


class Cells:
    """The cells of one row. What is wrong is collected, so that one import names everything at once."""

    def __init__(self, table: RecognisedTable) -> None:
        self._table = table
        self._positions = table.positions
        self._width = table.width
        self._cells: list[str] = []
        self._days = _day_readers(table)
        self.line = 0
        self.rejections: list[Rejection] = []

    def take(self, row: Row) -> None:
        """Go to ``row``. Cells beyond the header's width are an error where they hold something."""
        cells = row.cells
        self.line = row.line
        self.rejections = []
        if len(cells) != self._width:
            extra = next((cell for cell in cells[self._width :] if cell), None)
            if extra is not None:
                self.refuse(
                    "",
                    extra,
                    f"La ligne a {len(cells)} cellules et l’en-tête {self._width} : un séparateur est de trop, "
                    "ou des guillemets manquent.",
                )
            cells = cells[: self._width] + [""] * (self._width - len(cells))
        # One empty cell more, where the places of absent columns point to.
        self._cells = [*cells, ""]
        for position, rewrite in self._days:
            self._cells[position] = rewrite(self._cells[position])

    def picker(self, *columns: str) -> Callable[[list[str]], tuple[str, ...]]:
        """A function that picks ``columns``, two or more, from :meth:`current`; an absent one is empty."""
        return itemgetter(*(self._positions.get(column, self._width) for column in columns))

    def current(self) -> list[str]:
        """The cells of the row, bare; for :meth:`picker`."""
        return self._cells

    def stated(self) -> Callable[[], str]:
        """A function that gives the cells of the current row as they stood, by :func:`.columns.cells_text`.

        Without those that say which invoice a row is of: company and, on a line, number. A PDF counts by its bytes.
        """
        if CELLS in self._positions:
            position = self._positions[CELLS]
            return lambda: self._cells[position]
        names = sorted(self._positions.keys() - self._table.kind.identity)
        pick = itemgetter(*(self._positions[name] for name in names))
        return lambda: cells_text(names, pick(self._cells))

    def at(self, place: int) -> str:
        """The cell at ``place``; empty for -1."""
        return self._cells[place] if 0 <= place < self._width else ""

    def has(self, column: str) -> bool:
        """Whether the table has this column."""
        return column in self._positions

    def reader(self, parsers: Mapping[str, Callable[[str], str]]) -> Callable[[], list[str]]:
        """A function that gives the columns of ``parsers`` of the current row, each as its parser writes it.

        An absent column is parsed as an empty cell, once. The usual row costs one pass; where a cell is wrong, each
        is parsed by itself, so that all that is wrong is refused, and what is wrong comes as an empty text.
        """
        # A column that is absent is always empty: what its parser makes of that is asked for here.
        usual = ["" if column in self._positions else parse("") for column, parse in parsers.items()]
        present = [
            (place, self._positions[column], parse)
            for place, (column, parse) in enumerate(parsers.items())
            if column in self._positions
        ]

        def read() -> list[str]:
            cells, values = self._cells, usual.copy()
            try:
                for place, position, parse in present:
                    values[place] = parse(cells[position])
                return values
            except BadValue:
                return [self._carefully(column, parse) for column, parse in parsers.items()]

        return read

    def reader_of_terms(self) -> Callable[[], str]:
        """A function that gives what columns with a term state in the current row, by :func:`.columns.terms_text`.

        A text that is too long is refused.
        """
        at_most = {each.name: each.at_most for each in self._table.kind.columns if each.name in self._positions}
        names = [name for name in self._table.kind.terms if name in self._positions]
        if not names:
            return str
        return lambda: terms_text((name, self.text(name, at_most[name])) for name in names)

    def _carefully(self, column: str, parse: Callable[[str], str]) -> str:
        text = self.text(column)
        try:
            return parse(text)
        except BadValue as problem:
            self.refuse(column, text, str(problem))
            return ""

    def text(self, column: str, longest: int = 0) -> str:
        """The text of ``column``, empty where the table has none; refused where longer than ``longest``."""
        position = self._positions.get(column)
        if position is None:
            return ""
        text = self._cells[position]
        if longest and len(text) > longest:
            self.refuse(column, text, f"Ce texte est trop long : {longest} caractères au plus, {len(text)} trouvés.")
        return text

    def needed(self, column: str, longest: int = 0) -> str:
        """The text of ``column``, refused where it is empty."""
        text = self.text(column, longest)
        if not text:
            self.refuse(column, "", NEEDED)
        return text

    def parsed[T](self, column: str, parse: Callable[[str], T], empty: T) -> T:
        """``column`` by a parser of :mod:`invoices.importing.values`; ``empty`` where it is missing or refused."""
        position = self._positions.get(column)
        text = self._cells[position] if position is not None else ""
        if not text:
            return empty
        try:
            return parse(text)
        except BadValue as problem:
            self.refuse(column, text, str(problem))
            return empty

    def checked(self, column: str, check: Callable[[str], tuple[str, str]]) -> str:
        """``column`` by a check of :mod:`customers.identifiers`: its normal form, refused with the check's sentence."""
        text = self.text(column)
        value, problem = check(text)
        if problem:
            self.refuse(column, text, problem)
        return value

    def refuse(self, column: str, value: str, reason: str) -> None:
        """Keep what is wrong with a cell of this row."""
        self.rejections.append(Rejection(self._table.name, self.line, column, shown(value), reason))


# Values in one canonical writing, whatever the file's: so that the same content has the same hash and needs no
# conversion on its way into the database. An empty cell stays empty. Each is a function of the text alone and files
# repeat themselves, hence the caches; the usual forms are recognised by a pattern, without arithmetic.


def text_of_at_most(longest: int) -> Callable[[str], str]:
    """A parser of plain text that refuses what is longer than its column."""

    def parse(text: str) -> str:
        if len(text) > longest:
            raise BadValue(f"Ce texte est trop long : {longest} caractères au plus, {len(text)} trouvés.")
        return not_an_error(text)

    return parse


def needed_text(longest: int = 0) -> Callable[[str], str]:
    """A parser of plain text that refuses nothing at all, and what is longer than ``longest``."""

    def parse(text: str) -> str:
        if not text:
            raise BadValue(NEEDED)
        if longest and len(text) > longest:
            raise BadValue(f"Ce texte est trop long : {longest} caractères au plus, {len(text)} trouvés.")
        return not_an_error(text)

    return parse


def needed(parse: Callable[[str], str]) -> Callable[[str], str]:
    """``parse``, refusing an empty cell."""

    def parse_needed(text: str) -> str:
        if not text:
            raise BadValue(NEEDED)
        return parse(text)

    return parse_needed


plain_text: Final = str
"""A parser of any text, as it is."""


@functools.lru_cache(maxsize=8192)
def amount_text(text: str) -> str:
    """An amount as ``1234.50``. Raises :class:`BadValue`."""
    if not text:
        return ""
    if _USUAL_AMOUNT.fullmatch(text):
        return text.replace(",", ".")
    amount = parse_amount(text)
    if abs(amount) >= _LARGEST:
        raise BadValue(f"« {shown(text)} » est trop grand pour un montant.")
    return str(amount)


@functools.lru_cache(maxsize=8192)
def number_text(text: str) -> str:
    """A quantity or price as ``12.5``, without zeros that say nothing. Raises :class:`BadValue`."""
    if not text:
        return ""
    if _USUAL_NUMBER.fullmatch(text):
        return text.replace(",", ".")
    number = parse_number(text)
    if abs(number) >= _LARGEST:
        raise BadValue(f"« {shown(text)} » est trop grand.")
    plain = f"{number:f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    if len(plain.partition(".")[2]) > _MOST_DECIMALS:
        raise BadValue(f"« {shown(text)} » a plus de {_MOST_DECIMALS} décimales.")
    return "0" if plain == "-0" else plain


@functools.lru_cache(maxsize=1024)
def rate_text(text: str) -> str:
    """A VAT rate as ``20.00``; an empty cell is no VAT. Raises :class:`BadValue`."""
    return str(parse_rate(text)) if text else "0.00"


def country_text(text: str) -> str:
    """A country by its name or code, as its ISO 3166-1 code. Raises :class:`BadValue`."""
    code = country_code(text) if text else ""
    if text and not code:
        raise BadValue(f"« {shown(text)} » n’est pas un pays : donnez son code à deux lettres (FR, DE…).")
    return code


@functools.lru_cache(maxsize=4096)
def date_text(text: str) -> str:
    """A date as ``2025-06-07``. Raises :class:`BadValue`."""
    return parse_date(text).isoformat() if text else ""


_CLOCK: Final = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}.*\Z", re.ASCII)
_THREE_NUMBERS: Final = re.compile(r"([0-9_x]{1,4})[/.\-]([0-9_x]{1,4})[/.\-]([0-9_x]{1,4})", re.ASCII | re.IGNORECASE)
_COMPACT_NO_DATE: Final = re.compile(r"0+|1[89][0-9]{2}(?:0101|123[01])|17530101|99991231", re.ASCII)
_FIRST_DAYS: Final = ({1}, {0, 1}, {0}, {30, 12}, {31, 12})
_LAST_YEAR: Final = 2099


def is_no_date(text: str) -> bool:
    """True for what programs and people write where there is no date: ``00/00/0000``, ``30/12/1899``, «nc».

    Day 0 of a program's calendar (1753, 1899, 1900, 1970), the last day it knows (31/12/9999), and no day at all.
    """
    bare = _CLOCK.sub("", text).strip()
    if says_nothing(bare) or _COMPACT_NO_DATE.fullmatch(bare):
        return True
    found = _THREE_NUMBERS.fullmatch(bare)
    if found is None:
        return not any(char.isalnum() for char in bare)
    numbers = [int(part) if part.isdigit() else 0 for part in found.groups()]
    year = max(numbers)
    numbers.remove(year)
    if year >= _LAST_YEAR:
        return set(numbers) == {31, 12}
    is_first_year = year <= 1 and (not any((year, *numbers)) or max(map(len, found.groups())) > 2)
    return (is_first_year or 1753 <= year <= 1970) and set(numbers) in _FIRST_DAYS


@functools.lru_cache(maxsize=4096)
def optional_date_text(text: str) -> str:
    """A date as ``2025-06-07``, or none where the cell says that there is none. Raises :class:`BadValue`."""
    return "" if is_no_date(text) else date_text(text)
