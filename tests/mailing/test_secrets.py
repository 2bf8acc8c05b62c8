"""Secrets in mails: they are in the sent mail and nowhere else."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from mailing import outbox, secrets
from mailing.models import FailedAddress
from mailing.placeholders import SECRET_MASK
from tests.support.sending import draft, send
from tests.support.smtp_sink import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def provide(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str | None]], None]:
    """Registers a provider for one test."""

    def register(provider: Callable[[str], str | None]) -> None:
        monkeypatch.setattr(secrets, "_providers", [])
        secrets.register_secret_provider(provider)

    return register


SECRET_DRAFT = {
    "text": f"Mot de passe : {SECRET_MASK}",
    "html": f"<p>Mot de passe : {SECRET_MASK}</p>",
    "secret_reference": "42",
}


def everything_stored() -> str:
    """All text that the tables of this room hold."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            if table.startswith("mailing_"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                rows.extend(cursor.fetchall())
    return repr(rows)


def test_the_secret_is_in_the_sent_mail_and_nowhere_else(
    sink: Sink, provide: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "mail.log")  # the server's own log
    provide({"42": "K7<w&9-sec"}.get)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    send("accepted")
    [mail] = sink.parsed
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Mot de passe : K7<w&9-sec"
    assert "K7&lt;w&amp;9-sec" in html.get_content()
    said = capsys.readouterr()
    for place in (everything_stored(), caplog.text, said.out, said.err):
        assert "K7" not in place


def test_a_server_that_quotes_the_secret_does_not_make_us_keep_it(sink: Sink, provide: Any) -> None:
    sink.replies["DATA", "client"] = "550 5.7.1 spam: K7w9-sec"
    provide({"42": "K7w9-sec"}.get)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("rejected")
    assert message.reason.endswith(f"spam: {SECRET_MASK}")


def test_an_expired_secret_is_never_sent(sink: Sink, provide: Any) -> None:
    provide(lambda reference: None)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("rejected")
    assert message.reason == "mot de passe provisoire expiré"
    assert sink.mails == []
    assert not FailedAddress.objects.exists()


def test_a_provider_that_fails_defers_and_its_words_are_not_kept(
    sink: Sink, provide: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(reference: str) -> str:
        raise RuntimeError("K7w9-sec cannot be read")

    provide(fail)
    outbox.write_messages([draft(**SECRET_DRAFT)])
    [message] = send("deferred")
    assert "RuntimeError" in message.reason
    assert "K7w9" not in message.reason + caplog.text + everything_stored()
    assert sink.mails == []


def test_a_mail_without_a_password_asks_for_none(sink: Sink, provide: Any) -> None:
    provide(lambda reference: None)
    outbox.write_messages([draft(secret_reference="42")])
    send("accepted")
