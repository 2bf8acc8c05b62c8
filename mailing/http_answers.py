"""What another server answers over HTTP, read within bounds."""

import requests
from django.utils.translation import gettext as _

_AT_ONCE = 65_536


class TooLargeError(ValueError):
    """The answer is larger than any that is expected; the message is French."""


def read_at_most(answer: requests.Response, most: int) -> bytes:
    """The content of ``answer``, which was asked for with ``stream=True``, of at most ``most`` bytes once unpacked.

    Raises TooLargeError, and :class:`requests.RequestException` for whatever the network or the packing does.
    """
    content = bytearray()
    for part in answer.iter_content(_AT_ONCE):
        content += part
        if len(content) > most:
            raise TooLargeError(_("réponse de plus de %(most)s octets") % {"most": most})
    return bytes(content)
