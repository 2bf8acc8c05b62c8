"""The client keeps to our description of the interface: each thing that it asks, and each answer that it takes."""

import email.parser
import email.policy
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml
from django.utils import timezone

from invoices.platforms import client as client_module
from invoices.platforms.client import PlatformClient, PlatformError
from invoices.platforms.simulated.faults import Fault
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.einvoice_samples import PDF
from tests.support.simulated_platforms import directory_line, make_platform, running_platform, settled, wait_until

pytestmark = pytest.mark.django_db
DESCRIPTION = yaml.safe_load(Path(client_module.__file__).with_name("openapi.yaml").read_text(encoding="utf-8"))
SIREN = "552100554"


class Overheard(PlatformClient):
    """The client itself, whose exchanges are kept."""

    exchanges: list[requests.Response]

    def _send(self, method: str, address: str, **options: Any) -> requests.Response:
        answer = super()._send(method, address, **options)
        self.exchanges.append(answer)
        return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path, knows_everybody=True) as made:
        made.book.add_line(directory_line(SIREN))
        yield made


@pytest.fixture
def client(server: SimulatedPlatform) -> Overheard:
    made = Overheard(make_platform(server.url))
    made.exchanges = []
    return made


def operation_of(request: requests.PreparedRequest) -> dict[str, Any]:
    """The operation of the description that ``request`` is one of."""
    path = urlsplit(str(request.url)).path
    for template, methods in DESCRIPTION["paths"].items():
        method = str(request.method).lower()
        if method in methods and re.fullmatch(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)), path):
            found: dict[str, Any] = methods[method]
            return found
    raise LookupError(path)


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """``part``, or what it refers to."""
    if "$ref" not in part:
        return part
    found: Any = DESCRIPTION
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return dict(found)


def violations(value: object, schema: dict[str, Any]) -> list[str]:
    """What is wrong with ``value``."""
    # It builds forty grammars as it is imported: not in each process that only collects this module.
    from jsonschema import Draft202012Validator

    whole = {**schema, "components": DESCRIPTION["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def body_of(request: requests.PreparedRequest) -> tuple[str, Any]:
    """The kind of a request's body, and its value as JSON Schema sees it."""
    kind = request.headers["Content-Type"]
    content = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    if kind == "application/json":
        return kind, json.loads(content)
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {kind}\r\n\r\n".encode() + content
    )
    parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
    assert parts["flowInfo"].get_content_type() == "application/json"
    info, file = (parts[name].get_payload(decode=True) for name in ("flowInfo", "file"))
    assert isinstance(info, bytes)
    assert isinstance(file, bytes)
    return "multipart/form-data", {"flowInfo": json.loads(info), "file": file.decode("latin-1")}


def check_exchange(answer: requests.Response) -> None:
    """Raise where question or answer is not as described."""
    request = answer.request
    operation = operation_of(request)
    assert request.headers["Authorization"].startswith("Bearer ")
    if "requestBody" in operation:
        kind, value = body_of(request)
        assert violations(value, operation["requestBody"]["content"][kind]["schema"]) == []
    known = {each["name"]: each["schema"] for each in operation.get("parameters", []) if each["in"] == "query"}
    for name, values in parse_qs(urlsplit(str(request.url)).query).items():
        assert violations(values[0], known[name]) == []
    told = resolved(operation["responses"][str(answer.status_code)])
    kind = answer.headers.get("Content-Type", "")
    if kind == "application/json":
        assert violations(answer.json(), told["content"][kind]["schema"]) == []
    for name, header in told.get("headers", {}).items():
        assert name in answer.headers or not header.get("required")


def submit(client: PlatformClient, **values: str) -> Any:
    given = {
        "name": "facture.pdf",
        "syntax": "Factur-X",
        "tracking_id": "nom-du-document",
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "processing_rule": "B2B",
        **values,
    }
    return client.submit(PDF, **given)


ASKED: dict[str, Callable[[PlatformClient], Any]] = {
    "submit": submit,
    "submit with a profile": lambda client: submit(client, profile="Extended-CTC-FR"),
    "submit without rule": lambda client: submit(client, processing_rule="NotApplicable"),
    "search by trackingId": lambda client: client.find_by_tracking_id("nom-du-document", since=timezone.now()),
    "search by change": lambda client: list(client.flows_updated_after(timezone.now())),
    "read the file": lambda client: client.read_file(submit(client).flow_id),
    "read no file": lambda client: client.read_file("flux-inconnu"),
    "health": lambda client: client.check_health(),
    "lines of a SIREN": lambda client: client.directory_lines(SIREN),
    "lines of a SIRET": lambda client: client.directory_lines(SIREN, f"{SIREN}00013"),
    "lines of nobody": lambda client: client.directory_lines("732829320"),
    "a unit": lambda client: client.legal_unit(SIREN),
    "no unit": lambda client: client.legal_unit("732829320"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_what_the_client_asks_and_takes_is_what_the_description_says(
    server: SimulatedPlatform, client: Overheard, asked: str
) -> None:
    if asked.startswith("search"):
        submit(client)
        wait_until(lambda: settled(server))
    try:
        ASKED[asked](client)
    except PlatformError:
        assert asked == "read no file"
    assert client.exchanges
    for answer in client.exchanges:
        check_exchange(answer)


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.UNAVAILABLE, Fault.BROKEN])
def test_an_answer_other_than_success_is_described_too(
    server: SimulatedPlatform, client: Overheard, fault: Fault
) -> None:
    server.faults.ask_for(fault)
    with pytest.raises(PlatformError):
        submit(client)
    check_exchange(client.exchanges[-1])
