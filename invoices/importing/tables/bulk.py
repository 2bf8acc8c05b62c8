"""Many new rows into one table as fast as the database takes them: COPY on PostgreSQL, long INSERTs on SQLite.

For imports only: no model instance is made, no ``save()`` runs, no key is given back.
"""

import io
import json
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from itertools import batched, chain
from typing import Any, Final

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Copy
from psycopg.copy import FileWriter

_CACHE_KB: Final = 32 * 1024
_MAX_PENDING: Final = 2
_MOST_REMEMBERED: Final = 8192
_USUAL_SWITCH: Final = sys.getswitchinterval()
_QUICK_SWITCH: Final = 0.0005  # seconds

type _Rows = Iterable[Sequence[str | int | None]]
type _Ready = bytes | Sequence[Sequence[str | int | None]]


class RowWriter:
    """Writes rows of ``model``. Columns that are not given take the defaults of their fields."""

    def __init__(
        self, model: type[models.Model], names: Sequence[str], *, at_once: int = 1, using: str = "default"
    ) -> None:
        """``names`` are the attribute names (``customer_id``) of the values of each row, in their order.

        On SQLite, ``at_once`` rows (or as many as it can) are written by one statement, which stays prepared; fewer,
        by a statement each.
        """
        self._connection = connections[using]
        blank = model()
        fields = {field.attname: field for field in model._meta.concrete_fields}
        given = [fields[name] for name in names]
        others = [
            field
            for field in model._meta.concrete_fields
            if field not in given and not isinstance(field, models.AutoField)
        ]
        quote = self._connection.ops.quote_name
        self._table = quote(model._meta.db_table)
        self._columns = ", ".join(quote(str(field.column)) for field in (*given, *others))
        self._constants = tuple(self._constant(field, blank) for field in others)
        self._width = len(given) + len(others)
        places = "(" + ", ".join("?" * self._width) + ")"
        self._insert_one = f"INSERT INTO {self._table} ({self._columns}) VALUES {places}"  # noqa: S608
        self.at_once = at_once
        if self._connection.vendor == "sqlite":
            self._connection.ensure_connection()
            most = self._connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
            self.at_once = min(at_once, most // self._width)
            self._insert_many = self._insert_one + f", {places}" * (self.at_once - 1)

    def _constant(self, field: "models.Field[Any, Any]", blank: models.Model) -> Any:
        value = field.pre_save(blank, add=True)
        if isinstance(field, models.JSONField):
            # Text as both databases read it; the driver's own JSON wrapper is none.
            return json.dumps(value, cls=field.encoder, ensure_ascii=False)
        return field.get_db_prep_save(value, self._connection)

    def write(self, rows: Iterable[Any]) -> None:
        """Insert ``rows``; texts and integers do for every type of column."""
        self.send(self.encode(rows))

    def encode(self, rows: _Rows) -> _Ready:
        """``rows`` as they travel to the database. Another thread may be writing at this moment."""
        if self._connection.vendor != "postgresql":
            return list(rows)
        return self._copy_text(rows).replace(b"\n", self._end)

    @cached_property
    def _end(self) -> bytes:
        """What ends the text of each row: the constants, where there are any."""
        return b"\t" + self._copy_text([self._constants]) if self._constants else b"\n"

    def _copy_text(self, rows: _Rows) -> bytes:
        # Only makes the text of a COPY: its sending is then one call, in which Python's lock is free.
        text = io.BytesIO()
        with Copy(self._connection.connection.cursor(), writer=FileWriter(text)) as copy:
            for row in rows:
                copy.write_row(row)
        return text.getvalue()

    def send(self, ready: _Ready) -> None:
        """Insert what :meth:`encode` gave."""
        # Both ways go past Django's cursor, and with it past the translation of the driver's errors.
        with self._connection.wrap_database_errors:
            if isinstance(ready, bytes):
                self._copy(ready)
            else:
                self._insert(ready)

    def _copy(self, text: bytes) -> None:
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY {self._table} ({self._columns}) FROM STDIN") as copy,
        ):
            copy.write(text)

    def _insert(self, rows: _Rows) -> None:
        driver = self._connection.connection
        for batch in batched(rows, self.at_once):
            whole = [(*row, *self._constants) for row in batch]
            if len(batch) == self.at_once:
                driver.execute(self._insert_many, list(chain.from_iterable(whole)))
            else:
                driver.executemany(self._insert_one, whole)


