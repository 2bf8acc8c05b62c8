"""Who sees and sends mails sees and answers what customers reply."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SAME_RIGHTS = {"view_message": "view_reply", "change_message": "change_reply"}


def give(apps, schema_editor):
    """Each group and account gets the right on replies that it has on mails."""
    config = apps.get_app_config("mailing")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    of_mailing = Permission.objects.filter(content_type__app_label="mailing")
    for known, new in SAME_RIGHTS.items():
        right = of_mailing.get(codename=new)
        for group in apps.get_model("auth", "Group").objects.filter(permissions__in=of_mailing.filter(codename=known)):
            group.permissions.add(right)
        for account in apps.get_model("customers", "Account").objects.filter(
            user_permissions__in=of_mailing.filter(codename=known)
        ):
            account.user_permissions.add(right)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0005_rights_on_platforms"),
        ("mailing", "0006_replies"),
        ("customers", "0006_bulk_actions"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
