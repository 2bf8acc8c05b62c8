"""``manage.py migrate``: Django's, cut off at any moment without harm."""

from contextlib import ExitStack
from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.migrations import Migration


class Command(migrate.Command):
    """Records each migration in the transaction that made its tables.

    Django does so only where no statement is left for the end of the migration (indexes, foreign keys). Killed after
    such a migration and before its record, the next run would make tables that are there, and stop.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; a migration that fails is rolled back."""
        self._connection = connections[options["database"]]
        with ExitStack() as self._open:
            super().handle(*args, **options)

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Begin a transaction before each migration that may have one, and end it once the migration is recorded."""
        super().migration_progress_callback(action, migration, fake)
        if action in ("apply_start", "unapply_start") and migration and migration.atomic:
            # SQLite makes tables again with its checks off, which it cannot switch within a transaction.
            self._open.enter_context(self._connection.constraint_checks_disabled())
            self._open.enter_context(transaction.atomic(using=self._connection.alias))
        elif action in ("apply_success", "unapply_success"):
            self._open.close()
