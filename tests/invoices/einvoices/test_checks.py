"""E-invoices are checked once per content, and what the check says decides what may leave."""

import datetime
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer
from invoices.documents.versions import publish_new_version
from invoices.einvoices.checks import check_invoices, check_waiting, findings_of, needing_check, rule_checker
from invoices.einvoices.einvoice import einvoice_of
from invoices.einvoices.tasks import check_einvoices, wake_checks
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, recheck_customer, start_export
from invoices.exporting.run.worker import run_lines
from invoices.exporting.selection import count_selection, list_selection
from invoices.formats.findings import Finding, Severity, Source
from invoices.formats.reading import read_einvoice
from invoices.formats.rules import Profile, RuleChecker, profile_named
from invoices.importing.run import import_erp
from invoices.models import ContentCheck, Document, ExportItem, Invoice
from tests.support.einvoice_samples import state_profile, with_pdf_changes
from tests.support.factories import make_company, make_customer, make_invoice
from tests.support.invoice_examples import french_vat

pytestmark = pytest.mark.django_db

CheckState = Invoice.CheckState
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
SIREN = "552100554"


def make_right_invoice(**fields: Any) -> Invoice:
    """An invoice of a company that states all that the law wants, to a firm in Paris with its SIREN."""
    make_company().__class__.objects.update(operations="S")
    if "customer" not in fields:
        fields["customer"] = make_customer(siren=SIREN, vat_identifier=french_vat(SIREN))
    return make_invoice(**fields)


def make_wrong_invoice(**fields: Any) -> Invoice:
    """The same with a total that its VAT does not make up."""
    return make_right_invoice(total_vat="20.01", **fields)


def check_all() -> Any:
    return check_invoices(needing_check(timezone.now()))


def reload(invoice: Invoice) -> Invoice:
    return Invoice.objects.select_related("content_check", "customer", "company").get(pk=invoice.pk)


