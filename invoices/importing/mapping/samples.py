"""The first rows of a table: where its header is, and what each column holds."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import islice, pairwise
from typing import Final

from stdnum import iban
from stdnum.eu import vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren, siret

from invoices.files.tables import Row, Table
from invoices.importing.mapping.names import candidates, rate_in_name
from invoices.importing.mapping.values import decimal_mark, looks_like_date, rate_in, read_number
from invoices.importing.tables.rows import is_total_row

_SAMPLE_ROWS: Final = 400
_HEADER_WITHIN: Final = 15
_LEGAL_FORMS: Final = re.compile(
    r"\b(?:SARL|SAS|SASU|EURL|S\.?A\.?|SCI|SNC|GIE|GmbH|AG|Ltd|LLC|Inc|BV|Corp|Mairie|Commune|Association)\b",
    re.IGNORECASE,
)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
USUAL_RATES: Final = frozenset(
    map(Decimal, "0 2.1 5.5 8.5 10 13 20 19.6 7 1.05 1.75 0.9 21 19 6 12 25".split())  # noqa: SIM905
)
"""VAT rates of France and its neighbours, in per cent."""
_RATES: Final = USUAL_RATES | frozenset(map(Decimal, ("0.2", "0.1", "0.055", "0.021")))


_RATE_AS_NAME: Final = re.compile(r"[-+(]?(?:20|10|5[.,]50?|2[.,]10?|8[.,]50?|0) ?%?\)?", re.ASCII)
"""A column of amounts at that rate: «5,5 %», «-20»."""


@dataclass
class Column:
    """A column of the sample: its name, the group's name above it, and its cells."""

    index: int
    name: str
    group: str
    cells: list[str]
    _held: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def filled(self) -> list[str]:
        """The cells that hold something."""
        return [cell for cell in self.cells if cell and cell not in ("-", "—")]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each of :attr:`filled` is there."""
        return Counter(self.filled)

    @cached_property
    def mark(self) -> str:
        """The decimal mark that its numbers show."""
        return decimal_mark(self.counts)

    @cached_property
    def numbers(self) -> list[Decimal | None]:
        """Its cells as numbers, row by row."""
        mark = self.mark or "."
        return [read_number(cell, mark) if cell else None for cell in self.cells]

    def share(self, check: Callable[[str], object]) -> float:
        """How many of the filled cells pass ``check``."""
        passing = sum(count for cell, count in self.counts.items() if check(cell))
        return passing / len(self.filled) if self.filled else 0

    @cached_property
    def is_numeric(self) -> bool:
        """True where nearly all cells are numbers."""
        return bool(self.filled) and sum(number is not None for number in self.numbers) >= 0.9 * len(self.filled)

    @cached_property
    def is_dates(self) -> bool:
        """True where nearly all cells are dates."""
        return self.share(looks_like_date) >= 0.8

    @cached_property
    def is_emails(self) -> bool:
        """True where nearly all cells hold an address."""
        return self.share(lambda cell: _EMAIL.search(cell)) >= 0.8

    @cached_property
    def rates(self) -> list[Decimal | None]:
        """Each of its values as a VAT rate, where it is one."""
        return [rate_in(cell, self.mark or ".") for cell in self.counts]

    @cached_property
    def is_rates(self) -> bool:
        """True where all cells are VAT rates."""
        return bool(self.rates) and all(rate is not None and rate in _RATES for rate in self.rates)

    @cached_property
    def has_percents(self) -> bool:
        """True where most cells carry a per cent sign."""
        return self.share(lambda cell: "%" in cell) >= 0.5

    @cached_property
    def is_text(self) -> bool:
        """True where most cells have letters."""
        return self.share(lambda cell: any(char.isalpha() for char in cell)) >= 0.5

    @cached_property
    def distinct(self) -> int:
        """How many different values it holds."""
        return len(self.counts)

    def holds(self, kind: str) -> bool:
        """Whether nearly all cells are valid numbers of that kind: siren, siret, vat, iban."""
        if kind not in self._held:
            self._held[kind] = self.share(lambda cell: _is_valid(kind, cell)) >= 0.8
        return self._held[kind]

    @cached_property
    def is_names(self) -> bool:
        """True where most cells are written as names are, not as codes: small letters or several words, no digits."""
        return (
            self.share(lambda cell: (any(map(str.islower, cell)) or " " in cell) and not any(map(str.isdigit, cell)))
            > 0.5
        )

    @cached_property
    def is_positions(self) -> bool:
        """True where it counts the lines of each invoice: 1, 2, 3, 1, 2 or 10, 20, 10."""
        if not self.filled or not all(cell.isascii() and cell.isdigit() and len(cell) < 6 for cell in self.filled):
            return False
        counted = [int(cell) for cell in self.filled]
        step = counted[0]
        pairs = pairwise(counted)
        return step in (1, 10, 1000, 10000) and all(after in (step, before + step) for before, after in pairs)

    @cached_property
    def is_codes(self) -> bool:
        """True where most cells are one word with digits."""
        return self.share(lambda cell: " " not in cell and any(map(str.isdigit, cell))) > 0.5

    @cached_property
    def is_company_names(self) -> bool:
        """True where many cells name a legal form."""
        return self.share(lambda cell: _LEGAL_FORMS.search(cell)) >= 0.4


_IDENTIFIERS: Final = {"siren": siren, "siret": siret, "vat": vat, "iban": iban}
_DIGITS_IN: Final = {"siren": 9, "siret": 14}


def _is_valid(kind: str, text: str) -> bool:
    digits = sum(map(str.isdigit, text))
    if digits != _DIGITS_IN[kind] if kind in _DIGITS_IN else digits < 2 or digits == len(text):
        return False
    try:
        _IDENTIFIERS[kind].validate(text.replace(" ", ""))
    except ValidationError:
        return False
    except Exception:
        return False
    return True


@dataclass
class Sample:
    """What the head of a table looks like. ``header_line`` is the line after which data begin."""

    table: Table
    header_line: int
    header: list[str]
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)

    def named(self) -> list[Column]:
        """The columns that have a name or hold anything."""
        return [column for column in self.columns if column.name or column.filled]


def take_sample(table: Table) -> Sample | None:
    """The sample of ``table``; None where nothing looks like a header.

    Raises :class:`~invoices.files.tables.UnreadableTable` where the file breaks.
    """
    rows = list(islice(table.rows(), _HEADER_WITHIN + _SAMPLE_ROWS))
    best: tuple[float, int, list[str], list[str]] | None = None
    for place, row in enumerate(rows[:_HEADER_WITHIN]):
        score = _header_score(row.cells)
        if score <= 0:
            continue
        names, groups = row.cells, [""] * len(row.cells)
        if place:
            above = rows[place - 1].cells
            if _is_group_row(above, row.cells):
                groups = _spread(above, len(row.cells))
                score += 0.5
        if best is None or score > best[0] + 0.5:
            best = (score, place, names, groups)
    if best is None:
        return None
    _, place, names, groups = best
    header = rows[place]
    width = len(names)
    data = [row for row in rows[place + 1 :] if not is_total_row(row.cells) and row.cells != header.cells]
    width = max([width, *(len(row.cells) for row in data[:20])])
    columns = [
        Column(
            index,
            (names[index] or groups[index]) if index < len(names) else "",
            groups[index] if index < len(names) else "",
            [row.cells[index] if index < len(row.cells) else "" for row in data],
        )
        for index in range(width)
    ]
    return Sample(table, header.line, header.cells, columns, data)


def _header_score(cells: list[str]) -> float:
    filled = [cell for cell in cells if cell]
    if len(filled) < 2 or not any(char.isalpha() for cell in filled for char in cell):
        return 0
    figures = [
        cell for cell in filled if re.fullmatch(r"[-+()\d.,\s€$%/:]+", cell) and not re.fullmatch(r"\d{1,2}", cell)
    ]
    if not all(map(_RATE_AS_NAME.fullmatch, figures)):
        return 0
    known = sum(max(candidates(cell).values(), default=0.15) for cell in filled if len(cell) <= 60)
    if figures and known < 1:
        return 0
    return known if known >= 1 else 0.1 * len(filled)


def _is_group_row(above: list[str], below: list[str]) -> bool:
    """A row of titles over groups of columns: fewer texts, each over the first of its columns, none with figures."""
    filled = [cell for cell in above if cell]
    under = [cell for cell in below if cell]
    if (
        len(above) < 2
        or not 2 <= len(filled) < len(under)
        or any(any(map(str.isdigit, cell)) and not rate_in_name(cell) for cell in filled)
    ):
        return False
    return len(above) >= len(below) - max(3, len(below) // 2)


def _spread(above: list[str], width: int) -> list[str]:
    spread, current = [], ""
    for index in range(width):
        current = (above[index] if index < len(above) else "") or current
        spread.append(current)
    return spread
