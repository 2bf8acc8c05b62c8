"""The back-office site."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class BackOfficeSite(admin.AdminSite):
    """Django's admin in the words of accounting staff."""

    site_header = _("Gestion des factures")
    site_title = _("Gestion")
    index_title = _("Tableau de bord")
