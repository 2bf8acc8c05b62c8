"""What a check found in an invoice, in the form that is shown to staff and kept beside the invoice."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether the invoice may leave: an error keeps it back, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Source(StrEnum):
    """Who found it."""

    OWN = "own"
    """Our own checks."""
    SCHEMA = "schema"
    """The XSD of Factur-X."""
    EN16931 = "en16931"
    """The rules of EN 16931 as Factur-X ships them."""
    BR_FR = "br-fr"
    """The rules of the French reform (XP Z12-012)."""
    ENGINE = "engine"
    """The rule engine itself: the invoice could not be judged."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or doubtful in one place of one invoice.

    ``invoices.en16931.model.to_json`` writes it, ``from_json`` reads it back.
    """

    code: str
    """The rule (``BR-CO-15``, ``BR-FR-10_BT-30``) or the name of one of our checks (``OWN-SIREN``)."""
    severity: Severity
    business_term: str
    """``BT-31``, ``BG-23``, or nothing where the rule concerns the whole document."""
    message_fr: str
    """A French sentence for the accounts department."""
    source: Source
    location: str = ""
    """Where: ``ligne 3`` or the short path in the XML."""
    original: str = ""
    """The rule's own wording, where ``message_fr`` is ours."""

    @property
    def is_error(self) -> bool:
        """True where the invoice must not leave as an e-invoice."""
        return self.severity == Severity.ERROR


def has_errors(findings: tuple[Finding, ...]) -> bool:
    """Whether at least one finding keeps the invoice back."""
    return any(finding.is_error for finding in findings)


def merged(own: tuple[Finding, ...], of_rules: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Our findings, then those of the rules that say something new, errors first.

    Where both found an error in the same business term, ours is kept: it gives the figures, or says what to do.
    """

    def place(finding: Finding) -> tuple[str, str]:
        return finding.business_term, finding.location if finding.location.startswith("ligne ") else ""

    known = {place(finding) for finding in own if finding.is_error and finding.business_term}
    news = tuple(finding for finding in of_rules if place(finding) not in known)
    return tuple(sorted((*own, *news), key=lambda finding: not finding.is_error))


def own_finding(
    code: str, business_term: str, message_fr: str, *, severity: Severity = Severity.ERROR, location: str = ""
) -> Finding:
    """A finding of our own checks."""
    return Finding(code, severity, business_term, message_fr, Source.OWN, location)
