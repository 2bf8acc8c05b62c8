"""Annuaire: who is reached where, typed, taken from a card, or read from the public directory's file."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from invoices.models import DirectoryLookup
from invoices.platforms.directory import refresh_directory
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import make_company, make_customer
from tests.support.simulated_platforms import SIREN, connect, directory_line, make_platform, running_platform

pytestmark = pytest.mark.django_db
PAGE = "/gestion/export-web/factures/annuaire/"
SIRET = f"{SIREN}00013"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path) as made:
        made.book.add_line({**directory_line(SIREN), "name": "Ville & Fils"})
        made.book.add_line(directory_line(SIREN, siret=SIRET, code="COMPTA", status="Disabled"))
        yield made


def text_of(client: Client, address: str = PAGE, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def test_a_siren_typed_in_groups_shows_its_addresses_and_keeps_nothing(
    staff_client: Client, server: SimulatedPlatform
) -> None:
    _company, customer = connect(make_platform(server.url))
    page = text_of(staff_client, f"{PAGE}?numero=552+100+554")
    for words in ("Ville &amp; Fils", f"{SIREN}_{SIRET}_COMPTA", "fermée", "code de routage COMPTA", "ouverte"):
        assert words in page
    assert not DirectoryLookup.objects.exists()

    answer = staff_client.post(f"{PAGE}client/{customer.pk}/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/gestion/customers/customer/{customer.pk}/change/"
    assert DirectoryLookup.objects.get().outcome == DirectoryLookup.Outcome.FOUND
    card = answer.content.decode()
    assert "une adresse : 552100554 (le" in card
    assert f"{PAGE}?numero={SIREN}" in card
    only_shop = text_of(staff_client, f"{PAGE}?numero={SIRET}")
    assert f"<strong>{SIREN}</strong>" not in only_shop


@pytest.mark.parametrize(
    ("number", "status", "words"),
    [
        ("732829320", 200, "Introuvable dans l’annuaire"),
        ("552100555", 422, "n’est pas un SIREN"),
        ("55210055400014", 422, "n’est pas un SIRET"),
        ("", 422, "Saisissez un SIREN"),
        ("<b>", 422, "n’est pas un SIREN"),
    ],
)
def test_what_is_not_found_and_what_is_no_number(
    staff_client: Client, server: SimulatedPlatform, number: str, status: int, words: str
) -> None:
    connect(make_platform(server.url))
    assert words in text_of(staff_client, f"{PAGE}?numero={number}", status)


def test_a_platform_that_does_not_answer_is_said(staff_client: Client) -> None:
    connect(make_platform("http://127.0.0.1:9"))
    assert "ne donne pas de jeton" in text_of(staff_client, f"{PAGE}?numero={SIREN}")


def test_the_sellers_own_address_is_shown(staff_client: Client, server: SimulatedPlatform) -> None:
    connect(make_platform(server.url))
    refresh_directory()
    page = text_of(staff_client)
    assert "Notre propre adresse (BT-34)" in page
    assert "introuvable dans l’annuaire" in page


def test_without_an_interface_the_list_is_written_and_the_answer_read(staff_client: Client) -> None:
    make_company()
    make_customer(siren=SIREN)
    make_customer(siren="")
    page = text_of(staff_client)
    assert "passez par le fichier" in page
    listed = staff_client.get(f"{PAGE}siren.csv")
    assert listed.content.decode("utf-8-sig").split() == ["siren", SIREN]

    def give(content: bytes) -> str:
        given = SimpleUploadedFile("annuaire.csv", content)
        answer = staff_client.post(f"{PAGE}fichier/", {"file": given}, follow=True)
        return " ".join(answer.content.decode().split()).replace("\xa0", " ")

    page = give(f"siren;adresse;statut\n{SIREN};{SIREN};Actif\n".encode())
    assert "1 client consulté" in page
    assert "une adresse : <strong>1</strong>" in page
    assert "il manque la colonne siren" in give(b"a;b\n1;2\n")
    assert "Ce fichier est vide" in give(b"")
    assert "il manque la colonne siren" in give(b"\n")
