"""Predefined messages become mails: a template, its values and the company's look in; subject, text and HTML out."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from mailing.models import MessageTemplate, MessageTemplateVersion
from mailing.placeholders import SECRET_MASK, SECRET_PLACEHOLDER, check_template_texts, split_placeholders
from mailing.plain_text import one_line
from mailing.rendering import MailLook, fill, warm_up
from mailing.shipped_texts import shipped_text

__all__ = (
    "SECRET_MASK",
    "Composed",
    "LoadedTemplate",
    "MailLook",
    "compose",
    "find_template",
    "load_template",
    "restore_version",
    "save_template",
    "save_translation",
    "template_versions",
    "warm_up",
)

_SUBJECT_LENGTH = 80  # what a list of mails shows of it
_LOADED = ("key", "version", "subject", "body", "translations")


@dataclass(frozen=True)
class LoadedTemplate:
    """A predefined message as it stood when it was read: its French text, or that of another ``language``."""

    key: str
    version: int
    subject: str
    body: str
    language: str = settings.LANGUAGE_CODE
    # Subject and text by language, as staff wrote them.
    translations: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def in_language(self, language: str) -> "LoadedTemplate":
        """The same message in ``language``, in French where it has no text in it.

        A text that this installation has not changed is there in every language that has a catalogue.
        """
        if language != self.language and language in self.translations:
            subject, body = self.translations[language]
            return replace(self, language=language, subject=subject, body=body)
        shipped = shipped_text(self.key)
        if language == self.language or shipped is None or (self.subject, self.body) != (shipped.subject, shipped.body):
            return self
        text = shipped_text(self.key, language)
        return self if text is None else replace(self, language=language, subject=text.subject, body=text.body)


@dataclass(frozen=True)
class Composed:
    """A mail ready for the outbox; where it contains a provisional password it shows the mask."""

    subject: str
    text: str
    html: str

    @property
    def shows_secret(self) -> bool:
        """True where the mail contains a provisional password, so that its draft needs a secret reference."""
        return SECRET_MASK in self.text


def load_template(key: str) -> LoadedTemplate:
    """The predefined message ``key`` (``credentials``, ``invoice``, ``invoices``) as it is now.

    Raises LookupError, in French, where there is none.
    """
    row = MessageTemplate.objects.filter(key=key).values(*_LOADED).first()
    if row is None:
        raise LookupError(_("Le message prédéfini « %(key)s » n’existe pas.") % {"key": key})
    return LoadedTemplate(**row)


def find_template(identifier: int) -> LoadedTemplate | None:
    """The predefined message of this primary key as it is now; None where there is none."""
    row = MessageTemplate.objects.filter(pk=identifier).values(*_LOADED).first()
    return LoadedTemplate(**row) if row else None


def compose(
    template: LoadedTemplate, values: Mapping[str, str], look: MailLook, brief_values: Mapping[str, str] | None = None
) -> Composed:
    """The mail for ``values``: placeholder with its # → text; ``brief_values`` take their place in the subject.

    One pass: a value is text, nothing else; it opens no placeholder, no header, no HTML, and cannot imitate the mask.
    ``#PWD_CONNEXION`` always becomes the mask. Raises ValueError, in French, where a placeholder has no value.
    """
    brief = brief_values or {}
    subject = _one_line(
        "".join(
            _value(piece, brief if piece in brief else values) if is_placeholder else piece
            for piece, is_placeholder in split_placeholders(template.subject)
        )
    )
    pieces = split_placeholders(template.body.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    said = {piece: _value(piece, values) for piece, is_placeholder in pieces if is_placeholder}
    text, html = fill(pieces, said, look, subject=subject)
    return Composed(subject=subject, text=text, html=html)


@transaction.atomic
def save_template(*, key: str, subject: str, body: str, author: str) -> LoadedTemplate:
    """Keep a new text of the predefined message ``key`` as its next version; ``author`` is a name for the history.

    The same text again makes no new version. Raises ValidationError (fields ``subject``, ``body``) in French.
    """
    row = MessageTemplate.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise ValidationError(_("Le message prédéfini « %(key)s » n’existe pas.") % {"key": key})
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    if (row.subject, row.body) != (subject, body):
        row.subject, row.body = subject, body
        row.full_clean()
        row.version += 1
        row.save()
        MessageTemplateVersion.objects.create(
            template=row, number=row.version, subject=subject, body=body, author=author
        )
    return LoadedTemplate(row.key, row.version, row.subject, row.body)


@transaction.atomic
def save_translation(*, key: str, language: str, subject: str, body: str) -> None:
    """Keep the text of the predefined message ``key`` in ``language``; an empty text is forgotten, and French goes out.

    Raises ValidationError (fields ``subject``, ``body``) in French.
    """
    body = body.replace("\r\n", "\n").replace("\r", "\n")
    is_forgotten = not subject.strip() and not body.strip()
    problems = {} if is_forgotten else check_template_texts(key, subject, body)
    if problems:
        raise ValidationError(problems)
    row = MessageTemplate.objects.select_for_update().get(key=key)
    if is_forgotten:
        row.translations.pop(language, None)
    else:
        row.translations[language] = [subject, body]
    row.save(update_fields=["translations", "updated_at"])


def restore_version(*, key: str, number: int, author: str) -> LoadedTemplate:
    """Make the text of version ``number`` current again, as a new version: the history only grows.

    Raises ValidationError, in French, where there is no such version.
    """
    old = MessageTemplateVersion.objects.filter(template__key=key, number=number).first()
    if old is None:
        raise ValidationError(_("La version %(number)s de ce message n’existe pas.") % {"number": number})
    return save_template(key=key, subject=old.subject, body=old.body, author=author)


def _harmless(value: str) -> str:
    """A value without control or formatting characters (they forge headers or turn text round), nor the mask's dot."""
    if value.isprintable():
        return value.replace(SECRET_MASK[0], "·")
    kept = "".join(" " if char in "\r\n\t\v\f\x85\u2028\u2029" else char for char in value)
    kept = "".join(char for char in kept if unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    return kept.replace(SECRET_MASK[0], "·")


def _one_line(text: str) -> str:
    """``text`` as a subject: no line break, and not longer than what a list of mails can show."""
    flat = re.sub(" {2,}", " ", one_line(text))
    if len(flat) <= _SUBJECT_LENGTH:
        return flat
    return flat[: _SUBJECT_LENGTH - 1].rpartition(" ")[0].rstrip(" ,") + "…"


def _value(name: str, values: Mapping[str, str]) -> str:
    """What takes the place of the placeholder ``name``. Raises ValueError, in French, where it has no value."""
    if name == SECRET_PLACEHOLDER:
        return SECRET_MASK
    if name not in values:
        raise ValueError(_("L’étiquette %(name)s n’a pas de valeur pour ce mail.") % {"name": name})
    return _harmless(values[name])


def template_versions() -> dict[str, int]:
    """The version of each predefined message as it is now, by its key: what a run was sent with."""
    return dict(MessageTemplate.objects.values_list("key", "version"))
