"""Whether receivers can verify that our mails are ours: sender, return path, SPF, DKIM, DMARC, names and TLS.

Each check is one sentence; one that fails comes with the very record to publish.
"""

import base64
import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from django.conf import settings
from django.core.mail import DNS_NAME, mailers
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from mailing.addresses import InvalidAddressError, parse_address
from mailing.dns_lookups import LookupFailedError, Lookups
from mailing.identity import default_identity
from mailing.relays import spf_of_relay
from mailing.spf import MOST_LOOKUPS, MOST_LOOKUPS_FOLLOWED, read_spf, with_term

OK, WARNING, WRONG, UNKNOWN = "ok", "warning", "wrong", "unknown"


@dataclass(frozen=True)
class Finding:
    """One check: its name, how it went, a French sentence, and the DNS record that puts it right ("": none)."""

    name: str
    state: str
    sentence: str
    record: str = ""

    @property
    def word(self) -> str:
        """How it went, in French."""
        words = {OK: _("en ordre"), WARNING: _("à améliorer"), WRONG: _("à corriger"), UNKNOWN: _("non vérifié")}
        return words[self.state]


@dataclass(frozen=True)
class Setting:
    """How our mails leave: the domains they name, the server they go to, and the key that signs them."""

    sender: str
    sender_domain: str
    return_domain: str
    relay: str
    is_encrypted: bool
    dkim_domain: str
    dkim_selector: str
    public_address: str = ""

    @property
    def is_local(self) -> bool:
        """True where the relay is this machine, or is beside it: then its names are our own to keep."""
        if self.relay.lower() == "localhost" or self.public_address:
            return True
        try:
            return not ipaddress.ip_address(self.relay).is_global
        except ValueError:
            return "." not in self.relay


@dataclass(frozen=True)
class Verdict:
    """All findings. ``is_aligned``: SPF or DKIM vouches for the domain that readers see (RFC 7489 § 3.1)."""

    setting: Setting
    findings: tuple[Finding, ...]
    is_aligned: bool

    @property
    def is_right(self) -> bool:
        """True where nothing has to be corrected."""
        return all(finding.state != WRONG for finding in self.findings)


class NoMailServerError(Exception):
    """There is nothing to check; the message is French."""


def current_setting(public_address: str = "") -> Setting:
    """How mails leave by the settings. Raises NoMailServerError, and mailing.addresses.InvalidAddressError."""
    backend = mailers.default
    if not isinstance(backend, EmailBackend):
        raise NoMailServerError(_("Aucun serveur de messagerie n’est réglé (EMAIL_URL) : rien ne part."))
    sender = default_identity().address or settings.DEFAULT_FROM_EMAIL
    return_path = settings.BOUNCE_ADDRESS or sender
    return Setting(
        sender=sender,
        sender_domain=parse_address(sender).domain.lower(),
        return_domain=parse_address(return_path).domain.lower(),
        relay=str(backend.host),
        is_encrypted=bool(backend.use_tls or backend.use_ssl),
        dkim_domain=settings.DKIM_DOMAIN.lower(),
        dkim_selector=settings.DKIM_SELECTOR,
        public_address=public_address,
    )


def check_deliverability(setting: Setting, lookups: Lookups) -> Verdict:
    """Ask the DNS about ``setting``; a question without an answer is a finding of its own."""
    checks: tuple[tuple[str, Callable[[Setting, Lookups], Iterator[Finding]]], ...] = (
        (_("Retours"), _check_mail_servers),
        ("SPF", _check_spf),
        ("DKIM", _check_dkim),
        ("DMARC", _check_dmarc),
        (_("Noms du serveur"), _check_names),
        ("TLS", _check_tls),
    )
    found: list[Finding] = []
    for name, check in checks:
        try:
            found += check(setting, lookups)
        except LookupFailedError as problem:
            found.append(Finding(name, UNKNOWN, str(problem)))
    passes = {finding.name for finding in found if finding.state == OK}
    spf_vouches = "SPF" in passes and _are_aligned(setting.return_domain, setting.sender_domain)
    dkim_vouches = "DKIM" in passes and _are_aligned(setting.dkim_domain, setting.sender_domain)
    is_aligned = spf_vouches or dkim_vouches
    found.append(_alignment(setting, is_aligned=is_aligned))
    return Verdict(setting, tuple(found), is_aligned)


def _are_aligned(domain: str, sender_domain: str) -> bool:
    """True where one is the other or lies below it: relaxed alignment, as far as it goes without a list of suffixes."""
    return bool(domain) and (
        domain == sender_domain or domain.endswith(f".{sender_domain}") or sender_domain.endswith(f".{domain}")
    )


