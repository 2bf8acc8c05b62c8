"""A place on the disk for the rows of an import while heads and lines find each other.

Tables may be larger than memory and their rows in any order. A temporary SQLite file holds them: the rows of one key
that are together in a file are one packed record, so that a million lines are some hundred thousand records.
"""

import marshal
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

type PackedRow = tuple[int, tuple[str, ...]]
"""The line of a row in its file, and its values."""


class SpooledHead(NamedTuple):
    """A head: its place in the order of the files, from 1, file, line and values."""

    place: int
    file: int
    line: int
    values: tuple[Any, ...]


class Double(NamedTuple):
    """A head whose key stood in a head before it: where both stood, and whether they say the same."""

    key: str
    file: int
    line: int
    first_file: int
    first_line: int
    is_same: bool


_BATCH: Final = 2000
_SCHEMA: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -16384;
CREATE TABLE head (seq INTEGER PRIMARY KEY, key TEXT UNIQUE, file INTEGER, line INTEGER, packed BLOB);
CREATE TABLE part (seq INTEGER PRIMARY KEY, key TEXT, file INTEGER, packed BLOB);
"""


class StagingDatabase:
    """Heads and their parts by key; a context manager whose file ends with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="import-")
        self._database = sqlite3.connect(Path(self._folder.name) / "rows.sqlite3", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")
        self.doubles: list[Double] = []
        self._heads: list[tuple[str, int, int, bytes]] = []
        self._parts: list[tuple[str, int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()

    def add_head(self, key: str, file: int, line: int, values: tuple[Any, ...]) -> None:
        """Keep a head. Where its key is there already it is none of :meth:`joined`, but one of :attr:`doubles`."""
        self._heads.append((key, file, line, marshal.dumps(tuple(values), 2)))
        if len(self._heads) >= _BATCH:
            self._write_heads()

    def finish_heads(self) -> int:
        """All heads are in: their number, without the doubles."""
        self._write_heads()
        return int(self._database.execute("SELECT count(*) FROM head").fetchone()[0])

    def heads_of(self, keys: Sequence[str]) -> dict[str, SpooledHead]:
        """The heads of ``keys``, as far as there are any."""
        places = ", ".join("?" * len(keys))
        query = f"SELECT key, seq, file, line, packed FROM head WHERE key IN ({places})"  # noqa: S608
        return {
            key: SpooledHead(seq, file, line, marshal.loads(packed))  # noqa: S302
            for key, seq, file, line, packed in self._database.execute(query, keys)
        }

    def heads(self) -> Iterator[SpooledHead]:
        """All heads in the order of the files."""
        for seq, file, line, packed in self._database.execute("SELECT seq, file, line, packed FROM head ORDER BY seq"):
            yield SpooledHead(seq, file, line, marshal.loads(packed))  # noqa: S302

    def _write_heads(self) -> None:
        if not self._heads:
            return
        places = ", ".join("?" * len(self._heads))
        query = f"SELECT key, file, line, packed FROM head WHERE key IN ({places})"  # noqa: S608
        rows = self._database.execute(query, [key for key, *_ in self._heads])
        known = {key: (file, line, packed) for key, file, line, packed in rows}
        fresh = []
        for head in self._heads:
            key, file, line, packed = head
            first_file, first_line, first = known.setdefault(key, (file, line, packed))
            if first is packed:
                fresh.append(head)
            else:
                is_same = first == packed or marshal.loads(first) == marshal.loads(packed)  # noqa: S302
                self.doubles.append(Double(key, file, line, first_file, first_line, is_same))
        self._database.executemany("INSERT INTO head (key, file, line, packed) VALUES (?, ?, ?, ?)", fresh)
        self._heads = []

    def add_part(self, key: str, file: int, rows: list[PackedRow]) -> None:
        """Keep rows that are together and belong to ``key``."""
        self._parts.append((key, file, marshal.dumps(rows, 2)))
        if len(self._parts) >= _BATCH:
            self._write_parts()

    def _write_parts(self) -> None:
        self._database.executemany("INSERT INTO part (key, file, packed) VALUES (?, ?, ?)", self._parts)
        self._parts = []

    def finish(self) -> None:
        """All rows are in: make them findable."""
        self._write_heads()
        self._write_parts()
        self._database.execute("CREATE INDEX part_by_key ON part (key, seq)")
        self._database.execute("COMMIT")

    def orphans(self) -> Iterator[tuple[str, int, list[PackedRow]]]:
        """Parts without a head: key, file, rows."""
        query = "SELECT key, file, packed FROM part WHERE key NOT IN (SELECT key FROM head) ORDER BY seq"
        for key, file, packed in self._database.execute(query):
            yield key, file, marshal.loads(packed)  # noqa: S302 - written by this process

    def joined(self) -> Iterator[tuple[int, int, tuple[Any, ...], list[PackedRow], set[int]]]:
        """Every head in the order of the files: file, line, values, its parts in the order of theirs, their files."""
        query = (
            "SELECT head.seq, head.file, head.line, head.packed, part.packed, part.file FROM head "
            "LEFT JOIN part ON part.key = head.key ORDER BY head.seq, part.seq"
        )
        current: Any = None
        for seq, file, line, head, part, part_file in self._database.execute(query):
            rows = marshal.loads(part) if part is not None else []  # noqa: S302
            if current is not None and current[0] == seq:
                current[4].extend(rows)
                current[5].add(part_file)
                continue
            if current is not None:
                yield current[1:]
            current = (seq, file, line, marshal.loads(head), rows, set() if part is None else {part_file})  # noqa: S302
        if current is not None:
            yield current[1:]

    def by_key(self) -> Iterator[tuple[str, list[tuple[int, PackedRow]]]]:
        """Parts alone, all of a key together: key, and (file, row) in the order of the files."""
        key: str | None = None
        rows: list[tuple[int, PackedRow]] = []
        for next_key, file, packed in self._database.execute("SELECT key, file, packed FROM part ORDER BY key, seq"):
            if next_key != key:
                if key is not None:
                    yield key, rows
                key, rows = next_key, []
            rows.extend((file, row) for row in marshal.loads(packed))  # noqa: S302
        if key is not None:
            yield key, rows
