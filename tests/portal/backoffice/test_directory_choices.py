"""The directory's answer where staff need it: on the card, in the list to export, and for the seller itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Customer
from invoices.exporting.criteria import Criteria, Scope
from invoices.exporting.exports import create_export
from invoices.models import Company, DirectoryLookup, Export, ExportItem
from invoices.platforms.directory import refresh_directory
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import make_invoice
from tests.support.simulated_platforms import SIREN, connect, directory_line, make_platform, running_platform

pytestmark = pytest.mark.django_db
SIRET = "55210055400013"
SITE, DESK = f"{SIREN}_{SIRET}", f"{SIREN}_{SIRET}_COMPTA"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path) as made:
        yield made


def listed(server: SimulatedPlatform, *lines: dict[str, Any], **fields: str) -> Export:
    """A list with an invoice of a customer whom the directory answers with ``lines``."""
    company, customer = connect(make_platform(server.url))
    Customer.objects.update(**fields)
    customer.refresh_from_db()
    for line in lines:
        server.book.add_line(line)
    refresh_directory()
    make_invoice(company=company, customer=customer)
    return create_export(criteria=Criteria(scope=Scope.ALL))


def correct(staff_client: Client, export: Export, fix: str, **values: str) -> str:
    """The list after a correction of its only line."""
    item = ExportItem.objects.get()
    address = reverse("admin:export_web_list", args=[export.number])
    assert f'value="{fix}"' in staff_client.get(address).content.decode()
    answer = staff_client.post(address, {"item": item.pk, "fix": fix, **values}, follow=True)
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize(
    ("before", "reason"),
    [("", "plusieurs adresses dans l’annuaire"), (f"{SIREN}_ANCIEN", "autre adresse dans l’annuaire")],
)
def test_an_address_of_the_directory_is_chosen_in_the_list(
    staff_client: Client, server: SimulatedPlatform, before: str, reason: str
) -> None:
    lines = (directory_line(SIREN, siret=SIRET), directory_line(SIREN, siret=SIRET, code="COMPTA"))
    export = listed(server, *lines, electronic_address=before)
    page = staff_client.get(reverse("admin:export_web_list", args=[export.number])).content.decode()
    assert reason in page
    assert f"{DESK} – Service COMPTA" in page
    assert "L’annuaire ne donne pas cette adresse" in correct(staff_client, export, "choose", address="999999999")

    assert "1 facture prête" in correct(staff_client, export, "choose", address=DESK).replace("\xa0", " ")
    assert Customer.objects.get().electronic_address == DESK
    assert ExportItem.objects.get().state == ExportItem.State.READY


def test_the_directory_is_asked_again_from_the_list(staff_client: Client, server: SimulatedPlatform) -> None:
    export = listed(server)
    assert "introuvable dans l’annuaire" in correct(staff_client, export, "look_up")
    server.book.add_line(directory_line(SIREN))
    assert "1 facture prête" in correct(staff_client, export, "look_up").replace("\xa0", " ")


def test_the_card_offers_the_addresses_of_the_directory(staff_client: Client, server: SimulatedPlatform) -> None:
    listed(server, directory_line(SIREN, siret=SIRET), directory_line(SIREN, siret=SIRET, code="COMPTA"))
    customer = Customer.objects.get()
    page = staff_client.get(reverse("admin:customers_customer_change", args=[customer.pk])).content.decode()
    assert f'<option value="{DESK}">{DESK} – Service COMPTA</option>' in page
    assert f"plusieurs adresses : {SITE}, {DESK}" in page


def test_who_pays_no_attention_to_the_directory_types_an_address_himself(staff_client: Client) -> None:
    connect(make_platform("http://127.0.0.1:9"))
    page = staff_client.get(
        reverse("admin:customers_customer_change", args=[Customer.objects.get().pk])
    ).content.decode()
    assert '<input type="text" name="electronic_address"' in page


def test_a_seller_whom_no_status_reaches_is_notified(staff_client: Client, server: SimulatedPlatform) -> None:
    listed(server, directory_line(SIREN))
    company = Company.objects.get()
    told = "Les statuts ne lui parviennent pas"
    assert told in " ".join(staff_client.get(reverse("admin:platform_follow_up")).content.decode().split())
    card = reverse("admin:invoices_company_change", args=[company.pk])
    assert "introuvable dans l’annuaire (le" in staff_client.get(card).content.decode()
    DirectoryLookup.objects.filter(company=company).update(outcome=DirectoryLookup.Outcome.FOUND)
    assert told not in " ".join(staff_client.get(reverse("admin:platform_follow_up")).content.decode().split())
