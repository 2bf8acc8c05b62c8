"""Mails written as files: one ``.eml`` per mail, whole or not at all."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from mailing.mime import OutgoingMail


class EmlFileBackend(BaseEmailBackend):
    """Writes each message under ``directory`` (option of MAILERS), as ``<Message-ID>.eml``.

    The Message-ID of our mails begins with the time and never changes: files sort by date, and a mail that is written
    again after a crash takes the place of its first copy.
    """

    writes_files = True  # what it takes has not left

    def __init__(self, directory: str, **options: Any) -> None:
        super().__init__(**options)
        self.directory = Path(directory)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages; each is under its final name only when it is whole. Returns their number."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for mail in email_messages:
            if isinstance(mail, OutgoingMail):
                message_id = mail.extra_headers["Message-ID"]
                # The file is the delivered mail, so it states the return path, as a last server does (RFC 5321 § 4.4).
                content = f"Return-Path: <{mail.envelope_sender}>\r\n".encode() + mail.as_wire()
            else:
                message = mail.message()
                message_id, content = str(message["Message-ID"]), message.as_bytes()
            identifier = "".join(char for char in message_id if char.isalnum() or char in "-.@")
            target = self.directory / f"{identifier[:120]}.eml"
            partial = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}.partial")
            # Line ends of files, as in a maildir; bodies are in 7 bits, so nothing but line ends changes.
            # The delivered mail contains the provisional password: for its owner and the group, not for everybody.
            partial.touch(mode=0o640)
            partial.write_bytes(content.replace(b"\r\n", b"\n"))
            partial.replace(target)
        return len(email_messages)
