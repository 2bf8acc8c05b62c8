"""Each thing that platforms do wrong, as staff meet it: by the pages, from the export to the last status."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
from invoices.exporting.run.worker import run_lines
from invoices.models import Submission
from invoices.platforms.lifecycle import last_status
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import (
    connect,
    make_due,
    make_platform,
    running_platform,
    settled,
    wait_until,
)

pytestmark = pytest.mark.django_db
FOLLOW_UP = "/gestion/export-web/factures/plateforme/"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path, knows_everybody=True) as made:
        yield made


def page_of(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


@pytest.mark.parametrize(
    ("fault", "first", "state", "last"),
    [
        # What the follow-up says at once, what becomes of the line, and the status that the invoice reaches.
        (Fault.REJECTED, "REJ_SEMAN", "rejected", "213"),
        (Fault.THROTTLED, "429 TOO_MANY_REQUESTS", "accepted", "203"),
        (Fault.UNAVAILABLE, "503 UNAVAILABLE", "accepted", "203"),
        (Fault.BROKEN, "500 INTERNAL_ERROR", "accepted", "203"),
        (Fault.NO_ANSWER, "n’a pas répondu", "accepted", "203"),
        (Fault.DUPLICATE, "", "accepted", "203"),
        (Fault.LATE_REJECTION, "", "accepted", "203"),
        (Fault.BAD_SIGNATURE, "", "accepted", "203"),
        (Fault.WRONG_HASH, "CHECKSUM_MISMATCH", "rejected", ""),
    ],
)
def test_a_fault_is_reported_and_each_invoice_is_taken_once(
    staff_client: Client, server: SimulatedPlatform, settings: Any, fault: Fault, first: str, state: str, last: str
) -> None:
    settings.TASKS = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    company, customer = connect(make_platform(server.url))
    make_invoice(company=company, customer=customer, number="FA-1")
    run_lines(start_export(export=create_export(criteria=Criteria(scope=Scope.ALL))))
    server.faults.ask_for(fault)

    staff_client.post(f"{FOLLOW_UP}remettre/")
    wait_until(lambda: settled(server))
    said = page_of(staff_client, FOLLOW_UP)
    if state == "rejected":
        staff_client.post(f"{FOLLOW_UP}relever/")
        said = page_of(staff_client, FOLLOW_UP)
    assert first in said
    make_due()
    staff_client.post(f"{FOLLOW_UP}remettre/")
    wait_until(lambda: settled(server))
    for _twice in range(2):
        staff_client.post(f"{FOLLOW_UP}relever/")

    line = Submission.objects.get()
    assert line.state == state, line.reason
    assert server.book.counts() == {line.tracking_id: 1}
    status = last_status(line.invoice)
    assert (status.code if status else "") == last
    codes = list(line.invoice.statuses.values_list("code", flat=True))
    assert len(codes) == len(set(codes))
    page = page_of(staff_client, f"/gestion/invoices/invoice/{line.invoice_id}/change/")
    assert line.get_state_display() in page
