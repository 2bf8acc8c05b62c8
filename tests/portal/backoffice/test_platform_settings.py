"""Plateformes agréées: set up in the back-office, secrets never shown; callbacks are taken by their signature."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from customers.models import Account
from invoices.models import Platform
from invoices.platforms.callbacks import sign_standard
from invoices.platforms.simulated.server import SimulatedPlatform
from tests.support.factories import PASSWORD
from tests.support.simulated_platforms import CALLBACK_SECRET, SECRET, make_platform, running_platform

pytestmark = pytest.mark.django_db
LIST = "/gestion/invoices/platform/"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimulatedPlatform]:
    with running_platform(tmp_path) as made:
        yield made


def typed(url: str, **values: str) -> dict[str, str]:
    """The form as a person fills it in."""
    return {
        "name": "PA Exemple",
        "flow_url": f"{url}/afnor-flow",
        "token_url": f"{url}/oauth2/token",
        "client_id": "portail",
        "new_client_secret": SECRET,
        "signature": "none",
        "searches_tracking_id": "on",
        "takes_processing_rule": "on",
        "settle_seconds": "5",
        **values,
    }


def test_a_platform_is_added_tried_and_its_secret_never_shown(staff_client: Client, server: SimulatedPlatform) -> None:
    answer = staff_client.post(f"{LIST}add/", typed(server.url))
    assert answer.status_code == 302
    platform = Platform.objects.get()
    assert platform.read_client_secret() == SECRET
    card = f"{LIST}{platform.pk}/change/"
    page = staff_client.get(card).content.decode()
    assert SECRET not in page
    assert platform.client_secret not in page
    assert f"http://127.0.0.1:8000{reverse('platform_callback', args=[platform.callback_key])}" in page

    assert staff_client.post(card, typed(server.url, new_client_secret="", name="PA Autre")).status_code == 302
    platform.refresh_from_db()
    assert (platform.name, platform.read_client_secret()) == ("PA Autre", SECRET)
    tried = staff_client.post(LIST, {"action": "try_connection", "_selected_action": [platform.pk]}, follow=True)
    assert "PA Autre répond." in tried.content.decode()


def test_a_platform_without_secret_is_not_kept(staff_client: Client) -> None:
    answer = staff_client.post(f"{LIST}add/", typed("https://pa.example", new_client_secret=""))
    assert "Saisissez le secret" in answer.content.decode()
    answer = staff_client.post(f"{LIST}add/", typed("https://pa.example", signature="standard"))
    assert "demandent leur secret" in answer.content.decode()
    answer = staff_client.post(f"{LIST}add/", typed("https://pa.example", new_callback_secret="un secret"))
    assert "Choisissez comment ces rappels sont signés" in answer.content.decode()
    assert not Platform.objects.exists()


@pytest.mark.parametrize(("group", "may_change"), [("Paramétrage", True), ("Comptabilité", False), ("Lecture", False)])
def test_the_rights_of_groups(client: Client, group: str, may_change: bool) -> None:
    platform = make_platform("http://127.0.0.1:9")
    member = Account.objects.create_user("membre@aquila.example", PASSWORD, is_staff=True)
    member.groups.add(Group.objects.get(name=group))
    client.force_login(member)
    card = f"{LIST}{platform.pk}/change/"
    assert client.get(card).status_code == 200
    answer = client.post(card, typed("https://pa.example", name="Autre"))
    assert answer.status_code == (302 if may_change else 403)


def test_a_callback_is_taken_by_its_signature_alone(client: Client) -> None:
    platform = make_platform("http://127.0.0.1:9")
    address = reverse("platform_callback", args=[platform.callback_key])
    body, now = b'{"type": "flow.updated"}', str(int(time.time()))
    signature = sign_standard(CALLBACK_SECRET, "msg_1", now, body)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}

    def call(body: bytes) -> int:
        return client.post(address, body, content_type="application/json", headers=headers).status_code

    assert (call(body), call(b"{}")) == (204, 401)
    assert client.get(address).status_code == 405
