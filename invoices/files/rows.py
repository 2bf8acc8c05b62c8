"""Rows of tables, and bytes to read them from."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple


class UnreadableTable(Exception):  # noqa: N818 - a finding about somebody's file, not an error of ours
    """The file cannot be read as a table; ``line`` says where (0: all of it), ``reason`` why, in French."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


class Row(NamedTuple):
    """A row that is not empty: the number of its first line in the file, from 1, and its cells without outer blanks."""

    line: int
    cells: list[str]


@contextmanager
def opened(source: Path | bytes) -> Iterator[BinaryIO]:
    """``source`` as a stream of bytes; a file that cannot be opened becomes a sentence."""
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise UnreadableTable("Ce fichier ne peut pas être ouvert.") from error
    with stream:
        yield stream
