"""Workers killed at any moment: nothing is lost, nothing is done twice."""

import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.commands import Command
from tests.support.processes import START, Site, invoices_of, own_site
from tests.support.smtp_sink import Sink, running

INVOICES = 300
KILLS = 20

# One in six with an e-invoice, whose rules each process that is started again loads in a second and a half.
SET_UP = invoices_of(60, INVOICES, individuals=50)
REMAINING = """
from invoices.models import ExportItem
answer = ExportItem.objects.filter(state__in=("ready", "claimed")).count()
"""
PENDING_MAILS = """
from django.utils import timezone
from mailing import outbox
from mailing.forecasts import forecast
answer = forecast(timezone.now()).pending
"""
OUTCOME = """
from django.conf import settings
from invoices.models import Delivery, Document, Export, ExportItem, Invoice
from mailing import outbox
stored = {str(path.relative_to(settings.DOCUMENTS_ROOT)) for path in settings.DOCUMENTS_ROOT.rglob("*.pdf")}
named = set(Document.objects.values_list("storage_name", flat=True))
deliveries = list(Delivery.objects.values_list("item__invoice", "address", "message"))
states = outbox.states_of({message for _invoice, _address, message in deliveries})
answer = {
    "state": Export.objects.get().state,
    "items": sorted(set(ExportItem.objects.values_list("state", flat=True))),
    "published": Invoice.objects.published().count(),
    "documents": Document.objects.count(),
    "invoices_with_document": Document.objects.values("invoice").distinct().count(),
    "files_are_the_documents": named == stored,
    "deliveries": len(deliveries),
    "pairs": len({(invoice, address) for invoice, address, _message in deliveries}),
    "messages": len({message for _invoice, _address, message in deliveries}),
    "mail_states": sorted({state.state for state in states.values()}),
}
"""


def test_a_run_whose_workers_are_killed_twenty_times_ends_whole_and_without_doubles(
    tmp_path: Path, django_db_setup: Any
) -> None:
    sink = Sink()
    with (
        running(sink) as port,
        own_site(
            tmp_path,
            EMAIL_URL=f"smtp://127.0.0.1:{port}",
            EXPORT_LEASE_SECONDS="20",
            MAIL_LEASE_SECONDS="5",
            MAIL_CONNECTIONS="2",
        ) as site,
    ):
        site.ask(SET_UP)
        site.ask(START)
        kills_of_mail = kill_workers_at_random(site)
        run_to_the_end(site)
        outcome = site.ask(OUTCOME)
    received = Counter(sink.message_ids)

    assert outcome == {
        "state": "done",
        "items": ["published"],
        "published": INVOICES,
        "documents": INVOICES,
        "invoices_with_document": INVOICES,
        "files_are_the_documents": True,
        "deliveries": INVOICES,
        "pairs": INVOICES,
        "messages": INVOICES,
        "mail_states": ["accepted"],
    }
    assert len(received) == INVOICES
    # A mail on the wire when its worker dies may leave again, under the same Message-ID: two connections, one each.
    assert sum(received.values()) - INVOICES <= 2 * kills_of_mail


def kill_workers_at_random(site: Site) -> int:
    """Kill -9 one of two exporting processes or the sending one, twenty times, and start it again.

    Returns how many of those killed were sending.
    """
    draw = random.Random(20261124)
    commands = [("export_invoices", "--resume", "--processes", "1")] * 2 + [("send_queued_mail", "--loop")]
    workers: list[Command] = [site.start(*command) for command in commands]
    killed_senders = 0
    time.sleep(2)
    for _kill in range(KILLS):
        time.sleep(draw.uniform(0.2, 1.6))
        index = draw.randrange(len(workers))
        workers[index].send_signal(signal.SIGKILL)
        workers[index].wait()
        killed_senders += index == 2
        workers = [
            site.start(*command) if worker.poll() is not None else worker
            for worker, command in zip(workers, commands, strict=True)
        ]
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    return killed_senders + 1


def run_to_the_end(site: Site) -> None:
    """Run again, as a person or a scheduler would, until all lines are done and all mails have left."""
    deadline = time.monotonic() + 180
    while site.ask(REMAINING):
        assert time.monotonic() < deadline
        site.run("export_invoices", "--resume", check=False)
    site.run("export_invoices", "--resume")
    while time.monotonic() < deadline:
        site.run("send_queued_mail", check=False)
        if site.ask(PENDING_MAILS) == 0:
            return
        time.sleep(1)
