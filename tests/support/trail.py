"""The trail in tests: its guard taken away as somebody who owns the database can, and its tables emptied."""

from django.db import connection

TABLES = ("trail_timestamp", "trail_root", "trail_link", "trail_personalvalues", "trail_entry")


def execute(sql: str) -> None:
    """One statement, past the models."""
    with connection.cursor() as cursor:
        cursor.execute(sql)


def lift_the_guard() -> list[str]:
    """Take the triggers away; the statements that put them back."""
    if connection.vendor == "postgresql":
        for table in TABLES:
            execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        return [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in TABLES]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, 6) = 'trail_'")
        triggers = dict(cursor.fetchall())
        for name in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    return list(triggers.values())


def empty_the_trail() -> None:
    """What a test with real transactions left there, which no flush empties."""
    guard = lift_the_guard()
    for table in TABLES:
        execute(f"DELETE FROM {table}")
    for statement in guard:
        execute(statement)
