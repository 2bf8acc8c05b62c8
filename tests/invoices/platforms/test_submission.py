"""Invoices on their way to a platform: each is delivered once, and what the platform says of it is reported."""

import datetime
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Company, Export, Handover, LifecycleStatus, Platform, PlatformMessage, Submission
from invoices.platforms.client import PlatformClient
from invoices.platforms.following import fetch_from
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from invoices.platforms.submission import (
    NotResendableError,
    awaiting_submission,
    claim_submissions,
    queue_submissions,
    resend,
    run_submissions,
)
from tests.support.einvoice_samples import CII
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import (
    SIREN,
    connect,
    directory_line,
    make_due,
    make_platform,
    running_platform,
    settled,
    wait_until,
)

pytestmark = pytest.mark.django_db
State = Submission.State


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    """A platform whose directory knows the customer of the tests."""
    with running_platform(tmp_path) as made:
        made.book.add_line(directory_line(SIREN))
        yield made


@pytest.fixture
def platform(server: SimulatedPlatform) -> Platform:
    """Its row."""
    return make_platform(server.url)


def export(platform: Platform, count: int = 1) -> Export:
    """An export of so many invoices that must go through ``platform``."""
    company, customer = connect(platform)
    for _number in range(count):
        make_invoice(company=company, customer=customer)
    made = start_export(export=create_export(criteria=Criteria(scope=Scope.ALL, mail_only_reason="Copie")))
    run_lines(made)
    return made


def submit() -> int:
    queue_submissions(awaiting_submission())
    return run_submissions()


def only_line() -> Submission:
    return Submission.objects.get()


def test_an_exported_invoice_is_submitted_once_and_its_story_comes_back(
    server: SimulatedPlatform, platform: Platform
) -> None:
    export(platform)
    assert submit() == 1
    assert submit() == 0

    line = only_line()
    assert line.state in (State.SENT, State.ACCEPTED)
    assert line.source is not None
    assert server.book.counts() == {Path(line.source.storage_name).stem: 1}
    assert server.book.flow(line.flow_id)["sha256"] == line.source.sha256  # type: ignore[index]
    assert Handover.objects.get().document == line.document
    wait_until(lambda: settled(server))
    fetched = fetch_from(platform)
    assert {status.code for status in fetched.statuses} == {"200", "202", "203"}
    assert only_line().state == State.ACCEPTED
    # The same flows again change nothing.
    platform.refresh_from_db()
    assert fetch_from(platform).statuses == []
    assert PlatformMessage.objects.count() == 3


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNAVAILABLE])
def test_a_platform_that_asks_to_wait_rests_and_the_line_waits(
    server: SimulatedPlatform, platform: Platform, fault: Fault
) -> None:
    export(platform, 2)
    server.faults.ask_for(fault)
    assert submit() == 0
    assert run_submissions() == 0  # it rests
    assert {line.state for line in Submission.objects.all()} == {State.DUE}
    assert "429" in platform_problem() or "503" in platform_problem()
    make_due()
    assert run_submissions() == 2
    assert set(server.book.counts().values()) == {1}


def platform_problem() -> str:
    return Platform.objects.get().problem


@pytest.mark.parametrize("fault", [Fault.NO_ANSWER, Fault.BROKEN])
def test_a_line_of_unknown_fate_is_searched_for_before_it_is_sent_again(
    server: SimulatedPlatform, platform: Platform, fault: Fault
) -> None:
    export(platform)
    server.faults.ask_for(fault)
    submit()
    assert only_line().state == State.DUE
    assert run_submissions() == 0  # the platform has time to find it
    make_due()
    assert run_submissions() == 1
    assert only_line().state in (State.SENT, State.ACCEPTED)
    assert list(server.book.counts().values()) == [1]


def test_a_rejected_invoice_waits_for_a_person_and_is_sent_again_under_another_name(
    server: SimulatedPlatform, platform: Platform
) -> None:
    export(platform)
    server.book.add_line(directory_line(SIREN, status="Disabled"))
    submit()
    wait_until(lambda: settled(server))
    fetch_from(platform)
    line = only_line()
    assert (line.state, line.reason.partition(" :")[0]) == (State.REJECTED, "REJ_ADR")
    assert submit() == 0

    server.book.add_line(directory_line(SIREN))
    again = resend(line)
    assert run_submissions() == 1
    line.refresh_from_db()
    assert (line.state, again.replaces) == (State.RESENT, line)
    assert again.tracking_id == f"{line.tracking_id}-2"
    wait_until(lambda: settled(server))
    platform.refresh_from_db()
    fetch_from(platform)
    again.refresh_from_db()
    assert again.state == State.ACCEPTED
    with pytest.raises(NotResendableError):
        resend(again)


