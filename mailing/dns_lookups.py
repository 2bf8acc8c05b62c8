"""What the DNS says: texts, mail servers, addresses and names, as plain values."""

import ipaddress
from typing import Any

import dns.exception
import dns.resolver
import dns.reversename
from django.conf import settings
from django.utils.translation import gettext as _

SECONDS = 5.0  # for one question, all tries together


class LookupFailedError(Exception):
    """The DNS does not answer; the message is French."""


class Lookups:
    """A resolver: the machine's own, or the server that DNS_SERVER names."""

    def __init__(self) -> None:
        self.resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVER)
        self.resolver.lifetime = SECONDS
        if settings.DNS_SERVER:
            host, _colon, port = settings.DNS_SERVER.partition(":")
            self.resolver.nameservers = [host]
            self.resolver.port = int(port or 53)

    def texts(self, name: str) -> list[str]:
        """The TXT records of ``name``, their pieces put together."""
        return [b"".join(answer.strings).decode("utf-8", "replace") for answer in self._ask(name, "TXT")]

    def mail_servers(self, name: str) -> list[str]:
        """The hosts that take mail for ``name``, the first choice first; none for a null MX (RFC 7505)."""
        found = sorted(self._ask(name, "MX"), key=lambda answer: answer.preference)
        return [host for host in (str(answer.exchange).rstrip(".") for answer in found) if host]

    def addresses(self, name: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        """The addresses of the host ``name``; itself where it is one."""
        try:
            return [ipaddress.ip_address(name)]
        except ValueError:
            pass
        found = [answer.address for kind in ("A", "AAAA") for answer in self._ask(name, kind)]
        return [ipaddress.ip_address(address) for address in found]

    def names(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
        """The names that ``address`` leads back to (PTR)."""
        return [
            str(answer.target).rstrip(".") for answer in self._ask(dns.reversename.from_address(str(address)), "PTR")
        ]

    def _ask(self, name: object, kind: str) -> list[Any]:
        try:
            return list(self.resolver.resolve(name, kind))  # type: ignore[arg-type]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError, ValueError) as problem:
            raise LookupFailedError(
                _("Le DNS ne répond pas pour %(name)s (%(kind)s : %(problem)s).")
                % {"name": name, "kind": kind, "problem": type(problem).__name__}
            ) from problem
