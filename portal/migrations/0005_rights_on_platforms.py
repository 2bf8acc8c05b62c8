"""Who may see and set up platforms: Paramétrage sets up, Comptabilité and Lecture see what was submitted."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

READ = ("view_platform", "view_submission", "view_platformmessage", "view_payment", "view_directorylookup")
RIGHTS = {
    "Lecture": READ,
    "Comptabilité": (*READ, "add_payment"),
    "Paramétrage": ("view_platform", "add_platform", "change_platform", "delete_platform"),
}


def give_rights(apps, schema_editor):
    """Groups that people have renamed or deleted are left as they are."""
    config = apps.get_app_config("invoices")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, codenames in RIGHTS.items():
        for group in Group.objects.filter(name=name):
            group.permissions.add(
                *Permission.objects.filter(content_type__app_label="invoices", codename__in=codenames)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0004_installation"),
        ("invoices", "0012_platforms"),
    ]

    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]
