"""How PostgreSQL compresses what a run writes: a page of mail and the printed content of each invoice are large."""

from django.db import connection


def compress_quickly() -> None:
    """Have what this connection writes from now on compressed by LZ4 rather than by pglz: less work, about as small.

    Each value says itself how it was compressed (PostgreSQL's manual, ``default_toast_compression``), so that no table
    changes. One statement; a server that was built without LZ4 goes on as before, and SQLite compresses nothing.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config(name, 'lz4', false) FROM pg_settings"
                " WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
            )
