"""A mail to send, a server to send it to, and the worker that sends: what the tests of sending share."""

from typing import Any

from django.core.management import CommandError, call_command

from mailing.models import Message
from mailing.outbox import Draft


def draft(key: str = "k", **values: Any) -> Draft:
    """A mail about nothing in particular."""
    fields: dict[str, Any] = {
        "kind": "invoice",
        "recipient": "client@exemple.fr",
        "sender": "compta@exemple.fr",
        "sender_name": "Société Générale d’Éclairage, SAS",
        "subject": "Votre facture n° 18000135 – échéance",
        "text": "Bonjour,\n.une ligne qui commence par un point\nà bientôt",
        "html": "<p>Bonjour,<br>à bientôt</p>",
    }
    return Draft(key=key, **(fields | values))


def use_smtp(settings: Any, port: int, **options: Any) -> None:
    """Send to this port, with one connection and little patience."""
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 1, **options},
        }
    }
    settings.MAIL_CONNECTIONS = 1
    settings.MAIL_FINAL_REPLY_TIMEOUT = 1


def send(*expected_states: str, limit: int | None = None) -> list[Message]:
    """Run the worker; the messages in the order of their keys, whose states must be ``expected_states``."""
    try:
        call_command("send_queued_mail", limit=limit)
    except CommandError:
        assert set(expected_states) - {"accepted", "written"}
    else:
        assert "rejected" not in expected_states
    messages = list(Message.objects.order_by("key"))
    assert tuple(message.state for message in messages) == expected_states
    return messages
