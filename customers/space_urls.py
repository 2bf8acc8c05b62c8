"""Absolute addresses for mails, commands and whatever else no request says on which site one is."""

from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.urls import get_script_prefix, reverse

from mailing.identity import space_root


def space_url(name: str, *args: Any, host: str = "") -> str:
    """The address of the page ``name`` of the space, below its root whatever the prefix of the request in hand.

    Characters of ``args`` stay as they are: the mask of a secret is replaced when the mail leaves.
    """
    return _below_root(name, args, settings.SPACE_URLCONF, host)


def site_url(name: str, *args: Any) -> str:
    """The address of any other page of the site: of the back-office, or for a machine."""
    return _below_root(name, args, settings.ROOT_URLCONF, "")


def _below_root(name: str, args: tuple[Any, ...], urlconf: str, host: str) -> str:
    prefix = get_script_prefix()
    path = reverse(name, urlconf, args) if args else _path(name, urlconf, prefix)
    return f"{space_root(host)}/{unquote(path).removeprefix(prefix)}"


@lru_cache(maxsize=50)
def _path(name: str, urlconf: str, _prefix: str) -> str:
    """The path of a page that every mail of a run names, found once."""
    return reverse(name, urlconf)
