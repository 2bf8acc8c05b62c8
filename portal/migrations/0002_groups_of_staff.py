"""The groups of staff: Comptabilité, Lecture, Paramétrage."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

VIEWED = {
    "customers": ("customer", "contact", "access", "customeraccount", "gesture"),
    "invoices": (
        "company",
        "consultation",
        "contentcheck",
        "delivery",
        "document",
        "export",
        "exportcustomer",
        "exportitem",
        "handover",
        "importbatch",
        "invoice",
        "invoiceline",
        "lifecyclestatus",
        "savedselection",
    ),
    "mailing": ("failedaddress", "message", "messageattachment", "messagetemplate", "messagetemplateversion"),
}
SETTINGS = (
    ("invoices", ("view_company", "add_company", "change_company", "delete_company")),
    ("mailing", ("view_messagetemplate", "view_messagetemplateversion", "change_messagetemplate")),
)
GROUPS = {
    "Lecture": tuple((app, tuple(f"view_{model}" for model in models)) for app, models in VIEWED.items()),
    "Comptabilité": (
        *((app, tuple(f"view_{model}" for model in models)) for app, models in VIEWED.items()),
        (
            "customers",
            (
                "add_customer",
                "change_customer",
                "delete_customer",
                "add_contact",
                "change_contact",
                "delete_contact",
                "add_access",
                "change_access",
                "delete_access",
                "change_customeraccount",
                "manage_credentials",
                "reveal_provisional_password",
                "impersonate_customer",
            ),
        ),
        (
            "invoices",
            (
                "add_lifecyclestatus",
                "add_savedselection",
                "change_savedselection",
                "delete_savedselection",
                "change_company",
                "export_invoices",
                "import_invoices",
                "resend_invoice",
            ),
        ),
        ("mailing", ("change_message", "change_failedaddress", "change_messagetemplate")),
    ),
    "Paramétrage": (
        *SETTINGS,
        (
            "customers",
            ("view_staffaccount", "add_staffaccount", "change_staffaccount"),
        ),
        ("auth", ("view_group", "add_group", "change_group", "delete_group")),
        ("admin", ("view_logentry",)),
    ),
}


def create_groups(apps, schema_editor):
    """Give each group its rights. A group of that name that is there already is left as people made it."""
    # Permissions are made after the last migration: those that are named here, now.
    for label in ("customers", "invoices", "mailing", "auth", "admin"):
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0, using=schema_editor.connection.alias)
        config.models_module = None
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, rights in GROUPS.items():
        group, created = Group.objects.get_or_create(name=name)
        if not created:
            continue
        for app, codenames in rights:
            found = list(Permission.objects.filter(content_type__app_label=app, codename__in=codenames))
            missing = set(codenames) - {permission.codename for permission in found}
            if missing:
                raise LookupError(f"No such permissions in {app}: {sorted(missing)}")
            group.permissions.add(*found)


class Migration(migrations.Migration):
    # Names rights by the models of this point of the history.
    run_before = [("customers", "0006_bulk_actions")]
    dependencies = [
        ("portal", "0001_sessions_and_attempts"),
        ("customers", "0004_sessions_closed_at"),
        ("invoices", "0004_invoices_by_publication"),
        ("mailing", "0002_predefined_messages"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
