"""One mail that cannot be had stops neither the reading of the next nor the next run."""

import contextlib
import socketserver
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from mailing.mailboxes import open_maildir
from mailing.models import Reply
from tests.support.listening import ThreadedServer, listening

GOOD = (
    b"From: Client <client@client.example>\r\nSubject: Une question\r\n"
    b"Message-ID: <q@client.example>\r\n\r\nBonjour\r\n"
)


@contextlib.contextmanager
def mailbox_with_poison(heard: list[str]) -> Iterator[int]:
    """The port of an IMAP server with three mails: it refuses the first, has lost the content of the second."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(b"* OK ready")
            for line in iter(self.rfile.readline, b""):
                tag, _space, command = line.decode().strip().partition(" ")
                heard.append(command)
                end = b"OK done"
                if command.startswith("CAPABILITY"):
                    self.say(b"* CAPABILITY IMAP4rev1 MOVE")
                elif command.startswith("SELECT"):
                    self.say(b"* 3 EXISTS")
                elif command.startswith("UID SEARCH"):
                    self.say(b"* SEARCH 1 2 3")
                elif command.startswith("UID FETCH 1 "):
                    end = b"NO message is damaged"
                elif command.startswith("UID FETCH 2 "):
                    self.say(b"* 2 FETCH (UID 2 BODY[] NIL)")
                elif command.startswith("UID FETCH 3 "):
                    self.say(b"* 3 FETCH (UID 3 BODY[] {%d}\r\n%s)" % (len(GOOD), GOOD))
                elif command.startswith("UID MOVE"):
                    end = b"NO over quota"
                self.say(tag.encode() + b" " + end)

        def say(self, line: bytes) -> None:
            self.wfile.write(line + b"\r\n")

    with listening(ThreadedServer(("127.0.0.1", 0), Handler)) as port:
        yield port


@pytest.mark.django_db
def test_mails_that_the_server_does_not_give_are_flagged_and_the_others_read(settings: Any, capsys: Any) -> None:
    heard: list[str] = []
    with mailbox_with_poison(heard) as port:
        settings.IMAP_URL = f"imap://retours:secret@127.0.0.1:{port}/INBOX"
        call_command("read_bounces")
    assert "1 mail lu" in capsys.readouterr().out
    assert [line.split(" ")[2] for line in heard if line.startswith("UID STORE") and "Flagged" in line][:2] == [
        "1",
        "2",
    ]
    assert Reply.objects.count() == 1


def test_a_file_of_a_maildir_that_cannot_be_read_is_flagged_and_the_others_read(tmp_path: Path) -> None:
    for folder in ("new", "cur", "tmp"):
        (tmp_path / folder).mkdir()
    (tmp_path / "new/1.poison").mkdir()
    (tmp_path / "new/2.good").write_bytes(GOOD)
    with open_maildir(tmp_path) as box:
        assert [content for _key, content in box.letters()] == [GOOD]
    with open_maildir(tmp_path) as box:
        assert len(list(box.letters())) == 1
