"""Where documents live: a local folder by default, never a public one."""

from django.conf import settings
from django.core.files.storage import FileSystemStorage


class DocumentStorage(FileSystemStorage):
    """Local folder ``DOCUMENTS_ROOT``; it has no address, since the views decide who may read."""

    def __init__(self) -> None:
        super().__init__(location=str(settings.DOCUMENTS_ROOT), file_permissions_mode=0o640)

    def url(self, name: str | None) -> str:
        """Documents have no public address."""
        raise NotImplementedError("Documents are served by the views, which check who may read them.")