class RepeatingRowWriter[T](RowWriter):
    """Writes rows whose last values are often those of another row: these are made ready once.

    A row is a pair: texts that need no escape in a COPY (keys, numbers), and what ``last`` makes the other values of.
    """

    def __init__(
        self,
        model: type[models.Model],
        names: Sequence[str],
        *,
        last: Callable[[T], Sequence[str | int | None]],
        at_once: int = 1,
    ) -> None:
        super().__init__(model, names, at_once=at_once)
        self._last = last
        self._known: dict[T, Any] = {}

    def encode(self, rows: Iterable[Any]) -> _Ready:
        """The same of pairs."""
        rows = list(rows)
        known = self._known
        if len(known) > _MOST_REMEMBERED:
            known.clear()
        fresh = [each for each in {each for _, each in rows} if each not in known]
        made = map(self._last, fresh)
        if self._connection.vendor != "postgresql":
            known.update(zip(fresh, made, strict=True))
            return [(*first, *known[each]) for first, each in rows]
        # No text of a COPY has a line end within a row.
        known.update(zip(fresh, self._copy_text(made).decode().split("\n"), strict=False))
        return (
            "".join([f"{'\t'.join(first)}\t{known[each]}\n" for first, each in rows]).encode().replace(b"\n", self._end)
        )


class BackgroundWriter:
    """Writes rows in a second thread while the first makes the next ones ready; made by :func:`background_writer`."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._kept: deque[tuple[RowWriter, _Ready]] = deque()
        self._pending: deque[Future[None]] = deque()

    def write(self, writer: RowWriter, rows: Iterable[Any]) -> None:
        """Let ``writer`` write ``rows`` after those that were given before."""
        self.keep(writer, rows)
        self.send()

    def keep(self, writer: RowWriter, rows: Iterable[Any]) -> None:
        """The same, once :meth:`send` is called or a statement is made."""
        self._kept.append((writer, writer.encode(rows)))

    def send(self) -> None:
        """Let what is kept be written."""
        while self._kept:
            writer, ready = self._kept.popleft()
            self._wait(but_for=_MAX_PENDING - 1)
            self._pending.append(self._executor.submit(writer.send, ready))

    @contextmanager
    def ahead_of_kept_rows(self) -> Iterator[None]:
        """A block whose statements wait only for what was sent, and so come before what is kept."""
        kept, self._kept = self._kept, deque()
        yield
        self._kept.extendleft(reversed(kept))

    def wait(self) -> None:
        """Return when all is written. Raises what its writing raised."""
        self.send()
        self._wait()

    def _wait(self, *, but_for: int = 0) -> None:
        while len(self._pending) > but_for:
            self._pending.popleft().result()

    def before_a_statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        """Wait, then ``execute``: a wrapper of the connection's statements."""
        self.wait()
        return execute(sql, params, many, context)


@contextmanager
def background_writer(*, using: str = "default") -> Iterator[BackgroundWriter]:
    """A :class:`BackgroundWriter` for the length of the block.

    A database works without Python's lock, so that both threads proceed. Every other statement of the connection
    waits for what is on its way: their order is that of the calls, and no two threads are ever in the connection at
    once. What goes wrong in a writing is raised by the next statement, or at the end of the block.
    """
    connection = connections[using]
    with (
        _made_for_many_rows(connection),
        _shared_by_threads(connection),
        _quick_switches(),
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="rows") as executor,  # waits when it is left
    ):
        behind = BackgroundWriter(executor)
        with connection.execute_wrapper(behind.before_a_statement):
            yield behind
            behind.wait()


@contextmanager
def _shared_by_threads(connection: BaseDatabaseWrapper) -> Iterator[None]:
    connection.inc_thread_sharing()
    try:
        yield
    finally:
        connection.dec_thread_sharing()


@contextmanager
def _quick_switches() -> Iterator[None]:
    """The second thread is given Python's lock soon after the database answers.

    Usually it waits 5 ms for it, several times in each COPY, and the database meanwhile has nothing to do.
    """
    sys.setswitchinterval(_QUICK_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(_USUAL_SWITCH)


@contextmanager
def _made_for_many_rows(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """The settings of a connection under which many rows go fast; the usual ones again at the end."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        # The usual 2 MB send the pages of the indexes to the disk and fetch them again, over and over.
        (usual,) = connection.connection.execute("PRAGMA cache_size").fetchone()
        connection.connection.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        try:
            yield
        finally:
            connection.connection.execute(f"PRAGMA cache_size = {usual}")
    elif connection.in_atomic_block:
        # References are looked up as the rows come, while Python works, and not all of them at the end.
        connection.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield
        connection.connection.execute("SET CONSTRAINTS ALL DEFERRED")
    else:
        yield


class RowUpdater:
    """Changes rows of ``model`` by their key, one prepared statement for all."""

    def __init__(self, model: type[models.Model], names: Sequence[str], *, using: str = "default") -> None:
        """``names`` are the attribute names of the values of each row; the primary key comes last in a row."""
        self._connection = connections[using]
        quote = self._connection.ops.quote_name
        fields = {field.attname: field for field in model._meta.concrete_fields}
        settings = ", ".join(f"{quote(str(fields[name].column))} = %s" for name in names)
        key = quote(str(fields[str(model._meta.pk and model._meta.pk.attname)].column))
        self._statement = f"UPDATE {quote(model._meta.db_table)} SET {settings} WHERE {key} = %s"  # noqa: S608

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Change ``rows``; their values are what the database driver takes."""
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(self._statement, rows)
