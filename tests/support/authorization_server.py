"""A real authorization server on a real socket: gives tokens as it is asked to (RFC 6749, RFC 7523, RFC 8628)."""

import base64
import contextlib
import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.support.listening import AnsweringHandler, listening


class AuthorizationServer:
    """Numbers its tokens; ``audience`` is for whom they are made, ``refusal`` what it answers instead of one."""

    def __init__(self) -> None:
        self.requests: list[dict[str, str]] = []
        self.refusal: tuple[int, dict[str, str]] | None = None
        self.audience = "mail"
        self.life = 3600
        self.given = 0
        self.withdrawn: set[str] = set()
        self.pending = 0  # times that the person has not answered yet

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The status and the body for a request."""
        self.requests.append(asked)
        if self.refusal is not None:
            return self.refusal
        if path == "/device":
            codes = {"device_code": "dc", "user_code": "ABCD-EFGH", "verification_uri": "https://id.example/code"}
            return 200, {**codes, "interval": 1, "expires_in": 60}
        if "device_code" in asked and self.pending:
            self.pending -= 1
            return 400, {"error": "authorization_pending"}
        self.given += 1
        token = {"access_token": self.token(self.given), "token_type": "Bearer", "expires_in": self.life}
        if asked.get("grant_type") in ("refresh_token", "urn:ietf:params:oauth:grant-type:device_code"):
            token["refresh_token"] = f"renewal-{self.given}"
        return 200, token

    def token(self, number: int) -> str:
        """The token of that number: not signed, but it says for whom it is made."""
        parts = [{"alg": "none"}, {"aud": self.audience, "n": number}]
        return ".".join([*(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts), ""])

    def takes(self, token: str) -> bool:
        """True where a mail server that asks would take ``token``."""
        known = {self.token(number) for number in range(1, self.given + 1)}
        return token in known - self.withdrawn and self.audience == "mail"


@contextlib.contextmanager
def running_issuer(issuer: AuthorizationServer) -> Iterator[str]:
    """The address of ``issuer`` while it runs."""

    class Handler(AnsweringHandler):
        def do_POST(self) -> None:
            form = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
            status, said = issuer.answer(self.path, form)
            self.answer(json.dumps(said).encode(), "application/json", status=status)

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        yield f"http://127.0.0.1:{port}"
