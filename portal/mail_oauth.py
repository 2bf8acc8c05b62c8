"""The settings MAIL_OAUTH_…: how mail servers are entered with OAuth 2.0."""

from pathlib import Path

from mailing.oauth_providers import FLOWS, PROVIDERS
from portal.environment import wrong


def read_mail_oauth(given: dict[str, str]) -> dict[str, str]:
    """What :mod:`mailing.oauth` needs, of the values ``given``; empty where no issuer is named.

    Raises ImproperlyConfigured, in French.
    """
    given = {name: value.strip() for name, value in given.items()}
    name = given["provider"].lower()
    if not name:
        return {}
    if name not in PROVIDERS:
        raise wrong("MAIL_OAUTH_PROVIDER", name, expected=" ou ".join(PROVIDERS), example=next(iter(PROVIDERS)))
    provider = PROVIDERS[name]
    flow = given["flow"].lower() or provider.default_flow
    if flow not in FLOWS:
        raise wrong("MAIL_OAUTH_FLOW", flow, expected=" ou ".join(FLOWS), example=provider.default_flow)
    chosen = {
        "flow": flow,
        **{field: given[field] for field in ("client_id", "client_secret", "key_file", "user")},
        "token_url": given["token_url"] or _in_tenant(provider.token_url, given["tenant"]),
        "device_url": given["device_url"] or _in_tenant(provider.device_url, given["tenant"]),
        "scope": given["scopes"] or provider.scope(flow),
    }
    _check(chosen)
    return chosen


def _in_tenant(address: str, tenant: str) -> str:
    """The address of an issuer in the directory of the company; its common one without."""
    return address.replace("{tenant}", tenant or "organizations")


def _check(chosen: dict[str, str]) -> None:
    """Raise for what the flow cannot do without."""
    needed = {"MAIL_OAUTH_TOKEN_URL": ("token_url", "une adresse https", "https://login.exemple.fr/oauth2/token")}
    if chosen["flow"] == "service_account":
        needed["MAIL_OAUTH_KEY_FILE"] = ("key_file", "le chemin d’une clé JSON", "/srv/portail/compte-de-service.json")
        needed["MAIL_OAUTH_USER"] = ("user", "l’adresse de la boîte", "factures@exemple.fr")
    else:
        needed["MAIL_OAUTH_CLIENT_ID"] = ("client_id", "l’identifiant de l’application", "8f2c…")
    if chosen["flow"] == "client_credentials":
        needed["MAIL_OAUTH_CLIENT_SECRET"] = ("client_secret", "le secret de l’application", "…")
    if chosen["flow"] == "device":
        needed["MAIL_OAUTH_DEVICE_URL"] = ("device_url", "une adresse https", "https://login.exemple.fr/oauth2/device")
    for variable, (field, expected, example) in needed.items():
        if not chosen[field]:
            raise wrong(variable, "", expected=expected, example=example)
    for variable, field in (("MAIL_OAUTH_TOKEN_URL", "token_url"), ("MAIL_OAUTH_DEVICE_URL", "device_url")):
        if chosen[field] and not chosen[field].startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise wrong(
                variable,
                chosen[field],
                expected="une adresse https",
                example=needed.get(variable, ("", "", "https://…"))[2],
            )
    path = Path(chosen["key_file"])
    if chosen["key_file"] and not path.is_file():
        raise wrong("MAIL_OAUTH_KEY_FILE", str(path), expected="un fichier lisible", example="/srv/portail/compte.json")
