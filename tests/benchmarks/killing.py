"""Everything is killed, and nothing is lost or done twice: ``bin/with-postgresql python -m tests.benchmarks.killing``.

By hand, some minutes, on a PostgreSQL of its own that it restarts as after a crash (``pg_ctl -m immediate``). An export
with credentials and PDFs runs while a folder is fed with files; a process of ``run_worker``, ``watch_folder``,
``send_queued_mail`` or gunicorn, drawn by lot, gets SIGKILL and is started again. Then a folder is fed while its
watcher alone is killed. Prints what was done and what is there at the end; exit code 1 where they differ.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

import django
import psycopg

django.setup()

from django.db import connection  # noqa: E402

from tests.support.processes import START, Site, children_of, invoices_of, own_site  # noqa: E402
from tests.support.smtp_sink import Sink, closed_port, running  # noqa: E402

INVOICES, FILES, KILLS = 300, 60, 33
WATCHED_FILES, WATCHER_KILLS = 200, 20
# Restarts of the database come after so many kills.
RESTARTS_AFTER = (11, 22)

SET_UP = invoices_of(60, INVOICES)
OUTCOME = """
from django.conf import settings
from invoices.models import Delivery, Document, Export, ExportItem, ImportBatch, Invoice, InvoiceLine
from mailing.models import Message
from mailing.quarantine.models import SetAside
stored = {str(path.relative_to(settings.DOCUMENTS_ROOT)) for path in settings.DOCUMENTS_ROOT.rglob("*.pdf")}
answer = {
    "export": Export.objects.get().state,
    "published": Invoice.objects.published().count(),
    "documents": Document.objects.count(),
    "files are the documents": set(Document.objects.values_list("storage_name", flat=True)) == stored,
    "deliveries": Delivery.objects.count(),
    "mails accepted": Message.objects.filter(state="accepted").count(),
    "mails of all states": Message.objects.count(),
    "imported": Invoice.objects.filter(number__startswith="D").count(),
    "lines": InvoiceLine.objects.filter(invoice__number__startswith="D").count(),
    "batches": ImportBatch.objects.count(),
    "set aside": SetAside.objects.filter(is_set_aside=True).count(),
}
"""
FAULTS = ("missing", "altered", "unreadable", "orphans", "fault")
PUBLISHED = "SELECT count(*) FROM invoices_exportitem WHERE state IN ('ready', 'claimed')"
WAITING = "SELECT count(*) FROM mailing_message WHERE state IN ('queued', 'sending', 'deferred')"


def write_file(folder: Path, number: int) -> None:
    """An invoice of an ERP, written under another name first as an ERP does not, so that it appears whole."""
    rows = (
        "N° facture;Date facture;Code client;Raison sociale;Total HT facture;Total TVA facture;Total TTC facture;"
        "Désignation;Quantité;Prix unitaire HT;Taux TVA;Montant HT ligne",
        f"D{number:04};01/02/2025;K{number % 9};Client {number % 9};10,00;2,00;12,00;Livraison;1;10,00;20,00;10,00",
    )
    partial = folder / f".{number:04}.partial"
    partial.write_text("\r\n".join(rows) + "\r\n")
    partial.rename(folder / f"facture-{number:04}.csv")


class Database:
    """The server that ``bin/with-postgresql`` made, restarted as after a crash; commits are on the disk first."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('data_directory'), current_setting('port')")
            self.folder, self.port = cursor.fetchone()
        connection.close()
        self.binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        options = f"-p {self.port} -h 127.0.0.1 -k {Path(self.folder).parent} -c max_connections=200"
        self.restart("-m", "fast", "-o", f"'{options}'")

    def restart(self, *options: str) -> None:
        """``pg_ctl restart``; without ``options``, at once."""
        chosen = options or ("-m", "immediate")
        log = Path(self.folder).parent / "log"
        line = " ".join((f"{self.binaries}/pg_ctl", "-D", self.folder, "-l", str(log), "-w", *chosen, "restart"))
        command = ["su", "postgres", "-s", "/bin/bash", "-c", line] if os.getuid() == 0 else ["bash", "-c", line]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=Path(self.folder).parent)


