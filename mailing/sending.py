"""The worker that empties the outbox: claims a mail, prepares it, sends it, records what the server said."""

import datetime
import hashlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from mailing import pace, slowdowns
from mailing.addresses import InvalidAddressError, parse_address
from mailing.claims import Claim, ClaimResult, claim, record, renew
from mailing.heartbeats import MAILER, record_heartbeat, remove_heartbeat
from mailing.leases import database_now
from mailing.mime import LoadedFile, OutgoingMail, build_mail
from mailing.models import Message
from mailing.placeholders import SECRET_MASK
from mailing.secrets import SecretUnavailableError, reveal
from mailing.transports import Outcome, ServerHealth, Transport, Verdict, make_transport, uses_smtp

logger = logging.getLogger(__name__)

IDLE_PAUSE = 2.0  # seconds between two looks at an outbox with nothing to send
PULSE_PAUSE = 15.0  # seconds between two signs of life
RECORD_PATIENCE = 60.0  # seconds during which a worker that was asked to stop still tries to record what it sent
# After the database was away, mails whose lease ended meanwhile are left alone for so many seconds: the workers that
# sent them live, and are about to record it.
TAKE_OVER_PAUSE = 30.0
DATABASE_TRIES = 5
# A run that ends by itself waits so long for a destination that asked for fewer mails.
WORTH_WAITING = datetime.timedelta(minutes=1)


@dataclass
class Tally:
    """How many mails became what in a run."""

    accepted: int = 0
    written: int = 0  # of the accepted ones, those that no server took: they are in files
    deferred: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Mails that did not leave."""
        return self.deferred + self.rejected

    def count(self, verdict: Verdict, outcome: Outcome) -> None:
        """One mail more."""
        setattr(self, verdict.value, getattr(self, verdict.value) + 1)
        self.written += outcome.is_written
        if verdict is not Verdict.ACCEPTED:
            self.reasons[outcome.reason] = self.reasons.get(outcome.reason, 0) + 1


class _RefusedError(Exception):
    """The mail must never leave as it is; the message is the French reason."""

    def __init__(self, reason: str, *, address_is_bad: bool = False) -> None:
        super().__init__(reason)
        self.address_is_bad = address_is_bad


class _FileUnavailableError(Exception):
    """An attachment cannot be read for now; the message is the French reason, which names it and its mail's account."""

    def __init__(self, filename: str, account: str, error: OSError) -> None:
        sentence = (
            _("Préparation impossible (%(kind)s) : la pièce jointe %(name)s du compte %(account)s manque.")
            if isinstance(error, FileNotFoundError)
            else _("Préparation impossible (%(kind)s) : la pièce jointe %(name)s du compte %(account)s est illisible.")
        )
        super().__init__(sentence % {"kind": type(error).__name__, "name": filename, "account": account})


