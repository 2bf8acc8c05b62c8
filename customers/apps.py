"""The customers room: customers, their contacts, their accounts. It knows nothing of invoices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers, contacts, accounts and credentials."""

    name = "customers"
    verbose_name = _("Client")
