"""A small real IMAP server (RFC 9051): one empty folder, and XOAUTH2 as the big providers speak it."""

import base64
import contextlib
import re
import socketserver
from collections.abc import Callable, Iterator

from tests.support.listening import ThreadedServer, listening


@contextlib.contextmanager
def running_imap(takes: Callable[[str], bool]) -> Iterator[int]:
    """The port of a server that lets in whoever shows a token that ``takes`` takes."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("* OK ready")
            for line in iter(self.rfile.readline, b""):
                tag, _space, command = line.decode().strip().partition(" ")
                verb = command.upper()
                if verb.startswith("AUTHENTICATE XOAUTH2"):
                    self.authenticate(tag, command)
                elif verb.startswith(("SELECT", "CAPABILITY", "NOOP", "SEARCH", "UID SEARCH")):
                    self.tell(verb)
                    self.say(f"{tag} OK done")
                elif verb.startswith("LOGOUT"):
                    self.say("* BYE")
                    self.say(f"{tag} OK done")
                    return
                else:
                    self.say(f"{tag} BAD what?")

        def tell(self, verb: str) -> None:
            if verb.startswith("CAPABILITY"):
                self.say("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2")
            elif verb.startswith("SELECT"):
                self.say("* 0 EXISTS")
                self.say("* FLAGS (\\Flagged)")
            elif "SEARCH" in verb:
                self.say("* SEARCH")

        def authenticate(self, tag: str, command: str) -> None:
            given = command.split(" ")[2:] or [self.ask("+ ")]
            said = base64.b64decode(given[0]).decode()
            found = re.search("auth=Bearer ([^\1]*)\1", said)
            if found and takes(found[1]):
                self.say(f"{tag} OK signed in")
                return
            self.ask("+ " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode())
            self.say(f"{tag} NO AUTHENTICATE failed.")

        def ask(self, line: str) -> str:
            self.say(line)
            return self.rfile.readline().decode().strip()

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

    with listening(ThreadedServer(("127.0.0.1", 0), Handler)) as port:
        yield port
