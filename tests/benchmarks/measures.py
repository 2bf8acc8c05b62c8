"""One measure of the export chain, inside of an installation: ``python -m tests.benchmarks.measures NAME ARGUMENTS``.

Each prints one JSON object. Run by ``tests.benchmarks.export``, which has them all run in turn, several times.
"""

import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.core.checks.urls import check_url_config  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.db.models import Min  # noqa: E402

from invoices.content.from_rows import prefetch_for_content  # noqa: E402
from invoices.documents.rendering import render_document, warm_up  # noqa: E402
from invoices.documents.style import print_style  # noqa: E402
from invoices.einvoices.einvoice import einvoice_of  # noqa: E402
from invoices.exporting.criteria import Criteria, Scope  # noqa: E402
from invoices.exporting.exports import create_export, start_export  # noqa: E402
from invoices.exporting.run import freezing, publishing, worker  # noqa: E402
from invoices.exporting.run.processes import run_on_this_machine  # noqa: E402
from invoices.models import Company, Document, Export, ExportItem, Invoice  # noqa: E402
from invoices.workers.pool import GC_THRESHOLD  # noqa: E402
from tests.benchmarks import population  # noqa: E402

CORES = os.cpu_count() or 1
FULL = {"generate_credentials": True, "notify": True, "attach_pdf": True}


@contextmanager
def clock() -> Iterator[dict[str, float]]:
    """Wall and processor seconds of the block, children included once they have ended."""
    found: dict[str, float] = {}
    began, used = time.perf_counter(), _used()
    yield found
    found["wall"], found["cpu"] = time.perf_counter() - began, _used() - used


def _used() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def per_invoice(found: dict[str, float], count: int, **more: Any) -> dict[str, Any]:
    """Milliseconds per invoice, and how many invoices a second."""
    return {
        "ms": found["wall"] * 1000 / count,
        "cpu_ms": found["cpu"] * 1000 / count,
        "per_second": count / found["wall"],
        "count": count,
        **more,
    }


def loaded(count: int) -> list[Invoice]:
    """Invoices of the demonstration with all that their content needs."""
    return list(prefetch_for_content(Invoice.objects.filter(origin="csv").order_by("number"))[:count])


# ─── Floors ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def floor_a(count: int) -> dict[str, Any]:
    """One process, the tutorial's way to the same document."""
    from tests.benchmarks.tutorial import render_tutorial

    invoices = loaded(count + 1)
    logo = _logo()

    def render(invoice: Invoice) -> None:
        einvoice = einvoice_of(invoice)
        style = print_style(invoice.company, invoice.customer, on=invoice.issue_date)
        assert einvoice.xml is not None
        render_tutorial(einvoice.content, style, logo, einvoice.xml)

    render(invoices[0])
    with clock() as found:
        for invoice in invoices[1:]:
            render(invoice)
    return per_invoice(found, count)


def _logo() -> Path:
    from PIL import Image

    path = Path(tempfile.mkdtemp()) / "logo.png"
    Image.new("RGB", (600, 200), (31, 61, 92)).save(path)
    return path


def floor_b(count: int, processes: int) -> dict[str, Any]:
    """Our own template and options, the best loop: rendering only, nothing stored, nothing written."""
    import gc

    invoices = loaded(count)
    warm_up(invoices[:1])
    connections.close_all()
    gc.freeze()

    def work(share: list[Invoice]) -> None:
        gc.set_threshold(GC_THRESHOLD, 20, 100)
        for invoice in share:
            render_document(invoice)

    context = multiprocessing.get_context("fork")
    with clock() as found:
        children = [context.Process(target=work, args=(invoices[i::processes],)) for i in range(processes)]
        for child in children:
            child.start()
        for child in children:
            child.join()
    return per_invoice(found, count)


# ─── The chain ───────────────────────────────────────────────────────────────────────────────────────────────────────
def new_run(count: int, origin: str, **choices: bool) -> Export:
    """A running export of the next ``count`` invoices of that origin that were never exported."""
    export = create_export(criteria=Criteria(scope=Scope.ALL, **choices))
    ready = export.items.filter(state="ready", invoice__origin=origin, invoice__issue_date__lt=population.DAY_OF_LISTS)
    kept = ready.order_by("invoice__number").values_list("pk", flat=True)
    kept = list(kept[:count])
    assert len(kept) == count, f"{len(kept)} invoices left of {count}"
    check_url_config(None)  # as the checks before every command: they load the site's addresses
    export.items.exclude(pk__in=kept).delete()
    return start_export(export=export)


def chain(count: int, processes: int, origin: str = "csv", with_mail: int = 1) -> dict[str, Any]:
    """Claim, render with the e-invoice, store, publish, write the mails: an export of ``count`` invoices."""
    export = new_run(count, origin, **(FULL if with_mail else {}))
    with clock() as found:
        figures = run_on_this_machine(export, processes=processes)
    assert (figures.published, figures.failed) == (count, 0), figures
    documents = Document.objects.filter(items__export=export).count()
    assert documents == count, f"{documents} documents of {count} lines"
    return per_invoice(found, count, mails=figures.mails)


