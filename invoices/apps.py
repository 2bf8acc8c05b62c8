"""The invoices room: invoices, documents, selection and export."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    """Invoices, documents and exports."""

    name = "invoices"
    verbose_name = _("Échange EDI › Export WEB")
