"""Statuses that cannot be so: they are refused, or kept with a sentence, and never make a wrong state."""

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from invoices.files.archives import GivenFile
from invoices.formats.cdar_writer import BUYER, SELLER, StatusParty, StatusToWrite, write_status
from invoices.models import Invoice, PlatformMessage, Submission
from invoices.platforms.answers import take_status
from invoices.platforms.following import fetch_from
from invoices.platforms.lifecycle import (
    LAST_STATUS,
    StatusReport,
    import_statuses,
    last_status,
    record_status,
    rejects,
)
from invoices.platforms.payments import queue_payment_statuses, record_payment
from invoices.platforms.simulated.server import SimulatedPlatform
from mailing.quarantine.models import SetAside
from portal.backoffice.platforms.follow_up import invoices_to_look_at
from tests.support.back_office import words
from tests.support.factories import make_company, make_invoice, make_published_invoice
from tests.support.simulated_platforms import connect, delivered, make_platform, running_platform

pytestmark = pytest.mark.django_db

DAY = datetime.datetime(2026, 11, 5, 10, 0, tzinfo=datetime.UTC)


def accepted_invoice(server: SimulatedPlatform) -> Invoice:
    """A published invoice whose delivery the platform of ``server`` has accepted."""
    platform = make_platform(server.url)
    company, customer = connect(platform)
    invoice = make_published_invoice(company=company, customer=customer)
    delivered(invoice, platform, Submission.State.ACCEPTED)
    return invoice


def tell(*told: tuple[str, float]) -> Invoice:
    """An invoice that has statuses, each with its hours after 10 o'clock, in the order of their receipt."""
    invoice = make_published_invoice()
    for code, hours in told:
        record_status(invoice=invoice, code=code, at=DAY + datetime.timedelta(hours=hours), reason="REJ_SEMAN")
    return invoice


def state_of(invoice: Invoice) -> str | None:
    """The code that everybody is shown, which is the same by both ways of asking."""
    status = last_status(invoice)
    code = status.code if status is not None else None
    assert Invoice.objects.annotate(last=LAST_STATUS).values_list("last", flat=True).get(pk=invoice.pk) == code
    return code


@pytest.mark.parametrize(
    ("told", "state", "odd", "waits"),
    [
        # What the buyer did counts after the delivery that it supposes.
        ([("212", -48), ("200", 0), ("202", 1), ("203", 2)], "212", {"212"}, False),
        ([("200", 0), ("202", 1), ("203", 2), ("212", -48)], "212", {"212"}, False),
        ([("205", -1), ("200", 0)], "205", {"205"}, False),
        ([("200", 0), ("205", 1), ("203", 2)], "205", set(), False),
        ([("210", -1), ("200", 0), ("203", 1)], "210", {"210"}, True),
        ([("205", -2), ("212", -1), ("200", 0)], "212", {"205", "212"}, False),
        # A platform does not reject what the buyer dealt with.
        ([("200", 0), ("203", 1), ("212", 2), ("213", 3)], "212", {"213"}, True),
        ([("200", 0), ("213", 3), ("203", 1), ("212", 2)], "212", {"213"}, True),
        ([("200", 0), ("205", 1), ("501", 2)], "205", {"501"}, True),
        # After a rejection nothing happens before the next deposit.
        ([("200", 0), ("213", 1), ("212", 2)], "213", {"212"}, True),
        ([("200", 0), ("213", 1), ("200", 2), ("203", 3)], "203", set(), False),
        ([("200", 0), ("213", 1), ("212", 2), ("200", 3)], "212", {"212"}, False),
        ([("200", 0), ("213", 1), ("200", 2), ("212", 3)], "212", set(), False),
        # Those of the second of the last delivery keep their order.
        ([("200", 0), ("204", 1), ("203", 2), ("205", 2)], "205", set(), False),
        # As it should be.
        ([("200", 0), ("202", 1), ("203", 2), ("204", 3), ("205", 4), ("211", 5), ("212", 6)], "212", set(), False),
        ([("200", 0), ("203", 1), ("208", 2), ("209", 3)], "209", set(), False),
        ([("200", 0), ("202", 1), ("213", 2)], "213", set(), True),
        ([("212", 0), ("205", -3)], "212", set(), False),
    ],
)
def test_an_impossible_order_is_said_and_makes_no_wrong_state(
    told: list[tuple[str, float]], state: str, odd: set[str], waits: bool
) -> None:
    invoice = tell(*told)

    assert state_of(invoice) == state
    assert {status.code for status in invoice.statuses.all() if status.finding} == odd
    assert invoices_to_look_at().contains(invoice) == waits


def test_the_sentence_names_what_is_contradicted() -> None:
    invoice = tell(("200", 0), ("212", 2), ("213", 3))
    assert invoice.statuses.get(code="213").finding == (
        "Daté après 212 Encaissée du 05/11/2026 13:00 : la plateforme ne rejette pas ce que l’acheteur a traité. "
        "Voyez avec elle."
    )


