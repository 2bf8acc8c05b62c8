"""Who sees exports or the history sees what was set aside; who runs exports or looks after users has it tried again."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SAME_RIGHTS = {
    "view_setaside": (("invoices", "view_export"), ("admin", "view_logentry")),
    "change_setaside": (("invoices", "export_invoices"), ("customers", "change_staffaccount")),
}


def give(apps, schema_editor):
    """Each group and account gets the right that goes with one it has."""
    config = apps.get_app_config("quarantine")
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
    config.models_module = None
    Permission = apps.get_model("auth", "Permission")
    for codename, known in SAME_RIGHTS.items():
        right = Permission.objects.get(content_type__app_label="quarantine", codename=codename)
        for app, other in known:
            rights = Permission.objects.filter(content_type__app_label=app, codename=other)
            for group in apps.get_model("auth", "Group").objects.filter(permissions__in=rights):
                group.permissions.add(right)
            for account in apps.get_model("customers", "Account").objects.filter(user_permissions__in=rights):
                account.user_permissions.add(right)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0008_search_indexes"),
        ("quarantine", "0001_initial"),
        ("customers", "0009_resent_credentials"),
        ("invoices", "0022_rehearsal"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [migrations.RunPython(give, migrations.RunPython.noop)]