def _alignment(setting: Setting, *, is_aligned: bool) -> Finding:
    name = _("Alignement")
    values = {"domain": setting.sender_domain}
    if is_aligned:
        return Finding(name, OK, _("SPF ou DKIM répond du domaine que les clients voient (%(domain)s).") % values)
    return Finding(
        name,
        WRONG,
        _(
            "Ni SPF ni DKIM ne répond du domaine que les clients voient (%(domain)s) : les grands fournisseurs "
            "refusent de tels mails. Signer avec DKIM_DOMAIN=%(domain)s, ou mettre SPF en ordre avec une adresse de "
            "retour (BOUNCE_ADDRESS) de ce domaine."
        )
        % values,
    )


def _check_mail_servers(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    for domain in dict.fromkeys((setting.return_domain, setting.sender_domain)):
        servers = lookups.mail_servers(domain)
        if servers:
            sentence = _("%(domain)s reçoit du courrier (%(server)s).") % {"domain": domain, "server": servers[0]}
            yield Finding(_("Retours"), OK, sentence)
        else:
            yield Finding(
                _("Retours"),
                WRONG,
                _("%(domain)s n’a pas de serveur de réception (MX) : ni retours ni réponses n’arrivent.")
                % {"domain": domain},
                f"{domain}. IN MX 10 mail.{domain}.",
            )


def _check_spf(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    domain = setting.return_domain
    spf = read_spf(domain, lookups)
    include = spf_of_relay(setting.relay)
    sources = [ipaddress.ip_address(setting.public_address)] if setting.public_address else []
    if not sources and not setting.is_local and not include:
        sources = lookups.addresses(setting.relay)
    term = f"include:{include}" if include else ""
    term = term or " ".join(f"ip{source.version}:{source}" for source in sources) or "mx"
    if not spf.records:
        record = f'{domain}. IN TXT "v=spf1 {term} -all"'
        yield Finding("SPF", WRONG, _("%(domain)s ne publie pas d’enregistrement SPF.") % {"domain": domain}, record)
    elif len(spf.records) > 1:
        merged = " ".join(
            dict.fromkeys(word for text in spf.records for word in text.split()[1:] if not word.endswith("all"))
        )
        yield Finding(
            "SPF",
            WRONG,
            _("%(domain)s publie plusieurs enregistrements SPF : aucun ne vaut. En garder un.") % {"domain": domain},
            f'{domain}. IN TXT "v=spf1 {merged} -all"',
        )
    elif spf.lookups > MOST_LOOKUPS:
        sentence = _("L’enregistrement SPF de %(domain)s demande plus de dix questions au DNS : il ne vaut pas.")
        yield Finding("SPF", WRONG, sentence % {"domain": domain}, f'{domain}. IN TXT "{_flat(domain, term, lookups)}"')
    elif (include in spf.included and include) or any(spf.allows(source) for source in sources):
        sentence = _("L’enregistrement SPF de %(domain)s autorise le serveur d’envoi %(relay)s.")
        yield Finding("SPF", OK, sentence % {"domain": domain, "relay": setting.relay})
    elif not sources and not include:
        yield Finding(
            "SPF",
            UNKNOWN,
            _("Le serveur d’envoi est sur cette machine : indiquer son adresse publique (--ip) pour vérifier SPF."),
        )
    else:
        sentence = _("L’enregistrement SPF de %(domain)s n’autorise pas le serveur d’envoi %(relay)s.")
        record = f'{domain}. IN TXT "{with_term(spf.records[0], term)}"'
        yield Finding("SPF", WRONG, sentence % {"domain": domain, "relay": setting.relay}, record)


def _flat(domain: str, term: str, lookups: Lookups) -> str:
    """An SPF record of ``domain`` without questions: the networks that its own let send, and ``term`` for the relay."""
    networks = read_spf(domain, lookups, most_lookups=MOST_LOOKUPS_FOLLOWED).networks
    every: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = [
        *ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network)),
        *ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network)),
    ]
    own = [f"ip{network.version}:{network}" for network in every]
    return " ".join(["v=spf1", *dict.fromkeys([term, *own]), "-all"])


