"""Absolute addresses of the customers' space, for mails: written where no request says on which site one is."""

from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.urls import get_script_prefix, reverse


def space_url(name: str, *args: Any) -> str:
    """The address of the page ``name`` of the space, below PORTAL_URL whatever the prefix of the request in hand.

    Characters of ``args`` stay as they are: the mask of a secret is replaced when the mail leaves.
    """
    return f"{settings.PORTAL_URL}/{unquote(reverse(name, args=args)).removeprefix(get_script_prefix())}"
