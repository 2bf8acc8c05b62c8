"""What PostgreSQL is sent: whole columns of rows as arrays, which Django makes of every ``bulk_create``."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg import Cursor
from psycopg.types.array import ListBinaryDumper


def install() -> None:
    """Have connections to PostgreSQL that are opened from now on send columns of rows beside their statement."""
    connection_created.connect(_prepare, dispatch_uid="columns-beside-statements")


def _prepare(connection: BaseDatabaseWrapper, **_values: Any) -> None:
    if connection.vendor == "postgresql":
        connection.connection.adapters.register_dumper(list, ListBinaryDumper)
        if _with_columns_beside not in connection.execute_wrappers:
            connection.execute_wrappers.append(_with_columns_beside)


def _with_columns_beside(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute ``sql``; where columns of rows are among its parameters, these go beside it, in the server's own form.

    Django writes parameters into the statement, which client and server then read character by character. Two hundred
    mails are a megabyte: they were written in 29 ms so, and are in 13.
    """
    if params and not many and "UNNEST(" in sql:
        context["cursor"].cursor = Cursor(context["connection"].connection)
    return execute(sql, params, many, context)
