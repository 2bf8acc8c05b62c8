"""An e-invoice out of whatever bytes an ERP gives: Factur-X or ZUGFeRD 2 PDF, CII, UBL; by content, never by name."""

from dataclasses import dataclass, replace
from enum import StrEnum

from lxml import etree

from invoices.en16931.model import InvoiceContent
from invoices.formats.checks.amounts import sentences_about_sums
from invoices.formats.cii.reader import CII, read_cii
from invoices.formats.container import check_container
from invoices.formats.extraction import extract_invoice, is_pdf
from invoices.formats.findings import Finding
from invoices.formats.refusals import LifecycleMessage, Order, UnreadableEInvoice
from invoices.formats.safe_xml import looks_like_xml, parse
from invoices.formats.ubl_reader import UBL_CREDIT_NOTE, UBL_INVOICE, read_ubl


class Kind(StrEnum):
    """What a file is, by its first bytes or by the root element of its XML."""

    PDF = "pdf"
    CII = "cii"
    UBL_INVOICE = "ubl-invoice"
    UBL_CREDIT_NOTE = "ubl-credit-note"
    ZUGFERD_1 = "zugferd-1"
    ORDER = "order"
    LIFECYCLE_MESSAGE = "lifecycle-message"
    OTHER_XML = "other-xml"
    UNKNOWN = "unknown"


_KINDS = {
    (CII, "CrossIndustryInvoice"): Kind.CII,
    (UBL_INVOICE, "Invoice"): Kind.UBL_INVOICE,
    (UBL_CREDIT_NOTE, "CreditNote"): Kind.UBL_CREDIT_NOTE,
}
_ENVELOPE = "StandardBusinessDocument"  # the Peppol network's


@dataclass(frozen=True, slots=True)
class Reading:
    """An e-invoice that was read.

    ``syntax`` is "CII" or "UBL", ``container`` "xml" or "pdf", ``attachment_name`` the name of the XML inside the PDF,
    ``xml`` its bytes as they came; ``warnings`` are French sentences about sums that do not hold and values left out;
    ``container_findings`` say what is wrong with the PDF around it.
    """

    content: InvoiceContent
    syntax: str
    container: str
    profile: str
    attachment_name: str
    xml: bytes
    warnings: tuple[str, ...] = ()
    container_findings: tuple[Finding, ...] = ()


def read_einvoice(data: bytes) -> Reading:
    """The e-invoice in ``data``, a whole file.

    Raises :class:`UnreadableEInvoice` with a French sentence where there is none.

    A PDF is parsed in this process: with files from outside use :func:`invoices.formats.reading_child.read_in_child`.
    """
    if not data:
        raise UnreadableEInvoice("Ce fichier est vide.")
    if looks_like_xml(data):
        return _read_xml(data, container="xml", attachment_name="")
    if is_pdf(data):
        attached = extract_invoice(data)
        reading = _read_xml(attached.content, container="pdf", attachment_name=attached.name)
        return replace(
            reading,
            warnings=(*attached.warnings, *reading.warnings),
            container_findings=check_container(attached.container, name=attached.name, profile=reading.profile),
        )
    raise UnreadableEInvoice("Ce fichier n’est ni un PDF ni un fichier XML.")


def kind_of(data: bytes) -> Kind:
    """What ``data`` is, without reading more than needed.

    Raises :class:`UnreadableEInvoice` for XML that cannot be parsed safely.

    A lifecycle message (CDAR) is distinguished from an invoice here, for those who read statuses.
    """
    if looks_like_xml(data):
        return _kind_of_root(_without_envelope(parse(data)))
    return Kind.PDF if is_pdf(data) else Kind.UNKNOWN


def _kind_of_root(root: etree._Element) -> Kind:
    name = etree.QName(root)
    kind = _KINDS.get((name.namespace or "", name.localname))
    if kind is not None:
        return kind
    if name.localname == "CrossIndustryDocument" and (name.namespace or "").startswith("urn:ferd:"):
        return Kind.ZUGFERD_1
    if name.localname.startswith("SCRDMCCBDACIO") or name.localname in {"Order", "OrderChange", "OrderResponse"}:
        return Kind.ORDER
    if name.localname == "CrossDomainAcknowledgementAndResponse":
        return Kind.LIFECYCLE_MESSAGE
    return Kind.OTHER_XML


def _without_envelope(root: etree._Element) -> etree._Element:
    """The business document in a Peppol envelope, or ``root`` itself."""
    if etree.QName(root).localname != _ENVELOPE:
        return root
    payload = [child for child in root if etree.QName(child).localname != "StandardBusinessDocumentHeader"]
    return payload[0] if payload else root


def _read_xml(xml: bytes, *, container: str, attachment_name: str) -> Reading:
    root = _without_envelope(parse(xml))
    kind = _kind_of_root(root)
    if kind is Kind.CII:
        syntax, (content, warnings) = "CII", read_cii(root)
    elif kind in (Kind.UBL_INVOICE, Kind.UBL_CREDIT_NOTE):
        syntax, (content, warnings) = "UBL", read_ubl(root)
    else:
        raise _refusal(kind, etree.QName(root))
    return Reading(
        content=content,
        syntax=syntax,
        container=container,
        profile=content.profile,
        attachment_name=attachment_name,
        xml=xml,
        warnings=(*warnings, *sentences_about_sums(content)),
    )


def _refusal(kind: Kind, root: etree.QName) -> UnreadableEInvoice:
    if kind is Kind.ZUGFERD_1:
        return UnreadableEInvoice(
            "Cette facture est au format ZUGFeRD 1, antérieur à la norme EN 16931 : il n’est pas repris."
        )
    if kind is Kind.ORDER:
        return Order("Ce fichier est une commande et non une facture.")
    if kind is Kind.LIFECYCLE_MESSAGE:
        return LifecycleMessage(
            "Ce fichier est un message de statut (CDAR) et non une facture : donnez-le à « Importer des statuts »."
        )
    element = f"élément « {root.localname[:60]} »"
    if any(word in root.localname.lower() for word in ("invoice", "creditnote", "facture", "rechnung", "fattura")):
        space = f"espace de noms « {root.namespace[:100]} »" if root.namespace else "sans espace de noms"
        return UnreadableEInvoice(f"Cette facture XML est d’un autre format que CII et UBL 2 ({element}, {space}).")
    return UnreadableEInvoice(f"Ce fichier XML n’est pas une facture électronique ({element}).")