class Sender:
    """One run of the worker: several connections at once, stopped by setting ``stop``.

    ``on_beat`` is called with each sign of life, every few seconds where it runs forever.
    """

    def __init__(
        self,
        *,
        forever: bool = False,
        limit: int | None = None,
        on_beat: Callable[[datetime.datetime], None] = lambda now: None,
    ) -> None:
        self.forever = forever
        self.on_beat = on_beat
        self.left = limit
        self.stop = threading.Event()
        self.tally = Tally()
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.health = ServerHealth()
        self.in_hand: dict[str, Claim] = {}
        self.failure: Exception | None = None
        self._lock = threading.Lock()
        self._database_back_at = -TAKE_OVER_PAUSE
        self._next_pulse = 0.0
        # Files are written by one thread. A single SMTP connection too needs no second thread, but then nothing renews
        # the lease while it waits for the server: it is made longer than the longest wait.
        self.threads = settings.MAIL_CONNECTIONS if uses_smtp() else 1
        self.lease: datetime.timedelta = settings.MAIL_LEASE
        if uses_smtp() and self.threads <= 1:
            self.lease = max(self.lease, datetime.timedelta(seconds=settings.MAIL_FINAL_REPLY_TIMEOUT + 300))

    def run(self) -> Tally:
        """Send what is due, and end; or go on until ``stop`` is set. Raises what ended a thread before its time."""
        if self.threads <= 1:
            try:
                self._work()
            finally:
                self._end()
            return self.tally
        self._beat()
        workers = [threading.Thread(target=self._work_in_thread, name=f"mail-{n}") for n in range(self.threads)]
        for worker in workers:
            worker.start()
        try:
            renewed = time.monotonic()
            while any(worker.is_alive() for worker in workers):
                for worker in workers:
                    worker.join(timeout=0.2)
                self._beat()
                if time.monotonic() - renewed > self.lease.total_seconds() / 3:
                    self._renew()
                    renewed = time.monotonic()
        finally:
            self._end()
        if self.failure is not None:
            raise self.failure
        return self.tally

    def _work_in_thread(self) -> None:
        try:
            self._work()
        except Exception as error:
            self.failure = error
            self.stop.set()
        finally:
            connection.close()

    def _work(self) -> None:
        transport = make_transport(self.health)
        try:
            while not self.stop.is_set():
                if self.threads <= 1:
                    self._beat()
                if not self._has_allowance():
                    return
                harvest = self._claim()
                if harvest.claims:
                    for held in harvest.claims:
                        self._handle(held, transport)
                    continue
                self._give_back_allowance()
                if harvest.rests and not self.forever:
                    return  # the next run tries again, when it is time
                if harvest.is_slowed and not self.forever and self._is_far(harvest.again_at):
                    return
                pause = IDLE_PAUSE
                if harvest.again_at is not None:
                    pause = min(max((harvest.again_at - database_now()).total_seconds(), 0.01), IDLE_PAUSE)
                elif not self.forever:
                    return
                else:
                    transport.close()  # a server's patience with an idle connection is not ours to try
                close_old_connections()
                self.stop.wait(pause)
        finally:
            transport.close()

    @staticmethod
    def _is_far(moment: datetime.datetime | None) -> bool:
        return moment is not None and moment > database_now() + WORTH_WAITING

    # ─── One mail ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _handle(self, held: Claim, transport: Transport) -> None:
        with self._lock:
            self.in_hand[held.lease] = held
        try:
            outcome = send_one(held.message, transport)
            verdict = self._record(held, outcome)
            with self._lock:
                self.tally.count(verdict, outcome)
        finally:
            with self._lock:
                self.in_hand.pop(held.lease, None)

    def _claim(self) -> ClaimResult:
        tries = 0
        while True:
            try:
                return claim(
                    now=database_now(),
                    worker=self.name,
                    wanted=1,
                    lease=self.lease,
                    take_over=time.monotonic() - self._database_back_at >= TAKE_OVER_PAUSE,
                )
            except (DatabaseError, InterfaceError) as error:
                tries += 1
                self._database_failed(error)
                if connection.in_atomic_block or self.stop.is_set() or (tries >= DATABASE_TRIES and not self.forever):
                    raise
                self.stop.wait(min(2.0**tries / 4, 30))

    def _record(self, held: Claim, outcome: Outcome) -> Verdict:
        """Record ``outcome``, whatever it takes: a mail that left and is not recorded would leave again."""
        left_at, tries, stopped_at = time.monotonic(), 0, 0.0
        while True:
            try:
                # The time of the deed, not of the record where the database was away meanwhile.
                now = database_now() - datetime.timedelta(seconds=time.monotonic() - left_at)
                return record(held, outcome, now)
            except (DatabaseError, InterfaceError) as error:
                tries += 1
                self._database_failed(error)
                if connection.in_atomic_block:
                    raise
                if self.stop.is_set():
                    stopped_at = stopped_at or time.monotonic()
                    if time.monotonic() - stopped_at > RECORD_PATIENCE:
                        logger.critical("outcome %s of mail %s not recorded", outcome.verdict, held.message.message_id)
                        raise
                time.sleep(min(0.1 * 2**tries, 5))

    def _database_failed(self, error: Exception) -> None:
        logger.warning("database: %s", error)
        self._database_back_at = time.monotonic()
        if not connection.in_atomic_block:
            connection.close()

    # ─── House-keeping ───────────────────────────────────────────────────────────────────────────────────────────────
    def _has_allowance(self) -> bool:
        """Take one of the mails that ``limit`` allows."""
        with self._lock:
            if self.left is None:
                return True
            if self.left <= 0:
                return False
            self.left -= 1
            return True

    def _give_back_allowance(self) -> None:
        with self._lock:
            if self.left is not None:
                self.left += 1

    def _beat(self) -> None:
        if not self.forever or time.monotonic() < self._next_pulse:
            return
        self._next_pulse = time.monotonic() + PULSE_PAUSE
        try:
            record_heartbeat(self.name, MAILER)
            pace.forget_old_slots(database_now())
            self.on_beat(database_now())
        except (DatabaseError, InterfaceError) as error:
            self._database_failed(error)
        except Exception:  # what is watched beside the mails stops none of them
            logger.exception("the sign of life of %s failed", self.name)

    def _renew(self) -> None:
        with self._lock:
            held = list(self.in_hand.values())
        try:
            renew(held, database_now(), self.lease)
        except (DatabaseError, InterfaceError) as error:
            self._database_failed(error)

    def _end(self) -> None:
        try:
            pace.forget_old_slots(database_now())
            slowdowns.forget(database_now())
            if self.forever:
                remove_heartbeat(self.name)
        except (DatabaseError, InterfaceError) as error:
            self._database_failed(error)


