"""Checking e-invoices before they leave, once per content and off the export's path.

What schema, rule sets and our own checks say of an XML is remembered by its hash (:class:`ContentCheck`) and by the
version of the rules. The invoice keeps the outcome for lists; it is stale as soon as the invoice, its customer or its
company changed after it was read. The rules run in a helper process (one per process that checks), never in a web
process: pages only show what is remembered.
"""

import atexit
import datetime
import functools
import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from invoices.content.from_rows import prefetch_for_content
from invoices.einvoices.einvoice import EInvoice, einvoice_of, is_french_seller
from invoices.einvoices.xml_files import read_xml_and_container, xml_source_of
from invoices.en16931.model import from_json, to_json
from invoices.formats.checks.amounts import check_amounts
from invoices.formats.checks.own import check_content
from invoices.formats.findings import Finding, Severity, Source, has_errors, merged, own_finding
from invoices.formats.reading import Kind, kind_of
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.rules import RuleChecker, profile_named, ruleset_version
from invoices.models import ContentCheck, Document, Invoice, InvoiceQuerySet
from invoices.store.frozen import DocumentAlteredError

logger = logging.getLogger(__name__)
CheckState = Invoice.CheckState

BATCH: Final = 50
OUTDATED_AFTER: Final = datetime.timedelta(hours=1)
"""How long a check by older rules, or one that the engine broke off, is kept before a sweep does it again."""
_BROKEN_OFF: Final = "interrompu"
_FACTURX: Final = Invoice.Origin.FACTURX
_FOREIGN_GUIDELINE: Final = "FX-SCH-A-000556"
"""BT-24 is none of Factur-X: XRechnung and others say their own, which is no fault."""


@dataclass(slots=True)
class CheckCounts:
    """What a run found: numbers of invoices, and how often the rules had to run."""

    valid: int = 0
    invalid: int = 0
    not_needed: int = 0
    received: int = 0
    rule_runs: int = 0

    @property
    def total(self) -> int:
        """Invoices looked at."""
        return self.valid + self.invalid + self.not_needed + self.received


def needing_check(now: datetime.datetime) -> InvoiceQuerySet:
    """The invoices that wait for their export and whose check is missing, stale, or by older rules."""
    is_stale = (
        Q(check_state=CheckState.UNCHECKED)
        | Q(checked_at__isnull=True)
        | Q(checked_at__lt=F("updated_at"))
        | Q(checked_at__lt=F("customer__updated_at"))
        | Q(checked_at__lt=F("company__updated_at"))
    )
    is_outdated = (
        Q(content_check__isnull=False)
        & ~Q(content_check__rules_version__startswith=ruleset_version())
        & Q(checked_at__lt=now - OUTDATED_AFTER)
    )
    return Invoice.objects.pending().filter(is_stale | is_outdated)


def received_unchecked() -> InvoiceQuerySet:
    """The published invoices whose received Factur-X was not checked: it left before its check, or came since."""
    return (
        Invoice.objects.published()
        .filter(check_state=CheckState.UNCHECKED, document__source=Document.Source.RECEIVED)
        .exclude(document__xml_sha256="")
    )


def settle_published() -> int:
    """Say of the published invoices without e-invoice in their document that they need no check; returns how many."""
    unchecked = Invoice.objects.published().filter(check_state=CheckState.UNCHECKED, document__xml_sha256="")
    return unchecked.update(check_state=CheckState.NOT_NEEDED)


def check_waiting(
    pending: InvoiceQuerySet | None = None,
    *,
    seconds: float | None = None,
    on_progress: Callable[[CheckCounts], None] = lambda figures: None,
) -> CheckCounts:
    """Check ``pending`` (by default those that need it), and :func:`received_unchecked`, until ``seconds`` are over."""
    began = time.monotonic()
    wanted = needing_check(timezone.now()) if pending is None else pending
    figures = check_invoices(wanted, seconds=seconds, on_progress=on_progress)
    left = None if seconds is None else seconds - (time.monotonic() - began)
    check_invoices(received_unchecked(), seconds=left, on_progress=on_progress, figures=figures)
    settle_published()
    return figures


def is_any_waiting() -> bool:
    """True where some invoice needs a check."""
    return needing_check(timezone.now()).exists() or received_unchecked().exists()


