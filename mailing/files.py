"""Mails written as files: one ``.eml`` per mail, whole or not at all."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class EmlFileBackend(BaseEmailBackend):
    """Writes each message under ``directory`` (option of MAILERS), as ``<time>-<Message-ID>.eml``."""

    def __init__(self, directory: str, **options: Any) -> None:
        super().__init__(**options)
        self.directory = Path(directory)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write the messages; each stands under its final name only when it is whole. Returns their number."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            content = message.message()
            identifier = "".join(char for char in str(content["Message-ID"]) if char.isalnum() or char in "-.")
            target = self.directory / f"{timezone.now():%Y%m%d-%H%M%S}-{identifier[:80]}.eml"
            partial = target.with_suffix(f".{os.getpid()}.partial")
            partial.write_bytes(content.as_bytes())
            partial.replace(target)
        return len(email_messages)
