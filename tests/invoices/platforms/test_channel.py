"""The way an invoice must take by law, in Python and in SQL, and what keeps a mail-only export back."""

import datetime
import json
import logging
from typing import Any

import pytest
from django.core.management import call_command

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, recheck_customer, start_export
from invoices.exporting.run.worker import run_lines
from invoices.exporting.selection import count_selection, list_selection
from invoices.models import Company, Export, ExportItem, Invoice
from invoices.platforms.channel import (
    CHANNEL,
    MUST_USE_PLATFORM,
    Channel,
    channel_of,
    describe_channel,
    is_copy,
    must_use_platform,
)
from tests.support.factories import make_company, make_customer, make_invoice

pytestmark = pytest.mark.django_db

FROM = datetime.date(2026, 9, 1)
BEFORE, AFTER = datetime.date(2026, 8, 31), datetime.date(2026, 9, 1)
ALL = Criteria(scope=Scope.ALL)
CUSTOMERS: list[tuple[dict[str, Any], Channel, bool]] = [
    ({}, Channel.PLATFORM, True),
    ({"country": "RE"}, Channel.PLATFORM, True),
    ({"is_public_body": True}, Channel.PUBLIC, False),
    ({"country": "DE"}, Channel.ABROAD, False),
    ({"country": "DE", "is_public_body": True}, Channel.ABROAD, False),
    ({"kind": "individual"}, Channel.INDIVIDUAL, False),
    ({"kind": "individual", "country": "US"}, Channel.INDIVIDUAL, False),
]


def oblige(**fields: Any) -> Company:
    """The issuing company, obliged since the first of September 2026."""
    company = make_company()
    company.einvoice_from = FROM
    for name, value in fields.items():
        setattr(company, name, value)
    company.save()
    return company


@pytest.mark.parametrize(("customer", "channel", "is_due"), CUSTOMERS)
def test_the_channel_follows_from_who_buys(customer: dict[str, Any], channel: Channel, is_due: bool) -> None:
    company, bought = oblige(platform_name="PA Exemple"), make_customer(**customer)
    late = make_invoice(company=company, customer=bought, issue_date=AFTER, due_date=None)
    early = make_invoice(company=company, customer=bought, issue_date=BEFORE, due_date=None)

    assert (channel_of(late), channel_of(early)) == (channel, channel)
    assert must_use_platform(late) is is_due
    assert must_use_platform(early) is False
    assert is_copy(late) is is_due
    found = dict(Invoice.objects.annotate(channel=CHANNEL).values_list("pk", "channel"))
    assert found == {late.pk: channel, early.pk: channel}
    assert set(Invoice.objects.filter(MUST_USE_PLATFORM)) == ({late} if is_due else set())


TRAINING = "Exonération de TVA, article 261-4-4° du CGI"
FRANCHISE = "TVA non applicable, art. 293 B du CGI"


def stated_breakdown(category: str, reason: str = "", code: str = "") -> dict[str, Any]:
    """What an e-invoice, or the rows of a table with a reason, keep of their VAT."""
    group = {"category": category, "rate": "0", "taxable_amount": "261.00", "tax_amount": "0.00"}
    return {"vat_breakdown": [group | {"exemption_reason": reason} | ({"exemption_code": code} if code else {})]}


@pytest.mark.parametrize(
    ("exemption", "fields", "line", "channel"),
    [
        (TRAINING, {}, ("", 0), Channel.EXEMPT),
        (TRAINING, {}, ("E", 0), Channel.EXEMPT),
        (TRAINING, {}, ("AE", 0), Channel.PLATFORM),
        (TRAINING, {"total_vat": "20.00"}, ("S", 20), Channel.PLATFORM),
        (TRAINING, {"details": stated_breakdown("E", "Article 262 du CGI")}, ("E", 0), Channel.PLATFORM),
        (FRANCHISE, {}, ("", 0), Channel.PLATFORM),
        ("", {}, ("E", 0), Channel.PLATFORM),
        ("", {"details": stated_breakdown("", "Art. 261 C du CGI")}, ("", 0), Channel.EXEMPT),
        ("", {"origin": "cii", "details": stated_breakdown("E", "", "VATEX-FR-CGI261-4")}, ("E", 0), Channel.EXEMPT),
        ("", {"origin": "facturx", "details": stated_breakdown("E", TRAINING)}, ("E", 0), Channel.EXEMPT),
        ("", {"origin": "ubl", "details": stated_breakdown("AE", TRAINING)}, ("AE", 0), Channel.PLATFORM),
        (TRAINING, {"origin": "cii"}, ("E", 0), Channel.PLATFORM),
    ],
)
def test_operations_exempt_by_article_261_are_outside_of_the_reform_and_leave_by_mail(
    exemption: str, fields: dict[str, Any], line: tuple[str, int], channel: Channel
) -> None:
    invoice = make_invoice(
        company=oblige(vat_exemption=exemption), issue_date=AFTER, due_date=None, **({"total_vat": "0.00"} | fields)
    )
    category, rate = line
    invoice.lines.update(vat_category=category, vat_rate=rate)

    is_exempt = channel == Channel.EXEMPT
    assert channel_of(invoice) == channel
    assert must_use_platform(invoice) is not is_exempt
    assert Invoice.objects.annotate(channel=CHANNEL).get().channel == channel  # type: ignore[attr-defined]
    assert Invoice.objects.filter(MUST_USE_PLATFORM).exists() is not is_exempt
    reason = create_export(criteria=ALL).items.get().reason
    assert reason == ("" if is_exempt else ExportItem.Reason.PLATFORM_REQUIRED)
    if is_exempt:
        assert describe_channel(invoice) == "hors champ : opération exonérée"