def test_a_late_rejection_as_a_double_does_not_undo_the_first_delivery(
    server: SimulatedPlatform, platform: Platform
) -> None:
    export(platform)
    server.faults.ask_for(Fault.LATE_REJECTION)
    submit()
    wait_until(lambda: settled(server))
    fetch_from(platform)
    assert LifecycleStatus.objects.filter(code="213").exists()
    assert only_line().state == State.ACCEPTED


def test_each_status_that_comes_twice_is_noted_once(server: SimulatedPlatform, platform: Platform) -> None:
    export(platform)
    server.faults.ask_for(Fault.DUPLICATE)
    submit()
    wait_until(lambda: settled(server))
    fetch_from(platform)
    codes = list(LifecycleStatus.objects.values_list("code", flat=True))
    assert PlatformMessage.objects.count() == 6
    assert set(codes) == {"200", "202", "203"}


def test_a_wrong_hash_is_a_rejection(server: SimulatedPlatform, platform: Platform) -> None:
    export(platform)
    server.faults.ask_for(Fault.WRONG_HASH)
    submit()
    wait_until(lambda: settled(server))
    fetch_from(platform)
    assert only_line().state == State.REJECTED
    assert "CHECKSUM_MISMATCH" in only_line().reason


def test_a_platform_that_does_not_let_us_in_loses_no_line(server: SimulatedPlatform, platform: Platform) -> None:
    export(platform)
    platform.set_client_secret("un autre")
    platform.save()
    assert submit() == 0
    assert only_line().state == State.DUE
    assert "invalid_client" in platform_problem()


def test_only_what_the_law_sends_through_a_connected_platform_is_submitted(platform: Platform) -> None:
    export(platform)
    Company.objects.update(platform=None)
    assert submit() == 0
    Company.objects.update(platform=platform, einvoice_from="2030-01-01")
    assert submit() == 0
    Company.objects.update(einvoice_from="2025-01-01")
    assert submit() == 1


def test_a_claim_holds_for_one_worker_until_its_lease_ends(platform: Platform) -> None:
    export(platform)
    queue_submissions(awaiting_submission())
    assert len(claim_submissions(platform, worker="elsewhere:1:a")) == 1
    assert claim_submissions(platform, worker="elsewhere:2:b") == []
    Submission.objects.update(lease_until="2020-01-01T00:00:00Z")
    assert len(claim_submissions(platform, worker="elsewhere:2:b")) == 1


@pytest.mark.postgresql
@pytest.mark.parametrize("hours", [-2, 2])
def test_a_process_whose_clock_is_wrong_takes_nothing_that_another_has_in_hand(platform: Platform, hours: int) -> None:
    export(platform, 2)
    queue_submissions(awaiting_submission())
    assert len(claim_submissions(platform, worker="elsewhere:1:a", count=1)) == 1
    with time_machine.travel(timezone.now() + datetime.timedelta(hours=hours)):
        theirs = claim_submissions(platform, worker="elsewhere:2:b", count=1)
        assert len(theirs) == 1
        assert claim_submissions(platform, worker="elsewhere:2:b") == []
    assert claim_submissions(platform, worker="elsewhere:3:c") == []


def test_a_platform_with_rules_takes_our_invoices_and_refuses_what_they_forbid(tmp_path: Path) -> None:
    with running_platform(tmp_path, judges=True, knows_everybody=True) as strict:
        platform = make_platform(strict.url)
        export(platform)
        submit()
        digest = hashlib.sha256(CII).hexdigest()
        german = PlatformClient(platform).submit(
            CII, name="x.xml", syntax="CII", tracking_id="x", sha256=digest, processing_rule="B2B"
        )
        wait_until(lambda: settled(strict), seconds=60)
        fetch_from(platform)
        assert only_line().state == State.ACCEPTED, only_line().reason
        told = strict.book.flow(german.flow_id)
        assert told is not None
        assert told["acknowledgement"]["details"][0]["reasonCode"] == "REJ_SEMAN"
