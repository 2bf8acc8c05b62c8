"""XML from strangers: decoded with tolerance, parsed without DTD, entities, network or bottomless depth."""

import codecs
import re

from lxml import etree

from invoices.formats.refusals import UnreadableEInvoice

MAX_XML_BYTES = 25 * 1024 * 1024
MAX_DEPTH = 60  # the deepest invoice seen has 14 levels

_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*?\?>", re.DOTALL)
_DECLARED_ENCODING = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_OF_TWO_BYTES = frozenset({"utf-16", "utf-16le", "utf-16be", "utf-32", "ucs-2", "ucs-4", "unicode"})
_KNOWN_ENCODING = re.compile(
    r"utf-?8|(?:us-)?ascii|iso-8859-\d{1,2}|(?:windows-|cp)\d{3,4}|koi8-[ru]|gb\w+|big5|shift_jis|euc-\w\w"
)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What precedes the root element: blanks, comments, instructions. A DOCTYPE can be nowhere else.
_PROLOG = re.compile(r"(?:\s+|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)


def looks_like_xml(data: bytes) -> bool:
    """True if ``data`` begins like XML, in any encoding, after a byte order mark and blanks."""
    head = data[:512]
    for mark, _ in _BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\x00", b"").lstrip()[:1] == b"<"


def decode(data: bytes) -> str:
    """The text of an XML file.

    Raises :class:`UnreadableEInvoice` where it cannot be read in the encoding that it declares.
    A byte order mark goes before the declaration; without either, XML is UTF-8 (XML 1.0, 4.3.3 and appendix F). What
    declares an encoding of one byte and is valid UTF-8 too is read as UTF-8: files that were converted and kept their
    declaration are common, the contrary never passes for UTF-8. So is what declares an unknown encoding.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding)
    if data[:2] == b"<\x00":
        return _decode_as(data, "utf-16-le")
    if data[:2] == b"\x00<":
        return _decode_as(data, "utf-16-be")
    declared = _DECLARED_ENCODING.search(data[:256])
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    if name in _OF_TWO_BYTES:
        raise _not_in_its_encoding(name)
    as_declared = _decode_as(data, name) if _KNOWN_ENCODING.fullmatch(name) else None
    try:
        return data.decode("utf-8")
    except UnicodeError as error:
        if as_declared is None:
            raise UnreadableEInvoice("L’encodage de ce fichier XML n’est pas lisible.") from error
        return as_declared


def _decode_as(data: bytes, encoding: str) -> str:
    # ISO-8859-1 is read as Windows-1252 where that has a character: it gives the euro sign to those who meant it.
    try:
        return data.decode("cp1252" if encoding == "iso-8859-1" else encoding)
    except LookupError as error:
        raise UnreadableEInvoice("L’encodage de ce fichier XML n’est pas lisible.") from error
    except UnicodeError as error:
        if encoding == "iso-8859-1":
            return data.decode(encoding)
        raise UnreadableEInvoice(
            f"Ce fichier XML s’annonce en {encoding.upper()} et n’est pas lisible ainsi."
        ) from error


def _not_in_its_encoding(encoding: str) -> UnreadableEInvoice:
    return UnreadableEInvoice(f"Ce fichier XML s’annonce en {encoding.upper()} et n’est pas lisible ainsi.")


def parse(data: bytes) -> etree._Element:
    """The root element of an XML file, without comments and processing instructions.

    Raises :class:`UnreadableEInvoice` on oversized, malformed or too deeply nested files and on any DOCTYPE: an invoice
    has none, and entities are how XML attacks are written.
    """
    if len(data) > MAX_XML_BYTES:
        raise UnreadableEInvoice(f"Ce fichier XML est trop volumineux (plus de {MAX_XML_BYTES // 1024 // 1024} Mo).")
    text = _DECLARATION.sub("", decode(data).lstrip("\ufeff"), count=1)
    prolog = _PROLOG.match(text)
    if text[prolog.end() if prolog else 0 :][:9].upper().startswith("<!DOCTYPE"):
        raise UnreadableEInvoice("Ce fichier XML contient une déclaration DOCTYPE, interdite dans une facture.")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        line = f" (ligne {error.lineno})" if error.lineno else ""
        raise UnreadableEInvoice(f"Ce fichier XML est mal formé{line}.") from error
    except UnicodeEncodeError as error:
        raise UnreadableEInvoice("Ce fichier XML contient des caractères interdits.") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableEInvoice("Ce fichier XML contient une déclaration DOCTYPE, interdite dans une facture.")
    try:
        is_too_deep = root.xpath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
    except etree.XPathError as error:  # more elements than the library counts
        raise UnreadableEInvoice("Ce fichier XML est trop volumineux.") from error
    if is_too_deep:
        raise UnreadableEInvoice(f"Ce fichier XML est trop imbriqué (plus de {MAX_DEPTH} niveaux).")
    return root