def message(invoice: Invoice, *received: tuple[str, str], at: datetime.datetime = DAY, currency: str = "") -> bytes:
    """A message 212 of ``invoice`` with amounts and rates."""
    return write_status(
        StatusToWrite(
            message_id=f"{invoice.number}-{at:%Y%m%d%H%M%S}",
            written_at=at,
            issuer=StatusParty(siren=invoice.company.siren, name="Vendeur", role=SELLER),
            recipient=StatusParty(siren="552100554", name="Acheteur", role=BUYER),
            code="212",
            label="Encaissée",
            at=at,
            number=invoice.number,
            type_code=invoice.type_code,
            issue_date=invoice.issue_date,
            seller_siren=invoice.company.siren,
            currency=currency or invoice.currency,
            received=tuple((Decimal(amount), Decimal(rate)) for amount, rate in received),
        )
    )


def take(*contents: bytes) -> StatusReport:
    return import_statuses([GivenFile(f"{place}.xml", content) for place, content in enumerate(contents)])


def two_rates() -> Invoice:
    """100 € at 20 % and 100 € at 5.5 %: 225.50 € with VAT."""
    invoice = make_invoice(total_without_vat="200.00", total_vat="25.50")
    invoice.lines.update(net_price=Decimal(100), net_amount=Decimal(100))
    line = invoice.lines.get()
    line.pk, line.position, line.identifier, line.vat_rate = None, 2, "2", Decimal("5.5")
    line.save(force_insert=True)
    return invoice


@pytest.mark.parametrize(
    ("received", "currency", "words"),
    [
        ([("226.00", "20"), ("0", "5.5")], "", "donne 226,00\u00a0€ à 20\u00a0%"),
        ([("121.00", "20"), ("104.50", "5.5")], "", "elle y est de 120,00\u00a0€"),
        ([("50.00", "10")], "", "une TVA de 10\u00a0% : elle est à 20\u00a0%, 5,5\u00a0%"),
        ([("-10.00", "20")], "", "sont de trop"),
        ([("100.00", "20")], "CHF", "est en CHF"),
    ],
)
def test_amounts_that_cannot_have_been_paid_for_the_invoice_are_refused(
    received: list[tuple[str, str]], currency: str, words: str
) -> None:
    invoice = two_rates()

    report = take(message(invoice, *received, currency=currency))

    assert report.recorded == 0
    assert words in report.rejected[0]["reason"]
    assert invoice.number in report.rejected[0]["reason"]
    assert state_of(invoice) is None


def test_payments_of_parts_are_taken_up_to_the_total() -> None:
    invoice = two_rates()
    day = datetime.timedelta(days=1)
    parts = [
        message(invoice, ("60.00", "20"), at=DAY),
        message(invoice, ("60.00", "20"), ("55.50", "5.5"), at=DAY + day),
        message(invoice, ("50.00", "5.5"), at=DAY + 2 * day),
        message(invoice, ("50.00", "5.5"), at=DAY + 3 * day),
    ]
    report = take(*parts)

    assert report.recorded == 3
    assert report.rejected[0]["reason"].endswith("225,50\u00a0€ déjà encaissés, 50,00\u00a0€ sont de trop.")
    assert take(*parts[:3]).unchanged == 3


def test_a_payment_that_is_reported_twice_counts_once() -> None:
    invoice = two_rates()
    minute = datetime.timedelta(minutes=1)
    report = take(*(message(invoice, ("120.00", "20"), at=DAY + number * minute) for number in range(3)))

    assert report.recorded == 3
    assert [status.finding != "" for status in report.statuses] == [False, True, True]
    assert len(report.as_json()["findings"]) == 2
    assert take(message(invoice, ("105.50", "5.5"), at=DAY + 5 * minute)).recorded == 1


@pytest.mark.parametrize(("hours", "is_taken"), [(2, True), (6, False), (24, False)])
def test_a_status_to_come_is_refused_but_for_clocks_overseas(hours: int, is_taken: bool) -> None:
    invoice = make_invoice()
    at = timezone.now() + datetime.timedelta(hours=hours)
    assert take(message(invoice, ("120.00", "20"), at=at)).recorded == is_taken


def test_a_platform_does_not_speak_of_invoices_that_do_not_go_through_it(tmp_path: Path) -> None:
    with running_platform(tmp_path, knows_everybody=True) as server:
        platform = make_platform(server.url)
        company, customer = connect(platform)
        stranger = make_invoice(company=make_company(siren="404833048", siret="", name="Une autre société"))
        own = make_invoice(company=company, customer=customer)
        for invoice in (stranger, own):
            _list_message(server, message(invoice, ("120.00", "20")))

        fetched = fetch_from(platform)

        assert [status.invoice for status in fetched.statuses] == [own]
        (problem,) = fetched.problems
        assert f"La facture {stranger.number}" in problem
        assert problem.endswith("ne passe pas par Plateforme simulée.")
        assert PlatformMessage.objects.exclude(problem="").count() == 1
        assert state_of(stranger) is None


