"""What is in ``.env`` is read as it was meant, or refused with the place and the variable."""

from pathlib import Path
from typing import ClassVar

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.environment import Environment
from portal.settings_file import open_settings_file


def read_lines(tmp_path: Path, content: bytes) -> dict[str, str]:
    """What the settings find in a file ``.env`` of that content."""
    (tmp_path / ".env").write_bytes(content)

    class Own(Environment):
        ENVIRON: ClassVar[dict[str, str]] = {}

    Own.read_env(open_settings_file(tmp_path / ".env"))
    return Own.ENVIRON


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("LOG_LEVEL=INFO", "INFO"),
        ("LOG_LEVEL=INFO\r\n", "INFO"),
        ("\ufeffLOG_LEVEL=INFO", "INFO"),
        ("  LOG_LEVEL = INFO  ", "INFO"),
        ("export LOG_LEVEL=INFO", "INFO"),
        ('LOG_LEVEL="INFO"  ', "INFO"),
        ("LOG_LEVEL='a # b'", "a # b"),
        ("LOG_LEVEL=a#b", "a#b"),
        ("# LOG_LEVEL=INFO\n\n  # autre\n", None),
        ("LOG_LEVEL=", ""),
    ],
)
def test_a_line_of_the_file_is_read_however_an_editor_writes_it(tmp_path: Path, line: str, value: str | None) -> None:
    assert read_lines(tmp_path, line.encode()).get("LOG_LEVEL") == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("EMAIL_TIMEOUT=30 # secondes", "EMAIL_TIMEOUT vaut « 30 # secondes » : attendu une valeur sans commentaire"),
        ('EMAIL_TIMEOUT="30" # secondes', "Par exemple : EMAIL_TIMEOUT=30"),
        ('EMAIL_TIMEOUT="30', 'EMAIL_TIMEOUT vaut « "30 » : attendu un seul texte entre guillemets'),
        ("A=1\nEMAIL_TIMEOUT 30", "ligne 2 : « EMAIL_TIMEOUT » : attendu NOM=valeur"),
        ("s3cret", "ligne 1 : attendu NOM=valeur"),
        ("A=1\nOIDC_NAME=Société".encode("latin-1"), "ligne 2 : attendu un texte en UTF-8"),
    ],
)
def test_a_line_that_would_be_taken_for_something_else_is_a_sentence(
    tmp_path: Path, line: str | bytes, said: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read_lines(tmp_path, line if isinstance(line, bytes) else line.encode())
    assert said in str(refused.value)


@pytest.mark.parametrize("line", ["SECRET_KEY=s3cret-key # la nôtre", "EMAIL_URL=smtp://u:s3cret-key@h # la nôtre"])
def test_a_secret_of_a_refused_line_is_not_shown(tmp_path: Path, line: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        read_lines(tmp_path, line.encode())
    assert "s3cret-key" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_no_empty_one(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(ImproperlyConfigured, match=r"\.env ne peut être lu"):
        open_settings_file(tmp_path / ".env")
    assert open_settings_file(tmp_path / "absent").read() == ""
