"""Where documents live: a local folder by default, or an S3-compatible store; never a public place."""

import errno
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from django.utils.translation import gettext as _


class WholeFileStorage(FileSystemStorage):
    """A local folder in which a file is under its name only when it is whole and on the disk."""

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
            if self.file_permissions_mode is not None:
                partial.chmod(self.file_permissions_mode)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return name.replace("\\", "/")


class DocumentStorage(WholeFileStorage):
    """Local folder ``DOCUMENTS_ROOT``; it has no address, since the views decide who may read.

    A machine that stops half-way leaves no half document behind a row that says it is frozen.
    """

    def __init__(self) -> None:
        super().__init__(location=str(settings.DOCUMENTS_ROOT), file_permissions_mode=0o640)

    def url(self, name: str | None) -> str:
        """Documents have no public address."""
        raise NotImplementedError("Documents are served by the views, which check who may read them.")


# What is wrong with one file alone: the others may well be taken.
_OF_ONE_FILE = frozenset({errno.EFBIG, errno.ENAMETOOLONG})


def refuses_every_file(error: BaseException) -> bool:
    """True where ``error`` says that the store takes no file at all, rather than not this one."""
    return isinstance(error, OSError) and error.errno not in _OF_ONE_FILE


def describe_storage_error(error: Exception) -> str:
    """Why a file could not be stored, in French, for the people who can do something about it."""
    if isinstance(error, OSError):
        words = {
            errno.ENOSPC: _("le disque est plein"),
            errno.EDQUOT: _("l’espace accordé est épuisé"),
            errno.EROFS: _("le dossier des documents est en lecture seule"),
            errno.EACCES: _("le dossier des documents refuse l’écriture"),
            errno.EPERM: _("le dossier des documents refuse l’écriture"),
            errno.EFBIG: _("le fichier dépasse la taille permise"),
            errno.EIO: _("le disque signale une erreur"),
        }
        return words.get(error.errno or 0) or str(error.strerror or error)
    return str(error) or type(error).__name__
