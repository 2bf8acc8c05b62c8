"""How a mail leaves: by SMTP, or through another mail backend of Django's; and what the other side said to it."""

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import DNS_NAME, mailers
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from mailing.answers import classify
from mailing.mime import OutgoingMail
from mailing.oauth import SignInError
from mailing.reasons import Reason
from mailing.smtp_login import sign_in

# After a server could not be reached, how long (seconds) the following mails are deferred without trying it again.
SERVER_REST = 10.0


class Verdict(Enum):
    """What became of one attempt."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outcome:
    """One attempt: the verdict, why (French, one line), the server's code, and what the answer says about the address.

    ``answer`` is what a server meant, where one answered. ``left`` is False where no server was reached, so that no
    place of the pace is used up. ``is_written`` is True where the mail was accepted by no server, but is in a file.
    """

    verdict: Verdict
    reason: str = ""
    code: int | None = None
    address_is_bad: bool = False
    reached_server: bool = True
    answer: Reason | None = None
    is_written: bool = False


class Transport(Protocol):
    """A way for mails to leave, used by one thread."""

    def send(self, mail: OutgoingMail) -> Outcome:
        """Try to send ``mail`` once; never raises for what the other side does."""

    def close(self) -> None:
        """Let go of what is open."""


def uses_smtp() -> bool:
    """True where mails go to an SMTP server, False where another mail backend takes them (files by default)."""
    return isinstance(mailers.default, EmailBackend)


def writes_files() -> bool:
    """True where no mail server is set: mails are in files and are not sent."""
    return bool(getattr(mailers.default, "writes_files", False))


def make_transport(health: "ServerHealth") -> Transport:
    """The transport that the settings ask for; ``health`` is shared by the transports of one process.

    A backend that has a ``make_transport`` of its own says by it how its mails leave (an HTTP interface, say).
    """
    backend = mailers.default
    if isinstance(backend, EmailBackend):
        return SmtpTransport(backend, health)
    own: Callable[[ServerHealth], Transport] | None = getattr(backend, "make_transport", None)
    return own(health) if own is not None else BackendTransport(backend)


@dataclass
class ServerHealth:
    """What the transports of a process share about the server: since when it cannot be reached, and why."""

    failure: Outcome | None = None
    retry_after: float = field(default=0.0)

    def note_failure(self, outcome: Outcome) -> None:
        """The server could not be reached."""
        self.failure, self.retry_after = outcome, time.monotonic() + SERVER_REST

    def current_failure(self) -> Outcome | None:
        """Why not to try the server at this moment; None where it may be tried."""
        return self.failure if time.monotonic() < self.retry_after else None


class BackendTransport:
    """Any mail backend of Django's that is not SMTP: it takes the mail, or raises."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend

    def send(self, mail: OutgoingMail) -> Outcome:
        """Hand ``mail`` over."""
        try:
            self.backend.send_messages([mail])
        except OSError as error:
            return Outcome(
                Verdict.DEFERRED, _("Écriture impossible : %(error)s") % {"error": error}, reached_server=False
            )
        return Outcome(Verdict.ACCEPTED, is_written=getattr(self.backend, "writes_files", False))

    def close(self) -> None:
        """Nothing stays open."""
        self.backend.close()


class _ConnectionLostError(Exception):
    """The server went away or fell silent; the message is French."""


def open_smtp(backend: EmailBackend) -> smtplib.SMTP:
    """A connection to the server of ``backend``, signed in. Raises OSError, ValueError or SignInError."""
    timeout, name = float(backend.timeout or 60), DNS_NAME.get_fqdn()
    connection: smtplib.SMTP
    if backend.use_ssl:
        connection = smtplib.SMTP_SSL(
            backend.host, backend.port, local_hostname=name, timeout=timeout, context=backend.ssl_context
        )
    else:
        connection = smtplib.SMTP(backend.host, backend.port, local_hostname=name, timeout=timeout)
    try:
        if backend.use_tls:
            connection.starttls(context=backend.ssl_context)
        sign_in(connection, backend.username or "", backend.password or "")
        connection.ehlo_or_helo_if_needed()
    except BaseException:
        connection.close()
        raise
    return connection


