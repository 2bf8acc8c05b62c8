"""What is asked of the issuer of identities: where it is (discovery), its keys, and the token for a code.

OpenID Connect Discovery 1.0, 4; RFC 6749, 4.1; RFC 7636 (PKCE); RFC 7517 (keys), which change: a token under an unknown
key has them fetched again, at most once in a while.
"""

import datetime
import hashlib
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from django.core.cache import cache
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from customers.issuer import LOCAL, Issuer, RefusedIdentityError, check_claims
from mailing.http_answers import read_at_most
from mailing.json_text import parse_json

# Of public keys only: never «none», never a secret that both know (RFC 8725, 3.1 and 3.2).
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KEY_KINDS: Final = ("RSA", "EC")
ANSWER_SECONDS: Final = (3.05, 6)  # to connect, to answer
LARGEST_ANSWER: Final = 1_000_000
DISCOVERY_SECONDS: Final = 3600
KEYS_SECONDS: Final = 600
FETCH_KEYS_EVERY: Final = 30


class IssuerSilentError(Exception):
    """The issuer cannot be asked now; ``str()`` is a French sentence."""

    def __init__(self, issuer: Issuer, reason: object) -> None:
        super().__init__(
            f"{issuer.name} ne répond pas ou répond mal. Réessayez dans un instant, ou connectez-vous par mot de passe."
        )
        self.reason = str(reason)


def address_to_go(
    issuer: Issuer, *, state: str, nonce: str, verifier: str, return_to: str, asks_again: bool = False
) -> str:
    """Where the browser goes to learn who is there; ``asks_again`` even one who is signed in there.

    Raises :class:`IssuerSilentError`.
    """
    more: dict[str, str] = {"acr_values": " ".join(issuer.acr_values)} if issuer.acr_values else {}
    if asks_again:
        more |= {"prompt": "login", "max_age": "0"}
    if issuer.is_google:
        more |= {"hd": issuer.domain}
    with _session(issuer, return_to) as session:
        endpoint = _endpoint(issuer, "authorization_endpoint")
        address, _state = session.create_authorization_url(
            endpoint, state=state, nonce=nonce, code_verifier=verifier, **more
        )
    return str(address)


def fetch_claims(
    issuer: Issuer, *, code: str, nonce: str, verifier: str, return_to: str, now: datetime.datetime
) -> dict[str, Any]:
    """What the issuer says of the one who came back with ``code``: the claims of its ID token, all checked.

    Raises :class:`IssuerSilentError` and :class:`~customers.issuer.RefusedIdentityError`.
    """
    with _session(issuer, return_to) as session:
        try:
            answer = session.fetch_token(
                _endpoint(issuer, "token_endpoint"),
                code=code,
                code_verifier=verifier,
                timeout=ANSWER_SECONDS,
                allow_redirects=False,
            )
        except AuthlibBaseError as refusal:
            raise RefusedIdentityError(
                "code",
                f"{issuer.name} refuse cette connexion ({refusal.error or 'sans motif'}). Recommencez ; si cela "
                "persiste, prévenez votre administrateur.",
            ) from refusal
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise IssuerSilentError(issuer, problem) from problem
    token = answer.get("id_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or len(token) > LARGEST_ANSWER:
        raise IssuerSilentError(issuer, "no id_token")
    claims = _read(issuer, token)
    check_claims(claims, issuer, nonce=nonce, now=now)
    return claims


def says_verified(issuer: Issuer) -> bool:
    """True where the issuer declares that it states whether an address was verified. Raises as above."""
    return "email_verified" in (_configuration(issuer).get("claims_supported") or ())


def _session(issuer: Issuer, return_to: str) -> OAuth2Session:
    methods = _configuration(issuer).get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    return OAuth2Session(
        issuer.client_id,
        issuer.client_secret,
        scope=issuer.scopes,
        redirect_uri=return_to,
        token_endpoint_auth_method=method,
        code_challenge_method="S256",
    )


def _read(issuer: Issuer, token: str) -> dict[str, Any]:
    """The claims of a token whose signature is good."""
    for is_again in (False, True):
        keys = _keys(issuer, again=is_again)
        try:
            return dict(jwt.decode(token, _key_for(token, keys), algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, TypeError) as problem:
            may_be_new_key = not is_again and cache.add(_name("again", issuer), True, FETCH_KEYS_EVERY)
            if not may_be_new_key:
                raise RefusedIdentityError(
                    "signature",
                    f"La signature de la réponse de {issuer.name} n’est pas la sienne. Recommencez ; si cela persiste, "
                    "prévenez votre administrateur.",
                ) from problem
    raise AssertionError


def _key_for(token: str, keys: KeySet) -> Key | KeySet:
    """The one key of an issuer that does not number it; else all, of which the token names one (``kid``)."""
    names_one = "kid" in jws.extract_compact(token.encode()).headers()
    return keys.keys[0] if not names_one and len(keys.keys) == 1 else keys


def _keys(issuer: Issuer, *, again: bool) -> KeySet:
    name = _name("keys", issuer)
    listed = None if again else cache.get(name)
    if listed is None:
        answer = _get(issuer, _endpoint(issuer, "jwks_uri"))
        given = [each for each in answer.get("keys") or () if isinstance(each, dict)]
        listed = [each for each in given if each.get("kty") in KEY_KINDS and each.get("use", "sig") == "sig"]
        if not listed:
            raise IssuerSilentError(issuer, "no keys")
        cache.set(name, listed, KEYS_SECONDS)
    try:
        return KeySet.import_key_set({"keys": listed})
    except (JoseError, ValueError) as problem:
        raise IssuerSilentError(issuer, problem) from problem


def _configuration(issuer: Issuer) -> dict[str, Any]:
    name = _name("configuration", issuer)
    found: dict[str, Any] | None = cache.get(name)
    if found is None:
        found = _get(issuer, f"{issuer.address.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer.address:  # OpenID Connect Discovery 1.0, 4.3
            raise IssuerSilentError(issuer, f"issuer is {found.get('issuer')!r}")
        cache.set(name, found, DISCOVERY_SECONDS)
    return found


def _endpoint(issuer: Issuer, name: str) -> str:
    address = _configuration(issuer).get(name)
    parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOCAL):
        raise IssuerSilentError(issuer, f"{name} is {address!r}")
    return str(address)


def _get(issuer: Issuer, address: str) -> dict[str, Any]:
    """The JSON object at ``address``."""
    try:
        with requests.get(address, timeout=ANSWER_SECONDS, allow_redirects=False, stream=True) as answer:
            answer.raise_for_status()
            found = parse_json(read_at_most(answer, LARGEST_ANSWER))
    except (requests.RequestException, OSError, ValueError) as problem:
        raise IssuerSilentError(issuer, problem) from problem
    if not isinstance(found, dict):
        raise IssuerSilentError(issuer, f"{address} is no object")
    return found


def _name(what: str, issuer: Issuer) -> str:
    return f"issuer-{what}-{hashlib.sha256(issuer.address.encode()).hexdigest()[:16]}"
