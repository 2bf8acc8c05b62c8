"""A real browser (Debian's chromium) for the tests that look at pages as people do."""

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from django.core.handlers.wsgi import WSGIHandler
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect, sync_playwright

# Playwright's synchronous interface runs an event loop in this thread; the database is used from here all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
# The same engine without the windows around it opens a page in a quarter of the time: preferred where it is there.
EXECUTABLES = ("chromium-headless-shell", "chromium", "chromium-browser")
# WCAG 2.2 level AA with what is below it, and axe's own good practice.
AXE_RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
RULES_ABOUT_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
LOOKS_FILE = Path(__file__).with_name("axe_looks.js")

# A wide window and a phone: pages are looked at in both.
LOOKED_AT = (1440, 390)

# A busy machine draws a page of a PDF in more than the usual five seconds.
PATIENCE = 20_000  # milliseconds
expect.set_options(timeout=PATIENCE)

PageFactory = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is in this folder needs the browser and a database that the server's threads see."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session", autouse=True)
def before_the_server(django_db_setup: None) -> Iterator[None]:
    """The server of the tests starts once, before a single test: it must find the test database (which its threads
    share where it is in memory) and the static files, which no one collected for it.
    """
    with override_settings(WHITENOISE_AUTOREFRESH=True, WHITENOISE_USE_FINDERS=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def one_request_at_a_time() -> Iterator[None]:
    """A database in memory is one connection for all threads of the server: two requests at once would mix answers."""
    turn, plainly = threading.RLock(), WSGIHandler.__call__

    def answer(handler: WSGIHandler, environ: Any, start_response: Any) -> Any:
        with turn:
            return plainly(handler, environ, start_response)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WSGIHandler, "__call__", answer)
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run; each page has a profile of its own."""
    executable = next(filter(None, map(shutil.which, EXECUTABLES)), None)
    assert executable, "Chromium is missing: install Debian's package « chromium-headless-shell »."
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, live_server: Any) -> Iterator[PageFactory]:
    """Makes pages: ``open_page(width=390, javascript=False, scheme="dark")``; addresses are relative to the server.

    A page that logs an error in its console (a refused script, a missing file) fails the test at its end.
    """
    contexts = []
    complaints: list[str] = []

    def make(
        *, width: int = 1440, height: int = 900, javascript: bool = True, scheme: str = "light", scale: float = 1
    ) -> Page:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
            color_scheme=scheme,  # type: ignore[arg-type]
            device_scale_factor=scale,
            locale="fr-FR",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    # A page of refusal is an error to the browser, and what some tests are about.
    assert [text for text in complaints if "Failed to load resource" not in text] == []


def share_of[Item](items: Iterable[Item], width: int) -> list[Item]:
    """Half of ``items``: what is opened at ``width``, the rest being opened at the other one and looked at in both."""
    return list(items)[LOOKED_AT.index(width) :: 2]


def each_width(page: Page) -> Iterator[int]:
    """The width at which ``page`` was opened, then the other one, without opening it once more."""
    assert page.viewport_size
    opened = page.viewport_size["width"]
    for width in sorted(LOOKED_AT, key=lambda width: width != opened):
        page.set_viewport_size({"width": width, "height": 900})
        yield width
    page.set_viewport_size({"width": opened, "height": 900})


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """Asks axe-core what hinders on a page, in light and in dark; one line per violation and element.

    What a scheme changes are colours alone: all rules are asked in light, those about colours once more in dark.
    Contrast, which costs more than all other rules, is measured once of texts that look the same (``axe_looks.js``).
    """
    source = "".join(Path(file).read_text(encoding="utf-8") for file in (AXE_FILE_PATH, LOOKS_FILE))
    legible: set[str] = set()

    def violations(page: Page) -> list[str]:
        # Evaluated, not added as a script element: the pages' own policy refuses those. Once for each page: reading it
        # and running it for the first time is half of the work.
        if not page.evaluate("'axe' in window"):
            page.evaluate(source)
        found = []
        for scheme, rules in (("dark", RULES_ABOUT_COLOURS), ("light", AXE_RULES)):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            report = page.evaluate("([rules, legible]) => judge(rules, legible)", [rules, sorted(legible)])
            legible.update(report["legible"])
            found += [f"{scheme}: {violation}" for violation in report["violations"]]
        return found

    return violations


@pytest.fixture
def sign_in(live_server: Any) -> Callable[[Page, Any], None]:
    """Signs an account in on a page without typing a password."""

    def enter(page: Page, account: Any) -> None:
        from django.conf import settings
        from django.test import Client

        client = Client()
        client.force_login(account, backend="customers.authentication.AccountBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return enter
