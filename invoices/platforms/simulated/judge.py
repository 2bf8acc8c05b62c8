"""What a simulated platform makes of a file: the checks of a real one, by schemas and rules."""

from dataclasses import dataclass, replace

from invoices.formats.cdar import read_statuses
from invoices.formats.cdar_rules import check_status_message
from invoices.formats.findings import Finding
from invoices.formats.reading import Reading, read_einvoice
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.rules import RuleChecker, profile_named
from invoices.formats.safe_xml import parse


@dataclass(frozen=True, slots=True)
class Judgement:
    """The invoice in a file, and the first reason to refuse it (a code of BR-FR-CDV, words), if there is one."""

    number: str = ""
    type_code: str = "380"
    issue_date: str = ""
    seller: str = ""
    seller_name: str = ""
    buyer: str = ""
    buyer_name: str = ""
    address: str = ""
    reason_code: str = ""
    reason: str = ""


def judge_invoice(content: bytes, syntax: str, checker: RuleChecker | None) -> Judgement:
    """Read an invoice as a platform does: its container, and by ``checker`` schema and rules, where there is one."""
    try:
        reading = read_einvoice(content)
    except UnreadableEInvoice as refusal:
        return Judgement(reason_code="REJ_SEMAN", reason=refusal.reason)
    said = reading.content
    found = Judgement(
        number=said.number,
        type_code=said.type_code,
        issue_date=said.issue_date.isoformat() if said.issue_date else "",
        seller=said.seller.legal_identifier.value if said.seller.legal_identifier else "",
        seller_name=said.seller.name,
        buyer=said.buyer.legal_identifier.value if said.buyer.legal_identifier else "",
        buyer_name=said.buyer.name,
        address=said.buyer.electronic_address.value if said.buyer.electronic_address else "",
    )
    stated = {"Factur-X": ("CII", "pdf"), "CII": ("CII", "xml"), "UBL": ("UBL", "xml")}[syntax]
    if (reading.syntax, reading.container) != stated:
        return _refused(found, f"Le fichier n’est pas du format annoncé ({syntax}).")
    problems = _problems(checker, reading) if checker is not None and reading.syntax == "CII" else []
    return _refused(found, problems[0].message_fr) if problems else found


def _problems(checker: RuleChecker, reading: Reading) -> list[Finding]:
    """The errors of schema and rules."""
    return [finding for finding in checker.check(reading.xml, profile_named(reading.profile)) if finding.is_error]


def _refused(found: Judgement, reason: str) -> Judgement:
    return replace(found, reason_code="REJ_SEMAN", reason=reason)


def judge_status(content: bytes) -> str:
    """Why a message of the life cycle is refused; nothing where it is right."""
    try:
        read_statuses(content)
        return next(iter(check_status_message(parse(content))), "")
    except UnreadableEInvoice as refusal:
        return refusal.reason
