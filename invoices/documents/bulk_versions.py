"""New versions of many published invoices: those whose content has changed since, and why the others have none."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from invoices.content.from_rows import prefetch_for_content
from invoices.documents.printed_content import content_to_keep
from invoices.documents.rendering import IncompleteIssuerError, check_issuer
from invoices.einvoices.einvoice import content_to_print
from invoices.models import Document, Invoice, Submission

NOT_PUBLISHED = _("Pas encore publiées : leur export en fait la première version")
ACCEPTED = _("Acceptées par leur plateforme : elles se corrigent par un avoir et une nouvelle facture")
ON_ITS_WAY = _("En route vers leur plateforme : attendez sa réponse")
FROM_THE_ERP = _("Venues en PDF : leur nouvelle version vient elle aussi de l’ERP, une par une")
INCOMPLETE_COMPANY = _("Identité de la société incomplète : complétez d’abord « Paramétrage société »")
UNCHANGED = _("Rien n’a changé depuis leur publication : laissées telles quelles")


@dataclass(slots=True)
class NewVersions:
    """The invoices that get another version, and those that get none by the reason."""

    changed: list[Invoice] = field(default_factory=list)
    left: dict["str | Promise", list[Invoice]] = field(default_factory=dict)


def plan_new_versions(invoices: "QuerySet[Invoice]") -> NewVersions:
    """What :func:`~invoices.documents.versions.publish_new_version` would do to each; four statements in all."""
    plan = NewVersions()
    for invoice, reason in _reasons(invoices):
        if reason is None:
            plan.changed.append(invoice)
        else:
            plan.left.setdefault(reason, []).append(invoice)
    return plan


def why_no_version(invoice: Invoice) -> "str | Promise | None":
    """The reason why ``invoice`` gets no other version; None where it gets one."""
    return next(reason for _invoice, reason in _reasons(Invoice.objects.filter(pk=invoice.pk)))


def _reasons(invoices: "QuerySet[Invoice]") -> "Iterator[tuple[Invoice, str | Promise | None]]":
    found = prefetch_for_content(invoices).select_related("company", "customer", "corrects", "document__printed")
    rows = list(found)
    live = dict(
        Submission.objects.of_invoices()
        .live()
        .filter(invoice__in=[row.pk for row in rows])
        .values_list("invoice", "state")
    )
    for invoice in rows:
        yield invoice, _reason(invoice, live.get(invoice.pk))


def _reason(invoice: Invoice, submission: str | None) -> "str | Promise | None":
    if not invoice.is_published or invoice.document is None:
        return NOT_PUBLISHED
    if submission is not None:
        return ACCEPTED if submission == Submission.State.ACCEPTED else ON_ITS_WAY
    # A file that was given for rows of a table is as much the ERP's as one that was imported.
    if invoice.origin in (Invoice.Origin.FACTURX, Invoice.Origin.PDF) or (
        invoice.document.source == Document.Source.RECEIVED
    ):
        return FROM_THE_ERP
    try:
        check_issuer(invoice)
    except IncompleteIssuerError:
        return INCOMPLETE_COMPANY
    printed = getattr(invoice.document, "printed", None)
    # E-invoices state all themselves; of documents from before contents were kept no one can say what has changed.
    now = content_to_keep(invoice, content_to_print(invoice))
    return UNCHANGED if now is None or (printed is not None and printed.content == now) else None
