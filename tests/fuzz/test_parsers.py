"""Whatever comes from outside is read or refused with a sentence: each parser on damaged files.

The same hundred each time; ``make fuzz`` draws 10,000 others.
"""

import contextlib
import os
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.files.archives import GivenFile, RefusedFile, expand
from invoices.formats.cdar import read_statuses
from invoices.formats.reading import read_einvoice
from invoices.formats.refusals import UnreadableEInvoice
from invoices.printing import LogoError, read_logo
from tests.invoices.platforms.test_lifecycle import DISPUTE
from tests.support.einvoice_samples import CII

CASES = int(os.environ.get("FUZZ_CASES", "100"))
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


def read_archive(data: bytes) -> None:
    """All of it is handed out, each member whole or refused."""
    for one in expand([GivenFile("lot.zip", data)]):
        assert isinstance(one, RefusedFile) or isinstance(one.read(), bytes)


@st.composite
def damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """``sound`` with bytes changed, taken out or put in at some places, or cut short."""
    data = bytearray(sound)
    for _change in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        cut = draw(st.integers(0, 4))
        data[place : place + cut] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data)


@pytest.mark.parametrize(
    ("read", "sound", "refusal"),
    [
        pytest.param(read_archive, archive(ZIP_STORED), (), id="stored"),
        pytest.param(read_archive, archive(ZIP_DEFLATED), (), id="deflate"),
        pytest.param(read_archive, archive(ZIP_BZIP2), (), id="bzip2"),
        pytest.param(read_archive, archive(ZIP_LZMA), (), id="lzma"),
        pytest.param(read_statuses, DISPUTE.read_bytes(), (UnreadableEInvoice,), id="cdar"),
        pytest.param(read_einvoice, CII, (UnreadableEInvoice,), id="cii"),
        pytest.param(read_logo, SVG, (LogoError,), id="svg"),
    ],
)
def test_a_damaged_file_is_read_or_refused(
    read: Callable[[bytes], object], sound: bytes, refusal: tuple[type[Exception], ...]
) -> None:
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        derandomize=CASES <= 100,
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(sound))
    def try_one(data: bytes) -> None:
        with contextlib.suppress(*refusal):
            read(data)

    try_one()
