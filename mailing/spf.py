"""Whether an SPF record lets an address send (RFC 7208): enough of it to find a relay that is missing."""

import ipaddress
from dataclasses import dataclass, field

from mailing.dns_lookups import Lookups

MOST_LOOKUPS = 10  # RFC 7208 § 4.6.4
# So far a record that asks too many questions is followed to write one without.
MOST_LOOKUPS_FOLLOWED = 60
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass
class Spf:
    """What a domain publishes, followed through its includes: networks that may send, the names met, lookups used."""

    records: list[str] = field(default_factory=list)  # of the domain itself
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(default_factory=list)
    included: set[str] = field(default_factory=set)
    lookups: int = 0
    lets_all: bool = False

    def allows(self, address: Address) -> bool:
        """True where mails from ``address`` pass."""
        return self.lets_all or any(address in network for network in self.networks)


def read_spf(domain: str, lookups: Lookups, most_lookups: int = MOST_LOOKUPS) -> Spf:
    """The SPF record of ``domain``, followed until more than ``most_lookups`` questions.

    Raises mailing.dns_lookups.LookupFailedError where the DNS does not answer.
    """
    spf = Spf(records=_records(domain, lookups))
    _follow(domain, spf, lookups, set(), most_lookups)
    return spf


def _records(domain: str, lookups: Lookups) -> list[str]:
    return [text for text in lookups.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]


def _follow(domain: str, spf: Spf, lookups: Lookups, seen: set[str], most_lookups: int) -> None:
    if domain in seen or spf.lookups > most_lookups:
        return
    seen.add(domain)
    records = _records(domain, lookups)
    redirect = ""
    for term in records[0].split()[1:] if len(records) == 1 else []:
        name, _colon, value = term.lstrip("+").partition(":")
        name = name.lower()
        if name in ("ip4", "ip6"):
            spf.networks += _network(value)
        elif name == "include":
            spf.lookups += 1
            spf.included.add(value.lower())
            _follow(value.lower(), spf, lookups, seen, most_lookups)
        elif name.split("/")[0] in ("a", "mx"):
            spf.lookups += 1
            hosts = [value.partition("/")[0] or domain]
            hosts = lookups.mail_servers(hosts[0]) if name.startswith("mx") else hosts
            spf.networks += [ipaddress.ip_network(address) for host in hosts for address in lookups.addresses(host)]
        elif name in ("exists", "ptr"):
            spf.lookups += 1
        elif name == "all":
            spf.lets_all = True
        elif name.startswith("redirect="):
            redirect = name.partition("=")[2]
    if redirect:
        spf.lookups += 1
        _follow(redirect, spf, lookups, seen, most_lookups)


def _network(value: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        return [ipaddress.ip_network(value, strict=False)]
    except ValueError:
        return []


def with_term(record: str, term: str) -> str:
    """``record`` with one more ``term``, before what ends it."""
    terms = record.split()
    place = next((n for n, word in enumerate(terms) if word.lower().endswith("all") or "redirect=" in word), len(terms))
    return " ".join([*terms[:place], term, *terms[place:]])
