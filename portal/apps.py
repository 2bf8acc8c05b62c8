"""The portal: settings, addresses, the customers' pages and the back-office site."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """What is seen by people: the customers' space and the back-office."""

    name = "portal"
    verbose_name = _("Portail")
