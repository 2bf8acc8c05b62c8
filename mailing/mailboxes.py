"""The mailbox of returns: a maildir or an IMAP folder. What is dealt with moves to a folder, the rest is flagged."""

import logging
import mailbox
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext as _
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from mailing import oauth
from mailing.oauth import SignInError
from mailing.smtp_login import refusal_of_a_new_token

logger = logging.getLogger(__name__)

DONE_FOLDER = "Traites"
TIMEOUT = 60  # seconds
PORTS = {"imaps": 993, "imap": 143, "imap+tls": 143}


class MailboxError(Exception):
    """The mailbox cannot be read; the message is French."""


def _always(name: str) -> bool:
    return True


class ReturnsMailbox(Protocol):
    """Mails one at a time; each is settled before the next is read."""

    def letters(self, may_be_read: Callable[[str], bool] = _always) -> Iterator[tuple[str, bytes]]:
        """Every mail that is neither dealt with nor flagged: its key here, its bytes.

        ``may_be_read`` is asked before each is fetched, by its name that no other mail ever has; one of which it says
        no is left to a person.
        """

    def name_of(self, key: str) -> str:
        """The name of a mail that no other one ever has."""

    def settle(self, key: str, *, needs_a_person: bool) -> None:
        """Put a mail aside: flagged in its place for a person, or into the folder of what is dealt with."""


class MaildirReturns:
    """A maildir, as local delivery writes it; the names of its files alone are changed, whatever is in them."""

    def __init__(self, box: mailbox.Maildir, path: Path) -> None:
        self.box = box
        self.path = path
        box.add_folder(DONE_FOLDER)

    def letters(self, may_be_read: Callable[[str], bool] = _always) -> Iterator[tuple[str, bytes]]:
        """The mails that bear no flag F."""
        for key in list(self.box.keys()):
            file = self._file(key)
            if file is None or "F" in file.name.partition(":2,")[2]:
                continue
            if not may_be_read(self.name_of(key)):
                self.settle(key, needs_a_person=True)
                continue
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                continue  # another reader was here
            except OSError as error:
                logger.error("mail %s of the maildir cannot be read: %s", key, error)
                self.settle(key, needs_a_person=True)
                continue
            yield key, content

    def settle(self, key: str, *, needs_a_person: bool) -> None:
        """Flag the mail, or move it: one renaming, so that a kill loses nothing."""
        file = self._file(key)
        if file is None:
            return  # another reader was here
        folder = self.path if needs_a_person else self.path / f".{DONE_FOLDER}"
        file.rename(folder / "cur" / f"{key}:2,{'F' if needs_a_person else 'S'}")

    def name_of(self, key: str) -> str:
        """Names of a maildir are unique by themselves."""
        return key

    def _file(self, key: str) -> Path | None:
        found = (
            file
            for folder in ("new", "cur")
            for file in (self.path / folder).iterdir()
            if file.name.partition(":")[0] == key
        )
        return next(found, None)