def embedded_xml(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return opened.attachments["factur-x.xml"].get_file().read_bytes()


@pytest.fixture
def counted_runs(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The XML of each run of the rules."""
    runs: list[bytes] = []
    check = RuleChecker.check

    def counting(self: RuleChecker, xml: bytes, *profile: Profile) -> tuple[Finding, ...]:
        runs.append(xml)
        return check(self, xml, *profile)

    monkeypatch.setattr(RuleChecker, "check", counting)
    return runs


def test_a_right_invoice_is_valid_by_all_rules() -> None:
    invoice = make_right_invoice()

    figures = check_all()

    invoice = reload(invoice)
    assert findings_of(invoice.content_check) == ()
    assert (figures.valid, figures.invalid) == (1, 0)
    assert invoice.check_state == CheckState.VALID
    assert invoice.content_check is not None
    assert invoice.content_check.xml_sha256 == hashlib.sha256(einvoice_of(invoice).xml or b"").hexdigest()


def test_a_wrong_invoice_is_to_correct_with_the_business_term_and_a_french_sentence() -> None:
    invoice = make_wrong_invoice()

    check_all()

    invoice = reload(invoice)
    assert invoice.check_state == CheckState.INVALID
    errors = [finding for finding in findings_of(invoice.content_check) if finding.is_error]
    assert {"BT-110", "BT-117"} & {finding.business_term for finding in errors}
    assert any("20,01" in finding.message_fr for finding in errors)


def test_the_rules_run_once_per_content_whoever_asks(counted_runs: list[bytes]) -> None:
    make_right_invoice()
    check_all()
    assert len(counted_runs) == 1

    assert not needing_check(timezone.now()).exists()
    call_command("check_einvoices", "--all")
    run_lines(start_export(export=create_export(criteria=FULL)))

    assert len(counted_runs) == 1
    assert Invoice.objects.published().count() == 1


def test_the_export_checks_what_nobody_has_checked(counted_runs: list[bytes]) -> None:
    invoice = make_right_invoice()

    run_lines(start_export(export=create_export(criteria=FULL)))

    invoice = reload(invoice)
    assert invoice.is_published
    assert invoice.check_state == CheckState.VALID
    assert len(counted_runs) == 1
    assert invoice.document is not None
    with default_storage.open(invoice.document.storage_name) as file:
        assert embedded_xml(file.read()) == counted_runs[0]
    assert invoice.document.profile == "EN 16931"


def test_a_change_of_invoice_customer_or_company_asks_for_another_check(counted_runs: list[bytes]) -> None:
    invoice = make_right_invoice()
    check_all()
    changes = (
        (invoice.customer, "city", "Lyon"),
        (invoice.company, "phone", "04 72 00 00 00"),
        (invoice, "purchase_order_reference", "BC-12"),
    )
    for minutes, (changed, field, value) in enumerate(changes, start=1):
        with time_machine.travel(timezone.now() + datetime.timedelta(minutes=minutes)):
            setattr(changed, field, value)
            changed.save()
            assert needing_check(timezone.now()).count() == 1
            check_all()
            assert not needing_check(timezone.now()).exists()
    assert len(counted_runs) == 4


def test_a_change_that_the_invoice_does_not_print_costs_no_run_of_the_rules(counted_runs: list[bytes]) -> None:
    invoice = make_right_invoice()
    check_all()
    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=5), tick=False):
        invoice.company.privacy_page = "Vos données…"
        invoice.company.save()
        assert check_all().total == 1
    assert len(counted_runs) == 1


def test_checks_by_older_rules_are_done_again() -> None:
    make_right_invoice()
    check_all()
    ContentCheck.objects.update(rules_version="factur-x 7.7 / 000000000000 fr professional")
    assert not needing_check(timezone.now()).exists()

    assert needing_check(timezone.now() + datetime.timedelta(hours=2)).count() == 1


def test_individuals_have_no_e_invoice_unless_the_company_wants_it() -> None:
    company = make_company()
    customer = make_customer(kind="individual")
    invoice = make_right_invoice(customer=customer)
    check_all()
    assert reload(invoice).check_state == CheckState.NOT_NEEDED

    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=5), tick=False):
        company.refresh_from_db()
        company.facturx_for_all = True
        company.save()
        check_all()
    invoice = reload(invoice)
    assert findings_of(invoice.content_check) == ()
    assert invoice.check_state == CheckState.VALID


def test_with_findings_the_plain_pdf_leaves_where_the_company_lets_it_and_the_line_says_so() -> None:
    invoice = make_wrong_invoice()

    export = start_export(export=create_export(criteria=FULL))
    run_lines(export)

    item = export.items.get()
    assert item.state == ExportItem.State.PUBLISHED
    assert item.note.startswith("PDF simple, sans e-facture : ")
    invoice = reload(invoice)
    assert invoice.document is not None
    assert (invoice.document.profile, invoice.document.xml_sha256) == ("", "")
    with default_storage.open(invoice.document.storage_name) as file, pikepdf.open(io.BytesIO(file.read())) as pdf:
        assert len(pdf.attachments) == 0


def test_with_findings_nothing_leaves_where_the_company_does_not_let_it() -> None:
    wrong, right = make_wrong_invoice(), make_right_invoice()
    wrong.company.allow_plain_pdf = False
    wrong.company.save()

    unchecked = start_export(export=create_export(criteria=FULL))
    run_lines(unchecked)

    assert unchecked.items.get(invoice=wrong).reason == ExportItem.Reason.NOT_COMPLIANT
    assert reload(right).is_published
    assert not reload(wrong).is_published
    # Once the finding is known, the list itself says so, in SQL and in Python alike.
    check_all()
    known = create_export(criteria=FULL)
    assert known.items.get(invoice=wrong).reason == ExportItem.Reason.NOT_COMPLIANT
    assert count_selection(FULL).left_out == {"already_exported": 1, "not_compliant": 1}
    assert {invoice.pk: verdict.reason for invoice, verdict in list_selection(FULL)}[wrong.pk] == "not_compliant"


def test_a_corrected_invoice_becomes_ready_on_the_same_list() -> None:
    wrong = make_wrong_invoice()
    wrong.company.allow_plain_pdf = False
    wrong.company.save()
    check_all()
    export = create_export(criteria=FULL)
    assert export.items.get().reason == ExportItem.Reason.NOT_COMPLIANT
    assert recheck_customer(export=export, customer_id=wrong.customer_id) == 0

    with time_machine.travel(timezone.now() + datetime.timedelta(seconds=5), tick=False):
        wrong.total_vat, wrong.total_with_vat, wrong.amount_due = 20, 120, 120
        wrong.save()
        assert recheck_customer(export=export, customer_id=wrong.customer_id) == 1
        run_lines(start_export(export=export))
    assert reload(wrong).is_published


def test_a_crash_of_the_rule_engine_is_a_finding_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = make_right_invoice()
    checker = rule_checker(is_french=True)
    checker.close()
    monkeypatch.setattr("invoices.formats.rules._CHILD", "/nonexistent.py")
    check_all()
    invoice = reload(invoice)
    assert invoice.check_state == CheckState.INVALID
    assert [finding.source for finding in findings_of(invoice.content_check)] == [Source.ENGINE]

    monkeypatch.undo()
    run_lines(start_export(export=create_export(criteria=FULL)))

    invoice = reload(invoice)
    assert invoice.check_state == CheckState.VALID
    assert invoice.document is not None
    assert invoice.document.profile == "EN 16931"


def test_an_e_invoice_that_cannot_be_written_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = make_right_invoice(), make_right_invoice()

    def write_or_fail(invoice: Invoice) -> Any:
        if invoice.pk == bad.pk:
            raise ValueError("no such unit")
        return einvoice_of(invoice)

    monkeypatch.setattr("invoices.einvoices.checks.einvoice_of", write_or_fail)
    check_all()

    assert reload(good).check_state == CheckState.VALID
    finding = findings_of(reload(bad).content_check)[0]
    assert (finding.code, finding.severity) == ("OWN-WRITE", Severity.ERROR)
    assert "no such unit" in finding.message_fr


def test_the_command_names_what_is_to_correct_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    make_right_invoice()
    wrong = make_wrong_invoice()

    with pytest.raises(SystemExit) as ended:
        call_command("check_einvoices", "--json")

    assert ended.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["checked"], said["valid"], said["invalid"]) == (2, 1, 1)
    assert [each["number"] for each in said["to_correct"]] == [wrong.number]


def test_the_task_checks_what_waits_and_a_sweep_wakes_it(settings: Any) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    invoice = make_right_invoice()
    assert check_einvoices.func() == 1
    assert reload(invoice).check_state == CheckState.VALID
    assert wake_checks() is False

    another = make_right_invoice()
    assert wake_checks() is True
    assert reload(another).check_state == CheckState.VALID


def test_a_batch_costs_the_same_number_of_statements_whatever_its_size() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            check_all()
        return len(captured)

    customer = make_customer(kind="individual")
    make_right_invoice(customer=customer)
    few = statements()
    for _number in range(20):
        make_right_invoice(customer=customer)

    assert statements() == few


def test_the_invoice_of_a_foreign_company_is_not_judged_by_french_rules() -> None:
    company = make_company(siren="", name="Lieferant GmbH", country="DE", siret="", vat_identifier="DE123456789")
    invoice = make_invoice(company=company, customer=make_customer(country="DE", vat_identifier="DE999999999"))
    check_all()

    invoice = reload(invoice)
    assert [finding for finding in findings_of(invoice.content_check) if finding.is_error] == []
    assert not [finding for finding in findings_of(invoice.content_check) if finding.source == Source.BR_FR]


SAMPLES = Path(__file__).parents[2] / "data" / "einvoices"


FNFE = "fnfe-factur-x-samples/Facture_F20220028-LE_FOURNISSEUR-POUR-LE_CLIENT_EXTENDED.pdf"
# From before the reform, and attached as «Source».
OF_FNFE = {"BR-FR-08_BT-23", "BR-FR-17_BT-123", "OWN-PDF-RELATION"}


def receive(sample: str) -> Invoice:
    """A Factur-X of the ERP, imported and checked."""
    import_erp([SAMPLES / sample], create_companies=True)
    check_all()
    return Invoice.objects.select_related("content_check").get()


def test_a_received_facturx_is_judged_by_its_own_profile_and_only_warned_of(counted_runs: list[bytes]) -> None:
    invoice = receive(FNFE)

    assert invoice.check_state == CheckState.RECEIVED
    found = findings_of(invoice.content_check)
    assert {finding.code for finding in found} == OF_FNFE
    assert {finding.severity for finding in found} == {Severity.WARNING}
    # The same file again, in another installation's hands or after a change of its customer: nothing is run anew.
    Invoice.objects.update(check_state=CheckState.UNCHECKED)
    check_all()
    assert len(counted_runs) == 1


def test_what_the_rules_say_of_a_received_facturx_does_not_hold_it_back() -> None:
    invoice = receive(FNFE)
    Customer.objects.update(invoice_copies="D")

    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))

    assert reload(invoice).is_published


def publish_unchecked(sample: str = FNFE) -> Invoice:
    """A Factur-X that came and was exported before anything looked at it."""
    import_erp([SAMPLES / sample], create_companies=True)
    Customer.objects.update(invoice_copies="D")
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    return reload(Invoice.objects.get())


def test_a_received_facturx_that_left_before_its_check_is_looked_at_afterwards() -> None:
    invoice = publish_unchecked()
    assert (invoice.is_published, invoice.check_state) == (True, CheckState.UNCHECKED)
    before = invoice.updated_at

    assert wake_checks()
    assert check_einvoices.func() == 1

    invoice = reload(invoice)
    assert invoice.check_state == CheckState.RECEIVED
    assert {finding.code for finding in findings_of(invoice.content_check)} == OF_FNFE
    assert invoice.updated_at == before
    assert not wake_checks()


def test_another_content_before_publication_is_not_shown_with_the_findings_of_the_first(tmp_path: Path) -> None:
    invoice = receive(FNFE)
    Invoice.objects.update(content_hash="another")
    Document.objects.update(sha256="0" * 64)

    invoice = publish_unchecked()

    assert (invoice.check_state, invoice.content_check) == (CheckState.UNCHECKED, None)
    call_command("check_einvoices")
    assert reload(invoice).check_state == CheckState.RECEIVED


def test_a_new_version_from_the_erp_is_looked_at_too() -> None:
    invoice = publish_unchecked()
    call_command("check_einvoices")
    runs = ContentCheck.objects.count()
    assert invoice.document is not None
    with default_storage.open(invoice.document.storage_name) as file:
        same_content = file.read() + b"\n% another copy"

    publish_new_version(invoice=reload(invoice), reason="Tampon", pdf=same_content)

    assert reload(invoice).check_state == CheckState.UNCHECKED
    call_command("check_einvoices")
    invoice = reload(invoice)
    assert invoice.check_state == CheckState.RECEIVED
    assert findings_of(invoice.content_check)
    assert ContentCheck.objects.count() == runs  # the same XML: nothing is run anew


def test_what_left_without_an_e_invoice_is_not_asked_about_again() -> None:
    make_invoice(customer=make_customer(kind="individual"))
    run_lines(start_export(export=create_export(criteria=FULL)))
    assert Invoice.objects.get().check_state == CheckState.UNCHECKED
    check_waiting()
    assert Invoice.objects.get().check_state == CheckState.NOT_NEEDED


def test_an_e_invoice_that_does_not_say_its_profile_is_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "facture.pdf").write_bytes(with_pdf_changes(state_profile("")))
    import_erp([tmp_path], create_companies=True)
    check_all()
    check = Invoice.objects.get().content_check
    assert check is not None
    assert [finding["business_term"] for finding in check.of_container] == ["BT-24"]


def test_a_foreign_facturx_is_not_judged_by_the_french_rules() -> None:
    invoice = receive("zugferd-corpus/EN16931_Einfach.pdf")
    assert invoice.check_state == CheckState.RECEIVED
    assert findings_of(invoice.content_check) == ()


@pytest.mark.parametrize("profile", Profile)
def test_each_profile_has_rules_of_its_own_that_its_sample_satisfies(profile: Profile) -> None:
    xml = (SAMPLES / "akretion-factur-x" / f"factur-x-{profile}.xml").read_bytes()
    assert profile_named(read_einvoice(xml).profile) == profile
    found = rule_checker(is_french=False).check(xml, profile)
    assert [
        finding for finding in found if finding.source != Source.EN16931 or not finding.code.startswith("FX-")
    ] == []
    broken = xml.replace(b"InvoiceCurrencyCode>EUR<", b"InvoiceCurrencyCode>EURO<")
    assert broken != xml
    assert any(finding.is_error for finding in rule_checker(is_french=False).check(broken, profile))
