"""Absolute addresses of the customers' space, for mails: written where no request says on which site one is."""

from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse

from mailing.identity import space_root


def space_url(name: str, *args: Any, host: str = "") -> str:
    """The address of the page ``name`` of the space, below its root whatever the prefix of the request in hand.

    Characters of ``args`` stay as they are: the mask of a secret is replaced when the mail leaves.
    """
    prefix = get_script_prefix()
    path = reverse(name, args=args) if args else _path(name, get_urlconf() or settings.ROOT_URLCONF, prefix)
    return f"{space_root(host)}/{unquote(path).removeprefix(prefix)}"


@lru_cache(maxsize=50)
def _path(name: str, urlconf: Any, _prefix: str) -> str:
    """The path of a page that every mail of a run names, found once."""
    return reverse(name, urlconf)
