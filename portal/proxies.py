"""``BEHIND_PROXY``: which proxies in front of the application are believed."""

import ipaddress
from typing import NamedTuple

from portal.environment import wrong

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies(NamedTuple):
    """How many proxies are in front, or the networks that they are in; both empty: none."""

    hops: int = 0
    networks: tuple[Network, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.hops or self.networks)


def read_trusted_proxies(text: str) -> TrustedProxies:
    """``0``, ``1`` (or another number of proxies in a row), or their networks: ``127.0.0.1, 10.0.0.0/8``.

    The words that a yes or no may be written with count as 1 and 0. Raises ImproperlyConfigured with a French sentence.
    """
    given = text.strip().lower()
    if given in ("", "no", "non", "off", "false", "n", "f"):
        return TrustedProxies()
    if given in ("yes", "oui", "on", "true", "ok", "y", "t"):
        return TrustedProxies(hops=1)
    if given.isascii() and given.isdigit() and len(given) < 3:
        return TrustedProxies(hops=int(given))
    try:
        return TrustedProxies(networks=tuple(ipaddress.ip_network(part.strip()) for part in given.split(",") if part))
    except ValueError:
        raise wrong(
            "BEHIND_PROXY",
            text,
            expected="0, le nombre de mandataires (1), ou leurs adresses (127.0.0.1, 10.0.0.0/8)",
            example="1",
        ) from None
