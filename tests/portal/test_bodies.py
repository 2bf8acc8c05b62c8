"""A body larger than its page needs is refused, in French, before a byte of it is read."""

import io
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import Account
from mailing.models import MessageTemplate
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


def test_a_nul_in_a_form_is_no_error_of_the_database(client: Client, staff_client: Client) -> None:
    template = MessageTemplate.objects.get(key="invoice")
    preview = reverse("admin:message_preview", args=[template.pk])
    shown = staff_client.post(preview, {"subject": "Vos\x00factures", "body": "a\x00b", "preview_invoice": "F\x001"})
    assert "Aucune facture ne porte le numéro" in shown.content.decode()
    assert "F\ufffd1" in shown.content.decode()
    for name in ("failed_addresses_correct", "failed_addresses_forget"):
        fields = {"address": "a\x00@client.example", "new": "b\x00@client.example", "cust\x00omer": "1"}
        assert staff_client.post(reverse(f"admin:{name}"), fields).status_code == 302

    client.force_login(make_account(make_customer()), backend=BACKEND)
    assert client.post("/compte/sessions/", {"session": "a\x00b"}).status_code in (302, 404)
    numbers = ("9", "9\x00")
    verdicts = [client.post("/verification/", {"number": each, "fingerprint": "0" * 64}) for each in numbers]
    assert len({str(re.findall(r"<h2[^>]*>[^<]*", verdict.content.decode())) for verdict in verdicts}) == 1
    assert client.post("/connexion/", {"username": "a\x00b@client.example", "password": "c\x00d"}).status_code < 500


def test_a_body_that_breaks_off_is_refused_and_no_error_of_ours(client: Client) -> None:
    class BrokenOff(io.BytesIO):
        def read(self, *_size: Any) -> bytes:
            raise OSError("the client went away")

    environ: dict[str, Any] = {"CONTENT_LENGTH": "9", "wsgi.input": BrokenOff()}
    answer = client.generic("POST", "/connexion/", content_type="application/x-www-form-urlencoded", **environ)
    assert answer.status_code < 500