def test_a_rejection_that_the_buyer_contradicts_later_asks_for_no_second_delivery() -> None:
    invoice = tell(("200", 0), ("213", 3))
    line = delivered(invoice, make_platform("http://127.0.0.1:9"), Submission.State.REJECTED, reason="REJ_SEMAN")
    status, _is_new = record_status(invoice=invoice, code="205", at=DAY + datetime.timedelta(hours=1))

    take_status(invoice, is_rejection=rejects(status))

    line.refresh_from_db()
    assert (line.state, line.reason) == (Submission.State.ACCEPTED, "")


def test_what_comes_after_a_delivery_known_by_its_receipt_alone_counts() -> None:
    invoice = tell(("200", 0), ("213", 1))
    platform = make_platform("http://127.0.0.1:9")
    first = delivered(invoice, platform, Submission.State.RESENT)
    taken = DAY + datetime.timedelta(hours=2)
    delivered(invoice, platform, Submission.State.ACCEPTED, replaces=first, answered_at=taken)

    record_status(invoice=invoice, code="205", at=DAY + datetime.timedelta(hours=3))

    assert state_of(invoice) == "205"


def test_our_own_status_of_two_payments_of_a_day_is_no_third_one() -> None:
    invoice = tell(("200", 0))
    record_status(invoice=invoice, code="212", at=DAY, reason="50 + 70", received=Decimal("120.00"))

    report = take(message(invoice, ("50.00", "20")))

    assert (report.unchanged, report.rejected) == (1, [])


def test_a_cent_of_rounding_is_no_payment_too_many(tmp_path: Path) -> None:
    with running_platform(tmp_path, knows_everybody=True) as server:
        invoice = accepted_invoice(server)
        take(message(invoice, ("60.01", "20"), at=DAY - datetime.timedelta(days=1)))

        record_payment(invoice=invoice, date=timezone.localdate(DAY), amount=Decimal("60.00"))
        queue_payment_statuses()

        assert not SetAside.objects.exists()


def test_a_payment_that_somebody_else_reported_is_not_reported_again(tmp_path: Path) -> None:
    with running_platform(tmp_path, knows_everybody=True) as server:
        invoice = accepted_invoice(server)
        day = timezone.localdate(DAY)
        take(message(invoice, ("120.00", "20"), at=DAY - datetime.timedelta(days=1)))

        record_payment(invoice=invoice, date=day, amount=Decimal("120.00"))

        assert queue_payment_statuses() == 0
        assert "La plateforme sait déjà 120,00" in SetAside.objects.get().reason


def test_what_is_to_be_done_precedes_an_old_contradiction(staff_client: Client) -> None:
    tell(("200", -72), ("203", -71), ("212", -70), ("213", -69), ("207", 1))

    page = words(staff_client.get(reverse("admin:platform_follow_up")))

    assert page.index("207 En litige 05/11/2026 12:00") < page.index("L’acheteur conteste") < page.index("213 Rejetée")
    assert "la plateforme ne rejette pas ce que l’acheteur a traité" in page


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"code": "212", "at": "01/01/2999"}, "at"),
        ({"code": "210", "at": "01/01/2999"}, "reason"),
        ({"code": "210", "at": "01/01/2999", "reason": "REJ_SEMAN"}, "at"),
    ],
)
def test_a_refusal_is_beside_the_field_that_it_is_about(
    staff_client: Client, typed: dict[str, str], field: str
) -> None:
    answer = staff_client.post(reverse("admin:invoice_status", args=[make_published_invoice().pk]), typed)

    assert list(answer.context["form"].errors) == [field]


def test_who_types_an_impossible_status_learns_why_and_nothing_is_kept(staff_client: Client) -> None:
    invoice = tell(("200", 0), ("212", 2))
    address = reverse("admin:invoice_status", args=[invoice.pk])
    answer = staff_client.post(address, {"code": "213", "at": "2026-11-05T15:00", "reason": "REJ_SEMAN"})

    assert "Daté après 212 Encaissée" in answer.content.decode()
    assert {status.code for status in invoice.statuses.all()} == {"200", "212"}


def _list_message(server: SimulatedPlatform, content: bytes) -> None:
    """Let ``server`` list a message that somebody else wrote."""
    kind = {"syntax": "CDAR", "kind": "CustomerInvoiceLC", "direction": "In", "rule": "NotApplicable"}
    server.book.add_flow(status="Ok", content=content, is_judged=True, name="212.xml", **kind)
