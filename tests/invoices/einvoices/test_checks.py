"""E-invoices are checked once per content, and what the check says decides what may leave."""

import datetime
import hashlib
import io
import json
from typing import Any

import pikepdf
import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoices.einvoices.checks import findings_of, needing_check, rule_checker
from invoices.einvoices.einvoice import einvoice_of
from invoices.einvoices.tasks import check_einvoices, wake_checks
from invoices.exporting.criteria import Criteria
from invoices.exporting.exports import create_export, recheck_customer, start_export
from invoices.exporting.run.worker import run_lines
from invoices.exporting.selection import count_selection, list_selection
from invoices.formats.findings import Severity, Source
from invoices.models import ContentCheck, ExportItem, Invoice
from tests.support.einvoice_checks import check_all, reload
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


def embedded_xml(pdf: bytes) -> bytes:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return opened.attachments["factur-x.xml"].get_file().read_bytes()


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


def test_the_export_checks_what_was_not_checked_yet(counted_runs: list[bytes]) -> None:
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
