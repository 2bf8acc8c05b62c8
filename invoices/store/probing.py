"""Whether the store of documents takes files: asked before a run starts, and when it may have come back."""

import secrets
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from invoices.store.local import describe_storage_error

# What one document takes on the disk, about: a PDF of a few pages with its XML and fonts.
BYTES_PER_DOCUMENT = 60_000


class StoreUnavailableError(Exception):
    """The store takes no document, whichever it is; ``reason`` says why in a few French words."""

    def __init__(self, reason: str) -> None:
        super().__init__(_("Le stockage des documents ne répond pas : %(reason)s.") % {"reason": reason})
        self.reason = reason


def check_store(*, documents: int = 0) -> None:
    """Write a small file and remove it again; see whether there is room for so many ``documents``.

    Raises :class:`StoreUnavailableError`.
    """
    try:
        name = default_storage.save(f".essai-{secrets.token_hex(8)}", ContentFile(b"essai"))
        default_storage.delete(name)
        free = None if settings.DOCUMENTS_STORAGE_URL else shutil.disk_usage(Path(settings.DOCUMENTS_ROOT)).free
    except OSError as error:
        raise StoreUnavailableError(describe_storage_error(error)) from error
    needed = documents * BYTES_PER_DOCUMENT
    if free is not None and free < needed:
        raise StoreUnavailableError(
            _("il reste %(free)d Mo sur le disque, et ces documents en demandent environ %(needed)d")
            % {"free": free // 1_000_000, "needed": -(-needed // 1_000_000)}
        )
