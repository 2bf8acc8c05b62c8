"""The XML of an invoice by itself: the file that came, or what the PDF carries inside."""

from invoices.formats.extraction import extract_invoice
from invoices.formats.findings import Finding
from invoices.formats.reading_child import read_in_child
from invoices.models import Document, Invoice
from invoices.store.frozen import read_document


def xml_source_of(invoice: Invoice) -> Document | None:
    """The document that holds the XML of ``invoice``; None where it has none. Two statements at most.

    The XML that came as a file is the original; else the PDF in force, or the one that came and waits for its export,
    holds it where it is a Factur-X.
    """
    own = invoice.documents.filter(role=Document.Role.XML).order_by("-version").first()
    if own is not None:
        return own
    pdf = invoice.document
    if pdf is None and invoice.origin == Invoice.Origin.FACTURX:
        pdf = invoice.documents.filter(role=Document.Role.PDF).order_by("-version").first()
    # An e-invoice that does not say its profile has a fingerprint all the same.
    return pdf if pdf is not None and (pdf.profile or pdf.xml_sha256) else None


def read_xml(source: Document) -> bytes:
    """The XML that ``source`` is or carries.

    Raises :class:`~invoices.store.frozen.DocumentAlteredError` where the file is no longer what was frozen, ``OSError``
    where it cannot be read, and :class:`~invoices.formats.refusals.UnreadableEInvoice` where a received PDF can no
    longer be opened.
    """
    return read_xml_and_container(source)[0]


def read_xml_and_container(source: Document) -> tuple[bytes, tuple[Finding, ...]]:
    """As :func:`read_xml`, with what is wrong with the received PDF around the XML."""
    content = read_document(source)
    if source.role == Document.Role.XML:
        return content, ()
    # Our own files are sound; what came from elsewhere is opened in a child process.
    if source.source == Document.Source.RENDERED:
        return extract_invoice(content).content, ()
    reading = read_in_child(content)
    return reading.xml, reading.container_findings
