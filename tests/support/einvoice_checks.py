"""Checking e-invoices in the tests."""

from typing import Any

from django.utils import timezone

from invoices.einvoices.checks import check_invoices, needing_check
from invoices.models import Invoice


def check_all() -> Any:
    """Check all that needs it."""
    return check_invoices(needing_check(timezone.now()))


def reload(invoice: Invoice) -> Invoice:
    """``invoice`` as it is, with its check."""
    return Invoice.objects.select_related("content_check", "customer", "company").get(pk=invoice.pk)
