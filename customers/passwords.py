"""Which passwords may be chosen: those that are hard to guess for somebody who knows the account's owner and French."""

import gzip
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from customers.models import Account

# 10¹⁰ guesses: the best of zxcvbn's five classes (NIST SP 800-63B-4, 3.1.1.2; CNIL, délibération 2022-100).
FEWEST_GUESSES = 10**10
# What people think of here, and the rows of a French keyboard: before any word of the list.
SPECIFIC_WORDS = (
    *("motdepasse", "facture", "factures", "portail", "client", "compta", "comptabilite", "identifiant"),
    *("azertyuiop", "qsdfghjklm", "wxcvbn"),
)
# Longer passwords are judged by their beginning: the judge's time grows with the square of the length.
JUDGED = 64
WORDS = Path(__file__).parent / "data" / "common_words_fr.txt.gz"


class GuessablePasswordValidator:
    """Refuses passwords made of the login, the name, common words, keyboard rows, dates or repetitions."""

    def validate(self, password: str, user: "Account | None" = None) -> None:
        """Raise ValidationError where fewer than ``FEWEST_GUESSES`` guesses find ``password``."""
        if count_guesses(password, known=known_about(user)) < FEWEST_GUESSES:
            raise ValidationError(
                _(
                    "Ce mot de passe est trop facile à deviner : évitez votre identifiant, votre nom, les mots "
                    "courants suivis de chiffres, les suites du clavier et les répétitions. Quatre mots sans rapport "
                    "conviennent."
                ),
                code="password_guessable",
            )

    def get_help_text(self) -> str:
        """The rule as it is shown beside the field."""
        return _(
            "Votre mot de passe ne doit pas se deviner : ni votre identifiant, ni un mot courant suivi de chiffres, ni "
            "une suite du clavier."
        )


def count_guesses(password: str, *, known: list[str]) -> int:
    """How many guesses find ``password`` for somebody who knows the words ``known`` (estimate of zxcvbn)."""
    from zxcvbn import matching, scoring

    text = _fold(password)[:JUDGED]
    if not text.strip():
        return 0
    dictionaries = {
        **matching.RANKED_DICTIONARIES,
        "french": french_words(),
        "user_inputs": {word: rank for rank, word in enumerate(dict.fromkeys(map(_fold, known)), 1)},
    }
    matches = matching.omnimatch(text, dictionaries)
    return int(scoring.most_guessable_match_sequence(text, matches)["guesses"])


def known_about(user: "Account | None") -> list[str]:
    """The login, the name and their parts: what a password must not be made of."""
    if user is None:
        return []
    texts = [user.login or "", user.name or ""]
    parts = [part for text in texts for part in re.split(r"[\W_]+", text) if len(part) > 2]
    return [text for text in (*texts, (user.login or "").partition("@")[0], *parts) if text]


@cache
def french_words() -> dict[str, int]:
    """Common passwords, French words, first and last names by rank; lists of zxcvbn-ts (MIT, see ``data/NOTICE``)."""
    with gzip.open(WORDS, "rt", encoding="utf-8") as file:
        return {word: rank for rank, word in enumerate(dict.fromkeys([*SPECIFIC_WORDS, *file.read().split("\n")]), 1)}


def _fold(text: str) -> str:
    """Without accents and case: «Été» is as easy to guess as «ete»."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
