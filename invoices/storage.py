"""Where documents live: a local folder by default, never a public one."""

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage


class DocumentStorage(FileSystemStorage):
    """Local folder ``DOCUMENTS_ROOT``; it has no address, since the views decide who may read.

    A file stands under its name only when it is whole and on the disk: a machine that stops half-way leaves no half
    document behind a row that says it is frozen.
    """

    def __init__(self) -> None:
        super().__init__(location=str(settings.DOCUMENTS_ROOT), file_permissions_mode=0o640)

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
        try:
            with partial.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            partial.chmod(0o640)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return name.replace("\\", "/")

    def url(self, name: str | None) -> str:
        """Documents have no public address."""
        raise NotImplementedError("Documents are served by the views, which check who may read them.")
