"""Importer: the ERP's files, checked before they are imported."""

from django.contrib import admin

from invoices.models import ImportBatch
from mailing.admin_lists import ReadOnlyAdmin


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin[ImportBatch]):
    """The story of imports."""

    list_display = ("created_at", "author_name", "state", "finished_at")
    list_filter = ("state",)
