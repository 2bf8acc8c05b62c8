"""A body larger than its page needs is refused, in French, before a byte of it is read."""

import io
from typing import Any

import pytest
from django.test import Client

from customers.models import Account
from tests.support.factories import make_account, make_customer

pytestmark = pytest.mark.django_db

IMPORT = "/gestion/invoices/importbatch/add/"
BACKEND = "customers.authentication.AccountBackend"


def send(client: Client, path: str, size: int, kind: str = "multipart/form-data; boundary=b", **extra: Any) -> Any:
    """The answer to a body that announces ``size`` bytes, and how much of it was read."""
    body = io.BytesIO(b"--b\r\n" + b"x" * 200_000)
    environ: dict[str, Any] = {"CONTENT_LENGTH": str(size), "wsgi.input": body, **extra}
    answer = client.generic("POST", path, content_type=kind, **environ)
    return answer, body.tell()


@pytest.mark.parametrize(
    "path",
    ["/", "/connexion/", "/connexion/oubli/", "/deconnexion/", "/factures/", "/verification/", "/sante/", IMPORT],
)
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "text/plain"])
def test_a_stranger_sends_no_more_than_a_form(client: Client, path: str, kind: str) -> None:
    answer, read = send(client, path, 200_000_000, kind)
    assert (answer.status_code, read) == (413, 0)
    assert "est trop grand\xa0: " in answer.content.decode()


def test_a_customer_sends_no_files_to_the_back_office(client: Client) -> None:
    client.force_login(make_account(make_customer()), backend=BACKEND)
    answer, read = send(client, IMPORT, 10_000_000)
    assert (answer.status_code, read) == (413, 0)


@pytest.mark.parametrize("extra", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": "beaucoup"}])
def test_a_body_that_does_not_say_its_size_is_refused(client: Client, extra: dict[str, str]) -> None:
    answer, read = send(client, "/connexion/", 0, **extra)
    assert (answer.status_code, read) == (413, 0)
    assert "n’annonce pas sa taille" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        (IMPORT, 524_288_000),
        ("/gestion/export-web/factures/statuts/", 20_971_520),
        ("/gestion/invoices/company/add/", 20_000_000),
        ("/gestion/customers/customer/add/", 2_621_440),
    ],
)
def test_staff_send_what_each_page_takes(staff_client: Client, path: str, most: int) -> None:
    answer, read = send(staff_client, path, most + 20_001)
    assert (answer.status_code, read) == (413, 0)
    answer, _read = send(staff_client, path, 1_000_000)
    assert answer.status_code in (200, 400, 422)  # read: this one breaks off


def test_a_sign_in_is_still_read(client: Client) -> None:
    account: Account = make_account(make_customer(), login="a@client.example")
    account.set_password("k7Rqm-pX3dh-9wFtc")
    account.save()
    answer = client.post("/connexion/", {"username": "a@client.example", "password": "k7Rqm-pX3dh-9wFtc"})
    assert answer.status_code == 302
