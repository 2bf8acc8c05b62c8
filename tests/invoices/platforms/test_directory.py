"""The directory before the send: an address for each French professional, and a reason where there is none."""

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export
from invoices.importing.directory_file import read_directory_file
from invoices.models import Company, DirectoryLookup, ExportItem
from invoices.platforms.directory import refresh_directory, unreachable_companies
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import make_customer, make_invoice
from tests.support.simulated_platforms import SIREN, connect, directory_line, make_platform, running_platform
from tests.support.time_passing import let_pass

pytestmark = pytest.mark.django_db
Outcome = DirectoryLookup.Outcome
SIRET, OTHER = "55210055400013", "55210055400021"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path) as made:
        yield made


def looked_up(server: SimulatedPlatform, lines: list[dict[str, object]], **fields: str) -> tuple[str, str]:
    """What the directory says of a customer, and the address on his card afterwards."""
    connect(make_platform(server.url))
    Customer.objects.update(**fields)
    for line in lines:
        server.book.add_line(line)
    assert refresh_directory() == (1, "")
    return DirectoryLookup.objects.get(customer__isnull=False).outcome, Customer.objects.get().electronic_address


LINE = directory_line(SIREN)
OF_SITE = directory_line(SIREN, siret=SIRET)
OF_DESK = directory_line(SIREN, siret=SIRET, code="COMPTA")
DESK = f"{SIREN}_{SIRET}_COMPTA"
OF_OTHER = directory_line(SIREN, siret=OTHER)
CLOSED = directory_line(SIREN, status="Disabled")


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        ([LINE], {}, (Outcome.FOUND, "")),
        ([], {}, (Outcome.NOT_FOUND, "")),
        ([CLOSED], {}, (Outcome.CLOSED, "")),
        ([OF_SITE], {}, (Outcome.FOUND, f"{SIREN}_{SIRET}")),
        ([OF_SITE, OF_DESK], {}, (Outcome.SEVERAL, "")),
        (
            [OF_SITE, OF_DESK],
            {"electronic_address": f"{SIREN}_{SIRET}_COMPTA"},
            (Outcome.FOUND, f"{SIREN}_{SIRET}_COMPTA"),
        ),
        ([LINE, OF_DESK], {}, (Outcome.FOUND, "")),
        # The address of another establishment is not the customer's.
        ([OF_OTHER], {"siret": SIRET}, (Outcome.CLOSED, "")),
        ([OF_OTHER, OF_SITE], {"siret": SIRET}, (Outcome.FOUND, f"{SIREN}_{SIRET}")),
        ([LINE], {"electronic_address": f"{SIREN}_ANCIEN"}, (Outcome.OTHER_PLATFORM, f"{SIREN}_ANCIEN")),
        ([], {"electronic_address": f"{SIREN}_ANCIEN"}, (Outcome.NOT_FOUND, f"{SIREN}_ANCIEN")),
    ],
)
def test_what_the_directory_says_of_a_customer(
    server: SimulatedPlatform, lines: list[dict[str, object]], fields: dict[str, str], expected: tuple[str, str]
) -> None:
    assert looked_up(server, lines, **fields) == expected


def test_who_was_looked_up_lately_is_not_asked_for_again_and_the_seller_is_too(server: SimulatedPlatform) -> None:
    looked_up(server, [LINE])
    assert refresh_directory() == (0, "")
    assert DirectoryLookup.objects.get(company__isnull=False).outcome == Outcome.NOT_FOUND
    assert [lookup.company for lookup in unreachable_companies()] == list(Company.objects.all())
    server.book.add_line(directory_line(Company.objects.get().siren))
    let_pass(datetime.timedelta(days=2), DirectoryLookup)
    refresh_directory()
    assert not unreachable_companies()


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome.FOUND, ""),
        (Outcome.NOT_FOUND, "not_in_directory"),
        (Outcome.CLOSED, "directory_closed"),
        (Outcome.SEVERAL, "address_to_choose"),
        (Outcome.OTHER_PLATFORM, "other_platform"),
    ],
)
def test_what_cannot_be_delivered_is_left_out_with_its_reason(outcome: Outcome, reason: str) -> None:
    company, customer = connect(make_platform("http://127.0.0.1:9"))
    DirectoryLookup.objects.create(customer=customer, siren=SIREN, outcome=outcome)
    make_invoice(company=company, customer=customer)
    create_export(criteria=Criteria(scope=Scope.ALL))
    assert ExportItem.objects.get().reason == reason


def test_a_card_that_was_changed_is_asked_for_again(server: SimulatedPlatform) -> None:
    looked_up(server, [LINE])
    customer = Customer.objects.get()
    customer.electronic_address = f"{SIREN}_ANCIEN"
    customer.save()
    assert refresh_directory() == (1, "")
    Customer.objects.update(siren="732829320")
    assert refresh_directory() == (1, "")


def test_the_file_of_the_public_directory_is_read_without_an_interface() -> None:
    known = make_customer(siren=SIREN)
    lost = make_customer(siren="732829320")
    table = f"SIREN;Adresse électronique;Statut\n{SIREN};{SIREN};Actif\n732829320;;\n".encode()
    assert read_directory_file(table, "annuaire.csv") == (2, [])
    assert DirectoryLookup.objects.get(customer=known).outcome == Outcome.FOUND
    assert DirectoryLookup.objects.get(customer=lost).outcome == Outcome.NOT_FOUND
    assert read_directory_file(b"a;b\n1;2\n", "autre.csv") == (0, ["autre.csv : il manque la colonne siren."])
