"""The client of platforms against one that really answers: what each answer means."""

import datetime
import hashlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone

from invoices.models import Platform
from invoices.platforms.callbacks import is_genuine, sign_standard
from invoices.platforms.client import (
    AccessError,
    BusyPlatformError,
    FlowRefusedError,
    PlatformClient,
    UnknownFateError,
)
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.einvoice_samples import PDF
from tests.support.simulated_platforms import (
    CALLBACK_SECRET,
    SECRET,
    directory_line,
    make_platform,
    running_platform,
    settled,
    wait_until,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    """A platform that knows everybody."""
    with running_platform(tmp_path, knows_everybody=True) as made:
        yield made


@pytest.fixture
def client(server: SimulatedPlatform) -> PlatformClient:
    """The client of that platform."""
    return PlatformClient(make_platform(server.url))


def submission(**values: Any) -> dict[str, Any]:
    given = {
        "name": "facture.pdf",
        "syntax": "Factur-X",
        "tracking_id": "nom-du-document",
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "processing_rule": "B2B",
    }
    return {**given, **values}


def test_a_flow_is_taken_found_again_and_read_back(server: SimulatedPlatform, client: PlatformClient) -> None:
    before = timezone.now() - datetime.timedelta(seconds=1)
    flow = client.submit(PDF, **submission())
    wait_until(lambda: settled(server))

    (found,) = client.find_by_tracking_id("nom-du-document", since=before)
    assert (found.flow_id, found.acknowledgement) == (flow.flow_id, "Ok")
    assert client.find_by_tracking_id("un autre", since=before) == []
    assert client.read_file(flow.flow_id) == PDF
    assert flow.flow_id in {each.flow_id for each in client.flows_updated_after(before)}
    client.check_health()


def test_a_platform_without_search_by_tracking_id_is_leafed_through(server: SimulatedPlatform) -> None:
    client = PlatformClient(make_platform(server.url, searches_tracking_id=False, secret_in_body=True))
    before = timezone.now() - datetime.timedelta(seconds=1)
    flow = client.submit(PDF, **submission())
    assert [each.flow_id for each in client.find_by_tracking_id("nom-du-document", since=before)] == [flow.flow_id]


def test_pages_of_flows_are_followed_to_the_end(server: SimulatedPlatform, client: PlatformClient) -> None:
    before = timezone.now() - datetime.timedelta(seconds=1)
    for number in range(230):
        server.book.add_flow(status="Ok", content=b"x", is_judged=True, tracking_id=f"n{number}", direction="Out")
    assert len({flow.flow_id for flow in client.flows_updated_after(before)}) == 230


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.THROTTLED, BusyPlatformError),
        (Fault.UNAVAILABLE, BusyPlatformError),
        (Fault.BROKEN, UnknownFateError),
        (Fault.NO_ANSWER, UnknownFateError),
    ],
)
def test_a_fault_is_distinguished_from_a_refusal(
    server: SimulatedPlatform, client: PlatformClient, fault: Fault, error: type[Exception]
) -> None:
    server.faults.ask_for(fault)
    with pytest.raises(error) as raised:
        client.submit(PDF, **submission())
    if isinstance(raised.value, BusyPlatformError):
        assert raised.value.seconds == 1.0
    assert server.book.counts() == ({"nom-du-document": 1} if fault == Fault.NO_ANSWER else {})


@pytest.mark.parametrize(
    "values", [{"syntax": "ODETTE"}, {"sha256": "court"}, {"processing_rule": "B2X"}, {"profile": "Bronze"}]
)
def test_what_the_interface_does_not_know_is_refused(client: PlatformClient, values: dict[str, str]) -> None:
    with pytest.raises(FlowRefusedError, match="400 BAD_REQUEST"):
        client.submit(PDF, **submission(**values))


