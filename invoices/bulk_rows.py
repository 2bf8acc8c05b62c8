"""Many new rows into one table as fast as the database takes them: COPY on PostgreSQL, prepared INSERTs on SQLite.

For imports only: no model instance is made, no ``save()`` runs, no key is given back.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connections, models


class RowWriter:
    """Writes rows of ``model``. Columns that are not given take the defaults of their fields."""

    def __init__(self, model: type[models.Model], names: Sequence[str], *, using: str = "default") -> None:
        """``names`` are the attribute names (``customer_id``) of the values of each row, in their order."""
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
        self._places = ", ".join(["%s"] * (len(given) + len(others)))

    def _constant(self, field: "models.Field[Any, Any]", blank: models.Model) -> Any:
        value = field.pre_save(blank, add=True)
        if isinstance(field, models.JSONField):
            # Text as both databases read it; the driver's own JSON wrapper is none.
            return json.dumps(value, cls=field.encoder, ensure_ascii=False)
        return field.get_db_prep_save(value, self._connection)

    def write(self, rows: Iterable[Sequence[str | int | None]]) -> None:
        """Insert ``rows``; texts and integers do for every type of column."""
        with self._connection.cursor() as cursor:
            if self._connection.vendor == "postgresql":
                statement = f"COPY {self._table} ({self._columns}) FROM STDIN"
                # COPY goes past Django's cursor, and with it past the translation of the driver's errors.
                with self._connection.wrap_database_errors, cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row((*row, *self._constants))
                return
            statement = f"INSERT INTO {self._table} ({self._columns}) VALUES ({self._places})"  # noqa: S608
            cursor.executemany(statement, [(*row, *self._constants) for row in rows])


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
