"""The group Paramétrage gives groups to users and no longer changes what a group may do."""

from django.db import migrations

CODENAMES = ("add_group", "change_group", "delete_group")


def take_away(apps, schema_editor):
    """Superusers alone change groups: no one gives himself rights by the group that he is in."""
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    rights = Permission.objects.filter(content_type__app_label="auth", codename__in=CODENAMES)
    for group in Group.objects.filter(name="Paramétrage"):
        group.permissions.remove(*rights)


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_groups_of_staff")]

    operations = [migrations.RunPython(take_away, migrations.RunPython.noop)]
