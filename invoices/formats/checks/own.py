"""Our own checks of an invoice: what no official rule set catches, and what French law wants to see.

Pure: they look at the content, before any XML is written. The parts: :mod:`party_checks` (numbers of the
parties), :mod:`amount_checks` (arithmetic to the cent), :mod:`mention_checks` (what the law wants to be said),
and here number, dates and characters.
"""

import re
from collections.abc import Iterator
from decimal import localcontext
from typing import Final

from invoices.en16931.model import InvoiceContent, Period
from invoices.formats.checks.amounts import check_amounts
from invoices.formats.checks.mentions import check_mentions, names_of
from invoices.formats.checks.parties import check_parties
from invoices.formats.findings import Finding, Severity, own_finding
from invoices.formats.french import DOWN_PAYMENT_TYPES
from invoices.formats.french_parties import BuyerKind

# BR-FR-01, BR-FR-02: also what a file name and an address in the portal can bear.
_NUMBER: Final = re.compile(r"[A-Za-z0-9+\-_/]{1,35}")
_ALREADY_PAID: Final = frozenset({"B2", "S2", "M2"})
_NOT_WRITABLE: Final = re.compile("[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]")


def check_content(content: InvoiceContent, *, buyer_kind: BuyerKind, einvoice_due: bool = True) -> tuple[Finding, ...]:
    """Everything of our own that is wrong with ``content``, completed by :func:`french.complete_for_france`.

    ``einvoice_due``: the seller must issue e-invoices on the invoice's date, so that the four new mentions are
    obligatory (``SellerPolicy.must_issue_einvoices_on``).
    """
    with localcontext(prec=80):  # exact, however absurd the numbers
        return (
            *_check_number(content),
            *_check_dates(content),
            *_check_characters(content),
            *check_parties(content, buyer_kind=buyer_kind, einvoice_due=einvoice_due),
            *check_mentions(content, buyer_kind=buyer_kind, einvoice_due=einvoice_due),
            *check_amounts(content),
        )


def _check_number(content: InvoiceContent) -> Iterator[Finding]:
    """BT-1, and BT-25 of the invoices referred to."""
    if not content.number:
        yield own_finding("OWN-NUMBER", "BT-1", "Le numéro de facture manque.")
    elif not _NUMBER.fullmatch(content.number):
        yield own_finding("OWN-NUMBER", "BT-1", _number_sentence(content.number))
    for reference in content.preceding_invoices:
        if not _NUMBER.fullmatch(reference.number):
            yield own_finding("OWN-NUMBER", "BT-25", _number_sentence(reference.number))


def _number_sentence(number: str) -> str:
    """What is wrong with a number."""
    return (
        f"Le numéro « {number} » ne convient pas : 35 caractères au plus, "
        "parmi les lettres sans accent, les chiffres et + - _ /, sans espace."
    )


def _check_dates(content: InvoiceContent) -> Iterator[Finding]:
    """Dates that are missing or in the wrong order."""
    issued = content.issue_date
    if issued is None:
        yield own_finding("OWN-ISSUE-DATE", "BT-2", "La date d’émission manque.")
    else:
        # BR-FR-CO-07: a down payment and an invoice paid before are due before they are issued.
        may_be_due_before = content.type_code in DOWN_PAYMENT_TYPES or content.business_process in _ALREADY_PAID
        if content.due_date is not None and content.due_date < issued and not may_be_due_before:
            message = f"L’échéance ({content.due_date:%d/%m/%Y}) précède l’émission ({issued:%d/%m/%Y})."
            yield own_finding("OWN-DUE-DATE", "BT-9", message)
        for reference in content.preceding_invoices:
            if reference.date is not None and reference.date > issued:
                message = f"La facture antérieure {reference.number} est datée après celle-ci."
                yield own_finding("OWN-PRECEDING-DATE", "BT-26", message)
    if _is_reversed(content.period):
        yield own_finding("OWN-PERIOD", "BT-74", "La période de facturation se termine avant de commencer.")
    for line in content.lines:
        if _is_reversed(line.period):
            message = "La période de la ligne se termine avant de commencer."
            yield own_finding("OWN-PERIOD", "BT-135", message, location=f"ligne {line.identifier}")


def _is_reversed(period: Period | None) -> bool:
    """Whether a period ends before it begins."""
    return period is not None and period.start is not None and period.end is not None and period.end < period.start


def _check_characters(content: InvoiceContent) -> Iterator[Finding]:
    """Characters that XML cannot hold and that the writer therefore drops."""
    texts = [("BT-27", text) for text in names_of(content.seller)]
    texts += [("BT-44", text) for text in names_of(content.buyer)]
    texts += [("BT-22", note.text) for note in content.notes]
    texts += [("BT-153", line.name) for line in content.lines]
    texts += [("BT-154", line.description) for line in content.lines]
    for term, text in texts:
        if _NOT_WRITABLE.search(text):
            shown = _NOT_WRITABLE.sub("\ufffd", text)
            message = f"Le texte « {shown} » contient un caractère de contrôle, qui ne sera pas écrit."
            yield own_finding("OWN-CHARACTER", term, message, severity=Severity.WARNING)
