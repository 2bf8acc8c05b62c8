"""After publication nothing changes: a correction is a credit note, or a new version beside the one that was seen.

A credit note is an invoice of its own, which the ERP sends and which names what it corrects (``Invoice.corrects``). A
new version says the same amounts again: a wrong address, a mention that lacked. Other amounts need a credit note
(CGI art. 289 I-5).
"""

import hashlib
import logging
from typing import Any

from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from invoices.content.from_rows import content_of
from invoices.documents.printed_content import content_to_keep, printed_content_of
from invoices.documents.rendering import IncompleteIssuerError, Rendering, check_issuer, render_document
from invoices.einvoices.checks import check_for_export, findings_of
from invoices.einvoices.einvoice import einvoice_of
from invoices.en16931.model import InvoiceContent, to_json
from invoices.formats.reading_child import read_in_child
from invoices.formats.refusals import NoEmbeddedInvoice, UnreadableEInvoice
from invoices.models import Document, Invoice, PrintedContent, Submission
from invoices.store.frozen import delete_unreferenced, store_bytes
from mailing.trail.actions import Action
from mailing.trail.recording import record

logger = logging.getLogger(__name__)


class VersionRefusedError(ValueError):
    """No new version can be published; the message is a French sentence."""


def publish_new_version(*, invoice: Invoice, reason: str, author_name: str = "", pdf: bytes | None = None) -> Document:
    """Freeze another version of a published invoice and make it the one that people get; the others stay.

    Without ``pdf`` the invoice is rendered again from what the customer card and «Paramétrage société» say now; a PDF
    or Factur-X from the ERP must state the same number, date and amounts. ``reason`` is kept and shown. No mail is
    sent. Raises :class:`VersionRefusedError`; two people at once make one version, the second is refused.
    """
    if not reason.strip():
        raise VersionRefusedError(_("Une nouvelle version demande un motif."))
    if not invoice.is_published or invoice.document is None:
        raise VersionRefusedError(
            _("La facture %(number)s n’est pas publiée : importez-la de nouveau.") % {"number": invoice.number}
        )
    _check_submissions(invoice)
    before = invoice.document.pk
    invoice.version += 1
    made = _received(invoice, pdf) if pdf is not None else _rendered(invoice)
    last = invoice.documents.filter(role=Document.Role.PDF).aggregate(last=Max("version"))["last"]
    document = Document(
        invoice=invoice,
        source=Document.Source.RENDERED if pdf is None else Document.Source.RECEIVED,
        version=(last or 0) + 1,
        sha256=made.sha256,
        size=len(made.content),
        profile=made.profile,
        xml_sha256=made.xml_sha256,
        template=made.template,
        reason=reason.strip(),
        author_name=author_name[:254],
    )
    document.storage_name = store_bytes(invoice, made.content, role=document.role, version=document.version)
    try:
        _replace_document(document, made.printed, before)
    except BaseException:
        delete_unreferenced([document.storage_name])
        raise
    logger.warning("Version %s of invoice %s by %s: %s", document.version, invoice.number, author_name, reason)
    return document


def changed_buyer_address(invoice: Invoice) -> tuple[str, str] | None:
    """The buyer's electronic address (BT-49) on the published document, and the other one that it would have now.

    None where it is the same, and for an invoice that states it itself.
    """
    before = printed_content_of(invoice).buyer.electronic_address
    now = einvoice_of(invoice).content.buyer.electronic_address
    values = ("" if before is None else before.value, "" if now is None else now.value)
    return values if invoice.is_published and values[0] != values[1] else None


def _check_submissions(invoice: Invoice) -> None:
    """What a platform took is issued: another version beside it would be a second original (CGI art. 289 I-5)."""
    live = Submission.objects.of_invoices().live().filter(invoice=invoice).first()
    if live is None:
        return
    if live.state == Submission.State.ACCEPTED:
        sentence = _(
            "La plateforme a accepté la facture %(number)s : elle ne change plus. Corrigez-la par un avoir et une "
            "nouvelle facture."
        )
    else:
        sentence = _("La facture %(number)s est en route vers sa plateforme : attendez sa réponse.")
    raise VersionRefusedError(sentence % {"number": invoice.number})


