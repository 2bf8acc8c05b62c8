"""How passwords are kept."""

from typing import Any

from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from portal import settings as production


def test_an_installation_hashes_passwords_with_argon2id(settings: Any) -> None:
    settings.PASSWORD_HASHERS = production.PASSWORD_HASHERS
    kept = make_password("une phrase de passe de la comptabilité")
    assert identify_hasher(kept).algorithm == "argon2"
    assert kept.startswith("argon2$argon2id$")
    assert check_password("une phrase de passe de la comptabilité", kept)
    assert not check_password("une autre phrase de passe", kept)
