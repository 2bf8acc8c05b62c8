"""Pages of the back-office that say no: with its frame, its menus and a way on; elsewhere the customers' page."""

import re
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client
from django.urls import reverse

from portal.bodies import FORM_ROOM
from tests.support.back_office import BACKEND, member, sign_in_staff, words
from tests.support.factories import make_account, make_customer

pytestmark = pytest.mark.django_db

MENUS = 'id="menu-client"'


def _has_frame(answer: Any) -> bool:
    page = answer.content.decode()
    place = re.search(r'<li aria-current="page">([^<]*)</li>', page)
    return MENUS in page and "<h1>" in page and place is not None and f"<h1>{place[1]}</h1>" in page


@pytest.mark.parametrize(
    "address",
    [
        "/gestion/nulle-part/",
        "/gestion/export-web/factures/export/999/",
        "/gestion/export-web/annuaire/12/rien/",
        "/gestion/invoices/invoice/8f1f8f8e-0000-4000-8000-000000000000/piste/",
    ],
)
def test_what_is_not_there_keeps_the_menus(client: Client, address: str) -> None:
    sign_in_staff(client)

    answer = client.get(address)

    assert answer.status_code == 404
    assert _has_frame(answer)
    assert "Page introuvable" in words(answer)
    assert f'href="{reverse("admin:index")}">Tableau de bord' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_the_list_that_the_address_belongs_to_is_the_way_on(client: Client) -> None:
    sign_in_staff(client)

    invoices = reverse("admin:invoices_invoice_changelist")

    page = client.get(f"{invoices}8f1f8f8e-0000-4000-8000-000000000000/piste/").content.decode()

    assert f'class="button" href="{invoices}">' in page


def test_what_one_may_not_do_keeps_the_menus_one_may_use(client: Client) -> None:
    client.force_login(member("Lecture"), backend=BACKEND)

    answer = client.get("/gestion/auth/group/")

    assert answer.status_code == 403
    assert "Accès refusé" in words(answer)
    assert _has_frame(answer)


def test_a_request_that_is_not_understood_keeps_the_menus(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_staff(client)

    def suspicious(*_arguments: object, **_named: object) -> None:
        raise SuspiciousOperation

    monkeypatch.setattr("portal.backoffice.dashboard.build_dashboard", suspicious)
    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 400
    assert "Demande incomprise" in words(answer)
    assert MENUS in answer.content.decode()


def test_a_file_that_is_too_large_and_an_address_of_forms_keep_the_menus(client: Client) -> None:
    sign_in_staff(client)

    large = client.post(reverse("admin:index"), {"x": "x" * (5_000_000 + FORM_ROOM)})
    assert (large.status_code, _has_frame(large)) == (413, True)
    reloaded = client.get("/gestion/export-web/factures/export/1/tout-corriger/")
    assert (reloaded.status_code, _has_frame(reloaded)) == (405, True)


@pytest.mark.parametrize("address", ["/gestion/nulle-part/", "/nulle-part/", "/gestion/auth/group/"])
def test_customers_and_visitors_see_nothing_of_the_back_office(client: Client, address: str) -> None:
    account = make_account(make_customer())

    for signed_in in (False, True):
        if signed_in:
            client.force_login(account, backend=BACKEND)
        answer = client.get(address, follow=True)
        assert "Tableau de bord" not in words(answer)
        assert MENUS not in answer.content.decode()


def test_outside_of_the_back_office_staff_get_the_page_of_everybody(client: Client) -> None:
    sign_in_staff(client)

    answer = client.get("/factures/8f1f8f8e-0000-4000-8000-000000000000/")

    assert answer.status_code == 404
    assert not _has_frame(answer)
