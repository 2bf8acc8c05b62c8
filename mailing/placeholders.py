"""Placeholders of the predefined messages: ``#REFFACTURE`` and its kin.

A value is put in once, in one pass: what a value holds is never read again as a placeholder.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PLACEHOLDERS = {
    "#REFFACTURE": gettext_lazy("numéro de la facture"),
    "#DATE_FACTURE": gettext_lazy("date de la facture"),
    "#MONTANT_TTC": gettext_lazy("montant toutes taxes comprises"),
    "#ECHEANCE": gettext_lazy("date d’échéance"),
    "#NOM_CLIENT": gettext_lazy("nom du client"),
    "#SOCIETE": gettext_lazy("nom de votre société"),
    "#URL_ESPACE": gettext_lazy("adresse de l’espace client"),
    "#LOGIN_CONNEXION": gettext_lazy("identifiant de connexion"),
    "#PWD_CONNEXION": gettext_lazy("mot de passe provisoire"),
}
# What only an invoice can fill.
INVOICE_PLACEHOLDERS = frozenset({"#REFFACTURE", "#DATE_FACTURE", "#MONTANT_TTC", "#ECHEANCE"})
# Stands for the provisional password wherever a mail is stored or shown; the secret itself is put in while sending.
SECRET_PLACEHOLDER = "#PWD_CONNEXION"  # noqa: S105 - a name, not a password
SECRET_MASK = "••••••"  # noqa: S105 - what is shown instead of a password

PLACEHOLDER_PATTERN = re.compile(r"#[A-Z][A-Z0-9_]+")
# What somebody may have meant as a placeholder: also in small letters or with an accent.
_LOOKALIKE_PATTERN = re.compile(r"#[^\W\d]\w+")


def placeholders_for(key: str) -> tuple[str, ...]:
    """The placeholders that the predefined message ``key`` can fill: a mail of credentials knows no invoice."""
    return tuple(name for name in PLACEHOLDERS if key != "credentials" or name not in INVOICE_PLACEHOLDERS)


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
