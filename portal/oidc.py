"""The settings OIDC_…: how staff sign in at the company's own issuer of identities (OpenID Connect)."""

from urllib.parse import urlsplit

from customers.issuer import LOCAL, SUPERUSER, Issuer
from customers.logins import canonical_login
from portal.environment import wrong

NAMES = {"microsoft": "Microsoft", "google": "Google"}
# Of Entra ID, for everybody's accounts: whoever has one anywhere would be vouched for.
EVERYBODYS_TENANTS = ("common", "organizations", "consumers")
EXAMPLE = "https://login.microsoftonline.com/9f1c…/v2.0"
GROUPS_EXAMPLE = "compta=Comptabilité, direction=Lecture"


def read_issuer(given: dict[str, str], *, is_only_way: bool) -> Issuer | None:
    """The issuer that the values ``given`` describe; None where none is named.

    Raises ImproperlyConfigured, in French.
    """
    given = {name: value.strip() for name, value in given.items()}
    is_trusted = _trusts_second_factor(given["second_factor"])
    if not given["issuer"]:
        _check_absent(given, is_only_way=is_only_way)
        return None
    _check_address(given["issuer"])
    _check_present(given)
    if is_only_way:
        _check_emergency_account(given["emergency_account"])
    host = urlsplit(given["issuer"]).hostname or ""
    issuer = Issuer(
        address=given["issuer"],
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        name=given["name"] or next((name for word, name in NAMES.items() if word in host), host),
        scopes=" ".join(dict.fromkeys(["openid", *(given["scopes"] or "email profile").split()])),
        groups_claim=given["groups_claim"] or "groups",
        groups=read_groups(given["groups"]),
        domain=given["domain"].lower().removeprefix("@"),
        trusts_second_factor=is_trusted,
        acr_values=tuple(given["acr_values"].split()),
        is_only_way=is_only_way,
        emergency_login=canonical_login(given["emergency_account"]),
    )
    _check_domain(issuer)
    return issuer


def read_groups(text: str) -> dict[str, tuple[str, ...]]:
    """``compta=Comptabilité, direction=Lecture``: which groups a value of the claim gives. Raises as above."""
    groups: dict[str, tuple[str, ...]] = {}
    for pair in (part.strip() for part in text.split(",")):
        if not pair:
            continue
        value, _equals, name = (part.strip() for part in pair.rpartition("="))
        if not value or not name:
            raise wrong(
                "OIDC_GROUPS",
                text,
                expected=f"des paires valeur=groupe séparées par des virgules (« {SUPERUSER} » donne tous les droits)",
                example=GROUPS_EXAMPLE,
            )
        groups[value] = (*groups.get(value, ()), name)
    if not groups:
        raise wrong("OIDC_GROUPS", text, expected="au moins une paire valeur=groupe", example=GROUPS_EXAMPLE)
    return groups


def _check_absent(given: dict[str, str], *, is_only_way: bool) -> None:
    """Without an issuer, nothing else that supposes one may be set."""
    left = next((name for name in ("client_id", "client_secret", "groups") if given[name]), "")
    if variable := f"OIDC_{left.upper()}" if left else "OIDC_ONLY" if is_only_way else "":
        raise wrong("OIDC_ISSUER", "", expected=f"l’adresse du fournisseur, que {variable} suppose", example=EXAMPLE)


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise wrong("OIDC_ISSUER", address, expected="une adresse https sans paramètre", example=EXAMPLE) from None
    is_local = parts.scheme == "http" and parts.hostname in LOCAL
    if not has_host or not (parts.scheme == "https" or is_local) or parts.query or parts.fragment:
        raise wrong("OIDC_ISSUER", address, expected="une adresse https sans paramètre", example=EXAMPLE)
    if "/.well-known/" in parts.path:
        raise wrong(
            "OIDC_ISSUER",
            address,
            expected="l’adresse de l’émetteur, sans /.well-known/…",
            example=address.partition("/.well-known/")[0],
        )
    if any(tenant in parts.path.split("/") for tenant in EVERYBODYS_TENANTS) and "microsoft" in str(parts.hostname):
        raise wrong(
            "OIDC_ISSUER", address, expected="l’adresse de votre propre annuaire (son identifiant)", example=EXAMPLE
        )


def _check_present(given: dict[str, str]) -> None:
    needed = {
        "client_id": ("l’identifiant de l’application déclarée chez le fournisseur", "portail-factures"),
        "client_secret": ("le secret de cette application", "…"),
    }
    for name, (expected, example) in needed.items():
        if not given[name]:
            raise wrong(f"OIDC_{name.upper()}", "", expected=expected, example=example)


def _check_emergency_account(login: str) -> None:
    if not login:
        raise wrong(
            "OIDC_EMERGENCY_ACCOUNT",
            "",
            expected="l’identifiant d’un administrateur qui garde son mot de passe, si le fournisseur manque",
            example="secours@exemple.fr",
        )


def _trusts_second_factor(text: str) -> bool:
    stated = text.lower() or "asked"
    if stated not in ("asked", "trusted"):
        raise wrong("OIDC_SECOND_FACTOR", text, expected="asked ou trusted", example="asked")
    return stated == "trusted"


def _check_domain(issuer: Issuer) -> None:
    if issuer.is_google and not issuer.domain:
        raise wrong(
            "OIDC_DOMAIN",
            "",
            expected="le domaine de la société, puisque Google répond de tout le monde",
            example="exemple.fr",
        )
