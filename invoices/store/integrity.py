"""Stored documents against their fingerprints: what is missing, altered, or belongs to no one.

The bytes are the archive (CGI art. 289 V; LPF L102 B): this is how one knows that they are still what was frozen.
"""

import datetime
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import batched
from typing import Any, Final

from django.core.files.storage import default_storage
from django.utils import timezone

from invoices.models import Document, Export, ExportItem
from invoices.store.frozen import delete_unreferenced

# Where documents are stored; logos and files that wait for their import have folders of other names.
_YEAR: Final = re.compile(r"\d{4}")
_NAMES_A_TIME: Final = 500
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class DamagedDocument:
    """A document whose file is missing, altered or cannot be read."""

    file: str
    invoice: str
    version: int
    problem: str  # "missing", "altered" or "unreadable"


@dataclass(slots=True)
class VerificationReport:
    """What was found; ``orphans`` are files that no document speaks of, by name."""

    checked: int = 0
    damaged: list[DamagedDocument] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    deleted: int = 0

    @property
    def is_clean(self) -> bool:
        """True where every document is what was frozen and nothing lies about."""
        return not self.damaged and not self.orphans

    def as_json(self) -> dict[str, Any]:
        """Plain values, the damaged by kind of problem."""
        kinds = ("missing", "altered", "unreadable")
        return {
            "checked": self.checked,
            **{kind: [asdict(item) for item in self.damaged if item.problem == kind] for kind in kinds},
            "orphans": self.orphans,
            "deleted": self.deleted,
        }


def verify_documents(
    *,
    orphans_older_than: datetime.timedelta,
    delete_orphans: bool = False,
    on_progress: Callable[[int], None] = lambda checked: None,
) -> VerificationReport:
    """Read every stored document back and compare; then look for files that no document speaks of.

    Younger files than ``orphans_older_than`` may be of a run in hand, which stores a file before its row: they are
    left alone. Memory does not grow with the number of documents nor with their size.
    """
    report = VerificationReport()
    documents = Document.objects.select_related("invoice").order_by("pk")
    for document in documents.iterator(chunk_size=_NAMES_A_TIME):
        problem = _problem_of(document)
        if problem:
            report.damaged.append(
                DamagedDocument(document.storage_name, document.invoice.number, document.version, problem)
            )
        report.checked += 1
        on_progress(report.checked)
    for name in find_orphans(timezone.now() - orphans_older_than):
        if delete_orphans and not _may_be_taken_up():
            delete_unreferenced([name])
            report.deleted += 1
        else:
            report.orphans.append(name)
    return report


def _may_be_taken_up() -> bool:
    """A run that was killed or paused and goes on takes its own file up again, however old it is: wait for its end.

    A run that was cancelled brings to an end what its workers have in hand.
    """
    unfinished = Export.objects.filter(state__in=(Export.State.RUNNING, Export.State.PAUSED))
    return unfinished.exists() or ExportItem.objects.filter(state=ExportItem.State.CLAIMED).exists()


def _problem_of(document: Document) -> str:
    digest = hashlib.sha256()
    try:
        with default_storage.open(document.storage_name) as file:
            for chunk in file.chunks(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return "missing"
    except OSError:
        # Some stores say «not found» in words of their own.
        return "unreadable" if default_storage.exists(document.storage_name) else "missing"
    return "" if digest.hexdigest() == document.sha256 else "altered"


def find_orphans(before: datetime.datetime) -> Iterator[str]:
    """Stored files older than ``before`` that no document speaks of."""
    for names in batched(_stored_names(), _NAMES_A_TIME):
        known = set(Document.objects.filter(storage_name__in=names).values_list("storage_name", flat=True))
        for name in names:
            if name not in known and _is_older(name, before):
                yield name


def _stored_names() -> Iterator[str]:
    try:
        folders, _files = default_storage.listdir("")
    except FileNotFoundError:  # nothing was ever stored
        return
    for folder in sorted(folders):
        if _YEAR.fullmatch(folder):
            for name in default_storage.listdir(folder)[1]:
                yield f"{folder}/{name}"


def _is_older(name: str, before: datetime.datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < before
    except FileNotFoundError:  # removed meanwhile by whoever stored it
        return False