def check_invoices(
    invoices: InvoiceQuerySet,
    *,
    seconds: float | None = None,
    on_progress: Callable[[CheckCounts], None] = lambda figures: None,
    figures: CheckCounts | None = None,
) -> CheckCounts:
    """Check ``invoices`` in the order of their keys, a batch at a time, until none is left or ``seconds`` are over.

    Counts in ``figures`` where they are given. An invoice whose check is broken off by an error is «à corriger» with
    that finding: nothing stops the others.
    """
    figures = figures or CheckCounts()
    began = time.monotonic()
    last: Any = None
    while seconds is None or time.monotonic() - began < seconds:
        following = invoices.order_by("pk") if last is None else invoices.order_by("pk").filter(pk__gt=last)
        read_at = timezone.now()
        batch = list(prefetch_for_content(following.select_related("document"))[:BATCH])
        if not batch:
            break
        last = batch[-1].pk
        _check_batch(batch, read_at, figures)
        on_progress(figures)
    return figures


def _check_batch(batch: list[Invoice], read_at: datetime.datetime, figures: CheckCounts) -> None:
    einvoices = _write_einvoices(batch)
    known = _remembered(einvoices.values())
    for invoice in batch:
        invoice.checked_at = read_at
        einvoice = einvoices.get(invoice.pk)
        if einvoice is not None or invoice.is_published:
            _judge_or_note_error(invoice, einvoice, known, figures)
    Invoice.objects.bulk_update(batch, ["check_state", "content_check", "checked_at"])
    for invoice in batch:
        figures.valid += invoice.check_state == CheckState.VALID
        figures.invalid += invoice.check_state == CheckState.INVALID
        figures.not_needed += invoice.check_state == CheckState.NOT_NEEDED
        figures.received += invoice.check_state == CheckState.RECEIVED


def _write_einvoices(batch: list[Invoice]) -> dict[Any, EInvoice]:
    """The e-invoices of those that are not published, by primary key; a finding on those that cannot be written."""
    einvoices: dict[Any, EInvoice] = {}
    for invoice in batch:
        if invoice.is_published:  # its document is what it is
            continue
        try:
            einvoices[invoice.pk] = einvoice_of(invoice)
        except Exception as error:
            logger.exception("The e-invoice of %s cannot be written", invoice.number)
            _note_broken_off(invoice, _not_written(error), CheckState.INVALID)
    return einvoices


def _judge_or_note_error(
    invoice: Invoice, einvoice: EInvoice | None, known: dict[tuple[str, str], ContentCheck], figures: CheckCounts
) -> None:
    try:
        _judge(invoice, einvoice, known, figures)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("The e-invoice of %s cannot be checked", invoice.number)
        came = invoice.is_published or invoice.origin == _FACTURX
        finding = _not_written(error, severity=Severity.WARNING if came else Severity.ERROR)
        _note_broken_off(invoice, finding, CheckState.RECEIVED if came else CheckState.INVALID)


def _note_broken_off(invoice: Invoice, finding: Finding, state: CheckState) -> None:
    invoice.content_check = _keep(hashlib.sha256(invoice.pk.bytes).hexdigest(), _BROKEN_OFF, (finding,))
    invoice.check_state = state


def _judge(
    invoice: Invoice, einvoice: EInvoice | None, known: dict[tuple[str, str], ContentCheck], figures: CheckCounts
) -> None:
    """Note on ``invoice`` what is known of its e-invoice, or is found now."""
    if einvoice is None or einvoice.xml is None:
        came = invoice.is_published or invoice.origin == _FACTURX
        invoice.content_check = _check_received(invoice, figures) if came else None
        invoice.check_state = CheckState.NOT_NEEDED if invoice.content_check is None else CheckState.RECEIVED
        return
    key = (einvoice.xml_sha256, rules_for(einvoice))
    if key not in known:
        figures.rule_runs += 1
        known[key] = _check(einvoice)
    _note(invoice, known[key])


def _check_received(invoice: Invoice, figures: CheckCounts) -> ContentCheck | None:
    """What schema and rules of its own profile say of the Factur-X that came; None where there is none to judge.

    It leaves as it came, whatever they say: all that they find is a warning. The French rules are asked for a company
    in France only; invoices from before the reform do not satisfy them.
    """
    source = xml_source_of(invoice)
    if source is None:
        return None
    is_french = is_french_seller(invoice.company)
    profile = profile_named(source.profile)
    try:
        xml, of_container = read_xml_and_container(source)
        if kind_of(xml) != Kind.CII:
            return None
    except (OSError, DocumentAlteredError, UnreadableEInvoice) as problem:
        logger.warning("The Factur-X of %s cannot be checked: %s", invoice.number, problem)
        return None
    rules = f"{ruleset_version()} received {'fr' if is_french else 'en'} {profile}{_digest_of(of_container)}"
    known = ContentCheck.objects.filter(xml_sha256=source.xml_sha256, rules_version=rules).first()
    if known is not None:
        return known
    figures.rule_runs += 1
    found = (*of_container, *rule_checker(is_french=is_french).check(xml, profile))
    if any(finding.source == Source.ENGINE and finding.code == "RULES-ENGINE" for finding in found):
        rules = f"{_BROKEN_OFF} {rules}"[:100]
    warnings = tuple(
        replace(finding, severity=Severity.WARNING) for finding in found if finding.code != _FOREIGN_GUIDELINE
    )
    return _keep(source.xml_sha256, rules, warnings)


