"""The trail as an application of its own: its tables are not changed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrailConfig(AppConfig):
    """Entries of the trail, their chain and its roots."""

    name = "mailing.trail"
    label = "trail"
    verbose_name = _("Piste d’audit")
