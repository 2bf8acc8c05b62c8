"""The export chain beside its floors and the engines of others: ``python -m tests.benchmarks.export [--long]``.

Everything in one run: the measures take turns, in an order that changes, so that the machine's moods weigh on all
alike; medians are printed. On SQLite, and on PostgreSQL where ``DATABASE_URL`` names a server. A table on the screen, a
JSON under ``var/bench/``.
"""

import argparse
import contextlib
import datetime
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from tests.benchmarks.engines import engines_of_others  # noqa: E402
from tests.support.processes import ROOT, Site, own_site  # noqa: E402

CORES = os.cpu_count() or 1
Measure = Callable[[], dict[str, Any]]


def ask(site: Site, name: str, *arguments: int | str) -> dict[str, Any]:
    """One measure in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.measures", name, *map(str, arguments)],
        cwd=ROOT,
        env={**site.environment, "PYTHONWARNINGS": "ignore", "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@contextlib.contextmanager
def sites(folder: Path) -> Iterator[dict[str, Site]]:
    """An installation on SQLite, and one on PostgreSQL where there is a server."""
    with contextlib.ExitStack() as stack:
        found = {}
        for kind in ("sqlite", "postgresql"):
            place = folder / kind
            place.mkdir()
            with contextlib.suppress(LookupError):
                found[kind] = stack.enter_context(own_site(place, kind=kind, CACHE_URL="locmemcache://"))
        yield found


def progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    """Populate, measure in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=480, help="invoices of one measure of the chain")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=100_000, help="lines of the list")
    parser.add_argument("--processes", type=int, default=CORES)
    parser.add_argument("--long", action="store_true", help="memory at 500 and 5,000 invoices; 1, 2 and 4 processes")
    options = parser.parse_args()
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp())
    try:
        with sites(folder) as places:
            report = measure(places, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report["seconds"] = round(time.monotonic() - began)
    tell(report)
    target = ROOT / "var" / "bench" / f"export-{datetime.datetime.now():%Y%m%d-%H%M%S}.json"  # noqa: DTZ005
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    sys.stdout.write(f"\n{target.relative_to(ROOT)}\n")


def measure(places: dict[str, Site], options: argparse.Namespace) -> dict[str, Any]:
    """All figures of the run."""
    count, rounds, processes = options.invoices, options.rounds, options.processes
    wanted = (rounds + 1) * count + rounds * count // 2 + 80 + (5500 if options.long else 0)
    report: dict[str, Any] = {
        "python": sys.version.split()[0],
        "cores": CORES,
        "processes": processes,
        "invoices": count,
        "rounds": rounds,
    }
    for kind, site in places.items():
        progress(f"{kind}: {wanted} invoices")
        received = rounds * 4 * count + (5500 if options.long else 0)
        report["population"] = ask(site, "populate", wanted, received)
    sqlite = places["sqlite"]
    turns: dict[str, Measure] = {
        "floor A": lambda: ask(sqlite, "floor_a", 10),
        "floor B, one process": lambda: ask(sqlite, "floor_b", 50, 1),
        f"floor B, {processes} processes": lambda: ask(sqlite, "floor_b", count, processes),
    }
    for kind, site in places.items():
        turns[f"chain, {kind}"] = lambda site=site: ask(site, "chain", count, processes)  # type: ignore[misc]
        turns[f"received PDF, {kind}"] = lambda site=site: ask(  # type: ignore[misc]
            site, "chain", 2 * count, processes, "pdf"
        )
        # What a mail costs it costs both alike: without mails, publishing alone is compared.
        turns[f"chain without mails, {kind}"] = lambda site=site: ask(  # type: ignore[misc]
            site, "chain", count // 2, processes, "csv", 0
        )
        turns[f"received PDF without mails, {kind}"] = lambda site=site: ask(  # type: ignore[misc]
            site, "chain", 2 * count, processes, "pdf", 0
        )
    html = Path(tempfile.mkdtemp(dir=sqlite.folder))
    ask(sqlite, "pages", 20, str(html))
    others = engines_of_others(html)
    figures: dict[str, list[dict[str, Any]]] = defaultdict(list)
    chance = random.Random(7)
    for turn in range(rounds):
        names = [*turns, *(others if turn == 0 else ())]
        chance.shuffle(names)
        for name in names:
            progress(f"round {turn + 1}: {name}")
            figures[name].append(turns[name]() if name in turns else others[name]())
    report["measures"] = {
        name: {key: statistics.median(one[key] for one in found) for key in ("ms", "cpu_ms", "per_second")}
        for name, found in figures.items()
    }
    for kind, site in places.items():
        progress(f"{kind}: phases, list of {options.lines} lines")
        report[f"phases, {kind}"] = ask(site, "phases", 60)
        report[f"list, {kind}"] = ask(site, "make_list", options.lines, rounds)
    progress("rules")
    report["rules"] = ask(sqlite, "rules", 5)
    if options.long:
        last = list(places.values())[-1]
        for number in (1, 2, 4):
            progress(f"{number} processes share one export")
            report[f"{number} processes"] = ask(last, "chain", count // 2, number)
        for number in (500, 5000):
            progress(f"memory of {number} invoices")
            report[f"memory, {number}"] = ask(sqlite, "memory", number, processes)
            report[f"memory, received PDF, {number}"] = ask(sqlite, "memory", number, processes, "pdf")
    else:
        report[f"memory, {count}"] = ask(sqlite, "memory", count, processes)
    return report


def tell(report: dict[str, Any]) -> None:
    """The table, and the goals beside what was found."""
    out = sys.stdout.write
    found, processes = report["measures"], report["processes"]
    floor_a, floor_b = found["floor A"], found[f"floor B, {processes} processes"]
    out(f"\nPython {report['python']}, {report['cores']} cores, {report['seconds']} s in all; per invoice\n\n")
    out(f"{'':38}{'ms':>9}{'CPU ms':>9}{'a second':>10}{'× floor A':>11}{'of floor B':>12}\n")
    for name, row in sorted(found.items(), key=lambda item: -item[1]["ms"]):
        out(
            f"{name:38}{row['ms']:9.1f}{row['cpu_ms']:9.1f}{row['per_second']:10.1f}"
            f"{floor_a['ms'] / row['ms']:11.2f}{floor_b['ms'] / row['ms']:12.2f}\n"
        )
    for kind in ("sqlite", "postgresql"):
        if f"phases, {kind}" not in report:
            continue
        phases = report[f"phases, {kind}"]
        out(f"\nWhere a processor's time goes, {kind} ({phases['statements_per_line']:.2f} statements per line)\n")
        for phase, milliseconds in sorted(phases["phases"].items(), key=lambda item: -item[1]):
            out(f"  {phase:36}{milliseconds:9.2f} ms\n")
    out("\n")
    for goal, reached, is_reached in goals(report):
        out(f"{'yes' if is_reached else 'NO ':4} {goal:66} {reached}\n")
    out(f"     checking one e-invoice by all rules, apart from the export      {report['rules']['ms']:.0f} ms\n")


def goals(report: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """What is wanted, what was found, and whether that is enough."""
    found, processes = report["measures"], report["processes"]
    for kind in ("sqlite", "postgresql"):
        if f"chain, {kind}" not in found:
            continue
        chain = found[f"chain, {kind}"]["ms"]
        times = found["floor A"]["ms"] / chain
        yield f"chain ≥ 10 × floor A on two cores, {kind}", f"{times:.1f} ×", times >= 10
        share = found[f"floor B, {processes} processes"]["ms"] / chain
        yield f"chain ≥ 0.85 × floor B on all cores, {kind}", f"{share:.2f}", share >= 0.85
        # The same by processor time, which another program on the machine does not lengthen.
        cpu = found[f"chain, {kind}"]["cpu_ms"]
        times = found["floor A"]["cpu_ms"] / cpu * processes
        yield f"  the same by processor time, on {processes} cores", f"{times:.1f} ×", times >= 10
        share = found[f"floor B, {processes} processes"]["cpu_ms"] / cpu
        yield "  the same by processor time, floor B", f"{share:.2f}", share >= 0.85
        for mails in ("", " without mails"):
            faster = found[f"chain{mails}, {kind}"]["ms"] / found[f"received PDF{mails}, {kind}"]["ms"]
            yield f"received PDF{mails} ≥ 20 × rendered, {kind}", f"{faster:.1f} ×", faster >= 20
        lists = report[f"list, {kind}"]
        text = f"{lists['ratio']:.2f} ({lists['ours']:.2f} s, bare {lists['bare']:.2f} s)"
        yield f"list of {lists['lines']} lines < 1.5 × INSERT … SELECT, {kind}", text, lists["ratio"] < 1.5
    peaks = {name: row for name, row in report.items() if name.startswith("memory, ")}
    for name, row in peaks.items():
        text = f"{row['peak_mb_per_worker']:.0f} MB ({row['peak_mb']:.0f} MB in all)"
        yield f"{name} invoices: < 200 MB per worker", text, row["peak_mb_per_worker"] < 200
    for kind in ("", "received PDF, "):
        if f"memory, {kind}5000" in peaks:
            growth = peaks[f"memory, {kind}5000"]["peak_mb"] / peaks[f"memory, {kind}500"]["peak_mb"]
            yield f"memory, {kind}within 1.15 × between 500 and 5,000 invoices", f"{growth:.2f}", growth <= 1.15
    for number in (2, 4):
        if f"{number} processes" in report:
            times = report[f"{number} processes"]["per_second"] / report["1 processes"]["per_second"]
            enough = times >= 0.8 * min(number, report["cores"])
            yield f"{number} processes on one export, against one", f"{times:.2f} × as fast", enough


if __name__ == "__main__":
    main()
