"""The metadata of the file (XMP): PDF/A-3a, PDF/UA-1 and Factur-X in one ``rdf:RDF``.

ISO 19005-3 6.6.2, ISO 14289-1 5, Factur-X 1.0 §6. WeasyPrint would write its additions as a second ``rdf:RDF``, which
strict readers do not see; so the whole description is written here.
"""

import datetime
from xml.sax.saxutils import escape

from weasyprint import __version__
from weasyprint.pdf.metadata import DocumentMetadata

from invoices.cldr import language_in_use

XML_NAME = "factur-x.xml"
PRODUCER = f"WeasyPrint {__version__}"

_PROPERTY = (
    '<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{name}</pdfaProperty:name>'
    "<pdfaProperty:valueType>{type}</pdfaProperty:valueType><pdfaProperty:category>{category}</pdfaProperty:category>"
    "<pdfaProperty:description>{description}</pdfaProperty:description></rdf:li>"
)
_SCHEMA = (
    '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>{title}</pdfaSchema:schema>'
    "<pdfaSchema:namespaceURI>{uri}</pdfaSchema:namespaceURI><pdfaSchema:prefix>{prefix}</pdfaSchema:prefix>"
    "<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
)
_UA_SCHEMA = _SCHEMA.format(
    title="PDF/UA Universal Accessibility Schema",
    uri="http://www.aiim.org/pdfua/ns/id/",
    prefix="pdfuaid",
    properties=_PROPERTY.format(
        name="part", type="Integer", category="internal", description="Indicates, which part of ISO 14289 is followed"
    ),
)
_FACTUR_X_SCHEMA = _SCHEMA.format(
    title="Factur-X PDFA Extension Schema",
    uri="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    prefix="fx",
    properties="".join(
        _PROPERTY.format(name=name, type="Text", category="external", description=description)
        for name, description in (
            ("DocumentFileName", "The name of the embedded XML document"),
            ("DocumentType", "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER"),
            ("Version", "The actual version of the standard applying to the embedded XML document"),
            ("ConformanceLevel", "The conformance level of the embedded XML document"),
        )
    ),
)


class InvoiceMetadata(DocumentMetadata):  # type: ignore[misc]
    """Title, author and times of an invoice, written to both the information dictionary and the XMP."""

    def __init__(self, *, title: str, author: str, subject: str, created: datetime.datetime, level: str | None) -> None:
        """``created`` is aware; ``level`` is the Factur-X conformance level, or None where no XML is attached."""
        when = created.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        super().__init__(
            title=title,
            authors=[author] if author else [],
            description=subject,
            created=when,
            modified=when,
            lang=language_in_use(),
        )
        self.level = level

    def generate_rdf_metadata(self, variant: str, version: int, conformance: str) -> bytes:
        """The one ``rdf:RDF`` of the file."""
        about = '<rdf:Description rdf:about="" '
        schemas = _UA_SCHEMA + (_FACTUR_X_SCHEMA if self.level else "")
        author = "".join(f"<rdf:li>{escape(name)}</rdf:li>" for name in self.authors)
        parts = [
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
            f'{about}xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part>'
            "<pdfaid:conformance>A</pdfaid:conformance></rdf:Description>",
            f'{about}xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part></rdf:Description>',
            f'{about}xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>{PRODUCER}</pdf:Producer></rdf:Description>',
            f'{about}xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
            f'<rdf:li xml:lang="x-default">{escape(self.title)}</rdf:li></rdf:Alt></dc:title>',
            f"<dc:creator><rdf:Seq>{author}</rdf:Seq></dc:creator>" if author else "",
            f'<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{escape(self.description)}</rdf:li></rdf:Alt>'
            "</dc:description>"
            if self.description
            else "",
            f"<dc:language><rdf:Bag><rdf:li>{escape(self.lang)}</rdf:li></rdf:Bag></dc:language></rdf:Description>",
            f'{about}xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreateDate>{self.created}</xmp:CreateDate>'
            f"<xmp:ModifyDate>{self.modified}</xmp:ModifyDate></rdf:Description>",
            f'{about}xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" '
            'xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" '
            'xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">'
            f"<pdfaExtension:schemas><rdf:Bag>{schemas}</rdf:Bag></pdfaExtension:schemas></rdf:Description>",
        ]
        if self.level:
            parts.append(
                f'{about}xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">'
                "<fx:DocumentType>INVOICE</fx:DocumentType>"
                f"<fx:DocumentFileName>{XML_NAME}</fx:DocumentFileName><fx:Version>1.0</fx:Version>"
                f"<fx:ConformanceLevel>{self.level}</fx:ConformanceLevel></rdf:Description>"
            )
        parts.append("</rdf:RDF>")
        return "".join(parts).encode()
