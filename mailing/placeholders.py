"""Placeholders of the predefined messages: ``#REFFACTURE`` and its kin.

The room that owns a value registers its placeholder: name, label, value and sample in one declaration. What the editor
offers, what the check accepts and what a mail is filled with are all read there, so a placeholder that is accepted has
a value. A value is put in once, in one pass: what a value holds is never read again as a placeholder.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Placeholder[Subject]:
    """A placeholder of messages about a ``Subject``.

    ``value`` gives its text for one, ``brief`` a shorter one for the subject line where the text may be long;
    ``sample`` shows in the editor what it may look like. ``is_copied`` where readers copy it, ``is_address`` where it
    is an address of ours that may become a link.
    """

    name: str
    label: str | Promise
    value: Callable[[Subject], str]
    sample: str
    brief: Callable[[Subject], str] | None = None
    is_copied: bool = False
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class _MessageKind:
    """What a predefined message is about, and the placeholders without which it serves nothing."""

    subjects: tuple[type, ...]
    expected: tuple[str, ...]


# Every placeholder by its name, in the order of registration.
PLACEHOLDERS: dict[str, Placeholder[Any]] = {}
_subjects: dict[str, type] = {}
_messages: dict[str, _MessageKind] = {}

# Replaces the provisional password wherever a mail is stored or shown; the secret itself is put in while sending.
SECRET_PLACEHOLDER = "#PWD_CONNEXION"  # noqa: S105 - a name, not a password
SECRET_MASK = "••••••"  # noqa: S105 - what is shown instead of a password

PLACEHOLDER_PATTERN = re.compile(r"#[A-Z][A-Z0-9_]+")
# What somebody may have meant as a placeholder: also in small letters or with an accent.
_LOOKALIKE_PATTERN = re.compile(r"#[^\W\d]\w+")


def register_placeholders[Subject](subject: type[Subject], *placeholders: Placeholder[Subject]) -> None:
    """Offer ``placeholders`` in every message about a ``subject``; called at start-up (``AppConfig.ready``)."""
    for placeholder in placeholders:
        PLACEHOLDERS[placeholder.name] = placeholder
        _subjects[placeholder.name] = subject
    split_placeholders.cache_clear()


def register_message(key: str, *subjects: type, expected: tuple[str, ...] = ()) -> None:
    """Say what the predefined message ``key`` is about: the types of the objects whose values fill it.

    ``expected`` are the placeholders without which it serves nothing: to leave one out is asked about on saving.
    """
    _messages[key] = _MessageKind(subjects, expected)


def placeholders_for(key: str) -> tuple[str, ...]:
    """The placeholders that the predefined message ``key`` can fill: a mail of credentials knows no invoice.

    An unregistered key, or none, knows them all.
    """
    kind = _messages.get(key)
    return tuple(name for name in PLACEHOLDERS if kind is None or _subjects[name] in kind.subjects)


def missing_placeholders(key: str, body: str) -> tuple[str, ...]:
    """The expected placeholders of the predefined message ``key`` that ``body`` does not hold."""
    kind = _messages.get(key)
    present = set(PLACEHOLDER_PATTERN.findall(body))
    return tuple(name for name in kind.expected if name not in present) if kind else ()


class _Values(Mapping[str, str]):
    """The texts of placeholders by their names, each made when it is first asked for: a message uses few of them."""

    def __init__(self, subjects: tuple[object, ...], *, brief: bool) -> None:
        self._subjects = {type(subject): subject for subject in subjects}
        self._brief = brief
        self._made: dict[str, str] = {}

    def _made_by(self, name: str) -> Callable[[Any], str] | None:
        placeholder = PLACEHOLDERS.get(name)
        if placeholder is None or _subjects[name] not in self._subjects:
            return None
        return placeholder.brief if self._brief else placeholder.value

    def __getitem__(self, name: str) -> str:
        if name not in self._made:
            make = self._made_by(name)
            if make is None:
                raise KeyError(name)
            self._made[name] = make(self._subjects[_subjects[name]])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in PLACEHOLDERS if name in self)

    def __contains__(self, name: object) -> bool:
        return self._made_by(str(name)) is not None

    def __len__(self) -> int:
        return sum(1 for _name in self)


def values_of(*subjects: object) -> Mapping[str, str]:
    """The text of every placeholder registered for ``subjects``, by its name; written when it is read."""
    return _Values(subjects, brief=False)


def brief_values_of(*subjects: object) -> Mapping[str, str]:
    """The texts that take the place of :func:`values_of` in a subject line: only those that differ."""
    return _Values(subjects, brief=True)


def check_placeholders(text: str, key: str = "") -> list[str]:
    """One French sentence per unknown placeholder of ``text``, in the order of the text; empty where all are known.

    With the ``key`` of a message, placeholders that this message cannot fill are refused too.
    """
    known = placeholders_for(key)
    problems = []
    for name in dict.fromkeys(_LOOKALIKE_PATTERN.findall(text)):
        if name in known:
            continue
        if name in PLACEHOLDERS:
            problems.append(
                _("%(name)s n’a pas de valeur dans ce message (connues : %(known)s).")
                % {"name": name, "known": ", ".join(known)}
            )
            continue
        written_as_placeholder = PLACEHOLDER_PATTERN.fullmatch(name) is not None
        plain = unicodedata.normalize("NFD", name.upper()).encode("ascii", "ignore").decode()
        nearest = difflib.get_close_matches(plain, known, n=1, cutoff=0.5 if written_as_placeholder else 0.8)
        if nearest:
            problems.append(_("%(name)s : vouliez-vous dire %(nearest)s ?") % {"name": name, "nearest": nearest[0]})
        elif written_as_placeholder:
            problems.append(
                _("%(name)s n’est pas une étiquette connue (connues : %(known)s).")
                % {"name": name, "known": ", ".join(known)}
            )
    return problems


def check_template_texts(key: str, subject: str, body: str) -> dict[str, list[str]]:
    """French sentences per field (``subject``, ``body``) for what a predefined message may not hold; none when fine."""
    subject_problems = check_placeholders(subject, key)
    body_problems = check_placeholders(body, key)
    if not subject.strip():
        subject_problems.append(_("L’objet est vide."))
    if any(ord(char) < 32 or char in "\x7f\x85\u2028\u2029" for char in subject):
        subject_problems.append(_("L’objet tient sur une seule ligne."))
    if SECRET_PLACEHOLDER in subject:
        subject_problems.append(_("Un mot de passe ne s’écrit pas dans l’objet d’un mail."))
    if not body.strip():
        body_problems.append(_("Le texte est vide."))
    for problems, text in ((subject_problems, subject), (body_problems, body)):
        if SECRET_MASK in text:
            problems.append(
                _("« %(mask)s » est réservé : écrivez %(name)s là où le mot de passe doit paraître.")
                % {"mask": SECRET_MASK, "name": SECRET_PLACEHOLDER}
            )
    return {field: problems for field, problems in (("subject", subject_problems), ("body", body_problems)) if problems}


@lru_cache(maxsize=100)
def split_placeholders(text: str) -> tuple[tuple[str, bool], ...]:
    """The pieces of ``text`` in order, each with whether it is a known placeholder: the one pass of every rendering.

    Remembered: a run fills the same few texts thousands of times.
    """
    return tuple(_pieces_of(text))


def _pieces_of(text: str) -> Iterator[tuple[str, bool]]:
    end = 0
    for match in PLACEHOLDER_PATTERN.finditer(text):
        if match[0] not in PLACEHOLDERS:
            continue
        if match.start() > end:
            yield text[end : match.start()], False
        yield match[0], True
        end = match.end()
    if end < len(text):
        yield text[end:], False
