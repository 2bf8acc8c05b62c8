"""Indexes of three letters (pg_trgm) for searches by a part of a text in long tables, on PostgreSQL.

Made one by one without locking out writers. Where the database's owner may not add the extension nothing is made:
searches then read whole tables, as on SQLite.
"""

import logging

from django.db import DatabaseError, migrations

logger = logging.getLogger(__name__)

SEARCHED = {
    "invoices_invoice": ("number",),
    "customers_customer": ("code", "name", "email", "city", "siren", "siret", "vat_identifier"),
    "customers_contact": ("name", "function", "email"),
    "customers_account": ("login", "name"),
    "mailing_message": ("subject",),
    "django_admin_log": ("object_repr", "change_message"),
}


def add_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning("No indexes for searches, the extension pg_trgm cannot be added: %s", error)
            return
        for table, columns in SEARCHED.items():
            for column in columns:
                name = f"{table}_{column}_trgm"
                # One that was broken off is there, and serves no one.
                cursor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')
                cursor.execute(
                    f'CREATE INDEX CONCURRENTLY "{name}" ON "{table}" USING gin (UPPER("{column}") gin_trgm_ops)'
                )


def remove_indexes(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for table, columns in SEARCHED.items():
            for column in columns:
                cursor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{table}_{column}_trgm"')


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("portal", "0007_first_steps"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("customers", "0007_second_factor"),
        ("invoices", "0019_saved_calendars"),
        ("mailing", "0010_outbox_at_a_million"),
    ]

    operations = [migrations.RunPython(add_indexes, remove_indexes)]
