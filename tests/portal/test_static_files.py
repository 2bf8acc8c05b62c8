"""Static files are collected whole: what is there is not written again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from portal.static_files import StaticStorage


class CutOff(ContentFile[bytes]):
    """A file whose copy is interrupted after its first bytes."""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Half of the content, then the interruption."""
        yield b"body { color"
        raise KeyboardInterrupt


def test_a_copy_that_is_cut_off_leaves_nothing_under_the_name_of_the_file(tmp_path: Path) -> None:
    storage = StaticStorage(location=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        storage.save("space/colours.css", CutOff(b""))
    assert not storage.exists("space/colours.css")
    storage.save("space/colours.css", ContentFile(b"body { color: navy }"))
    assert (tmp_path / "space/colours.css").read_bytes() == b"body { color: navy }"
    assert [path.name for path in (tmp_path / "space").iterdir()] == ["colours.css"]
