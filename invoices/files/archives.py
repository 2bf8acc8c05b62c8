"""What the importer was given (files, folders, ZIP archives) as a flat series of files, within bounds.

A ZIP is known by its first bytes; office documents, which are ZIPs too, stay whole. An archive that plays tricks is
refused whole, before any of its files is handed out.
"""

import contextlib
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OFFICE_MARKS = {"[Content_Types].xml", "mimetype"}
_LITTER = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}
_ENCRYPTED = 0x1  # bit of a ZIP member's flags
_UTF8_NAME = 0x800
_RATIO_MATTERS_FROM = 1024 * 1024  # bytes: below, even a bomb is harmless


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one import: numbers of files, bytes unpacked (one file, all archives), ratio of compression."""

    files: int = 20_000
    file_bytes: int = 100 * 1024 * 1024
    total_bytes: int = 2 * 1024 * 1024 * 1024
    ratio: int = 250


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file to import: ``name`` as the user knows it (``lot.zip/janvier/F1.pdf``), bytes or a path on the disk."""

    name: str
    source: bytes | Path

    def read(self) -> bytes:
        """The bytes of the file. Raises ``OSError`` where the disk does."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """What is not taken, and why, as a French sentence."""

    name: str
    reason: str


class _TooMuchError(Exception):
    """A bound of the whole import is passed."""


def expand(given: Iterable[Path | GivenFile], limits: Limits | None = None) -> Iterator[GivenFile | RefusedFile]:
    """Every file in ``given``: files as they are, folders and ZIP archives by their files, in the order of names.

    Files of an archive come as bytes, one at a time; others as paths. Hidden files and the litter of file managers are
    passed over. Symbolic links, special files, encrypted or nested archives, members that would leave the archive's
    folder and archives that unpack to too much come as :class:`RefusedFile`. Past a bound of the whole import the
    series ends with one.
    """
    budget = _Budget(limits or Limits())
    for item in given:
        try:
            if isinstance(item, Path):
                yield from _from_path(item, _printable(item.name or str(item)), budget, is_given=True)
            else:
                yield from _from_file(item, budget)
        except _TooMuchError as excess:
            yield RefusedFile(item.name, str(excess))
            return


class _Budget:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.files = 0
        self.bytes = 0

    def spend(self, *, files: int, size: int) -> None:
        """Count ``files`` and unpacked bytes; raises :class:`_TooMuchError` past the bounds."""
        self.files += files
        self.bytes += size
        if self.files > self.limits.files:
            raise _TooMuchError(f"Trop de fichiers : un import en prend {self.limits.files} au plus.")
        if self.bytes > self.limits.total_bytes:
            raise _TooMuchError(f"Trop de données : un import en prend {_megabytes(self.limits.total_bytes)} au plus.")


def _from_path(path: Path, name: str, budget: _Budget, *, is_given: bool) -> Iterator[GivenFile | RefusedFile]:
    """``is_given``: the user named this path himself, so that a link is what he meant."""
    try:
        mode = (path.stat() if is_given else path.lstat()).st_mode
        if stat.S_ISLNK(mode):
            yield RefusedFile(name, "Ce lien symbolique n’est pas suivi.")
        elif stat.S_ISDIR(mode):
            for child in sorted(os.listdir(path)):
                if not _is_litter(child):
                    yield from _from_path(path / child, f"{name}/{_printable(child)}", budget, is_given=False)
        elif stat.S_ISREG(mode):
            yield from _from_file(GivenFile(name, path), budget)
        else:
            yield RefusedFile(name, "Ce n’est pas un fichier ordinaire.")
    except FileNotFoundError:
        yield RefusedFile(name, "Ce fichier n’existe pas.")
    except OSError:
        yield RefusedFile(name, "Ce fichier ne peut pas être ouvert.")


def _from_file(file: GivenFile, budget: _Budget) -> Iterator[GivenFile | RefusedFile]:
    if isinstance(file.source, bytes):
        head, stream = file.source[:4], BytesIO(file.source)
        size = len(file.source)
    else:
        with file.source.open("rb") as opened:
            head = opened.read(4)
        stream, size = None, file.source.stat().st_size
    if head not in _ZIP_SIGNATURES or size > budget.limits.total_bytes:
        if size > budget.limits.file_bytes:
            yield RefusedFile(file.name, _too_large(budget))
            return
        budget.spend(files=1, size=0)
        yield file
        return
    try:
        with zipfile.ZipFile(stream or file.source) as archive:  # type: ignore[arg-type]
            if _OFFICE_MARKS & set(archive.namelist()):
                budget.spend(files=1, size=0)
                yield file
            else:
                yield from _from_archive(archive, file.name, budget)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError, RuntimeError):
        yield RefusedFile(file.name, "Cette archive ZIP est endommagée ou d’une sorte inconnue.")


def _from_archive(archive: zipfile.ZipFile, name: str, budget: _Budget) -> Iterator[GivenFile | RefusedFile]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in members:
        if trick := _trick(member, budget):
            yield RefusedFile(name, trick)
            return
    wanted = [member for member in members if not any(map(_is_litter, PurePosixPath(_member_name(member)).parts))]
    budget.spend(files=len(wanted), size=sum(member.file_size for member in wanted))
    for member in sorted(wanted, key=_member_name):
        member_name = f"{name}/{_member_name(member)}"
        try:
            content = archive.read(member)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError, RuntimeError):
            yield RefusedFile(member_name, "Ce fichier de l’archive est endommagé ou compressé d’une façon inconnue.")
            continue
        if content[:4] in _ZIP_SIGNATURES and not _is_office_document(content):
            yield RefusedFile(member_name, "Une archive dans une archive n’est pas ouverte : donnez-la à part.")
        else:
            yield GivenFile(member_name, content)


def _trick(member: zipfile.ZipInfo, budget: _Budget) -> str:
    """The sentence that refuses an archive with this member, or ""."""
    name = _member_name(member)
    shown = name[:80]
    if name.startswith("/") or ":" in name.split("/", 1)[0] or ".." in name.split("/"):
        return f"Cette archive contient un chemin interdit : « {shown} »."
    if stat.S_ISLNK(member.external_attr >> 16):
        return f"Cette archive contient un lien symbolique : « {shown} »."
    if member.flag_bits & _ENCRYPTED:
        return "Cette archive est protégée par un mot de passe."
    if member.file_size > budget.limits.file_bytes:
        return f"Cette archive contient un fichier trop volumineux : « {shown} »."
    if member.file_size > _RATIO_MATTERS_FROM and member.file_size > budget.limits.ratio * member.compress_size:
        return f"Cette archive contient un fichier anormalement compressé : « {shown} »."
    return ""


def _member_name(member: zipfile.ZipInfo) -> str:
    """The member's path with ``/``. Archives that do not say UTF-8 often mean it; else it is as MS-DOS wrote it."""
    name = member.filename
    if not member.flag_bits & _UTF8_NAME:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _is_office_document(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return bool(_OFFICE_MARKS & set(archive.namelist()))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def _is_litter(name: str) -> bool:
    return name in _LITTER or name.startswith(".")


def _printable(name: str) -> str:
    """A name from the disk, its bytes that are no UTF-8 shown as �."""
    return os.fsencode(name).decode("utf-8", "replace")


def _too_large(budget: _Budget) -> str:
    return f"Ce fichier est trop volumineux (plus de {_megabytes(budget.limits.file_bytes)})."


def _megabytes(size: int) -> str:
    return f"{size // 1024 // 1024} Mo" if size >= 1024 * 1024 else f"{size} octets"