def _check_dkim(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    if not (setting.dkim_domain and setting.dkim_selector and settings.DKIM_PRIVATE_KEY):
        yield Finding(
            "DKIM", WARNING, _("Nous ne signons pas les mails (DKIM_DOMAIN, DKIM_SELECTOR, DKIM_PRIVATE_KEY).")
        )
        return
    name = f"{setting.dkim_selector}._domainkey.{setting.dkim_domain}"
    try:
        kind, key = _public_key(Path(settings.DKIM_PRIVATE_KEY))
    except (OSError, ValueError, TypeError):
        yield Finding("DKIM", WRONG, _("La clé %(path)s ne peut pas être lue.") % {"path": settings.DKIM_PRIVATE_KEY})
        return
    record = f'{name}. IN TXT "v=DKIM1; k={kind}; p={key}"'
    published = [_tags(text) for text in lookups.texts(name)]
    keys = {"".join(tags.get("p", "").split()) for tags in published}
    values = {"name": name}
    if key in keys:
        yield Finding("DKIM", OK, _("La clé publiée sous %(name)s est celle avec laquelle nous signons.") % values)
    elif not published:
        yield Finding("DKIM", WRONG, _("Aucune clé n’est publiée sous %(name)s.") % values, record)
    else:
        sentence = _("La clé publiée sous %(name)s n’est pas celle avec laquelle nous signons.") % values
        yield Finding("DKIM", WRONG, sentence, record)


def _public_key(path: Path) -> tuple[str, str]:
    """The kind and the public half of the private key at ``path``, as DKIM publishes it (RFC 6376, RFC 8463)."""
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    encoding: Any = serialization.Encoding.DER
    if isinstance(private, ed25519.Ed25519PrivateKey):
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return "ed25519", base64.b64encode(raw).decode()
    if not isinstance(private, rsa.RSAPrivateKey):
        raise TypeError("neither RSA nor Ed25519")
    der = private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "rsa", base64.b64encode(der).decode()


def _check_dmarc(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    domain = setting.sender_domain
    parts = domain.split(".")
    # Up to the organisational domain, wherever that is: «exemple.co.uk» has three parts (the walk of DMARCbis).
    for candidate in [".".join(parts[place:]) for place in range(max(len(parts) - 1, 1))]:
        records = [text for text in lookups.texts(f"_dmarc.{candidate}") if text.lower().startswith("v=dmarc1")]
        if len(records) == 1 and _tags(records[0]).get("p", "").lower() in ("none", "quarantine", "reject"):
            sentence = _("%(domain)s publie une politique DMARC (p=%(policy)s).")
            yield Finding("DMARC", OK, sentence % {"domain": candidate, "policy": _tags(records[0])["p"]})
            return
        if records:
            sentence = _("L’enregistrement DMARC de %(domain)s ne peut pas être lu, ou il y en a plusieurs.")
            yield Finding("DMARC", WRONG, sentence % {"domain": candidate}, _dmarc_record(candidate, setting))
            return
    sentence = _("%(domain)s ne publie pas de politique DMARC.") % {"domain": domain}
    yield Finding("DMARC", WRONG, sentence, _dmarc_record(domain, setting))


def _dmarc_record(domain: str, setting: Setting) -> str:
    return f'_dmarc.{domain}. IN TXT "v=DMARC1; p=none; rua=mailto:{setting.sender}"'


def _check_names(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    name, helo = _("Noms du serveur"), DNS_NAME.get_fqdn()
    if not setting.is_local:
        sentence = _("%(relay)s se présente sous son propre nom : rien à publier.")
        yield Finding(name, OK, sentence % {"relay": setting.relay})
        return
    if not setting.public_address:
        yield Finding(name, UNKNOWN, _("Indiquer l’adresse publique du serveur (--ip) pour vérifier ses noms."))
        return
    address = ipaddress.ip_address(setting.public_address)
    names = lookups.names(address)
    confirmed = [host for host in names if address in lookups.addresses(host)]
    values = {"address": address, "helo": helo, "names": ", ".join(names)}
    pointer = f"{address.reverse_pointer}. IN PTR {helo}."
    if not names:
        yield Finding(name, WRONG, _("%(address)s n’a pas de nom (PTR).") % values, pointer)
    elif not confirmed:
        sentence = _("%(address)s porte le nom %(names)s, qui ne mène pas à elle.") % values
        yield Finding(name, WRONG, sentence, f"{names[0]}. IN {'A' if address.version == 4 else 'AAAA'} {address}")
    elif helo.lower() not in [host.lower() for host in confirmed]:
        sentence = _("%(address)s porte le nom %(names)s, et le serveur se présente comme %(helo)s (HELO).") % values
        yield Finding(name, WARNING, sentence, pointer)
    else:
        yield Finding(name, OK, _("%(address)s, son nom et celui du serveur (%(helo)s) s’accordent.") % values)


def _check_tls(setting: Setting, lookups: Lookups) -> Iterator[Finding]:
    if setting.is_encrypted:
        yield Finding("TLS", OK, _("La connexion à %(relay)s est chiffrée.") % {"relay": setting.relay})
    elif setting.is_local and not setting.public_address:
        yield Finding("TLS", OK, _("Le serveur d’envoi est sur cette machine ou à côté d’elle."))
    else:
        sentence = _("La connexion à %(relay)s n’est pas chiffrée : écrire EMAIL_URL=smtp+tls://…")
        yield Finding("TLS", WRONG, sentence % {"relay": setting.relay})


def _tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record: «p=none; rua=…»."""
    pairs = (piece.partition("=") for piece in re.split(r"\s*;\s*", record.strip()) if "=" in piece)
    return {name.strip().lower(): value.strip() for name, _equals, value in pairs}


__all__ = ("Finding", "InvalidAddressError", "NoMailServerError", "Verdict", "check_deliverability", "current_setting")
