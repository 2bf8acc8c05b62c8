"""The portal: settings, addresses, the customers' pages and the back-office site."""

from django.apps import AppConfig
from django.db import connection
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """What is seen by people: the customers' space and the back-office."""

    name = "portal"
    verbose_name = _("Portail")

    def ready(self) -> None:
        """Register the checks of an installation, and keep the history of what the customers room changes."""
        from customers.history import register_history_writer
        from portal import checks, file_checks, logs, machine_checks  # noqa: F401  (importing checks registers them)
        from portal.change_log import log_changes

        logs.install()
        if connection.vendor == "postgresql":
            from portal import postgresql

            postgresql.install()

        register_history_writer(log_changes)
        # Every SQLite of a supported Python has it. Django asks by a statement, which a database that another process
        # holds does not answer: its checks then say that SQLite has no JSONField.
        Sqlite.features_class.supports_json_field = True  # type: ignore[method-assign, assignment]
