"""Received Factur-X: judged by their own profile, warned of and never held back, looked at afterwards."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command

from customers.models import Customer
from invoices.documents.versions import publish_new_version
from invoices.einvoices.checks import check_waiting, findings_of, rule_checker
from invoices.einvoices.tasks import check_einvoices, wake_checks
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.formats.findings import Severity, Source
from invoices.formats.reading import read_einvoice
from invoices.formats.rules import Profile, profile_named
from invoices.importing.run import import_erp
from invoices.models import ContentCheck, Document, Invoice
from tests.support.einvoice_checks import check_all, reload
from tests.support.einvoice_samples import state_profile, with_pdf_changes
from tests.support.factories import make_customer, make_invoice

pytestmark = pytest.mark.django_db

CheckState = Invoice.CheckState
FULL = Criteria(generate_credentials=True, notify=True, attach_pdf=True)
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
    # The same file again, in another installation's hands or after a change of its customer: nothing is run again.
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
    assert ContentCheck.objects.count() == runs  # the same XML: nothing is run again


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
