"""Logins in the one form in which they are compared from now on."""

import unicodedata

import customers.models.login_field
from django.db import migrations


def write_canonical(apps, schema_editor):
    """Write each login in its canonical form, unless another account has it already (then it stays for staff to see)."""
    account = apps.get_model("customers", "Account")
    taken = set(account.objects.values_list("login", flat=True))
    for pk, login in account.objects.values_list("pk", "login").iterator():
        visible = "".join(char for char in login if unicodedata.category(char) not in ("Cf", "Cc"))
        canonical = unicodedata.normalize("NFKC", visible).strip().lower()
        if canonical != login and canonical not in taken:
            taken.add(canonical)
            account.objects.filter(pk=pk).update(login=canonical)


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_sessions_closed_at")]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="login",
            field=customers.models.login_field.LoginField(max_length=254, verbose_name="identifiant"),
        ),
        migrations.RunPython(write_canonical, migrations.RunPython.noop, elidable=True),
    ]
