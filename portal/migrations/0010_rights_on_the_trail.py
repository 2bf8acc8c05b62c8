"""Who sees the history sees the trail."""

from django.contrib.auth.management import create_permissions
from django.db import migrations


def give(apps, schema_editor):
    """Each group and account gets the right on the trail that it has on the history."""
    config = apps.get_app_config("trail")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    right = Permission.objects.get(content_type__app_label="trail", codename="view_entry")
    known = Permission.objects.filter(content_type__app_label="admin", codename="view_logentry")
    for group in apps.get_model("auth", "Group").objects.filter(permissions__in=known):
        group.permissions.add(right)
    for account in apps.get_model("customers", "Account").objects.filter(user_permissions__in=known):
        account.user_permissions.add(right)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0009_rights_on_set_aside"),
        ("trail", "0002_append_only"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