def test_without_a_date_no_one_is_obliged() -> None:
    invoice = make_invoice(issue_date=AFTER, due_date=None)

    assert must_use_platform(invoice) is False
    assert not Invoice.objects.filter(MUST_USE_PLATFORM).exists()
    assert describe_channel(invoice) == "plateforme agréée (pas encore obligatoire)"


def test_a_company_abroad_is_not_obliged() -> None:
    company = oblige(country="BE")
    assert must_use_platform(make_invoice(company=company, issue_date=AFTER, due_date=None)) is False


def test_the_channel_is_said_in_french_with_its_date() -> None:
    invoice = make_invoice(company=oblige(), issue_date=BEFORE, due_date=None)
    assert describe_channel(invoice) == "plateforme agréée (obligatoire à compter du 01/09/2026)"
    invoice.issue_date = AFTER
    assert describe_channel(invoice) == "plateforme agréée (obligatoire)"


def test_by_mail_only_the_obliged_invoice_waits_and_the_others_leave() -> None:
    company = oblige()
    due = make_invoice(company=company, issue_date=AFTER, due_date=None)
    others = [
        make_invoice(company=company, issue_date=BEFORE, due_date=None),
        make_invoice(company=company, issue_date=AFTER, due_date=None, customer=make_customer(kind="individual")),
    ]

    export = create_export(criteria=ALL)

    assert export.items.get(invoice=due).reason == ExportItem.Reason.PLATFORM_REQUIRED
    assert export.items.filter(invoice__in=others, state=ExportItem.State.READY).count() == 2
    counted = count_selection(ALL)
    assert (counted.candidates, counted.ready, counted.left_out) == (3, 2, {"platform_required": 1})
    assert {invoice.pk: verdict.reason for invoice, verdict in list_selection(ALL)}[due.pk] == "platform_required"
    assert recheck_customer(export=export, customer_id=due.customer_id) == 0


def test_an_override_is_explicit_kept_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    make_invoice(company=oblige(), issue_date=AFTER, due_date=None)

    with caplog.at_level(logging.WARNING, logger="invoices.exporting.exports"):
        call_command("export_invoices", "--scope", "all", "--mail-only-reason", "Plateforme en panne")

    export = Export.objects.get()
    assert export.mail_only_reason == "Plateforme en panne"
    assert export.items.get().state == ExportItem.State.PUBLISHED
    assert "Plateforme en panne" in caplog.text
    assert Criteria.from_json(export.criteria).mail_only_reason == "Plateforme en panne"


def test_where_the_company_names_its_platform_the_invoice_does_not_leave_by_mail_only() -> None:
    make_invoice(company=oblige(platform_name="PA Exemple"), issue_date=AFTER, due_date=None)

    export = start_export(export=create_export(criteria=ALL))
    run_lines(export)

    assert export.items.get().state == ExportItem.State.PUBLISHED


def test_the_dry_run_counts_what_a_platform_must_transmit(capsys: pytest.CaptureFixture[str]) -> None:
    make_invoice(company=oblige(), issue_date=AFTER, due_date=None)

    call_command("export_invoices", "--scope", "all", "--dry-run", "--json")

    said = json.loads(capsys.readouterr().out)
    assert (said["candidates"], said["ready"], said["left_out"]) == (1, 0, {"platform_required": 1})


def test_a_reason_of_the_customer_comes_first() -> None:
    make_invoice(company=oblige(), issue_date=AFTER, due_date=None, customer=make_customer(email=""))

    assert create_export(criteria=ALL).items.get().reason == ExportItem.Reason.NO_ADDRESS
    assert count_selection(ALL).left_out == {"no_address": 1}
