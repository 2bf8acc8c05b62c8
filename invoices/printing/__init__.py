"""The printed invoice: what it says, how it looks, and the PDF/A-3a + PDF/UA-1 file of it. No models, no settings."""

from invoices.printing.layouts import TEMPLATES
from invoices.printing.rendering import print_page, render_invoice
from invoices.printing.style import Logo, LogoError, PrintStyle, read_logo

__all__ = ["TEMPLATES", "Logo", "LogoError", "PrintStyle", "print_page", "read_logo", "render_invoice"]
