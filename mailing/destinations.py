"""Where a mail goes: the large providers by the domains of their mailboxes; any other domain is its own."""

from collections import Counter
from collections.abc import Iterable

from mailing.addresses import normalise_address

_DOMAINS: dict[str, tuple[str, ...]] = {
    "Gmail": ("gmail.com", "googlemail.com"),
    "Microsoft": (
        *("outlook.com", "outlook.fr", "outlook.de", "outlook.es", "outlook.it", "outlook.be"),
        *("hotmail.com", "hotmail.fr", "hotmail.de", "hotmail.es", "hotmail.it", "hotmail.be", "hotmail.co.uk"),
        *(
            "live.com",
            "live.fr",
            "live.de",
            "live.it",
            "live.be",
            "live.nl",
            "live.co.uk",
            "msn.com",
            "windowslive.com",
        ),
    ),
    "Yahoo": (
        *("yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.es", "yahoo.it", "yahoo.co.uk", "ymail.com", "rocketmail.com"),
        *("aol.com", "aol.fr", "aol.de"),
    ),
    "iCloud": ("icloud.com", "me.com", "mac.com"),
    "Orange": ("orange.fr", "wanadoo.fr", "voila.fr"),
    "SFR": (
        *("sfr.fr", "neuf.fr", "cegetel.net", "club-internet.fr", "numericable.fr", "noos.fr", "9online.fr"),
        "9business.fr",
    ),
    "Free": ("free.fr", "freesbee.fr", "libertysurf.fr", "aliceadsl.fr", "online.fr"),
    "Bouygues": ("bbox.fr",),
    "La Poste": ("laposte.net",),
    "GMX": ("gmx.com", "gmx.net", "gmx.de", "gmx.fr", "gmx.at", "gmx.ch", "web.de"),
    "T-Online": ("t-online.de",),
}
_PROVIDERS = {domain: provider for provider, domains in _DOMAINS.items() for domain in domains}


def destination_of(address: str) -> str:
    """The large provider of ``address`` by its name, else its domain in small letters."""
    domain = normalise_address(address).rpartition("@")[2]
    return _PROVIDERS.get(domain, domain)


def count_destinations(addresses: Iterable[str]) -> dict[str, int]:
    """How many different ``addresses`` there are at each destination."""
    return dict(Counter(destination_of(address) for address in {address.lower() for address in addresses}))


def domains_of(destination: str) -> tuple[str, ...]:
    """The domains of a destination."""
    return _DOMAINS.get(destination, (destination,))


def is_large(destination: str) -> bool:
    """True for a large provider: one that refuses what is not signed and aligned, all of it at once."""
    return destination in _DOMAINS
