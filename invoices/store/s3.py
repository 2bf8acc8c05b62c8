"""Documents on an S3-compatible store (AWS, MinIO, Scaleway, OVHcloud…), by ``DOCUMENTS_STORAGE_URL`` alone."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.utils.translation import gettext as _
from storages.backends.s3 import S3Storage

# Invoices are small: a transfer needs neither parts nor threads of its own. The engine has threads.
_WHOLE = TransferConfig(use_threads=False)
_PATIENCE = Config(
    connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=8,
    s3={"addressing_style": "path"}, signature_version="s3v4",
)  # fmt: skip


class ObjectStorage(S3Storage):  # type: ignore[misc]
    """A bucket. An object appears whole or not at all; it has no address, since the views decide who may read.

    Names are drawn from the content (see ``invoices.store.frozen``), so that writing a name again writes the same
    bytes. What the store refuses is an ``OSError`` with a French sentence, as it is where documents are files.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(
            **{
                "file_overwrite": True,
                "default_acl": None,
                "client_config": _PATIENCE,
                "transfer_config": _WHOLE,
                **options,
            }
        )

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        with _as_file_errors():
            file: File[bytes] = super()._open(name, mode)
            if "r" in mode:
                # Read now: what the store refuses is known before an answer or a mail has begun.
                file.seek(0)
            return file

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _as_file_errors():
            saved: str = super()._save(name, content)
            return saved

    def exists(self, name: str) -> bool:
        """True where there is such an object."""
        with _as_file_errors():
            found: bool = super().exists(name)
            return found

    def size(self, name: str) -> int:
        """Its length in bytes."""
        with _as_file_errors():
            length: int = super().size(name)
            return length

    def delete(self, name: str) -> None:
        """Remove it; no error where there is none."""
        with _as_file_errors():
            super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and objects below ``path``."""
        with _as_file_errors():
            found: tuple[list[str], list[str]] = super().listdir(path)
            return found

    def get_modified_time(self, name: str) -> datetime.datetime:
        """When it was written."""
        with _as_file_errors():
            written: datetime.datetime = super().get_modified_time(name)
            return written

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Documents have no public address."""
        raise NotImplementedError("Documents are served by the views, which check who may read them.")


@contextmanager
def _as_file_errors() -> Iterator[None]:
    """Raise the errors of the store as those of a file system, with a French message."""
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ("404", "NoSuchKey"):
            raise FileNotFoundError(_("le fichier n’est pas dans le stockage")) from error
        raise OSError(_("le stockage refuse (%(code)s)") % {"code": code}) from error
    except BotoCoreError as error:
        raise OSError(_("le stockage ne répond pas")) from error
