"""The back-office of the invoices room, one module per subject."""

from invoices import (
    admin_company,
    admin_customer_card,
    admin_export,
    admin_imports,
    admin_invoices,
    admin_messages,
)

__all__ = [
    "admin_company",
    "admin_customer_card",
    "admin_export",
    "admin_imports",
    "admin_invoices",
    "admin_messages",
]
