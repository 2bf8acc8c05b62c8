"""A row of a recognised table by the names of its columns, and what is wrong with its cells."""

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from invoices.erp.headers import RecognisedTable
from invoices.erp.report import Rejection
from invoices.field_values import BadValue, parse_amount, parse_number, parse_rate, shown
from invoices.tabular import Row

_MOST_DECIMALS: Final = 8  # of quantities and prices, as their columns hold them
_LARGEST: Final = Decimal(10) ** 15


class Cells:
    """The cells of one row. What is wrong is collected, so that one import names everything at once."""

    def __init__(self, table: RecognisedTable) -> None:
        self._table = table
        self._positions = table.positions
        self._width = table.width
        self._cells: list[str] = []
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
            cells = cells + [""] * (self._width - len(cells))
        self._cells = cells

    def has(self, column: str) -> bool:
        """Whether the table has this column."""
        return column in self._positions

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
            self.refuse(column, "", "Cette valeur est obligatoire.")
        return text

    def parsed[T](self, column: str, parse: Callable[[str], T], empty: T) -> T:
        """``column`` by a parser of :mod:`invoices.field_values`; ``empty`` where there is nothing or it is refused."""
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


# Numbers in one canonical writing, whatever the file's: so that the same content has the same hash and needs no
# conversion on its way into the database.


@functools.lru_cache(maxsize=8192)
def amount_text(text: str) -> str:
    """An amount as ``1234.50``. Raises :class:`BadValue`."""
    amount = parse_amount(text)
    if abs(amount) >= _LARGEST:
        raise BadValue(f"« {shown(text)} » est trop grand pour un montant.")
    return str(amount)


@functools.lru_cache(maxsize=8192)
def number_text(text: str) -> str:
    """A quantity or price as ``12.5``, without zeros that say nothing. Raises :class:`BadValue`."""
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
    """A VAT rate as ``20.00``. Raises :class:`BadValue`."""
    return str(parse_rate(text))
