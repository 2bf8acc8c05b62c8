"""A real issuer of identities on a real socket: discovery, keys, codes with PKCE, signed tokens (OpenID Connect)."""

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.support.listening import AnsweringHandler, listening

CLIENT_ID, CLIENT_SECRET = "portail", "s3cret-of-the-application"


class IdentityIssuer:
    """Answers for one person, ``claims``; what it signs with, and what it says wrong, is set by the test."""

    def __init__(self) -> None:
        self.address = ""
        self.claims: dict[str, Any] = {}
        self.wrong: dict[str, Any] = {}  # claims that a token has instead of the right ones; None leaves one out
        self.keys: list[RSAKey | ECKey] = [ECKey.generate_key("P-256", {"kid": "first", "use": "sig"})]
        self.algorithm = "ES256"
        self.forged = ""  # the algorithm that a token claims, without a key of ours
        self.asked: list[dict[str, str]] = []  # what came to the page of sign-in
        self.codes: dict[str, dict[str, str]] = {}
        self.supported = ["sub", "email", "email_verified"]
        self.fetched: list[str] = []

    def rotate(self, key: RSAKey | ECKey) -> None:
        """Sign with ``key`` from now on, and publish no other."""
        self.keys = [key]
        self.algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"

    def configuration(self) -> dict[str, Any]:
        """Discovery 1.0, 3."""
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "claims_supported": self.supported,
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent after its owner signed in."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.address})}"

    def token(self, asked: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The answer of the token endpoint: each code once, to the application, with the verifier of its challenge."""
        begun = self.codes.pop(asked.get("code", ""), None)
        if authorization != "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.sign(begun)}

    def sign(self, begun: dict[str, str]) -> str:
        """The ID token for what was asked."""
        now = int(time.time())
        right = {"iss": self.address, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": begun["nonce"]}
        if "max_age" in begun:
            right["auth_time"] = now
        claims = {**right, **self.claims, **self.wrong}
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.keys[0]
        if self.forged:
            head = {"alg": self.forged, "kid": key.kid}
            signed = b".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
            public = key.as_pem(private=False)
            proof = hmac.new(public, signed, hashlib.sha256).digest() if self.forged == "HS256" else b""
            return b".".join([signed, _encoded(proof)]).decode()
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key)


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@contextlib.contextmanager
def running_identity_issuer() -> Iterator[IdentityIssuer]:
    """An issuer that answers at its ``address`` meanwhile."""
    issuer = IdentityIssuer()

    class Handler(AnsweringHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            issuer.fetched.append(parts.path)
            if parts.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", issuer.authorize({k: v[0] for k, v in parse_qs(parts.query).items()}))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif parts.path == "/keys":
                self.say(200, {"keys": [key.as_dict(private=False) for key in issuer.keys]})
            else:
                self.say(200, issuer.configuration())

        def do_POST(self) -> None:
            form = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
            self.say(*issuer.token(form, self.headers.get("Authorization", "")))

        def say(self, status: int, said: dict[str, Any]) -> None:
            self.answer(json.dumps(said).encode(), "application/json", status=status)

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        issuer.address = f"http://127.0.0.1:{port}"
        yield issuer
