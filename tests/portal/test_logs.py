"""What the log says: the request of each line, as text or JSON, and no token of a link."""

import io
import json
import logging
from typing import Any

import pytest
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client

from portal.logs import JsonLineFormatter, LineFormatter, hide_tokens
from tests.support.factories import make_account, make_customer

TOKEN = "MTIzOnRva2VuLW9mLWEtbGluaw"
ADDRESSES = (f"/connexion/lien/{TOKEN}/", f"/connexion/nouveau-mot-de-passe/{TOKEN}/")


def lines_of(formatter: logging.Formatter, work: Any) -> str:
    """What a handler with ``formatter`` writes while ``work`` is done, from every logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    loggers = [logging.getLogger(), logging.getLogger("django.server")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        work()
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
    return stream.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_refused_link_is_logged_without_its_token(client: Client, address: str) -> None:
    written = lines_of(LineFormatter("{levelname}{of_request} {message}", style="{"), lambda: client.get(address))
    assert "Gone: " in written
    assert address.replace(TOKEN, "…") in written
    assert TOKEN not in written


@pytest.mark.django_db
def test_an_error_behind_a_link_is_logged_without_its_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_anything: object) -> None:
        raise RuntimeError(f"no page for {ADDRESSES[0]}")

    client.raise_request_exception = False
    monkeypatch.setattr("portal.space.views.entry.account_of_token", fail)
    for formatter in (LineFormatter("{message}", style="{"), JsonLineFormatter()):
        written = lines_of(formatter, lambda: client.get(ADDRESSES[0]))
        assert "RuntimeError" in written
        assert TOKEN not in written


def test_the_server_for_trials_logs_no_token_either() -> None:
    handler = WSGIRequestHandler.__new__(WSGIRequestHandler)
    handler.request = type("Request", (), {"makefile": None})()
    request_line = f"GET {ADDRESSES[1]} HTTP/1.1"
    written = lines_of(
        logging.Formatter("%(message)s"), lambda: handler.log_message('"%s" %s %s', request_line, "200", "12")
    )
    assert "nouveau-mot-de-passe/…/" in written
    assert TOKEN not in written


def test_other_addresses_are_logged_as_they_are() -> None:
    for address in ("/connexion/lien/", "/factures/liste.csv", "/connexion/lien/?next=/factures/"):
        assert hide_tokens(f"Not Found: {address}") == f"Not Found: {address}"


@pytest.mark.django_db
def test_each_line_as_json_names_its_request(client: Client) -> None:
    written = lines_of(JsonLineFormatter(), lambda: client.get("/rien/") and client.get("/rien/"))
    line, other = map(json.loads, written.splitlines())
    assert line["message"] == "Not Found: /rien/"
    assert (line["level"], line["logger"]) == ("WARNING", "django.request")
    assert line["request_id"] != other["request_id"]
    assert set(line) == {"time", "level", "logger", "message", "request_id"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "is_kept"), [("0123abcd-4567", True), ("x", False), ("a\tb" * 10, False), ("<script>", False)]
)
def test_a_proxy_names_the_request_where_it_gives_a_name(client: Client, given: str, is_kept: bool) -> None:
    written = lines_of(JsonLineFormatter(), lambda: client.get("/rien/", headers={"X-Request-ID": given}))
    assert (json.loads(written)["request_id"] == given) is is_kept


@pytest.mark.django_db
def test_a_sign_in_by_link_leaves_the_address_of_the_link(client: Client) -> None:
    from customers.links import Purpose, make_token

    token = make_token(make_account(make_customer()), Purpose.SIGN_IN)
    answer = client.post(f"/connexion/lien/{token}/")
    assert answer.status_code == 302
    assert token not in answer["Location"]