def _digest_of(of_container: tuple[Finding, ...]) -> str:
    """Distinguishes the checks of one XML that came in PDF files with other faults; nothing for a sound one."""
    if not of_container:
        return ""
    said = "\n".join(f"{finding.code} {finding.message_fr}" for finding in of_container)
    return f" {hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _note(invoice: Invoice, check: ContentCheck) -> None:
    invoice.content_check = check
    invoice.check_state = CheckState.VALID if check.is_valid else CheckState.INVALID


def check_for_export(invoice: Invoice, einvoice: EInvoice) -> ContentCheck:
    """What is known of the e-invoice that is about to leave; checked now where nothing is.

    Called outside of any transaction: the rules may take a second. Costs nothing where the invoice remembers it.
    """
    known = invoice.content_check
    if known is not None and (known.xml_sha256, known.rules_version) == (einvoice.xml_sha256, rules_for(einvoice)):
        return known
    read_at = timezone.now()
    check = _remembered([einvoice]).get((einvoice.xml_sha256, rules_for(einvoice))) or _check(einvoice)
    _note(invoice, check)
    Invoice.objects.filter(pk=invoice.pk).update(
        content_check=check, check_state=invoice.check_state, checked_at=read_at
    )
    return check


def rules_for(einvoice: EInvoice) -> str:
    """Names all that a check depends on beside the XML: rule sets, whose rules, who buys, which mentions are due."""
    whose = "fr" if einvoice.is_french else "en"
    due = " due" if einvoice.is_due else ""
    return f"{ruleset_version()} {whose} {einvoice.buyer_kind}{due}"


def findings_of(check: ContentCheck | None) -> tuple[Finding, ...]:
    """The findings that a check remembers, errors first; none where there is no check."""
    return () if check is None else tuple(from_json(Finding, finding) for finding in check.findings)


def _remembered(einvoices: Iterable[EInvoice]) -> dict[tuple[str, str], ContentCheck]:
    """The checks that are remembered of these e-invoices, by hash and version of the rules; one statement."""
    wanted = {(einvoice.xml_sha256, rules_for(einvoice)) for einvoice in einvoices if einvoice.xml is not None}
    if not wanted:
        return {}
    found = ContentCheck.objects.filter(
        xml_sha256__in={sha256 for sha256, _rules in wanted}, rules_version__in={rules for _sha, rules in wanted}
    )
    return {(check.xml_sha256, check.rules_version): check for check in found}


def _check(einvoice: EInvoice) -> ContentCheck:
    """Run the rules and our own checks over the e-invoice and remember what they say."""
    assert einvoice.xml is not None
    if einvoice.is_french:
        own = check_content(einvoice.content, buyer_kind=einvoice.buyer_kind, einvoice_due=einvoice.is_due)
    else:
        own = tuple(check_amounts(einvoice.content))
    of_rules = rule_checker(is_french=einvoice.is_french).check(einvoice.xml)
    findings = merged(own, of_rules)
    rules = rules_for(einvoice)
    if any(finding.source == Source.ENGINE and finding.code == "RULES-ENGINE" for finding in findings):
        # Under another name, so that the next one who asks runs the rules again.
        rules = f"{_BROKEN_OFF} {rules}"[:100]
    return _keep(einvoice.xml_sha256, rules, findings)


def _keep(xml_sha256: str, rules: str, findings: tuple[Finding, ...]) -> ContentCheck:
    values = {"is_valid": not has_errors(findings), "findings": to_json(findings), "checked_at": timezone.now()}
    if rules.startswith(_BROKEN_OFF):
        return ContentCheck.objects.update_or_create(xml_sha256=xml_sha256, rules_version=rules, defaults=values)[0]
    return ContentCheck.objects.get_or_create(xml_sha256=xml_sha256, rules_version=rules, defaults=values)[0]


def _not_written(error: Exception, *, severity: Severity = Severity.ERROR) -> Finding:
    return own_finding(
        "OWN-WRITE",
        "",
        _("L’e-facture n’a pas pu être écrite : %(error)s.") % {"error": str(error)[:200] or type(error).__name__},
        severity=severity,
    )


@functools.cache
def rule_checker(*, is_french: bool) -> RuleChecker:
    """The checker of this process, whose helper starts with the first e-invoice and ends by itself when idle."""
    checker = RuleChecker(french_rules=is_french)
    atexit.register(checker.close)
    return checker
