"""The customers room: customers, their contacts, their accounts. It knows nothing of invoices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers, contacts, accounts and credentials."""

    name = "customers"
    verbose_name = _("Client")

    def ready(self) -> None:
        """Tell the mailing room how the secret of an account is found at sending."""
        from customers.credentials import reveal_for_mail
        from mailing.secrets import register_secret_provider

        register_secret_provider(reveal_for_mail)
