"""The predefined messages, as every installation begins with them; accounting staff adapt them afterwards."""

from django.db import migrations

MESSAGES = (
    (
        "credentials",
        "Client - confirmation infos Web",
        "Vos identifiants pour accéder à votre espace",
        "Bonjour #NOM_CLIENT,\n\n"
        "Voici vos identifiants pour accéder à votre espace : #URL_ESPACE\n\n"
        "Login : #LOGIN_CONNEXION\n"
        "Mot de passe : #PWD_CONNEXION\n\n"
        "Service comptabilité,",
    ),
    (
        "invoice",
        "Message dépôt facture intranet",
        "Votre #TYPE_DOCUMENT #REFFACTURE",
        "Bonjour #NOM_CLIENT,\n\n"
        "Votre #TYPE_DOCUMENT #REFFACTURE est disponible sur votre espace à l'endroit suivant : #URL_ESPACE\n\n"
        "Voici vos identifiants :\n"
        "Login : #LOGIN_CONNEXION\n"
        "Mot de passe : #PWD_CONNEXION\n\n"
        "Service comptabilité,",
    ),
    (
        "invoices",
        "Message dépôt de plusieurs factures intranet",
        "Vos #TYPE_DOCUMENT #REFFACTURE",
        "Bonjour #NOM_CLIENT,\n\n"
        "Vos #TYPE_DOCUMENT sont disponibles sur votre espace à l'endroit suivant : #URL_ESPACE\n\n"
        "Voici vos identifiants :\n"
        "Login : #LOGIN_CONNEXION\n"
        "Mot de passe : #PWD_CONNEXION\n\n"
        "Service comptabilité,",
    ),
)


def create_messages(apps, schema_editor):
    template_model = apps.get_model("mailing", "MessageTemplate")
    version_model = apps.get_model("mailing", "MessageTemplateVersion")
    for key, name, subject, body in MESSAGES:
        template, created = template_model.objects.get_or_create(
            key=key, defaults={"name": name, "subject": subject, "body": body, "version": 1}
        )
        if created:
            version_model.objects.create(template=template, number=1, subject=subject, body=body, author="")


class Migration(migrations.Migration):
    dependencies = [("mailing", "0001_initial")]

    # Going back leaves the texts alone: they may have been adapted, and the table goes with 0001.
    operations = [migrations.RunPython(create_messages, migrations.RunPython.noop)]