class ImapReturns:
    """An IMAP folder."""

    def __init__(self, client: IMAPClient, folder: str) -> None:
        self.client = client
        selected = client.select_folder(folder)
        # A number is good for one age of the folder (RFC 3501, 2.3.1.1).
        self.age = f"{folder}:{selected.get(b'UIDVALIDITY', 0)}"
        personal = client.namespace().personal if client.has_capability("NAMESPACE") else ()
        self.done = f"{personal[0][0]}{DONE_FOLDER}" if personal else DONE_FOLDER

    def letters(self, may_be_read: Callable[[str], bool] = _always) -> Iterator[tuple[str, bytes]]:
        """The mails that bear no flag; reading does not mark them, settling does."""
        for uid in self.client.search(["UNFLAGGED", "UNDELETED"]):
            if not may_be_read(self.name_of(str(uid))):
                self.settle(str(uid), needs_a_person=True)
                continue
            try:
                fetched = self.client.fetch([uid], ["BODY.PEEK[]"])
            except IMAPClientAbortError:
                raise
            except IMAPClientError as error:  # the server does not give this one: the next ones are read all the same
                self._leave(uid, str(error))
                continue
            if uid not in fetched:
                continue  # another reader was here
            if (content := fetched[uid].get(b"BODY[]")) is None:
                self._leave(uid, "no content")
                continue
            yield str(uid), content

    def name_of(self, key: str) -> str:
        """The number of the mail, with the age of the folder."""
        return f"{self.age}:{key}"

    def _leave(self, uid: int, why: str) -> None:
        logger.error("mail %s of the mailbox cannot be fetched: %s", uid, why)
        self.settle(str(uid), needs_a_person=True)

    def find(self, message_id: str) -> tuple[str, bytes] | None:
        """The mail of that Message-ID, wherever it is in the folder; None where it has not come."""
        self.client.noop()
        for uid in self.client.search(["HEADER", "Message-ID", message_id]):
            return str(uid), self.client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
        return None

    def settle(self, key: str, *, needs_a_person: bool) -> None:
        """Flag the mail, or move it (RFC 6851; where the server cannot move, copy and delete).

        A server that refuses it for one mail, which is then read again by the next run, does not stop the others.
        """
        try:
            self._settle(int(key), needs_a_person=needs_a_person)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            logger.error("mail %s of the mailbox cannot be put aside: %s", key, error)

    def _settle(self, uid: int, *, needs_a_person: bool) -> None:
        if needs_a_person:
            self.client.add_flags([uid], [b"\\Flagged"], silent=True)
            return
        if not self.client.folder_exists(self.done):
            self.client.create_folder(self.done)
        if self.client.has_capability("MOVE"):
            self.client.move([uid], self.done)
        else:
            self.client.copy([uid], self.done)
            self.client.delete_messages([uid], silent=True)
            self.client.expunge()


@contextmanager
def open_maildir(path: Path) -> Iterator[ReturnsMailbox]:
    """The maildir at ``path``. Raises MailboxError where there is none."""
    if not (path / "new").is_dir() or not (path / "cur").is_dir():
        raise MailboxError(_("« %(path)s » n’est pas un dossier maildir (new, cur, tmp).") % {"path": path})
    box = mailbox.Maildir(path, create=False)
    try:
        yield MaildirReturns(box, path)
    finally:
        box.close()


@contextmanager
def open_imap(url: str) -> Iterator[ImapReturns]:
    """The folder that ``url`` names: imaps:// (TLS), imap+tls:// (STARTTLS) or imap:// with user:password@host/folder.

    Raises MailboxError where it cannot be opened or the connection breaks; the password is in no message.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or not parts.username:
        raise MailboxError(_("IMAP_URL doit s’écrire imaps://utilisateur:motdepasse@serveur/INBOX."))
    folder = unquote(parts.path.strip("/")) or "INBOX"
    try:
        with IMAPClient(
            parts.hostname, parts.port or PORTS[parts.scheme], ssl=parts.scheme == "imaps", timeout=TIMEOUT
        ) as client:
            if parts.scheme == "imap+tls":
                client.starttls()
            _sign_in(client, unquote(parts.username), unquote(parts.password or ""))
            yield ImapReturns(client, folder)
    except SignInError as error:
        raise MailboxError(str(error)) from error
    except (IMAPClientError, OSError) as error:
        raise MailboxError(
            _("La boîte des retours (%(host)s) ne peut pas être lue : %(error)s")
            % {"host": parts.hostname, "error": re.sub(r"^b'(.*)'$", r"\1", str(error))}  # a server's words, as bytes
        ) from error


def _sign_in(client: IMAPClient, user: str, password: str) -> None:
    """With the password; without one with a token, where the settings name an issuer (XOAUTH2), renewed once."""
    if password or not oauth.is_set_up():
        client.login(user, password)
        return
    token = oauth.access_token()
    try:
        client.oauth2_login(user, token)
    except LoginError:
        token = oauth.access_token(refused=token)
        try:
            client.oauth2_login(user, token)
        except LoginError as error:
            sentence = refusal_of_a_new_token(user, token, str(error))
            oauth.note_failure(sentence)
            raise SignInError(sentence) from error
    oauth.note_success()