def test_an_empty_file_is_refused(client: PlatformClient) -> None:
    with pytest.raises(FlowRefusedError, match="422 EMPTY_FILE"):
        client.submit(b"", **submission())


def test_a_hash_that_is_not_the_files_is_an_error_of_the_acknowledgement(
    server: SimulatedPlatform, client: PlatformClient
) -> None:
    client.submit(PDF, **submission(sha256="0" * 64))
    wait_until(lambda: settled(server))
    (flow,) = client.find_by_tracking_id("nom-du-document", since=timezone.now())
    assert (flow.acknowledgement, flow.codes) == ("Error", ("CHECKSUM_MISMATCH",))


def test_a_wrong_secret_and_a_token_that_ended(server: SimulatedPlatform, client: PlatformClient) -> None:
    client.check_health()
    server.book._run("DELETE FROM token")
    client.check_health()  # a new one was asked for
    client.platform.set_client_secret("un autre")
    with pytest.raises(AccessError, match="l’identifiant ou le secret du client"):
        PlatformClient(client.platform).check_health()


def test_no_secret_is_readable_in_the_database(server: SimulatedPlatform) -> None:
    platform = make_platform(server.url)
    kept = json.dumps(Platform.objects.filter(pk=platform.pk).values("client_secret", "callback_secret")[0])
    assert SECRET not in kept
    assert CALLBACK_SECRET not in kept
    assert platform.read_client_secret() == SECRET


def test_no_server_listens() -> None:
    client = PlatformClient(make_platform("http://127.0.0.1:9"))
    with pytest.raises(BusyPlatformError):
        client.check_health()


def test_a_date_in_retry_after_is_a_number_of_seconds() -> None:
    class Busy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(503)
            self.send_header("Retry-After", self.date_time_string(time.time() + 120))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as busy:
        Thread(target=busy.serve_forever, daemon=True).start()
        try:
            with pytest.raises(BusyPlatformError) as raised:
                PlatformClient(make_platform(f"http://127.0.0.1:{busy.server_port}")).check_health()
        finally:
            busy.shutdown()
    assert 100 < raised.value.seconds <= 120


def test_the_directory_is_asked_by_siren_and_siret(server: SimulatedPlatform, client: PlatformClient) -> None:
    siren, siret = "552100554", "55210055400013"
    server.book.add_line(directory_line(siren))
    server.book.add_line(directory_line(siren, siret=siret, code="COMPTA"))
    addresses = [line["addressingIdentifier"] for line in client.directory_lines(siren)]
    assert addresses == [siren, f"{siren}_{siret}_COMPTA"]
    assert [line["siret"] for line in client.directory_lines(siren, siret)] == [siret]
    assert client.directory_lines("732829320") == []
    assert client.legal_unit("732829320") is None
    unit = client.legal_unit(siren)
    assert unit is not None
    assert unit["administrativeStatus"] == "A"


# Callbacks.

BODY = b'{"type": "flow.updated"}'


def signed(secret: str = CALLBACK_SECRET, moment: float | None = None, body: bytes = BODY) -> dict[str, str]:
    now = str(int(time.time() if moment is None else moment))
    signature = sign_standard(secret, "msg_1", now, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,autre v1,{signature}"}


def test_a_callback_is_known_by_its_signature() -> None:
    platform = make_platform("http://127.0.0.1:9")
    now = time.time()
    assert is_genuine(platform, signed(), BODY, now=now)
    assert not is_genuine(platform, signed("un autre secret"), BODY, now=now)
    assert not is_genuine(platform, signed(), BODY + b" ", now=now)
    assert not is_genuine(platform, signed(moment=now - 3600), BODY, now=now)
    assert not is_genuine(platform, {}, BODY, now=now)
    platform.signature = Platform.Signature.NONE
    assert not is_genuine(platform, signed(), BODY, now=now)


def test_the_example_of_standard_webhooks_gives_its_own_signature() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, spec: test vector.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signature = sign_standard(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signature == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