class Process:
    """A command of the project that is started again whenever it has ended."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self.start = start
        self.running = start()

    def keep_running(self) -> None:
        """Start it again where it ended."""
        if self.running.poll() is not None:
            self.running = self.start()

    def kill_one(self, draw: random.Random) -> None:
        """SIGKILL to the process or one of its children, drawn by lot."""
        victim = draw.choice([self.running.pid, *sorted(children_of(self.running.pid))])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim == self.running.pid:
            self.running.wait()

    def end(self) -> None:
        """Ask it to end, and wait."""
        if self.running.poll() is None:
            self.running.terminate()
            self.running.wait(90)


def health_of(port: int) -> dict[str, Any]:
    """What the site says of itself; it may have been killed last, and is given a minute to come back."""
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/sante/", timeout=60) as page:
                found: dict[str, Any] = json.loads(page.read())
                return found
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def kill_everything(folder: Path) -> bool:
    """The first run; True where all is as it must be."""
    draw, sink, database = random.Random(20261126), Sink(), Database()
    landing = folder / "depot"
    landing.mkdir(parents=True)
    with suppress(psycopg.OperationalError), running(sink) as smtp:  # the database is dropped by a lost connection
        environment = {
            "EMAIL_URL": f"smtp://127.0.0.1:{smtp}",
            "EXPORT_LEASE_SECONDS": "20",
            "MAIL_LEASE_SECONDS": "5",
            "MAIL_CONNECTIONS": "2",
        }
        with own_site(folder, kind="postgresql", **environment) as site:
            site.ask(SET_UP)
            site.ask(START)
            web = closed_port()
            gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{web}", "--workers", "1", "portal.wsgi"]
            processes = {
                "worker": Process(lambda: site.start("run_worker", "--processes", "2")),
                "mailer": Process(lambda: site.start("send_queued_mail", "--loop")),
                "watcher": Process(
                    lambda: site.start("watch_folder", str(landing), "--stable", "0.2", "--every", "0.2")
                ),
                "web": Process(
                    lambda: subprocess.Popen(
                        gunicorn, env=site.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                ),
            }
            kills: Counter[str] = Counter()
            written = 0
            for kill in range(KILLS):
                time.sleep(draw.uniform(0.3, 2.0))
                while written < FILES * (kill + 1) // KILLS:
                    write_file(landing, written)
                    written += 1
                if kill in RESTARTS_AFTER:
                    database.restart()
                name = draw.choice(sorted(processes))
                processes[name].kill_one(draw)
                kills[name] += 1
                for process in processes.values():
                    process.keep_running()
            until_done(site, landing, processes)
            health = health_of(web)
            for process in processes.values():
                process.end()
            outcome = site.ask(OUTCOME)
            verified = {
                command: json.loads(site.run(command, "--json", check=False).stdout)
                for command in ("verify_documents", "verify_trail")
            }
    received = Counter(sink.message_ids)
    outcome["different mails received"] = len(received)
    outcome["mails that came twice under one Message-ID"] = sum(received.values()) - len(received)
    outcome["health of the site"] = health["status"]
    show("kills", dict(kills), "restarts of the database", len(RESTARTS_AFTER), "outcome", outcome, *verified.items())
    wanted = {
        "export": "done",
        "published": INVOICES,
        "documents": INVOICES,
        "files are the documents": True,
        "deliveries": INVOICES,
        "different mails received": outcome["mails of all states"],
        "mails accepted": outcome["mails of all states"],
        "imported": FILES,
        "lines": FILES,
        "set aside": 0,
        "health of the site": "ok",
    }
    differs = {name: (outcome[name], value) for name, value in wanted.items() if outcome[name] != value}
    faults = {
        f"{name} {kind}": found for name, answer in verified.items() for kind, found in answer.items() if kind in FAULTS
    }
    differs |= {name: (found, "none") for name, found in faults.items() if found}
    show("differs", differs)
    return not differs


def until_done(site: Site, landing: Path, processes: dict[str, Process]) -> None:
    """Let the processes finish what is there."""
    deadline = time.monotonic() + 900
    while time.monotonic() < deadline:
        for process in processes.values():
            process.keep_running()
        left = (site.rows(PUBLISHED)[0][0], site.rows(WAITING)[0][0], len(list(landing.glob("*.csv"))))
        if not any(left):
            return
        # A busy machine may answer its own mailer too late: such mails are tried again now, as staff would.
        site.rows("UPDATE mailing_message SET next_attempt_at = now() WHERE state = 'deferred'")
        time.sleep(2)
    show("left after fifteen minutes", left)
    for row in site.rows(
        "SELECT state, attempts, reason, count(*), min(next_attempt_at - now()), max(next_attempt_at - now()) FROM"
        " mailing_message WHERE state <> 'accepted' GROUP BY 1, 2, 3"
    ):
        show(*row)


def kill_the_watcher(folder: Path) -> bool:
    """The second run; True where each file was imported once."""
    draw = random.Random(14)
    landing = folder / "depot"
    landing.mkdir(parents=True)
    with own_site(folder, kind="postgresql") as site:
        watcher = Process(lambda: site.start("watch_folder", str(landing), "--stable", "0.1", "--every", "0.1"))
        written = 0
        for kill in range(WATCHER_KILLS):
            while written < WATCHED_FILES * (kill + 1) // WATCHER_KILLS:
                write_file(landing, written)
                written += 1
            time.sleep(draw.uniform(0.2, 2.5))
            watcher.kill_one(draw)
            watcher.keep_running()
        deadline = time.monotonic() + 300
        while list(landing.glob("*.csv")) and time.monotonic() < deadline:
            time.sleep(1)
        watcher.end()
        invoices, numbers, lines = site.rows(
            "SELECT count(*), count(DISTINCT number), (SELECT count(*) FROM invoices_invoiceline) FROM invoices_invoice"
        )[0]
    taken = len(list((landing / "traités").glob("*.csv")))
    refused = len(list((landing / "refusés").glob("*.csv")))
    show("invoices", invoices, "numbers", numbers, "lines", lines, "traités", taken, "refusés", refused)
    return (invoices, numbers, lines, taken, refused) == (*[WATCHED_FILES] * 4, 0)


def show(*values: object) -> None:
    """Print ``values`` on a line."""
    print(*values, flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        results = [kill_everything(Path(made) / "all"), kill_the_watcher(Path(made) / "watcher")]
    raise SystemExit(0 if all(results) else 1)
