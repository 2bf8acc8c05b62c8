"""Paramétrage société."""

from django.contrib import admin

from invoices.models import Company
from mailing.admin_lists import BackOfficeAdmin


@admin.register(Company)
class CompanyAdmin(BackOfficeAdmin[Company]):
    """The issuing company."""

    list_display = ("name", "is_default", "siren", "city")
