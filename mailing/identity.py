"""In whose name mails leave. The room that knows the company registers how it is found."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings


def space_root(host: str = "") -> str:
    """The address of the space: PORTAL_URL, or the same under the name ``host`` that a company has for itself."""
    if not host:
        return str(settings.PORTAL_URL)
    portal = urlsplit(settings.PORTAL_URL)
    return str(portal._replace(netloc=f"{host}:{portal.port}" if portal.port else host).geturl())


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
    # The name under which its customers reach their space; empty: that of the portal.
    host: str = ""

    @property
    def space_root(self) -> str:
        """The address of the space as its customers know it."""
        return space_root(self.host)

    def language_for(self, wanted: str) -> str:
        """The language in which it writes to somebody who wants ``wanted``: that one, or French."""
        return wanted if wanted in self.languages else settings.LANGUAGE_CODE


_provider: Callable[[int | None], SenderIdentity] | None = None


def register_identity_provider(provider: Callable[[int | None], SenderIdentity]) -> None:
    """Say how the sender is found for an account (its primary key), or for none in particular; the last one holds."""
    global _provider
    _provider = provider


def default_identity() -> SenderIdentity:
    """The default sender, empty where no company has been set up."""
    return _provider(None) if _provider is not None else SenderIdentity()


def identity_for(account: int) -> SenderIdentity:
    """The sender whom the holder of ``account`` (primary key) knows: who bills him, else the default one."""
    return _provider(account) if _provider is not None else SenderIdentity()
