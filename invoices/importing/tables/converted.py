"""Tables in our own columns that an import has made of a user's table: they wait in a temporary file to be read."""

import marshal
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from invoices.files.tables import Row, Table
from invoices.importing.tables.columns import RecognisedTable, TableKind

_ROWS_AT_ONCE: Final = 500
_MOST_SHARED: Final = 8192
_BETWEEN: Final = "\x1d"
"""Between the first cells of a block: a character that no cell has (:data:`~invoices.files.text_rows.UNWANTED`)."""
_SIZE: Final = struct.Struct("<Q")
"""Before the packed blocks of a file that wait together."""


class Block(NamedTuple):
    """Rows that follow each other: each begins with the cells ``first``; its line in the user's file, its other cells.

    The same list of other cells may be that of many rows of the table.
    """

    first: list[str]
    lines: list[int]
    others: list[list[str]]

    def rows(self) -> Iterator[Row]:
        """The rows one by one."""
        for line, others in zip(self.lines, self.others, strict=True):
            yield Row(line, self.first + others)


@dataclass(frozen=True, slots=True)
class ConvertedTable(Table):
    """Canonical rows that wait in a temporary file, each after the line of the user's file where it stood."""

    @property
    def is_derived(self) -> bool:
        """True: of a customer, they say what stood beside his invoices."""
        return True

    @property
    def origin(self) -> Path:
        """The same for the tables that were made of one table: each has what they have of an invoice in one order."""
        assert isinstance(self.source, Path)
        return self.source.with_suffix("")

    def rows(self) -> Iterator[Row]:
        """The rows, with the lines of the user's file."""
        for block in self.blocks():
            yield from block.rows()

    def blocks(self) -> Iterator[Block]:
        """The same rows as they were given to :meth:`ConvertedTableWriter.add`."""
        assert isinstance(self.source, Path)
        with self.source.open("rb") as stream:
            known: list[list[str]] = []
            while size := stream.read(_SIZE.size):
                begins_again, new, blocks = marshal.loads(stream.read(*_SIZE.unpack(size)))  # noqa: S302 - written by this process
                if begins_again:
                    known = []
                known += new
                for first, lines, places in blocks:
                    yield Block(first.split(_BETWEEN), lines, [known[place] for place in places])


def blocks_of(recognised: RecognisedTable) -> Iterator[Block]:
    """The blocks of a table that is a :class:`ConvertedTable`."""
    assert isinstance(recognised.table, ConvertedTable)
    return recognised.table.blocks()


class ConvertedTableWriter:
    """Writes the rows of one canonical table. Only the columns that are given are there.

    Cells that several rows have in common are written once.
    """

    def __init__(self, path: Path, kind: TableKind, columns: tuple[str, ...]) -> None:
        self._path = path
        self._stream = path.open("wb")
        self._kind = kind
        self.columns = columns
        self._blocks: list[tuple[str, list[int], list[int]]] = []
        self._waiting = 0
        self._shared: list[list[str]] = []  # which also keeps each of them alive, and its id its own
        self._places: dict[int, int] = {}
        self._new: list[list[str]] = []
        self._begins_again = False
        self._nothing: list[str] = []
        self.written = 0

    def add(self, first: list[str], lines: list[int], others: list[list[str]]) -> None:
        """Rows that begin with the cells ``first``, one or more, each by its line and other cells.

        The same list of those may come again, and stays as it is.
        """
        if not lines:
            return
        places = []
        known = self._places
        for shared in others:
            place = known.get(id(shared))
            if place is None:
                place = known[id(shared)] = len(self._shared)
                self._shared.append(shared)
                self._new.append(shared)
            places.append(place)
        self._blocks.append((_BETWEEN.join(first), lines, places))
        self.written += len(lines)
        self._waiting += len(lines)
        if self._waiting >= _ROWS_AT_ONCE:
            self._write()

    def add_values(self, line: int, values: dict[str, str]) -> None:
        """One row by the names of its columns."""
        self.add([values.get(column, "") for column in self.columns], [line], [self._nothing])

    def _write(self) -> None:
        packed = marshal.dumps((self._begins_again, self._new, self._blocks), 2)
        self._stream.write(_SIZE.pack(len(packed)))
        self._stream.write(packed)
        self._blocks, self._waiting, self._new = [], 0, []
        self._begins_again = len(self._shared) >= _MOST_SHARED
        if self._begins_again:
            self._shared, self._places = [], {}

    def stop(self) -> None:
        """Write no more."""
        if not self._stream.closed:
            self._write()
            self._stream.close()

    def close(self, name: str) -> RecognisedTable:
        """The table, to be read."""
        self.stop()
        positions = {column: index for index, column in enumerate(self.columns)}
        return RecognisedTable(ConvertedTable(name, self._path), self._kind, 0, len(self.columns), positions, ())