@transaction.atomic
def _replace_document(document: Document, printed: dict[str, Any] | None, before: int) -> None:
    """Save ``document`` as the current one of its invoice, where the current one is still ``before``."""
    invoice = document.invoice
    current = Invoice.objects.select_for_update().values_list("document", flat=True).get(pk=invoice.pk)
    if current != before:
        raise VersionRefusedError(
            _("Une autre version de la facture %(number)s vient d’être publiée.") % {"number": invoice.number}
        )
    document.save()
    if printed is not None:
        PrintedContent.objects.create(document=document, content=printed)
    invoice.document = document
    changed = ["document", "version", "updated_at"]
    if document.source == Document.Source.RECEIVED and document.xml_sha256:
        invoice.check_state, invoice.content_check = Invoice.CheckState.UNCHECKED, None
        changed += ["check_state", "content_check"]
    invoice.save(update_fields=changed)
    record(Action.NEW_VERSION, invoice, details={**document.identity(), "reason": document.reason})


def _rendered(invoice: Invoice) -> Rendering:
    """The invoice as it reads now, checked as at its export."""
    if invoice.origin in (Invoice.Origin.FACTURX, Invoice.Origin.PDF):
        raise VersionRefusedError(
            _("La facture %(number)s est venue en PDF : sa nouvelle version aussi doit venir de l’ERP.")
            % {"number": invoice.number}
        )
    try:
        check_issuer(invoice)
    except IncompleteIssuerError as error:
        raise VersionRefusedError(str(error)) from error
    einvoice = einvoice_of(invoice)
    if einvoice.xml is not None:
        check = check_for_export(invoice, einvoice)
        was_einvoice = invoice.document is not None and invoice.document.profile != ""
        # An e-invoice, which a platform may hold already, does not become a plain PDF by being mended.
        if not check.is_valid and (was_einvoice or not invoice.company.allow_plain_pdf):
            raise VersionRefusedError(
                _("L’e-facture n’est pas conforme : %(finding)s") % {"finding": findings_of(check)[0].message_fr}
            )
        if not check.is_valid:
            einvoice = einvoice.without_xml()
    return render_document(invoice, einvoice)


def _received(invoice: Invoice, pdf: bytes) -> Rendering:
    """A PDF from the ERP, which says the same where it says it in XML."""
    if not pdf[:1024].lstrip().startswith(b"%PDF-"):
        raise VersionRefusedError(_("Ce fichier n’est pas un PDF."))
    profile = xml_sha256 = ""
    printed = content_to_keep(invoice, content_of(invoice))
    try:
        reading = read_in_child(pdf)
    except NoEmbeddedInvoice as none:
        if invoice.document is not None and invoice.document.profile:
            raise VersionRefusedError(
                _("La version publiée est une Factur-X : la nouvelle doit en être une aussi.")
            ) from none
    except UnreadableEInvoice as refusal:
        raise VersionRefusedError(str(refusal)) from refusal
    else:
        _refuse_another_content(invoice, reading.content)
        profile, xml_sha256 = reading.profile[:100], hashlib.sha256(reading.xml).hexdigest()
        # The rows of the invoice hold what the version before stated, whole: this one is kept whole too.
        printed = to_json(reading.content)
    return Rendering(content=pdf, profile=profile, xml_sha256=xml_sha256, template="", printed=printed)


def _refuse_another_content(invoice: Invoice, given: InvoiceContent) -> None:
    """What cannot change in a version: it would be another invoice."""
    known = content_of(invoice)
    facts = (
        (_("le numéro"), known.number, given.number),
        (_("la date"), known.issue_date, given.issue_date),
        (_("la devise"), known.currency, given.currency),
        (_("le total HT"), known.total_without_vat, given.total_without_vat),
        (_("le total TTC"), known.total_with_vat, given.total_with_vat),
        (_("le net à payer"), known.amount_due, given.amount_due),
    )
    for what, before, after in facts:
        if before != after:
            raise VersionRefusedError(
                _("Cette version change %(what)s (%(before)s, %(after)s) : il faut un avoir.")
                % {"what": what, "before": before, "after": after}
            )


def published_versions(invoice: Invoice) -> "QuerySet[Document]":
    """The PDF versions that the customer has seen or sees, newest first, beginning with the one that was exported.

    A file of the ERP that another one replaced before the export is not among them.
    """
    pdfs = invoice.documents.filter(role=Document.Role.PDF)
    first = pdfs.filter(items__isnull=False).aggregate(first=Min("version"))["first"] or 0
    return pdfs.filter(version__gte=first).order_by("-version")
