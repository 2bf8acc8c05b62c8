"""Payments and the status 212: amounts by VAT rate, never guessed, in a message that follows schema and rules."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from lxml import etree

from invoices.en16931.model import VatBreakdown
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.formats.cdar import read_statuses
from invoices.formats.cdar_rules import cdar_folder, check_status_message
from invoices.importing.payments import import_payments
from invoices.models import Company, Invoice, LifecycleStatus, Payment, Submission
from invoices.platforms.following import fetch_from
from invoices.platforms.lifecycle import last_status
from invoices.platforms.payments import (
    PaymentRefusedError,
    amounts_by_rate,
    queue_payment_statuses,
    record_payment,
)
from invoices.platforms.simulated.server import SimulatedPlatform
from invoices.platforms.submission import awaiting_submission, queue_submissions, run_submissions
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import connect, make_platform, running_platform, settled, wait_until

TODAY = datetime.date(2025, 7, 1)


def breakdown(*groups: tuple[str, str, str]) -> list[VatBreakdown]:
    return [
        VatBreakdown(category="S", rate=Decimal(rate), taxable_amount=Decimal(base), tax_amount=Decimal(tax))
        for rate, base, tax in groups
    ]


@pytest.mark.parametrize(
    ("groups", "amount", "expected"),
    [
        ([("20", "100.00", "20.00")], "120.00", [("120.00", "20")]),
        ([("20", "100.00", "20.00"), ("5.5", "100.00", "5.50")], "225.50", [("120.00", "20"), ("105.50", "5.5")]),
        # A third of 225.50 is 75.17: 40.0017 at 20 %, 35.1683 at 5.5 %.
        ([("20", "100.00", "20.00"), ("5.5", "100.00", "5.50")], "75.17", [("40.00", "20"), ("35.17", "5.5")]),
        ([("20", "100.00", "20.00"), ("0", "0.00", "0.00")], "60.00", [("60.00", "20")]),
        ([], "60.00", []),
    ],
)
def test_a_payment_is_shared_out_over_the_rates_to_the_cent(
    groups: list[tuple[str, str, str]], amount: str, expected: list[tuple[str, str]]
) -> None:
    shared = amounts_by_rate(breakdown(*groups), Decimal(amount))
    assert [(f"{part:.2f}", str(rate)) for part, rate in shared] == expected


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path, knows_everybody=True) as made:
        yield made


def accepted_invoice(server: SimulatedPlatform) -> Invoice:
    platform = make_platform(server.url)
    company, customer = connect(platform)
    make_invoice(company=company, customer=customer, number="FA-1", issue_date=datetime.date(2025, 6, 7))
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    deliver(server)
    return Invoice.objects.get()


def deliver(server: SimulatedPlatform) -> None:
    queue_submissions(awaiting_submission())
    run_submissions()
    wait_until(lambda: settled(server))
    fetch_from(Company.objects.get().platform)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_payment_is_reported_once_with_its_amounts(server: SimulatedPlatform) -> None:
    invoice = accepted_invoice(server)
    assert queue_payment_statuses() == 0
    payment, is_new = record_payment(invoice=invoice, date=TODAY, amount=Decimal("120.00"))
    assert is_new
    assert (queue_payment_statuses(), queue_payment_statuses()) == (1, 0)
    deliver(server)

    line = Submission.objects.get(payment=payment)
    assert line.state == Submission.State.ACCEPTED, line.reason
    root = etree.fromstring(line.content.encode())
    assert check_status_message(root) == []
    (message,) = read_statuses(line.content.encode())
    assert (message.number, message.code) == ("FA-1", "212")
    assert message.reason == "120,00\u00a0€ encaissés (TVA 20 %)"
    assert LifecycleStatus.objects.get(code="212").at.date() == TODAY


@pytest.mark.django_db
def test_two_payments_of_one_day_are_both_reported(server: SimulatedPlatform) -> None:
    invoice = accepted_invoice(server)
    for amount in ("20.00", "100.00"):
        record_payment(invoice=invoice, date=TODAY, amount=Decimal(amount))
    assert queue_payment_statuses() == 2
    deliver(server)
    told = LifecycleStatus.objects.get(code="212").reason.split(" ; ")
    assert sorted(told) == ["100,00\u00a0€ encaissés", "20,00\u00a0€ encaissés"]


@pytest.mark.django_db
def test_a_payment_of_today_comes_after_what_the_platform_said_today(server: SimulatedPlatform) -> None:
    invoice = accepted_invoice(server)
    record_payment(invoice=invoice, date=timezone.localdate(), amount=Decimal("120.00"))
    queue_payment_statuses()
    deliver(server)
    status = last_status(invoice)
    assert status is not None
    assert status.code == "212"


@pytest.mark.django_db
def test_the_message_follows_the_rules_of_the_reform(server: SimulatedPlatform) -> None:
    from saxonche import PySaxonProcessor

    record_payment(invoice=accepted_invoice(server), date=TODAY, amount=Decimal("60.00"))
    queue_payment_statuses()
    content = Submission.objects.get(payment__isnull=False).content
    told = [server.book.content(flow["flowId"]).decode() for flow in server.book.search({"flowDirection": ["In"]}, 9)]
    assert len(told) == 3
    with PySaxonProcessor(license=False) as processor:
        rules = cdar_folder() / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"
        compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(rules))
        for message in (content, *told):
            assert check_status_message(etree.fromstring(message.encode())) == []
            bare = message.partition("?>")[2]
            report = compiled.transform_to_string(xdm_node=processor.parse_xml(xml_text=bare))
            failed = etree.fromstring(report.encode()).findall(".//{*}failed-assert")
            assert ["".join(map(str, each.itertext())).strip() for each in failed] == []


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"operations": "B"}, {"vat_on_debits": True}])
def test_nothing_is_reported_where_the_payment_makes_no_vat_due(
    server: SimulatedPlatform, change: dict[str, object]
) -> None:
    invoice = accepted_invoice(server)
    record_payment(invoice=invoice, date=TODAY, amount=Decimal("120.00"))
    Company.objects.update(**change)
    assert queue_payment_statuses() == 0


@pytest.mark.django_db
def test_what_cannot_be_a_payment_is_refused_with_a_sentence() -> None:
    invoice = make_invoice()
    for date, amount, words in (
        (TODAY, "0", "nul"),
        (datetime.date(2999, 1, 1), "1", "01/01/2999"),
        (TODAY, "120.01", "de trop"),
        (TODAY, "-1", "de trop"),
    ):
        with pytest.raises(PaymentRefusedError, match=words):
            record_payment(invoice=invoice, date=date, amount=Decimal(amount))
    record_payment(invoice=invoice, date=TODAY, amount=Decimal("100"))
    assert record_payment(invoice=invoice, date=TODAY, amount=Decimal("100"))[1] is False


@pytest.mark.django_db
def test_a_table_of_payments_is_read_row_by_row() -> None:
    make_invoice(number="FA-1")
    table = "Numéro;Date;Montant\nFA-1;01/07/2025;60,00\nFA-2;01/07/2025;10\nFA-1;x;1\nFA-1;02/07/2025;60\n".encode()
    report = import_payments(table, "reglements.csv")
    assert [payment.amount for payment in report.payments] == [Decimal("60.00"), Decimal("60.00")]
    assert [(each["row"], each["number"]) for each in report.rejected] == [(3, "FA-2"), (4, "FA-1")]
    assert import_payments(table, "reglements.csv").unchanged == 2
    assert Payment.objects.count() == 2
    (refused,) = import_payments(b"a;b\n1;2\n", "autre.csv").rejected
    assert "numero, date, montant" in refused["reason"]
