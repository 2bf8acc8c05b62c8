"""The page of the simulated platform for people: answers of the buyer, faults, and where callbacks go."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from invoices.models import Platform
from invoices.platforms.callbacks import is_genuine, sign_standard
from invoices.platforms.following import POLL_EVERY
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.simulated_platforms import CALLBACK_SECRET, make_platform, running_platform


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path, knows_everybody=True) as made:
        yield made


def fill_in(server: SimulatedPlatform, form: str, origin: str = "", **values: str) -> requests.Response:
    """Send a form of the page as a browser does."""
    return requests.post(
        f"{server.url}/simulation/{form}", data=values, headers={"Origin": origin or server.url}, timeout=10
    )


def test_the_page_takes_the_address_of_callbacks_and_faults(server: SimulatedPlatform) -> None:
    page = requests.get(server.url, timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Rien n’a été déposé." in page.text

    said = fill_in(server, "callbacks", url="http://127.0.0.1:9/rappel/<1>", secret="whsec_xyz")
    assert (said.status_code, server.book.callback_target()) == (200, ("http://127.0.0.1:9/rappel/<1>", "whsec_xyz"))
    assert "rappel/&lt;1&gt;" in said.text
    assert fill_in(server, "faults", fault="throttled", count="2").status_code == 200
    assert [server.faults.next() for _turn in range(3)] == [Fault.THROTTLED, Fault.THROTTLED, None]


@pytest.mark.parametrize(
    ("form", "values", "status", "sentence"),
    [
        ("callbacks", {"url": "javascript:alert(1)"}, 400, "commence par http"),
        ("faults", {"fault": "throttled", "count": "beaucoup"}, 400, "de 1 à 1000"),
        ("faults", {"fault": "fire"}, 400, "Les pannes connues"),
        ("status", {"number": "FA-404", "code": "205"}, 404, "n’a pas été déposée"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(
    server: SimulatedPlatform, form: str, values: dict[str, str], status: int, sentence: str
) -> None:
    answer = fill_in(server, form, **values)
    assert answer.status_code == status
    assert sentence in answer.text
    assert answer.text.startswith("<!doctype html>")


def test_the_pages_of_other_sites_change_nothing(server: SimulatedPlatform) -> None:
    assert fill_in(server, "callbacks", origin="https://evil.example", url="http://evil.example").status_code == 403
    assert server.book.callback_target() == ("", "")


# Callbacks that are hostile, or come again.


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * 99_000, "application/json", 204),
        (b"x" * 200_000, "application/json", 413),
        (b"\x00\xff", "multipart/form-data; boundary=x", 204),
        (b'{"type": "flow.deleted", "flowId": "../../unknown"}', "text/plain", 204),
        (b"", "", 204),
    ],
)
def test_nothing_is_read_of_a_callback_but_its_signature(client: Client, body: bytes, kind: str, status: int) -> None:
    platform = make_platform("http://127.0.0.1:9")
    address = reverse("platform_callback", args=[platform.callback_key])
    headers = signed(body)
    assert client.post(address, body, content_type=kind, headers=headers).status_code == status


def signed(body: bytes, moment: str = "") -> dict[str, str]:
    moment = moment or str(int(time.time()))
    signature = sign_standard(CALLBACK_SECRET, "msg_1", moment, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": f"v1,{signature}"}


@pytest.mark.django_db
def test_a_callback_that_is_repeated_queues_one_look(client: Client) -> None:
    cache.clear()
    platform = make_platform("http://127.0.0.1:9")
    Platform.objects.update(polled_at=timezone.now())
    address = reverse("platform_callback", args=[platform.callback_key])
    headers = signed(b"{}")
    for _time in range(20):
        assert client.post(address, b"{}", content_type="application/json", headers=headers).status_code == 204
    assert DBTaskResult.objects.count() == 1
    platform.refresh_from_db()
    assert platform.polled_at is not None
    assert platform.polled_at <= timezone.now() - POLL_EVERY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "is_taken"),
    [("999999700", True), ("1000000300", True), ("999999699", False), ("1000000301", False)]
    + [(text, False) for text in ("", "-1", "1e9", "١٠٠٠٠٠٠٠٠٠", "9" * 5000)],
)
def test_clocks_may_differ_by_five_minutes(moment: str, is_taken: bool) -> None:
    platform = make_platform("http://127.0.0.1:9")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{sign_standard(CALLBACK_SECRET, 'msg_1', moment, b'{}')}",
    }
    assert is_genuine(platform, headers, b"{}", now=1_000_000_000) is is_taken
