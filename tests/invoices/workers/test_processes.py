"""Workers in the background, as real processes, behind both queues: they do the work, die, are replaced, and stop."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Command
from tests.support.processes import CRITERIA, INVOICES, MAKE_INVOICES, Site, children_of, invoices_of, own_site
from tests.support.smtp_sink import closed_port

START = """
from invoices.exporting.run.tasks import start_export_in_workers
answer = start_export_in_workers(export=create_export(criteria=criteria)).pk
"""
SET_UP = f"{MAKE_INVOICES}{START}"
# More than one process takes at once: what goes through a queue to its end needs no middle.
FEW = 12
FEW_SET_UP = f"{invoices_of(4, FEW)}{CRITERIA}{START}"
FEW_PLAIN_SET_UP = f"{invoices_of(4, FEW, individuals=4)}{CRITERIA}{START}"
STATE = "SELECT state FROM invoices_export"
PUBLISHED = "SELECT count(*) FROM invoices_exportitem WHERE state = 'published'"
CLAIMED = "SELECT count(*) FROM invoices_exportitem WHERE state = 'claimed'"
READY = "SELECT count(*) FROM invoices_exportitem WHERE state = 'ready'"


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The address of a Redis of its own, which keeps nothing."""
    port = closed_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def worker(site: Site, *options: str) -> Iterator[Command]:
    """``run_worker``, asked to stop at the end of the block where it has not ended by then."""
    process = site.start("run_worker", "--processes", "2", *options)
    try:
        yield process
        stop(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def stop(process: Command) -> None:
    """SIGTERM, as a service manager sends it; it ends by itself, in good order."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def outcome(site: Site) -> dict[str, Any]:
    """What there is at the end: each line published, with one document and one mail."""
    return {
        "state": site.rows(STATE)[0][0],
        "published": site.rows(PUBLISHED)[0][0],
        "documents": site.rows("SELECT count(DISTINCT invoice_id) FROM invoices_document")[0][0],
        "mails": site.rows("SELECT count(*) FROM mailing_message")[0][0],
    }


def whole(invoices: int) -> dict[str, Any]:
    """The outcome of an export that published so many invoices."""
    return {"state": "done", "published": invoices, "documents": invoices, "mails": invoices}


def test_the_database_queue_wakes_workers_that_do_the_whole_export(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path) as site:
        site.ask(FEW_SET_UP)
        with worker(site):
            site.wait_for(STATE, lambda state: state == "done")
            pulses = site.rows("SELECT role FROM mailing_workerpulse")
        assert outcome(site) == whole(FEW)
        assert pulses == [("export",)]
        assert site.rows("SELECT count(*) FROM mailing_workerpulse") == [(0,)]


@pytest.mark.redis
def test_the_redis_queue_does_the_same_by_its_address_alone(tmp_path: Path, django_db_setup: Any) -> None:
    with redis_server(tmp_path) as address, own_site(tmp_path, TASKS_BACKEND=address) as site:
        site.ask(FEW_PLAIN_SET_UP)
        with worker(site):
            site.wait_for(STATE, lambda state: state == "done")
        assert outcome(site) == whole(FEW)
        assert site.rows("SELECT count(*) FROM django_tasks_database_dbtaskresult") == [(0,)]
        in_the_back_office = site.ask("from django.contrib import admin\nanswer = str(admin.site.get_urls())")
        assert "rq" not in in_the_back_office


@pytest.mark.redis
def test_an_export_started_while_redis_is_away_is_found_by_the_workers(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path, TASKS_BACKEND=f"redis://127.0.0.1:{closed_port()}/0") as site:
        site.ask(FEW_PLAIN_SET_UP)
        with redis_server(tmp_path) as address:
            site.environment["TASKS_BACKEND"] = address
            with worker(site):
                site.wait_for(STATE, lambda state: state == "done")
        assert outcome(site) == whole(FEW)


def test_processes_that_are_killed_are_replaced_and_what_the_queue_remembers_of_them_does_not_matter(
    tmp_path: Path, django_db_setup: Any
) -> None:
    with own_site(tmp_path) as site:
        site.ask(SET_UP)
        with worker(site) as process:
            site.wait_for(PUBLISHED, lambda count: count > 0)
            killed = children_of(process.pid)
            assert len(killed) == 2
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            site.wait_for(STATE, lambda state: state == "done")
            assert not children_of(process.pid) & killed
        assert outcome(site) == whole(INVOICES)
        # The queue thinks that their tasks run, and always will.
        running = "SELECT count(*) FROM django_tasks_database_dbtaskresult WHERE status = 'RUNNING'"
        assert site.rows(running)[0][0] >= 1


def test_a_worker_asked_to_stop_ends_the_lines_in_hand_and_another_goes_on(
    tmp_path: Path, django_db_setup: Any
) -> None:
    with own_site(tmp_path) as site:
        site.ask(SET_UP)
        with worker(site) as process:
            site.wait_for(PUBLISHED, lambda count: count > 0)
            stop(process)
        assert site.rows(CLAIMED) == [(0,)]
        assert site.rows(STATE) == [("running",)]
        assert site.rows(READY)[0][0] + site.rows(PUBLISHED)[0][0] == INVOICES
        with worker(site, "--processes", "1"):
            site.wait_for(STATE, lambda state: state == "done")
        assert outcome(site) == whole(INVOICES)


def test_processes_whose_parent_is_killed_end_by_themselves(tmp_path: Path, django_db_setup: Any) -> None:
    with own_site(tmp_path) as site:
        with worker(site) as process:
            deadline = time.monotonic() + 60
            while len(orphans := children_of(process.pid)) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.kill()
            process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in orphans):
            assert time.monotonic() < deadline
            time.sleep(0.1)
