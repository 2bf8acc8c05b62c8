"""The PDF around a Factur-X: what it says of the invoice inside, and what is wrong with that.

The invoice is read all the same: readers that only look for the attachment never see these faults, and platforms that
validate the file refuse it for them. Sources: Factur-X 1.0 §6 (name, relationship, metadata), ISO 19005-3 6.2.4 and
6.8 (output intent, relationship), ISO 32000-2 14.13 (associated files).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pikepdf
from lxml import etree

from invoices.en16931.profiles import conformance_level, is_factur_x_profile, is_known_profile, same_level
from invoices.formats.findings import Finding, Severity, own_finding
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.safe_xml import parse

XML_NAME: Final = "factur-x.xml"
# The names of the standard: ZUGFeRD 2.0 and XRechnung in a hybrid file have one of their own.
_NAMES: Final = (XML_NAME, "xrechnung.xml", "zugferd-invoice.xml")
_EXTENSIONS: Final = (
    "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#",
    "urn:zugferd:pdfa:CrossIndustryDocument:invoice:2p0#",
    "urn:ferd:pdfa:CrossIndustryDocument:invoice:1p0#",
)
_MAX_METADATA_BYTES: Final = 1024 * 1024
_MAX_PAGES_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Container:
    """What a PDF says of the invoice attached to it; an empty text where it says nothing."""

    relationship: str
    is_associated: bool
    has_colours_defined: bool
    has_extension: bool
    level: str
    file_name: str


def read_container(pdf: pikepdf.Pdf, specification: pikepdf.Object) -> Container:
    """What ``pdf`` says of the attachment that ``specification`` describes."""
    values = dict(_extension_values(pdf))
    return Container(
        relationship=str(specification.get("/AFRelationship", "")).removeprefix("/"),
        is_associated=_is_associated(pdf, specification),
        has_colours_defined="/OutputIntents" in pdf.Root or _has_colour_spaces(pdf),
        has_extension=bool(values),
        level=values.get("ConformanceLevel", ""),
        file_name=values.get("DocumentFileName", ""),
    )


def check_container(container: Container, *, name: str, profile: str) -> tuple[Finding, ...]:
    """What is wrong with the PDF around an invoice called ``name`` whose XML states ``profile`` (BT-24); warnings."""
    return tuple(
        own_finding(code, term, sentence, severity=Severity.WARNING)
        for code, term, sentence in _faults(container, name, profile)
    )


def _faults(container: Container, name: str, profile: str) -> Iterator[tuple[str, str, str]]:
    level = conformance_level(profile)
    if name not in _NAMES:
        yield "OWN-PDF-NAME", "", f"L’e-facture jointe au PDF s’appelle « {name[:80]} » au lieu de « {XML_NAME} »."
    yield from _relationship_faults(container.relationship, level)
    if not container.is_associated:
        yield "OWN-PDF-AF", "", "L’e-facture jointe n’est pas dans la liste des fichiers associés du PDF (/AF)."
    if not container.has_colours_defined:
        yield "OWN-PDF-INTENT", "", "Le PDF n’est pas un PDF/A-3 : il ne dit pas ses couleurs (OutputIntent absent)."
    if not container.has_extension:
        yield (
            "OWN-PDF-XMP",
            "",
            "Les métadonnées du PDF (XMP) ne disent rien de Factur-X.",
        )
    else:
        if container.file_name and container.file_name != name:
            sentence = (
                f"Les métadonnées du PDF annoncent le fichier « {container.file_name[:80]} », joint « {name[:80]} »."
            )
            yield "OWN-PDF-XMP-NAME", "", sentence
        if not container.level:
            yield "OWN-PDF-XMP-LEVEL", "BT-24", "Les métadonnées du PDF (XMP) ne disent pas le profil de l’e-facture."
        elif is_factur_x_profile(profile) and not same_level(container.level, level):
            sentence = f"Le PDF annonce le profil {container.level[:40]}, l’e-facture jointe est au profil {level}."
            yield "OWN-PDF-XMP-LEVEL", "BT-24", sentence
    if not profile:
        yield "OWN-PDF-PROFILE", "BT-24", "L’e-facture ne dit pas son profil : rien ne dit quelles règles elle suit."
    elif not is_known_profile(profile):
        yield "OWN-PDF-PROFILE", "BT-24", f"Le profil « {profile[:100]} » de l’e-facture n’existe pas."


def _relationship_faults(relationship: str, level: str) -> Iterator[tuple[str, str, str]]:
    """Data alone for the profiles without lines, which the page completes; Data, Alternative or Source for others."""
    code = "OWN-PDF-RELATION"
    if not relationship:
        yield code, "", "Le PDF ne dit pas son lien avec l’e-facture jointe (AFRelationship absent)."
    elif level in ("MINIMUM", "BASIC WL") and relationship != "Data":
        sentence = f"Le lien du PDF avec l’e-facture jointe est « {relationship[:20]} » : au profil {level}, « Data »."
        yield code, "", sentence
    elif relationship == "Source":
        sentence = "Le lien du PDF avec l’e-facture est « Source » : permis, mais « Data » ou « Alternative » attendu."
        yield code, "", sentence
    elif relationship not in ("Data", "Alternative"):
        sentence = f"Le lien du PDF avec l’e-facture jointe est « {relationship[:20]} », au lieu de « Data »."
        yield code, "", sentence


def _is_associated(pdf: pikepdf.Pdf, specification: pikepdf.Object) -> bool:
    listed = pdf.Root.get("/AF")
    associated = [listed[index] for index in range(len(listed))] if isinstance(listed, pikepdf.Array) else [listed]
    own = _stream_of(specification)
    return any(isinstance(each, pikepdf.Dictionary) and _stream_of(each) == own for each in associated)


def _stream_of(specification: pikepdf.Object) -> tuple[int, int] | None:
    """The object of the attached bytes, by which two descriptions of one file are known as such."""
    files = specification.get("/EF")
    stream = files.get("/UF", files.get("/F")) if isinstance(files, pikepdf.Dictionary) else None
    return stream.objgen if isinstance(stream, pikepdf.Stream) else None


def _has_colour_spaces(pdf: pikepdf.Pdf) -> bool:
    """True where each page says what its device colours mean, which spares the output intent (6.2.4.3)."""
    for page in islice(pdf.pages, _MAX_PAGES_LOOKED_AT):
        resources = page.obj.get("/Resources")
        spaces = resources.get("/ColorSpace") if isinstance(resources, pikepdf.Dictionary) else None
        if not isinstance(spaces, pikepdf.Dictionary):
            return False
        if not any(name in spaces for name in ("/DefaultRGB", "/DefaultGray", "/DefaultCMYK")):
            return False
    return True


def _extension_values(pdf: pikepdf.Pdf) -> Iterator[tuple[str, str]]:
    """The properties of Factur-X in the metadata, written as elements or as attributes."""
    stream = pdf.Root.get("/Metadata")
    # ISO 19005-3 6.6.2: the metadata are not compressed, so that their length bounds them.
    if not isinstance(stream, pikepdf.Stream) or len(stream.read_raw_bytes()) > _MAX_METADATA_BYTES:
        return
    try:
        root = parse(_packet(bytes(stream.read_bytes())))
    except UnreadableEInvoice:
        return
    for element in root.iter():
        for name, value in [(element.tag, element.text or ""), *element.attrib.items()]:
            qualified = etree.QName(str(name))
            if qualified.namespace in _EXTENSIONS:
                yield qualified.localname, str(value).strip()


def _packet(metadata: bytes) -> bytes:
    """The XML of a metadata packet, without the blanks and instructions around it."""
    start, end = metadata.find(b"<x:xmpmeta"), metadata.rfind(b"</x:xmpmeta>")
    if start < 0 or end < 0:
        start, end = metadata.find(b"<rdf:RDF"), metadata.rfind(b"</rdf:RDF>")
    return metadata if start < 0 or end < 0 else metadata[start : metadata.index(b">", end) + 1]
