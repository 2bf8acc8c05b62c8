from django.db import migrations, models


def tell_files_from_servers(apps, schema_editor):
    """A server that takes a mail answers with a code; what was recorded as sent without one is in a file."""
    messages = apps.get_model("mailing", "Message").objects
    messages.filter(state="accepted", reply_code__isnull=True).update(state="written")


def undo(apps, schema_editor):
    apps.get_model("mailing", "Message").objects.filter(state="written").update(state="accepted")


class Migration(migrations.Migration):
    dependencies = [("mailing", "0004_rest_of_the_outbox")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "en file"),
                    ("sending", "en cours d’envoi"),
                    ("accepted", "envoyée"),
                    ("written", "écrite dans un fichier"),
                    ("deferred", "différée"),
                    ("rejected", "rejetée"),
                    ("bounced", "revenue"),
                    ("cancelled", "abandonnée"),
                ],
                default="queued",
                max_length=10,
                verbose_name="état",
            ),
        ),
        migrations.RunPython(tell_files_from_servers, undo),
    ]
