"""Models of the invoices room."""

from invoices.models.company import Company
from invoices.models.document import Consultation, ContentCheck, Document, PrintedContent
from invoices.models.export import Delivery, Export, ExportCustomer, ExportItem, SavedSelection
from invoices.models.imports import ImportBatch, ImportMapping
from invoices.models.invoice import Invoice, InvoiceLine, InvoiceQuerySet
from invoices.models.lifecycle import Handover, LifecycleStatus
from invoices.models.platform import DirectoryLookup, Payment, Platform, PlatformMessage, Submission
from invoices.models.schedule import ScheduledRun, SelectionSchedule
from invoices.models.words import InvoiceWords

__all__ = [
    "Company",
    "Consultation",
    "ContentCheck",
    "Delivery",
    "DirectoryLookup",
    "Document",
    "Export",
    "ExportCustomer",
    "ExportItem",
    "Handover",
    "ImportBatch",
    "ImportMapping",
    "Invoice",
    "InvoiceLine",
    "InvoiceQuerySet",
    "InvoiceWords",
    "LifecycleStatus",
    "Payment",
    "Platform",
    "PlatformMessage",
    "PrintedContent",
    "SavedSelection",
    "ScheduledRun",
    "SelectionSchedule",
    "Submission",
]
