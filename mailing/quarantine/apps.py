"""The quarantine as an application of its own: every loop of the product uses it, whatever room it is in."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QuarantineConfig(AppConfig):
    """Tries of inputs, and those that were set aside."""

    name = "mailing.quarantine"
    label = "quarantine"
    verbose_name = _("Éléments mis de côté")
