"""Where frozen bytes are kept: under an unguessable name, whole, never changed."""

import hashlib
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.crypto import salted_hmac

from invoices.models import Document, Invoice

# So many documents in a row that the store refused for the same reason: the others would fare no better.
REFUSALS_BEFORE_STOPPING = 3
MISSING_NOTE = "A-LIRE.txt"
"""The file inside an archive that names the documents which the store did not give."""


class DocumentAlteredError(Exception):
    """The stored bytes are not those that were frozen."""


class StorePatience:
    """Distinguishes a document that is missing from a store that is away, which is not asked again and again."""

    def __init__(self) -> None:
        self._refusals = 0

    def note(self, error: Exception | None) -> None:
        """``error`` is why the store did not give a document, None where it gave it.

        Raises it where it is the :data:`REFUSALS_BEFORE_STOPPING`-th in a row that is no word about one document.
        """
        is_away = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)
        self._refusals = self._refusals + 1 if is_away else 0
        if error is not None and self._refusals == REFUSALS_BEFORE_STOPPING:
            raise error


def store_bytes(invoice: Invoice, content: bytes, *, role: str, version: int) -> str:
    """Keep ``content`` as this version of ``invoice``'s file of this role (a value of Document.Role).

    Returns its storage name, which no one can guess without the installation's key. The same bytes for the same version
    have the same name: a run that was killed after storing and is run again finds its file, and leaves no second one.
    """
    identity = f"{invoice.pk}:{role}:{version}:{hashlib.sha256(content).hexdigest()}"
    name = salted_hmac("invoices.documents", identity, algorithm="sha256").hexdigest()
    path = f"{invoice.issue_date.year}/{name}.{role}"
    if default_storage.exists(path) and default_storage.size(path) == len(content):
        return path
    return default_storage.save(path, ContentFile(content))


def delete_unreferenced(names: Iterable[str]) -> None:
    """Remove stored files whose transaction did not hold; those that a row speaks of stay."""
    unwanted = set(names)
    unwanted -= set(Document.objects.filter(storage_name__in=unwanted).values_list("storage_name", flat=True))
    for name in unwanted:
        default_storage.delete(name)


def read_document(document: Document) -> bytes:
    """The frozen bytes; raises DocumentAlteredError where they no longer give the fingerprint kept with them."""
    with default_storage.open(document.storage_name) as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise DocumentAlteredError(document.storage_name)
    return content
