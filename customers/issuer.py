"""The issuer of identities of staff (OpenID Connect): what is set of it, and what its claims say.

Pure: neither network nor database. Sources: OpenID Connect Core 1.0, 3.1.3.7; RFC 8176 (``amr``). No standard names the
claim of groups, hence a setting.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

# In OIDC_GROUPS: the right to everything, which no group holds.
SUPERUSER: Final = "superuser"
# Clocks of two machines may differ by so much.
LEEWAY: Final = datetime.timedelta(seconds=60)
LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 1.0, 2
MICROSOFT: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
# Issuers of this machine may speak plain HTTP.
LOCAL: Final = ("127.0.0.1", "localhost", "::1")
GOOGLE: Final = ("accounts.google.com",)


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who vouches for staff, and what its values mean here: ``groups`` maps a value of the claim to names of groups."""

    address: str
    client_id: str
    client_secret: str
    name: str
    scopes: str = "openid email profile"
    groups_claim: str = "groups"
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    domain: str = ""
    trusts_second_factor: bool = False
    acr_values: tuple[str, ...] = ()
    is_only_way: bool = False
    emergency_login: str = ""

    @property
    def host(self) -> str:
        """The name of its server."""
        return urlsplit(self.address).hostname or ""

    @property
    def is_microsoft(self) -> bool:
        """True for Entra ID."""
        return self.host in MICROSOFT

    @property
    def is_google(self) -> bool:
        """True for Google, which vouches for everybody."""
        return self.host in GOOGLE

    @property
    def mapped_groups(self) -> frozenset[str]:
        """The names of groups that some value gives; :data:`SUPERUSER` among them where one gives everything."""
        return frozenset(name for names in self.groups.values() for name in names)


class RefusedIdentityError(Exception):
    """The issuer's answer is not taken. ``str()`` is a French sentence for its owner, ``code`` the word of the log."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def check_claims(claims: Mapping[str, Any], issuer: Issuer, *, nonce: str, now: datetime.datetime) -> None:
    """Check whom the signed ``claims`` are from, for, about and until when; Raises :class:`RefusedIdentityError`.

    OpenID Connect Core 1.0, 3.1.3.7; the tenant of Entra ID (``tid``) and the domain of Google Workspace (``hd``).
    """
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    tenants = [part for part in urlsplit(issuer.address).path.split("/") if part]
    reasons = (
        ("iss", claims.get("iss") != issuer.address),
        ("aud", issuer.client_id not in audiences or not all(isinstance(each, str) for each in audiences)),
        ("azp", claims.get("azp", issuer.client_id if len(audiences) == 1 else None) != issuer.client_id),
        ("exp", not _is_after(claims.get("exp"), now - LEEWAY)),
        ("iat", "iat" not in claims or _is_after(claims["iat"], now + LEEWAY)),
        ("nbf", "nbf" in claims and _is_after(claims["nbf"], now + LEEWAY)),
        ("nonce", not nonce or claims.get("nonce") != nonce),
        ("sub", not _is_text(claims.get("sub")) or len(str(claims["sub"])) > LONGEST_SUBJECT),
        ("tid", issuer.is_microsoft and claims.get("tid") not in tenants),
        ("hd", issuer.is_google and str(claims.get("hd", "")).lower() != issuer.domain),
    )
    wrong = [name for name, is_wrong in reasons if is_wrong]
    if wrong:
        raise RefusedIdentityError(
            wrong[0],
            f"La réponse de {issuer.name} n’est pas pour ce portail ou n’est plus valable ({', '.join(wrong)}). "
            "Recommencez ; si cela persiste, prévenez votre administrateur.",
        )


def check_is_recent(claims: Mapping[str, Any], issuer: Issuer, *, since: datetime.datetime) -> None:
    """Check that its owner gave his password to the issuer after ``since`` (``auth_time``). Raises as above."""
    if not _is_after(claims.get("auth_time"), since - LEEWAY):
        raise RefusedIdentityError(
            "auth_time",
            f"{issuer.name} n’a pas redemandé qui vous êtes, ou ne dit pas quand. Déconnectez-vous, puis "
            "reconnectez-vous : la page s’ouvrira dans les quinze minutes qui suivent.",
        )


def is_earlier_sign_in(claims: Mapping[str, Any], *, before: datetime.datetime) -> bool:
    """True where the issuer says that it asked for the password ``before`` that: this time it only remembered."""
    return "auth_time" in claims and not _is_after(claims["auth_time"], before - LEEWAY)


def verified_address(claims: Mapping[str, Any], issuer: Issuer, *, always_says_verified: bool = False) -> str:
    """The mail address that the issuer answers for. Raises :class:`RefusedIdentityError` where it does not.

    ``email_verified`` is demanded where the issuer says it (``always_says_verified``, or the claim is there), and
    Entra ID's ``xms_edov`` likewise; one's own directory that says neither answers for its addresses.
    """
    address = claims.get("email")
    if not _is_text(address) or "@" not in address:
        raise RefusedIdentityError(
            "email",
            f"{issuer.name} n’a pas donné votre adresse e-mail. Demandez à votre administrateur de l’y ajouter.",
        )
    said = [claims[name] for name in ("email_verified", "xms_edov") if name in claims]
    if any(value not in (True, "true", 1, "1") for value in said) or (always_says_verified and not said):
        raise RefusedIdentityError(
            "email_verified", f"{issuer.name} n’a pas vérifié votre adresse e-mail : elle n’ouvre pas de compte ici."
        )
    if issuer.domain and not issuer.is_google and address.rpartition("@")[2].lower() != issuer.domain:
        raise RefusedIdentityError("domain", f"{address} n’est pas une adresse de {issuer.domain}.")
    return address


def granted_groups(claims: Mapping[str, Any], issuer: Issuer) -> frozenset[str]:
    """The names of our groups that the claims give. Raises :class:`RefusedIdentityError` where they were left out."""
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and issuer.groups_claim in elsewhere:
        raise RefusedIdentityError(
            "overage",
            f"{issuer.name} ne joint pas vos groupes : vous en avez trop. Demandez à votre administrateur de n’y "
            "joindre que les groupes attribués à l’application.",
        )
    values = _find(claims, issuer.groups_claim)
    listed = values if isinstance(values, list) else [values]
    return frozenset(name for value in listed if isinstance(value, str) for name in issuer.groups.get(value, ()))


def has_second_factor(claims: Mapping[str, Any], issuer: Issuer) -> bool:
    """True where the issuer asked for two factors: by setting, by ``amr`` (RFC 8176, 2), or by a known ``acr``."""
    methods = claims.get("amr")
    says_so = isinstance(methods, list) and "mfa" in methods
    return issuer.trusts_second_factor or says_so or claims.get("acr") in issuer.acr_values


def _find(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of that name, else the one at the end of a path of names (``realm_access.roles``)."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _is_after(value: object, moment: datetime.datetime) -> bool:
    """True where ``value`` is a time of a token (seconds since 1970) after ``moment``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and value > moment.timestamp()  # type: ignore[operator]
