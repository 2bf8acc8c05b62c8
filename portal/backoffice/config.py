"""The back-office site takes the place of Django's default admin site."""

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    """Django's admin with the product's own site."""

    default_site = "portal.backoffice.site.BackOfficeSite"
