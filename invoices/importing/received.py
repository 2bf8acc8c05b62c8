"""Files that came with an invoice, kept byte for byte."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from django.db.models import Max

from invoices.formats.extraction import is_pdf
from invoices.models import Document, Invoice
from invoices.store.frozen import delete_unreferenced, store_bytes


class MissingFileError(Exception):
    """The file that a row names is not there, or is none; the message is a French sentence."""


def read_pdf(path: Path, name: str, largest: int) -> bytes:
    """The bytes of a PDF. Raises :class:`MissingFileError`."""
    try:
        if path.stat().st_size > largest:
            raise MissingFileError(f"Le fichier « {name} » est trop volumineux.")
        content = path.read_bytes()
    except OSError:
        raise MissingFileError(f"Le fichier « {name} » ne peut pas être ouvert.") from None
    if not is_pdf(content):
        raise MissingFileError(f"Le fichier « {name} » n’est pas un PDF.")
    return content


@dataclass
class ReceivedFiles:
    """Stores received files and forgets them again where their transaction does not hold."""

    _stored: list[str] = field(default_factory=list)

    def keep(
        self,
        invoice: Invoice,
        content: bytes,
        role: Document.Role,
        *,
        profile: str = "",
        xml_sha256: str = "",
    ) -> Document:
        """Keep ``content`` as the next version of ``invoice``'s file of this role."""
        latest = Document.objects.filter(invoice=invoice, role=role).aggregate(latest=Max("version"))["latest"]
        version = (latest or 0) + 1
        name = store_bytes(invoice, content, role=role, version=version)
        self._stored.append(name)
        return Document.objects.create(
            invoice=invoice,
            role=role,
            source=Document.Source.RECEIVED,
            version=version,
            storage_name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            profile=profile,
            xml_sha256=xml_sha256,
        )

    def forget(self) -> None:
        """Remove what was stored: no row speaks of it."""
        delete_unreferenced(self._stored)
        self._stored = []