def memory(count: int, processes: int, origin: str = "csv") -> dict[str, Any]:
    """The same, with the peak of the memory of the whole process tree (shared pages counted once), in megabytes."""
    peak = 0.0
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.5):
            peak = max(peak, sum(_proportional_megabytes(pid) for pid in _tree(os.getpid())))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    found = chain(count, processes, origin)
    ended.set()
    watcher.join()
    return {**found, "peak_mb": peak, "peak_mb_per_worker": peak / processes}


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [pid, *(found for child in children for found in _tree(int(child)))]


def _proportional_megabytes(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0.0)


def phases(count: int) -> dict[str, Any]:
    """Where the time of one process goes: processor milliseconds of an invoice by phase, and statements."""
    spent: dict[str, float] = defaultdict(float)
    inner = 0.0

    def timed(module: Any, name: str, phase: str) -> None:
        theirs: Callable[..., Any] = getattr(module, name)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal inner
            began, before = time.process_time(), inner
            try:
                return theirs(*args, **kwargs)
            finally:
                taken = time.process_time() - began
                # What a phase within this one took is its own.
                spent[phase] += taken - (inner - before)
                inner = before + taken

        setattr(module, name, wrapper)

    timed(worker, "claim_lines", "claim")
    timed(worker, "prepare_lines", "read the invoices")
    timed(freezing, "einvoice_of", "write the XML")
    timed(freezing, "check_for_export", "look its check up")
    timed(freezing, "render_document", "render")
    timed(worker, "freeze_lines", "store (threads)")
    timed(worker, "write_drafts", "compose the mail")
    timed(worker, "commit_lines", "publish, outbox")
    timed(publishing, "write_line_mails", "outbox rows")
    export = new_run(count, "csv", **FULL)
    from invoices.exporting.run.processes import warm_up_for

    warm_up_for(export)
    spent.clear()
    inner = 0.0
    statements = 0

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(sql, params, many, context)

    with clock() as found, connection.execute_wrapper(counting):
        worker.run_lines(export)
    rows = {phase: seconds * 1000 / count for phase, seconds in spent.items()}
    rows["everything else"] = found["cpu"] * 1000 / count - sum(rows.values())
    return per_invoice(found, count, phases=rows, statements_per_line=statements / count)


# ─── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────
def make_list(count: int, rounds: int) -> dict[str, Any]:
    """A list of ``count`` lines against the bare INSERT … SELECT of the same rows, in turn: the best of each."""
    first = population.multiply(count)
    criteria = Criteria(start=first, generate_credentials=True, notify=True)
    ours, bare = [], []
    for _round in range(rounds):
        with clock() as found:
            export = create_export(criteria=criteria)
        ours.append(found["wall"])
        lines = ExportItem.objects.filter(export=export)
        assert lines.count() == count
        lines.delete()
        with clock() as found, connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO invoices_exportitem (export_id, invoice_id, state, reason, error, note, mails,"
                " credentials, attempts, claimed_by) SELECT %s, id, 'ready', '', '', '', 0, 0, 0, ''"
                " FROM invoices_invoice WHERE issue_date >= %s ORDER BY issue_date, number",
                [export.pk, first],
            )
        bare.append(found["wall"])
        lines.delete()
    return {"lines": count, "ours": min(ours), "bare": min(bare), "ratio": min(ours) / min(bare)}


def populate(count: int, received: int) -> dict[str, Any]:
    """The invoices of all measures."""
    population.populate(count + received)
    pdf = render_document(loaded(1)[0]).content
    population.receive_pdfs(received, pdf)
    return {"invoices": Invoice.objects.count(), "pdf_kb": len(pdf) / 1000, "companies": Company.objects.count()}


def rules(count: int) -> dict[str, Any]:
    """What checking an e-invoice by all rule sets costs, apart from the export (done once, after the import)."""
    from invoices.einvoices.checks import rule_checker
    from invoices.einvoices.einvoice import is_french_seller

    invoices = loaded(count + 1)
    checker = rule_checker(is_french=is_french_seller(invoices[0].company))
    checker.check(einvoice_of(invoices[0]).xml or b"")
    with clock() as found:
        for invoice in invoices[1:]:
            checker.check(einvoice_of(invoice).xml or b"")
    return per_invoice(found, count)


def pages(count: int, folder: str) -> dict[str, Any]:
    """The tutorial's page of ``count`` invoices as files, for the engines of others."""
    from tests.benchmarks.tutorial import page_of

    logo = _logo()
    for number, invoice in enumerate(loaded(count)):
        content = einvoice_of(invoice).content
        style = print_style(invoice.company, invoice.customer, on=invoice.issue_date)
        Path(folder, f"{number}.html").write_text(page_of(content, style, logo))
    return {"first": str(Invoice.objects.aggregate(first=Min("number"))["first"])}


MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    measure.__name__: measure
    for measure in (floor_a, floor_b, chain, memory, phases, make_list, populate, rules, pages)
}

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    name, *arguments = sys.argv[1:]
    values = [int(argument) if argument.isdigit() else argument for argument in arguments]
    sys.stdout.write(json.dumps(MEASURES[name](*values)) + "\n")