def send_one(message: Message, transport: Transport) -> Outcome:
    """Prepare ``message`` and try to send it once. Whatever happens is an outcome; no secret is in its reason."""
    secret: str | None = None
    try:
        secret = _secret_of(message)
        mail = _prepare(message, secret)
        outcome = transport.send(mail)
    except _RefusedError as error:
        return Outcome(Verdict.REJECTED, str(error), address_is_bad=error.address_is_bad, reached_server=False)
    except _FileUnavailableError as error:
        return Outcome(Verdict.DEFERRED, str(error), reached_server=False)
    except SecretUnavailableError as error:
        return Outcome(
            Verdict.DEFERRED, _("Le mot de passe provisoire n’a pas pu être lu (%s).") % error, reached_server=False
        )
    except Exception as error:
        # Not the text of the exception: it may quote the mail, and so the secret.
        logger.error("mail %s could not be prepared: %s", message.message_id, type(error).__name__)
        transport.close()  # in whatever state it is
        return Outcome(Verdict.DEFERRED, _("Préparation impossible (%s).") % type(error).__name__, reached_server=False)
    if secret and secret in outcome.reason:  # a server that quotes the mail
        outcome = replace(outcome, reason=outcome.reason.replace(secret, SECRET_MASK))
    return outcome


def _secret_of(message: Message) -> str | None:
    """What takes the place of the mask; None where the mail contains no secret."""
    if not message.secret_reference or SECRET_MASK not in message.text + message.html:
        return None
    secret = reveal(message.secret_reference)
    if secret is None:
        raise _RefusedError(_("mot de passe provisoire expiré"))
    return secret


def _prepare(message: Message, secret: str | None) -> OutgoingMail:
    try:
        parse_address(message.recipient)
    except InvalidAddressError as error:
        raise _RefusedError(str(error), address_is_bad=bool(message.recipient)) from None
    try:
        return build_mail(message, _files_of(message), secret, timezone.now())
    except InvalidAddressError as error:  # ours: the sender, the address for answers or the one for returns
        raise _RefusedError(str(error)) from None


def _files_of(message: Message) -> list[LoadedFile]:
    """The attachments, read and compared with what was recorded when the mail was written."""
    files = []
    for attachment in message.attachments.all():
        try:
            with default_storage.open(attachment.storage_name, "rb") as stored:
                content = stored.read()
        except OSError as error:
            raise _FileUnavailableError(attachment.filename, message.recipient, error) from error
        if hashlib.sha256(content).hexdigest() != attachment.sha256:
            raise _RefusedError(_("fichier altéré : %(name)s") % {"name": attachment.filename})
        files.append(LoadedFile(attachment.filename, attachment.content_type, content))
    return files
