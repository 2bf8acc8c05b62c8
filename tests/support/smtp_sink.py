"""A real SMTP server on a real socket, that behaves as badly as it is asked to."""

import asyncio
import contextlib
import email
import email.message
import email.policy
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class Sink:
    """Keeps what it accepts; ``replies`` says otherwise per phase (MAIL, RCPT, DATA) for addresses that hold a word."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, bytes]] = []
        self.peers: set[object] = set()
        self.replies: dict[tuple[str, str], str] = {}
        self.on_accept: Callable[[str], None] | None = None
        self.delay = 0.0
        self.lock = threading.Lock()

    def _reply(self, phase: str, address: str) -> str | None:
        return next((reply for (at, word), reply in self.replies.items() if at == phase and word in address), None)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._reply("MAIL", address)
        if reply:
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._reply("RCPT", address)
        if reply == "hang":
            await asyncio.sleep(60)
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        reply = self._reply("DATA", recipient)
        if self.delay:
            await asyncio.sleep(self.delay)
        if reply == "hang":
            await asyncio.sleep(60)
        if reply == "close":
            transport = server.transport
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()
            return "250 never seen"
        if reply:
            return reply
        content = envelope.content
        assert isinstance(content, bytes)
        with self.lock:
            self.mails.append((envelope.mail_from or "", recipient, content))
            self.peers.add(session.peer)
        if self.on_accept is not None:
            self.on_accept(recipient)
        return "250 2.0.0 accepted"

    @property
    def parsed(self) -> list[email.message.EmailMessage]:
        """The accepted mails, as a mail client reads them."""
        return [email.message_from_bytes(content, policy=email.policy.default) for _from, _to, content in self.mails]

    @property
    def message_ids(self) -> list[str]:
        """The Message-IDs of the accepted mails, in the order of their acceptance."""
        return [str(mail["Message-ID"]) for mail in self.parsed]


class _AnyPort(Controller):
    """A server on whatever port is free, given by ``port`` once it runs."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def running(sink: Sink, **options: Any) -> Iterator[int]:
    """The port of a server that hands its mails to ``sink``."""
    controller = _AnyPort(sink, hostname="127.0.0.1", port=0, enable_SMTPUTF8=options.pop("utf8", True), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def refuse_login(*_args: Any) -> AuthResult:
    """An authenticator that knows no one."""
    return AuthResult(success=False, handled=False)


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """What a server with this certificate speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def closed_port() -> int:
    """A port of this machine on which no one listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
