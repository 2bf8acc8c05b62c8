"""The words of invoices, and the index of them that the database keeps.

On SQLite FTS5, brought up to date by triggers; on PostgreSQL a GIN index of a tsvector. Words are cut and folded before
they are kept: «ascii» takes every other character for a part of a word.
"""

import django.db.models.deletion
from django.db import migrations, models


_TABLE = "invoices_invoicewords"
_INDEX = f"{_TABLE}_index"
_FORGET = f"INSERT INTO {_INDEX}({_INDEX}, rowid, words) VALUES ('delete', old.id, old.words);"
_KEEP = f"INSERT INTO {_INDEX}(rowid, words) VALUES (new.id, new.words);"
_ADD = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE {_INDEX} USING fts5(words, content='{_TABLE}', content_rowid='id',"
        " tokenize=\"ascii tokenchars '_'\", detail='none', columnsize=0)",
        f"CREATE TRIGGER {_TABLE}_added AFTER INSERT ON {_TABLE} BEGIN {_KEEP} END",
        f"CREATE TRIGGER {_TABLE}_removed AFTER DELETE ON {_TABLE} BEGIN {_FORGET} END",
        f"CREATE TRIGGER {_TABLE}_changed AFTER UPDATE ON {_TABLE} BEGIN {_FORGET} {_KEEP} END",
    ),
    "postgresql": (
        f"CREATE INDEX {_INDEX} ON {_TABLE} USING gin (array_to_tsvector(string_to_array(words, ' ')))",
    ),
}
_REMOVE = {"sqlite": (f"DROP TABLE {_INDEX}",), "postgresql": ()}


def add_index(apps, schema_editor):
    for statement in _ADD[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def remove_index(apps, schema_editor):
    for statement in _REMOVE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0026_contradicted_statuses'),
    ]

    operations = [
        migrations.CreateModel(
            name='InvoiceWords',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', models.TextField(editable=False, verbose_name='mots')),
                ('invoice', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='words', to='invoices.invoice', verbose_name='facture')),
            ],
            options={
                'verbose_name': 'mots d’une facture',
                'verbose_name_plural': 'mots des factures',
                'default_permissions': (),
            },
        ),
        migrations.RunPython(add_index, remove_index),
    ]
