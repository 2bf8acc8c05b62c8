"""The engines of others on the tutorial's page of the same invoices, where they are installed."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

SINGLE, BATCH = 3, 20
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--disable-background-networking")


def engines_of_others(html: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    """What can be measured here, by name. ``html`` is a folder with at least ``BATCH`` pages ``N.html``."""
    found: dict[str, Callable[[], dict[str, Any]]] = {}
    if shutil.which("wkhtmltopdf"):
        found["wkhtmltopdf, a process per invoice"] = lambda: _each(html, _wkhtmltopdf)
        found["wkhtmltopdf, one batch"] = lambda: _wkhtmltopdf_batch(html)
    if shutil.which("chromium"):
        found["Chromium, a process per invoice"] = lambda: _each(html, _chromium)
        found["Chromium, kept open"] = lambda: _chromium_kept(html)
    return found


def _row(seconds: float, cpu: float, count: int) -> dict[str, Any]:
    return {"ms": seconds * 1000 / count, "cpu_ms": cpu * 1000 / count, "per_second": count / seconds}


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _run(*command: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": "/tmp"}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)


def _each(html: Path, convert: Callable[[Path, Path], None]) -> dict[str, Any]:
    began, used = time.perf_counter(), _cpu()
    for number in range(SINGLE):
        convert(html / f"{number}.html", html / f"{number}.pdf")
        assert (html / f"{number}.pdf").read_bytes().startswith(b"%PDF-")
    return _row(time.perf_counter() - began, _cpu() - used, SINGLE)


def _wkhtmltopdf(page: Path, target: Path) -> None:
    _run("wkhtmltopdf", "-q", "--enable-local-file-access", str(page), str(target))


def _wkhtmltopdf_batch(html: Path) -> dict[str, Any]:
    """All pages in one run, one after the other: Debian's build takes one input, so they are one document."""
    pages = [(html / f"{number}.html").read_text() for number in range(BATCH)]
    joined = '<div style="page-break-after: always"></div>'.join(pages)
    (html / "batch.html").write_text(joined)
    began, used = time.perf_counter(), _cpu()
    _wkhtmltopdf(html / "batch.html", html / "batch.pdf")
    return _row(time.perf_counter() - began, _cpu() - used, BATCH)


def _chromium(page: Path, target: Path) -> None:
    _run("chromium", *CHROMIUM, f"--print-to-pdf={target}", page.as_uri())


def _chromium_kept(html: Path) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto((html / "0.html").as_uri())
        page.pdf()
        began = time.perf_counter()
        for number in range(BATCH):
            page.goto((html / f"{number}.html").as_uri())
            page.pdf(path=html / f"kept{number}.pdf", tagged=True)
        seconds = time.perf_counter() - began
        browser.close()
    return _row(seconds, seconds, BATCH)
