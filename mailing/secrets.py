"""The provisional password of a mail: known while it is sent, masked everywhere else.

This room does not know what an account is: the room that does registers a provider, and a message holds a reference.
"""

from collections.abc import Callable

SecretProvider = Callable[[str], str | None]

_providers: list[SecretProvider] = []


class SecretUnavailableError(Exception):
    """The secret could not be read now (not: it has expired). Its message is French and never holds the secret."""


def register_secret_provider(provider: SecretProvider) -> None:
    """Say who knows the secrets: ``provider(reference)`` returns the text to show, or None once it has expired.

    Called once at start-up (``AppConfig.ready``); a second call replaces the first.
    """
    _providers[:] = [provider]


def reveal(reference: str) -> str | None:
    """The secret behind ``reference``, or None once it has expired.

    Raises :class:`SecretUnavailableError` where it cannot be read at this moment; a provider that raises it says why.
    """
    if not _providers:
        raise SecretUnavailableError("no secret provider is registered")
    try:
        return _providers[-1](reference)
    except SecretUnavailableError:
        raise
    except Exception as error:
        # Whatever a failing provider says could quote what it was decrypting: only the kind of failure goes on.
        raise SecretUnavailableError(type(error).__name__) from None
