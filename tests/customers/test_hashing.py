"""Passwords are hashed a few at once, whoever asks; past a wait the page says to try again."""

import threading
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from customers import hashing
from customers.hashing import BoundedArgon2PasswordHasher, TooManyHashesError
from tests.support.factories import PASSWORD, make_account, make_customer


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of a test, in little memory."""
    for name, cost in (("time_cost", 1), ("memory_cost", 8192), ("parallelism", 1)):
        monkeypatch.setattr(BoundedArgon2PasswordHasher, name, cost)


def test_hashes_are_those_of_django(quick: None) -> None:
    ours, django = BoundedArgon2PasswordHasher(), Argon2PasswordHasher()
    encoded = ours.encode("Quatre mots sans rapport", "saltsaltsalt")
    assert django.verify("Quatre mots sans rapport", encoded)
    assert ours.verify("Quatre mots sans rapport", encoded)
    assert not ours.verify("autre", encoded)


def test_so_many_run_at_once_and_no_more(quick: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    theirs = Argon2PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return theirs(self, password, salt)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted)
    monkeypatch.setattr(hashing, "PATIENCE", 30)
    hasher = BoundedArgon2PasswordHasher()
    threads = [threading.Thread(target=hasher.encode, args=("secret", "saltsaltsalt")) for _number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= settings.PASSWORD_HASHES_AT_ONCE


@pytest.mark.django_db
def test_a_crowd_gets_a_page_that_says_to_try_again(
    quick: None, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PASSWORD_HASHERS = ["customers.hashing.BoundedArgon2PasswordHasher"]
    account = make_account(make_customer())
    monkeypatch.setattr(hashing, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(hashing, "PATIENCE", 0.01)
    form = {"username": account.login, "password": PASSWORD}
    with hashing._turn():
        with pytest.raises(TooManyHashesError):
            BoundedArgon2PasswordHasher().encode("secret", "saltsaltsalt")
        answer = client.post("/connexion/", form)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Beaucoup de personnes se connectent" in answer.content.decode()

    monkeypatch.setattr(hashing, "PATIENCE", 30)
    assert client.post("/connexion/", form).status_code == 302
