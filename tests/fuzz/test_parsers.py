"""Whatever comes from outside is read or refused with a sentence: each parser on damaged files."""

import contextlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest
from hypothesis import example, given
from PIL import Image

from invoices.files.archives import GivenFile, RefusedFile, expand
from invoices.formats.cdar import read_statuses
from invoices.formats.reading import read_einvoice
from invoices.formats.refusals import UnreadableEInvoice
from invoices.printing import LogoError, read_logo
from mailing.trail.ends import End, UnreadableEndsError, read_ends
from portal.backups.manifest import BackupError, read_sums, sum_line
from tests.fuzz.drawing import MANY, damaged
from tests.invoices.platforms.test_lifecycle import DISPUTE
from tests.support.einvoice_samples import CII, PDF, UBL

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 30" width="90"><g transform="scale(2)">'
    b'<path d="M0 0h90v30z" fill="#1f3d5c" stroke-dasharray="1 2"/></g><circle cx="3" cy="4" r="5"/></svg>'
)


def archive(method: int) -> bytes:
    """A small ZIP whose members are packed by ``method``."""
    out = BytesIO()
    with ZipFile(out, "w", method) as file:
        file.writestr("factures.csv", "numero;date\n" * 20)
        file.writestr("lot/F1.xml", "<a/>")
    return out.getvalue()


def picture(kind: str) -> bytes:
    """A small picture of that kind."""
    out = BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((24, 16)).save(out, kind)
    return out.getvalue()


def read_archive(data: bytes) -> None:
    """All of it is handed out, each member whole or refused."""
    for one in expand([GivenFile("lot.zip", data)]):
        assert isinstance(one, RefusedFile) or isinstance(one.read(), bytes)


@pytest.mark.parametrize(
    ("read", "sound", "refusal"),
    [
        pytest.param(read_archive, archive(ZIP_STORED), (), id="stored"),
        pytest.param(read_archive, archive(ZIP_DEFLATED), (), id="deflate"),
        pytest.param(read_archive, archive(ZIP_BZIP2), (), id="bzip2"),
        pytest.param(read_archive, archive(ZIP_LZMA), (), id="lzma"),
        pytest.param(read_statuses, DISPUTE.read_bytes(), (UnreadableEInvoice,), id="cdar"),
        pytest.param(read_einvoice, CII, (UnreadableEInvoice,), id="cii"),
        pytest.param(read_einvoice, UBL, (UnreadableEInvoice,), id="ubl"),
        pytest.param(read_einvoice, PDF, (UnreadableEInvoice,), id="factur-x"),
        pytest.param(read_logo, SVG, (LogoError,), id="svg"),
        *[pytest.param(read_logo, picture(kind), (LogoError,), id=kind) for kind in ("png", "jpeg", "gif", "webp")],
    ],
)
def test_a_damaged_file_is_read_or_refused(
    read: Callable[[bytes], object], sound: bytes, refusal: tuple[type[Exception], ...]
) -> None:
    @MANY
    @given(damaged(sound))
    def try_one(data: bytes) -> None:
        with contextlib.suppress(*refusal):
            read(data)

    try_one()


@pytest.mark.parametrize(
    ("read", "sound", "refusal"),
    [
        pytest.param(lambda path: list(read_sums(path)), sum_line("2026/F1.pdf", "a" * 64), BackupError, id="sums"),
        pytest.param(read_ends, End(12, "b" * 64).line(), UnreadableEndsError, id="ends of the trail"),
    ],
)
def test_a_damaged_list_beside_a_backup_is_read_or_refused(
    read: Callable[[Path], object], sound: str, refusal: type[Exception], tmp_path: Path
) -> None:
    @MANY
    @given(damaged(sound.encode() * 3))
    @example(b"\x80")
    def try_one(data: bytes) -> None:
        (tmp_path / "list").write_bytes(data)
        with contextlib.suppress(refusal):
            read(tmp_path / "list")

    try_one()
