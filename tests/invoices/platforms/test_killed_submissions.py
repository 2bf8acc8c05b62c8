"""Processes and platform killed at any moment, every fault on the way: each invoice is taken once, none is lost.

``KILLED_SUBMISSIONS=500 KILLS=20 RULES=1`` makes it the long run that is done by hand: with schema and rules at the
platform, and with its callbacks, which the site takes and a worker acts upon.
"""

import os
import random
import signal
import socket
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from invoices.platforms.simulated.faults import Fault
from tests.support.commands import Command
from tests.support.processes import Site, own_site

INVOICES = int(os.environ.get("KILLED_SUBMISSIONS", "8"))
KILLS = int(os.environ.get("KILLS", "3"))
WITH_RULES = os.environ.get("RULES") == "1"
PATIENCE = 3600 if WITH_RULES else 300  # seconds
BETWEEN_KILLS = (2.0, 6.0) if WITH_RULES else (0.3, 2.5)  # processes on a busy machine need a while to be in the middle

SET_UP = """
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import connect, make_platform
company, customer = connect(make_platform("http://127.0.0.1:{port}"))
for number in range({count}):
    make_invoice(company=company, customer=customer)
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export, start_export
start_export(export=create_export(criteria=Criteria(scope=Scope.ALL, notify=False, mail_only_reason="copie")))
"""
EXPORT_SOME = """
from invoices.exporting.counts import count_items
from invoices.exporting.run.worker import run_lines
from invoices.models import Export
run_lines(Export.objects.get(), most=50)
answer = count_items(Export.objects.get()).remaining
"""
QUEUE = """
from invoices.platforms.submission import awaiting_submission, queue_submissions
answer = queue_submissions(awaiting_submission())
"""
LINES = """
from invoices.models import Submission
answer = dict(Submission.objects.values_list("tracking_id", "state"))
"""
LAST = """
from invoices.models import Invoice
from invoices.platforms.lifecycle import LAST_STATUS
lines = Invoice.objects.annotate(last=LAST_STATUS).values_list("submissions__tracking_id", "last")
answer = dict(lines)
"""
WAITING = "SELECT count(*) FROM invoices_submission WHERE state IN ('due', 'claimed')"
UNANSWERED = "SELECT count(*) FROM invoices_submission WHERE state = 'sent'"


def test_each_invoice_is_taken_once_whatever_is_killed_when(tmp_path: Path, django_db_setup: Any) -> None:
    port, portal = free_port(), free_port()
    memory = tmp_path / "platform.sqlite3"
    with own_site(tmp_path, EXPORT_LEASE_SECONDS="20", PORTAL_URL=f"http://127.0.0.1:{portal}") as site:
        site.ask(SET_UP.format(port=port, count=INVOICES))
        while site.ask(EXPORT_SOME):
            pass
        assert site.ask(QUEUE) == INVOICES
        platform = [
            *("simulated_platform", "--port", str(port), "--memory", str(memory), "--client-secret"),
            *("le secret du client", "--knows-everybody", "--every", "3", "--faults", ",".join(Fault)),
            *(() if WITH_RULES else ("--no-rules",)),
            *(("--callback-of", "Plateforme simulée") if WITH_RULES else ()),
        ]
        pages = site.start("runserver", "--noreload", f"127.0.0.1:{portal}") if WITH_RULES else None
        submitting = [["submit_invoices", "--wait", "--json"]] * 2
        kill_at_random(site, [platform, *submitting, *([["run_worker"]] if WITH_RULES else [])])
        server = site.start(*platform)
        try:
            deadline = time.monotonic() + PATIENCE
            while site.rows(WAITING)[0][0]:
                assert time.monotonic() < deadline
                finish(site, "submit_invoices", "--json")
            while site.rows(UNANSWERED)[0][0]:
                assert time.monotonic() < deadline
                finish(site, "fetch_statuses", "--json")
        finally:
            for process in filter(None, (server, pages)):
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        lines = site.ask(LINES)
        last = site.ask(LAST)

    taken = rows_of(memory, "SELECT tracking_id, count(*), max(status) FROM flow WHERE direction = 'Out' GROUP BY 1")
    assert {name: number for name, number, _status in taken} == dict.fromkeys(lines, 1)
    assert len(lines) == INVOICES
    assert lines == {name: "accepted" if status == "Ok" else "rejected" for name, _number, status in taken}
    # A wrong fingerprint is found before the invoice is read: no message of its life cycle is written.
    unread = rows_of(memory, "SELECT tracking_id FROM flow WHERE direction = 'Out' AND fault = 'wrong-hash'")
    told = {name: "203" if state == "accepted" else "213" for name, state in lines.items()}
    assert last == told | {name: None for (name,) in unread}
    if WITH_RULES:
        callbacks = rows_of(memory, "SELECT is_spoilt, answer, count(*) FROM callback GROUP BY 1, 2")
        # None was taken that was wrongly signed; in a long run there are both.
        assert {(bool(spoilt), answer) for spoilt, answer, _number in callbacks} <= {(False, 204), (True, 401)}


def free_port() -> int:
    """A port of this machine that no one listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def rows_of(memory: Path, statement: str) -> list[tuple[Any, ...]]:
    """What the platform remembers."""
    with closing(sqlite3.connect(memory)) as file:
        return file.execute(statement).fetchall()


def finish(site: Site, *command: str) -> None:
    """Let a command work to its end, which is a good one."""
    process = site.start(*command)
    process.wait(PATIENCE)
    keep_words(site, process, command)


def keep_words(site: Site, process: Command, command: Sequence[str]) -> None:
    """Keep what ``process`` wrote beside the installation; it was killed, or ended well."""
    words = "\n".join(process.communicate())
    (site.folder / f"{command[0]}-{process.pid}.log").write_text(f"{words}\nended: {process.returncode}\n")
    assert process.returncode in (0, -signal.SIGKILL, -signal.SIGTERM), f"{command[0]}: {process.returncode}\n{words}"


def kill_at_random(site: Site, commands: list[list[str]]) -> None:
    """Kill -9 the platform or one of two that submit, and start it again; all are dead at the end.

    None of them ends by itself but well.
    """
    draw = random.Random(20261126)
    workers = [site.start(*command) for command in commands]
    try:
        time.sleep(2)
        for _kill in range(KILLS):
            time.sleep(draw.uniform(*BETWEEN_KILLS))
            index = draw.randrange(len(workers))
            workers[index].send_signal(signal.SIGKILL)
            workers[index].wait()
            for place, (worker, command) in enumerate(zip(workers, commands, strict=True)):
                if worker.poll() is not None:
                    keep_words(site, worker, command)
                    workers[place] = site.start(*command)
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
    for worker, command in zip(workers, commands, strict=True):
        keep_words(site, worker, command)
