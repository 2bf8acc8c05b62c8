"""How many rows a table has, about: what PostgreSQL remembers since it last looked, where counting costs more."""

from typing import Final

from django.db import connection
from django.db.models import Model

# Up to here counting is quick, and people expect the very number.
WORTH_ESTIMATING: Final = 100_000


def estimate_rows(model: type[Model]) -> int | None:
    """About how many rows ``model`` has; None where that is no large number, or the database does not know."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
        (rows,) = cursor.fetchone()
    return rows if rows >= WORTH_ESTIMATING else None
