"""The customers room: customers, their contacts, their accounts. It knows nothing of invoices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers, contacts, accounts and credentials."""

    name = "customers"
    verbose_name = _("Client")

    def ready(self) -> None:
        """Register with the mailing room what mails to an account can say, and how its secret is found at sending."""
        from customers.credentials import reveal_for_mail
        from customers.mails import register_mail_values
        from mailing.secrets import register_secret_provider

        register_mail_values()
        register_secret_provider(reveal_for_mail)
