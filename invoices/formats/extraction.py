"""The e-invoice inside of a PDF: found among the attached files and unpacked within bounds.

Meant to run in a child process (:mod:`invoices.formats.reading_child`): the library underneath can crash on hostile
files.
"""

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pikepdf

from invoices.formats.container import Container, read_container
from invoices.formats.refusals import NoEmbeddedInvoice, UnreadableEInvoice
from invoices.formats.safe_xml import MAX_XML_BYTES

MAX_PDF_BYTES = 100 * 1024 * 1024
MAX_ATTACHMENTS = 200

# In the order of preference: a file may carry an older name beside the present one. An order is found, to be named.
_INVOICE_NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml", "order-x.xml")
_INVOICE_NAMESPACES = (
    b"urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    b"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    b"urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
)
_ROOT_WITHIN = 64 * 1024  # bytes: licences and comments may be before the root element
_SAFE_FILTERS = {"/ASCIIHexDecode", "/ASCII85Decode"}  # these shrink


def is_pdf(data: bytes) -> bool:
    """True if the PDF header is where readers accept it: within the first kilobyte."""
    return b"%PDF-" in data[:1024]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a PDF; ``warnings`` are French sentences about the PDF it came in."""

    name: str
    content: bytes
    container: Container
    warnings: tuple[str, ...] = ()


def extract_invoice(data: bytes) -> Attachment:
    """The e-invoice attached to the PDF ``data``.

    Raises :class:`NoEmbeddedInvoice` for a sound PDF without one, :class:`UnreadableEInvoice` for a PDF that is
    encrypted, broken, too large, or whose attachment is.
    """
    if len(data) > MAX_PDF_BYTES:
        raise UnreadableEInvoice(f"Ce PDF est trop volumineux (plus de {MAX_PDF_BYTES // 1024 // 1024} Mo).")
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            if pdf.is_encrypted:
                raise UnreadableEInvoice("Ce PDF est chiffré : une facture à conserver ne doit pas l’être.")
            is_damaged = bool(pdf.get_warnings())
            return _chosen_attachment(pdf, is_damaged=is_damaged)
    except pikepdf.PasswordError as error:
        raise UnreadableEInvoice("Ce PDF est protégé par un mot de passe.") from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        # What the library says of a broken structure depends on where it is broken.
        raise UnreadableEInvoice("Ce PDF est endommagé et ne peut pas être lu.") from error


def _chosen_attachment(pdf: pikepdf.Pdf, *, is_damaged: bool) -> Attachment:
    attachments: dict[str, tuple[str, pikepdf.Object, pikepdf.Object]] = {}
    for name, stream, specification in _attachments(pdf, is_damaged=is_damaged):
        attachments.setdefault(name.lower(), (name, stream, specification))
    warnings = ("Ce PDF est légèrement endommagé ; il est conservé tel quel.",) if is_damaged else ()
    for wanted in _INVOICE_NAMES:
        if wanted in attachments:
            name, stream, specification = attachments[wanted]
            return Attachment(name, _bounded_content(stream, name), read_container(pdf, specification), warnings)
    for name, stream, specification in attachments.values():
        if name.lower().endswith(".xml"):
            content = _bounded_content(stream, name)
            if any(namespace in content[:_ROOT_WITHIN] for namespace in _INVOICE_NAMESPACES):
                return Attachment(name, content, read_container(pdf, specification), warnings)
    raise NoEmbeddedInvoice("Ce PDF ne contient pas de facture électronique (aucun fichier factur-x.xml joint).")


def _attachments(pdf: pikepdf.Pdf, *, is_damaged: bool) -> Iterator[tuple[str, pikepdf.Object, pikepdf.Object]]:
    """Name, stream and specification of each attached file: by the name tree, then by the list of associated files.

    In a damaged file the name tree alone counts: without it, what is left of the list may be of another version.
    """
    root = pdf.Root
    specifications: list[tuple[str, pikepdf.Object]] = []
    names = root.get("/Names")
    if isinstance(names, pikepdf.Dictionary) and isinstance(names.get("/EmbeddedFiles"), pikepdf.Dictionary):
        specifications += islice(pikepdf.NameTree(names["/EmbeddedFiles"]).items(), MAX_ATTACHMENTS)
    associated = root.get("/AF")
    if isinstance(associated, pikepdf.Array) and not is_damaged:
        specifications += [("", associated[index]) for index in range(min(len(associated), MAX_ATTACHMENTS))]
    for key, specification in specifications:
        if not isinstance(specification, pikepdf.Dictionary):
            continue
        files = specification.get("/EF")
        stream = files.get("/UF", files.get("/F")) if isinstance(files, pikepdf.Dictionary) else None
        if isinstance(stream, pikepdf.Stream):
            for name in (specification.get("/UF"), specification.get("/F"), key):
                if name is not None and str(name):
                    yield str(name).replace("\\", "/").rsplit("/", 1)[-1].strip(), stream, specification


def _bounded_content(stream: pikepdf.Object, name: str) -> bytes:
    """The unpacked bytes of ``stream``, never more than an XML may have.

    Flate is unpacked here and not by the library, which unpacks a bomb whole.
    """
    too_large = UnreadableEInvoice(f"Le fichier {name} joint à ce PDF est trop volumineux.")
    filters = stream.get("/Filter")
    names = [str(found) for found in filters] if isinstance(filters, pikepdf.Array) else [str(filters)] * bool(filters)
    raw = stream.read_raw_bytes()
    if len(raw) > MAX_XML_BYTES:
        raise too_large
    if not names:
        return bytes(raw)
    if set(names) <= _SAFE_FILTERS:
        return bytes(stream.read_bytes())
    if names != ["/FlateDecode"]:
        raise UnreadableEInvoice(f"Le fichier {name} joint à ce PDF est compressé d’une façon inattendue.")
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(raw, MAX_XML_BYTES + 1)
    except zlib.error as error:
        raise UnreadableEInvoice(f"Le fichier {name} joint à ce PDF est endommagé.") from error
    if len(content) > MAX_XML_BYTES:
        raise too_large
    return content if "/DecodeParms" not in stream else bytes(stream.read_bytes())
