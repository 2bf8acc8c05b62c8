"""Absolute addresses of the customers' space, for mails: written where no request says on which site one is."""

from typing import Any
from urllib.parse import unquote

from django.urls import get_script_prefix, reverse

from mailing.identity import space_root


def space_url(name: str, *args: Any, host: str = "") -> str:
    """The address of the page ``name`` of the space, below its root whatever the prefix of the request in hand.

    Characters of ``args`` stay as they are: the mask of a secret is replaced when the mail leaves.
    """
    return f"{space_root(host)}/{unquote(reverse(name, args=args)).removeprefix(get_script_prefix())}"
