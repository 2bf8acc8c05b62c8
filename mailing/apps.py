"""The mailing room: messages, placeholders and the outbox. It knows nothing of customers or invoices."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailingConfig(AppConfig):
    """Messages and the outbox."""

    name = "mailing"
    verbose_name = _("Courrier")
