"""What is watched beside the mails: the disk of documents."""

import os
import shutil
from pathlib import Path

from django.conf import settings


def documents_disk() -> "shutil._ntuple_diskusage | None":
    """The disk that documents are kept on; None where they are not kept on a disk of ours, or it does not answer."""
    if settings.DOCUMENTS_STORAGE_URL:
        return None
    folder = Path(settings.DOCUMENTS_ROOT)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        return shutil.disk_usage(os.fspath(existing))
    except OSError:
        return None
