"""The «Factures» tab of the customer card: the latest invoices with their states, and the way to all of them."""

from typing import Any

from django.db.models import Count

from customers.models import Customer
from invoices.models import Delivery, Invoice

LATEST = 15


def latest_invoices(customer: Customer) -> dict[str, Any]:
    """The customer's latest invoices, each with the state of its last mail. Two queries, and one to count."""
    invoices = list(Invoice.objects.filter(customer=customer).order_by("-issue_date", "-number")[:LATEST])
    last_mails: dict[Any, Delivery] = {}
    deliveries = Delivery.objects.filter(item__invoice__in=invoices).select_related("item", "message").order_by("pk")
    for delivery in deliveries:
        last_mails[delivery.item.invoice_id] = delivery
    total = Invoice.objects.filter(customer=customer).aggregate(total=Count("pk"))["total"]
    return {
        "invoices": [(invoice, last_mails.get(invoice.pk)) for invoice in invoices],
        "total": total,
    }
