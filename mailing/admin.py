"""The back-office of the mailing room: predefined messages, the outbox, addresses in error."""

from mailing import admin_outbox, admin_templates

__all__ = ["admin_outbox", "admin_templates"]
