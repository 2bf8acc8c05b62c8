"""The model of bulk actions gets its proper name; its table and, by Django, its rights stay."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0005_logins_in_one_form"),
        # Renames the content type, and with it the history and the rights that refer to it.
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelTable(name="gesture", table="customers_gesture"),
        migrations.RenameModel(old_name="Gesture", new_name="BulkAction"),
        migrations.AlterField(
            model_name="bulkaction",
            name="author",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="bulk_actions",
                to=settings.AUTH_USER_MODEL,
                verbose_name="auteur",
            ),
        ),
    ]
