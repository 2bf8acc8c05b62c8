"""What a frozen document says, for the pages that show it: not what its customer card and its company say since.

An invoice of table rows is completed when it is needed (:mod:`invoices.content.completion`), until it is frozen. From
then on its parties, mentions, due date and payment instructions are those of the document, bank details first.
"""

from typing import Any

from invoices.content.from_rows import STATED_WHOLE, content_of
from invoices.en16931.model import InvoiceContent, from_json, replace, to_json
from invoices.models import Invoice


def content_to_keep(invoice: Invoice, content: InvoiceContent) -> dict[str, Any] | None:
    """What to keep (JSON) of the printed ``content``; None where the invoice states all of it itself, for good.

    Lines stay out: the rows of a published invoice do not change.
    """
    if invoice.origin in STATED_WHOLE:
        return None
    kept: dict[str, Any] = to_json(replace(content, lines=()))
    return kept


def printed_content_of(invoice: Invoice) -> InvoiceContent:
    """The content of the current document of ``invoice``, or what it would say where none is published yet.

    Without ``select_related("document__printed")`` one statement more than ``content_of``.
    """
    content = content_of(invoice)
    printed = getattr(invoice.document, "printed", None) if invoice.is_published else None
    if printed is None:
        return content
    kept = from_json(InvoiceContent, printed.content)
    return kept if kept.lines else replace(kept, lines=content.lines)
