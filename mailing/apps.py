"""The mailing room: messages, placeholders and the outbox. It knows nothing of customers or invoices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailingConfig(AppConfig):
    """Messages and the outbox."""

    name = "mailing"
    verbose_name = _("Courrier")

    def ready(self) -> None:
        """Register the placeholders that every message can fill."""
        from mailing.identity import SenderIdentity
        from mailing.placeholders import Placeholder, register_placeholders

        register_placeholders(
            SenderIdentity,
            Placeholder("#SOCIETE", _("nom de votre société"), lambda sender: sender.company, "Fournitures Léman"),
            Placeholder(
                "#URL_ESPACE",
                _("adresse de l’espace client"),
                lambda sender: sender.space_root,
                "https://factures.exemple.fr",
                is_address=True,
            ),
        )
