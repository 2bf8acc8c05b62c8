"""How passwords are kept."""

from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from customers.models import Account
from portal import settings as production


def test_an_installation_hashes_passwords_with_argon2id(settings: Any) -> None:
    settings.PASSWORD_HASHERS = production.PASSWORD_HASHERS
    kept = make_password("une phrase de passe de la comptabilité")
    assert identify_hasher(kept).algorithm == "argon2"
    assert kept.startswith("argon2$argon2id$")
    assert check_password("une phrase de passe de la comptabilité", kept)
    assert not check_password("une autre phrase de passe", kept)


@pytest.mark.parametrize(
    "password",
    [
        "jean.dupont@exemple.fr",  # the login
        "Dupont2026!!",  # the name
        "azertyuiop12",
        "qsdfghjklm12",
        "AzertyuiopQsdfghjklm",
        "motdepasse2026",
        "Motdepasse!2026",
        "Facture2026!",
        " " * 12,
        "a" * 40,
        "bonjourbonjour",
        "Été2026été2026",
        "123456789azerty",
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    account = Account(login="jean.dupont@exemple.fr", name="Jean Dupont")
    with pytest.raises(ValidationError) as refused:
        validate_password(password, account)
    assert "password_guessable" in {error.code for error in refused.value.error_list} or any(
        "trop semblable" in message for message in refused.value.messages
    )


@pytest.mark.parametrize("password", ["correct cheval agrafe pile", "NnXKW-k9qWr-9pf9c", "une phrase à moi, longue"])
def test_a_phrase_or_a_drawn_password_is_accepted(password: str) -> None:
    validate_password(password, Account(login="jean.dupont@exemple.fr", name="Jean Dupont"))
