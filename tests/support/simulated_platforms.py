"""A simulated platform that really answers, and companies that are connected to it."""

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from customers.models import Customer
from invoices.models import Company, Invoice, Platform, Submission
from invoices.platforms.simulated.book import Book
from invoices.platforms.simulated.faults import Fault, Faults
from invoices.platforms.simulated.handler import open_platform
from invoices.platforms.simulated.server import Settings, SimulatedPlatform
from tests.support.factories import make_company, make_customer
from tests.support.invoice_examples import french_vat
from tests.support.listening import listening

SIREN = "552100554"
SECRET = "le secret du client"
CALLBACK_SECRET = "le secret des rappels"


@contextmanager
def running_platform(
    folder: Path, *, faults: tuple[Fault, ...] = (), every: int = 0, **settings: Any
) -> Iterator[SimulatedPlatform]:
    """A simulated platform on a free port of this machine, without rules unless they are asked for."""
    behaviour = Settings(**{"client_secret": SECRET, "judges": False, **settings})
    server = open_platform(("127.0.0.1", 0), Book(folder / "platform.sqlite3"), Faults(faults, every), behaviour)
    with listening(server):
        yield server


def directory_line(siren: str, *, siret: str = "", code: str = "", status: str = "Enabled") -> dict[str, Any]:
    """A line of the directory as the interface describes it."""
    line: dict[str, Any] = {
        "addressingIdentifier": "_".join(filter(None, (siren, siret, code))),
        "siren": siren,
        "directoryLineStatus": status,
    }
    if siret:
        line["siret"] = siret
    if code:
        line["routingCode"] = {"routingIdentifier": code, "routingCodeName": f"Service {code}"}
    return line


def make_platform(url: str, **fields: Any) -> Platform:
    """The row of a platform that answers at ``url``."""
    values = {
        "name": "Plateforme simulée",
        "flow_url": f"{url}/afnor-flow",
        "directory_url": f"{url}/afnor-directory",
        "token_url": f"{url}/oauth2/token",
        "client_id": "portail",
        "settle_seconds": 1,
        "signature": Platform.Signature.STANDARD,
    }
    platform = Platform(**{**values, **fields})
    platform.set_client_secret(SECRET)
    platform.set_callback_secret(CALLBACK_SECRET)
    platform.save()
    return platform


def connect(platform: Platform) -> tuple[Company, Customer]:
    """A company that must issue through ``platform``, and a French professional who buys from it."""
    company = make_company()
    company.operations = Company.Operations.SERVICES
    company.einvoice_from = datetime.date(2025, 1, 1)
    company.platform, company.platform_name = platform, platform.name
    company.save()
    return company, make_customer(siren=SIREN, vat_identifier=french_vat(SIREN))


def wait_until(is_so: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def settled(server: SimulatedPlatform) -> bool:
    """True once the platform has judged all that it took."""
    return not server.book.unjudged()


def make_due() -> None:
    """Let the time pass that lines and platforms rest."""
    Submission.objects.update(not_before=None)
    Platform.objects.update(paused_until=None)


def delivered(invoice: Invoice, platform: Platform, state: str, **fields: Any) -> Submission:
    """A delivery of the PDF of ``invoice``."""
    return Submission.objects.create(
        platform=platform,
        invoice=invoice,
        document=invoice.document,
        source=invoice.document,
        syntax=Submission.Syntax.FACTURX,
        processing_rule="B2B",
        tracking_id=f"remise-{invoice.number}-{invoice.submissions.count()}",
        sha256="0" * 64,
        filename="f.pdf",
        state=state,
        **fields,
    )
