"""The file of words that a page judges passwords by."""

from pathlib import Path

from customers.password_words import write_filter

FILE = Path(__file__).parents[2] / "static" / "space" / "password_words.bin"


def test_the_file_is_that_of_the_servers_lists() -> None:
    """After a change of the lists: ``bin/password-words``."""
    assert FILE.read_bytes() == write_filter()
