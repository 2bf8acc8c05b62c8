"""The predefined messages as this release ships them; an installation keeps the words that it began with."""

from dataclasses import dataclass
from importlib import import_module

from django.conf import settings
from django.utils.translation import gettext, override

from mailing.models import MessageTemplate

# The migration is the one place where these texts are; its name begins with a digit.
MESSAGES: tuple[tuple[str, str, str, str], ...] = import_module("mailing.migrations.0002_predefined_messages").MESSAGES


@dataclass(frozen=True)
class ShippedText:
    """Subject and text of a predefined message."""

    subject: str
    body: str


def shipped_text(key: str, language: str = settings.LANGUAGE_CODE) -> ShippedText | None:
    """What a new installation begins with for the message ``key``; None where this release ships none in ``language``.

    The texts of other languages than French are in their catalogues.
    """
    french = next((ShippedText(subject, body) for known, _name, subject, body in MESSAGES if known == key), None)
    if french is None or language == settings.LANGUAGE_CODE:
        return french
    with override(language):
        translated = ShippedText(gettext(french.subject), gettext(french.body))
    return translated if translated.body != french.body else None


def has_newer_text(template: MessageTemplate) -> bool:
    """True where this release ships another text than the one that was never changed here."""
    return differs_from_shipped(template) and not template.versions.exclude(author="").exists()


def differs_from_shipped(template: MessageTemplate) -> bool:
    """True where the text in use is not the shipped one."""
    text = shipped_text(template.key)
    return text is not None and (template.subject, template.body) != (text.subject, text.body)
