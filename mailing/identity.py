"""In whose name mails leave. The room that knows the company registers how it is found."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """The sender of mails: the company's name, its addresses and its colour (``#rrggbb``)."""

    company: str = ""
    address: str = ""
    name: str = ""
    reply_to: str = ""
    colour: str = "#1f4e79"
    # In a rehearsal («recette»): where all mails go instead of their recipients.
    rehearsal_address: str = ""
    # The languages besides French in which it writes.
    languages: tuple[str, ...] = ()

    def language_for(self, wanted: str) -> str:
        """The language in which it writes to somebody who wants ``wanted``: that one, or French."""
        return wanted if wanted in self.languages else settings.LANGUAGE_CODE


_provider: Callable[[], SenderIdentity] | None = None


def register_identity_provider(provider: Callable[[], SenderIdentity]) -> None:
    """Say how the default sender is found; the last one registered holds."""
    global _provider
    _provider = provider


def default_identity() -> SenderIdentity:
    """The default sender, empty where no company has been set up."""
    return _provider() if _provider is not None else SenderIdentity()