class SmtpTransport:
    """One SMTP connection, used for many mails and opened again from time to time."""

    def __init__(self, backend: EmailBackend, health: ServerHealth) -> None:
        self.backend = backend
        self.timeout = float(backend.timeout or 60)
        self.health = health
        self.connection: smtplib.SMTP | None = None
        self.mails_on_connection = 0

    def send(self, mail: OutgoingMail) -> Outcome:
        """Try to send ``mail`` once; a connection that the server closed while idle is replaced without counting."""
        if self.connection is not None and self.mails_on_connection >= settings.MAIL_PER_CONNECTION:
            self.close()
        was_open = self.connection is not None
        outcome = self._connect() or self._attempt(mail)
        if outcome is None:
            # Nothing of the mail had left, on a connection that may have been closed long ago: once more on a new one.
            outcome = self._connect() or self._attempt(mail) if was_open else None
        return outcome or Outcome(Verdict.DEFERRED, _("Le serveur a fermé la connexion."))

    def close(self) -> None:
        """Say goodbye; a server that does not answer is left without."""
        connection, self.connection, self.mails_on_connection = self.connection, None, 0
        if connection is None:
            return
        try:
            if connection.sock is not None:
                connection.sock.settimeout(5)
            connection.quit()
        except (smtplib.SMTPException, OSError):
            connection.close()

    def _drop(self) -> None:
        connection, self.connection, self.mails_on_connection = self.connection, None, 0
        if connection is not None:
            connection.close()

    def _connect(self) -> Outcome | None:
        """Open the connection where there is none. An outcome means that no server can be used now.

        Whatever goes wrong here (refused, TLS, login, a 5xx greeting) is the server's matter, not the mail's.
        """
        if self.connection is not None:
            return None
        known = self.health.current_failure()
        if known is not None:
            return known
        try:
            connection = open_smtp(self.backend)
        except SignInError as error:
            failure = Outcome(
                Verdict.DEFERRED, str(error), reached_server=False, answer=None if error.passes else Reason.LOGIN
            )
            self.health.note_failure(failure)
            return failure
        except (OSError, ValueError) as error:  # SMTPException and SSLError are OSErrors
            code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None
            answer = None
            if isinstance(error, smtplib.SMTPResponseException):
                is_login = isinstance(error, smtplib.SMTPAuthenticationError)
                answer = Reason.LOGIN if is_login else classify(_reply_text(error.smtp_code, error.smtp_error))
            failure = Outcome(Verdict.DEFERRED, self._describe(error), code, reached_server=False, answer=answer)
            self.health.note_failure(failure)
            return failure
        self.connection = connection
        return None

    def _describe(self, error: Exception) -> str:
        """A failure to connect, in French."""
        server = f"{self.backend.host}:{self.backend.port}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            words = _("Le serveur %(server)s refuse nos identifiants : %(reply)s")
        elif isinstance(error, smtplib.SMTPNotSupportedError):
            words = _("Le serveur %(server)s n’offre pas ce que les réglages demandent : %(reply)s")
        elif isinstance(error, smtplib.SMTPResponseException):
            words = _("Le serveur %(server)s ne prend pas de mails : %(reply)s")
        elif isinstance(error, smtplib.SMTPServerDisconnected):
            words = _("Le serveur %(server)s a fermé la connexion : %(reply)s")
        elif isinstance(error, ssl.SSLError):
            words = _("La connexion chiffrée avec %(server)s a échoué : %(reply)s")
        elif isinstance(error, TimeoutError):
            words = _("Le serveur %(server)s ne répond pas à temps.")
        elif isinstance(error, socket.gaierror):
            words = _("Le serveur %(server)s est introuvable : %(reply)s")
        else:
            words = _("Le serveur %(server)s est injoignable : %(reply)s")
        if isinstance(error, smtplib.SMTPResponseException):
            reply = _reply_text(error.smtp_code, error.smtp_error)
        else:
            reply = str(error)
        return words % {"server": server, "reply": reply}

    def _attempt(self, mail: OutgoingMail) -> Outcome | None:
        """One SMTP transaction; None where the connection turned out to be dead before it began."""
        try:
            return self._transact(mail)
        except smtplib.SMTPServerDisconnected:
            self._drop()
            return None
        except _ConnectionLostError as error:
            self._drop()
            return Outcome(Verdict.DEFERRED, str(error))

    def _transact(self, mail: OutgoingMail) -> Outcome:
        connection = self.connection
        assert connection is not None
        content = mail.as_wire()
        refusal = self._refuse_here(connection, mail, len(content))
        if refusal is not None:
            return refusal
        self.mails_on_connection += 1
        options = [f"size={len(content)}"] if connection.has_extn("size") else []
        if mail.needs_smtputf8:
            options += ["SMTPUTF8"]
        try:
            code, reply = connection.mail(mail.envelope_sender, options)
        except OSError as error:
            if _timed_out(error):
                raise _ConnectionLostError(_("Le serveur ne répond plus.")) from None
            raise smtplib.SMTPServerDisconnected(str(error)) from None  # nothing of this mail has left
        if code == 421:  # «closing transmission channel»: as good as closed
            if self.mails_on_connection > 1:
                raise smtplib.SMTPServerDisconnected(_reply_text(code, reply))
            return self._refused(connection, code, reply)
        if code != 250:
            return self._refused(connection, code, reply)
        try:
            code, reply = connection.rcpt(str(mail.envelope_recipient))
            if code not in (250, 251):
                return self._refused(connection, code, reply)
            code, reply = connection.docmd("DATA")
        except OSError as error:
            raise _ConnectionLostError(_lost(error)) from None
        if code != 354:
            return self._refused(connection, code, reply)
        code, reply = self._send_content(connection, content)
        if code == 250:
            return Outcome(Verdict.ACCEPTED, _reply_text(code, reply), code)
        return self._refused(connection, code, reply)

    @staticmethod
    def _refuse_here(connection: smtplib.SMTP, mail: OutgoingMail, size: int) -> Outcome | None:
        """What this server says beforehand that it cannot take (RFC 6531 § 3.1, RFC 1870)."""
        if mail.needs_smtputf8 and not connection.has_extn("smtputf8"):
            return Outcome(
                Verdict.REJECTED,
                _("Le serveur d’envoi n’accepte pas d’adresse avec accents avant le @ (SMTPUTF8) : %(address)s")
                % {"address": mail.envelope_recipient},
                reached_server=False,
            )
        limit = connection.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            return Outcome(
                Verdict.REJECTED,
                _("Mail trop gros pour le serveur d’envoi : %(size)s octets, limite %(limit)s.")
                % {"size": size, "limit": limit},
                reached_server=False,
            )
        return None

    def _send_content(self, connection: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
        """Send the mail itself and wait for the reply that decides, as long as RFC 5321 § 4.5.3.2.6 asks."""
        doubled = re.sub(rb"(?m)^\.", b"..", content)
        end = b"" if doubled.endswith(b"\r\n") else b"\r\n"
        try:
            connection.send(doubled + end + b".\r\n")
            if connection.sock is not None:
                connection.sock.settimeout(settings.MAIL_FINAL_REPLY_TIMEOUT)
            code, reply = connection.getreply()
            if connection.sock is not None:
                connection.sock.settimeout(self.timeout)
        except OSError as error:
            if _timed_out(error):
                raise _ConnectionLostError(_("Le serveur n’a pas confirmé la réception à temps.")) from None
            raise _ConnectionLostError(_lost(error)) from None
        return code, reply

    def _refused(self, connection: smtplib.SMTP, code: int, reply: bytes) -> Outcome:
        """The outcome of a reply that is no success, and the connection made ready for the next mail."""
        if code == 421 or not 400 <= code <= 599:
            self._drop()
        else:
            try:
                connection.rset()
            except OSError:
                self._drop()
        return read_refusal(code, reply)


def read_refusal(code: int, reply: bytes) -> Outcome:
    """What a reply that is no success means for the mail; a refusal of our own server is none of the mail's faults."""
    text = _reply_text(code, reply)
    answer = classify(text)
    is_final = 500 <= code <= 599 and not answer.is_ours and answer is not Reason.PACE
    return Outcome(
        Verdict.REJECTED if is_final else Verdict.DEFERRED,
        _("%(words)s : %(reply)s") % {"words": answer.words, "reply": text},
        code,
        address_is_bad=is_final and answer.blames_address,
        answer=answer,
    )


def _timed_out(error: OSError) -> bool:
    """True for a silence of the server; smtplib reports it as a connection that was closed."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _lost(error: OSError) -> str:
    if _timed_out(error):
        return _("Le serveur ne répond plus.")
    return _("La connexion s’est rompue pendant l’envoi : %(error)s") % {"error": error}


def _reply_text(code: int, reply: bytes | str) -> str:
    """A reply as one line of at most 500 characters."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)
    return f"{code} {' '.join(text.split())}"[:500]
