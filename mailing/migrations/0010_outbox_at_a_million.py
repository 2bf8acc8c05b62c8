"""Indexes of the outbox for what its page asks, made without locking out writers where the database can."""

import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class AddIndex(AddIndexConcurrently):
    """Concurrently on PostgreSQL, as ever elsewhere; what a migration that was cut off has left is dropped first."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        is_concurrent = schema_editor.connection.vendor == "postgresql"
        how, name = "CONCURRENTLY " if is_concurrent else "", schema_editor.quote_name(self.index.name)
        schema_editor.execute(f"DROP INDEX {how}IF EXISTS {name}")
        if is_concurrent:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)
        else:
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("mailing", "0009_alignment"),
    ]

    operations = [
        AddIndex(
            model_name="message",
            index=models.Index(
                django.db.models.functions.text.Upper("recipient"), name="outbox_by_any_recipient"
            ),
        ),
        AddIndex(
            model_name="message",
            index=models.Index(fields=["kind", "-created_at"], name="outbox_by_kind"),
        ),
        AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("accepted_at__isnull", False)), fields=["accepted_at"], name="outbox_accepted"
            ),
        ),
    ]
