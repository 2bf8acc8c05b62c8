"""Argon2, a few hashes at once: each takes 100 MB, and a flood of sign-ins must not take the machine with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

# Seconds that somebody waits for a turn.
PATIENCE = 5.0


class TooManyHashesError(Exception):
    """No password could be hashed within the time that somebody waits: too many are being hashed at this moment."""


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's Argon2 (same hashes), of which ``PASSWORD_HASHES_AT_ONCE`` run at once in a process; the others queue.

    Raises :class:`TooManyHashesError` after ``PATIENCE`` seconds in the queue.
    """

    def encode(self, password: str, salt: str) -> str:
        """The hash of ``password``."""
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Whether ``encoded`` is a hash of ``password``."""
        with _turn():
            return super().verify(password, encoded)


_turns = threading.BoundedSemaphore(max(settings.PASSWORD_HASHES_AT_ONCE, 1))


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise TooManyHashesError
    try:
        yield
    finally:
        _turns.release()
