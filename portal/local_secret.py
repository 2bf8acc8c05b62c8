"""The signing key of an installation that was given none: drawn once, kept in a file that only its owner reads."""

import contextlib
import os
import secrets
from pathlib import Path


def read_or_draw_secret(path: Path) -> str:
    """The key kept at ``path``; draws one and keeps it there (mode 0600) the first time.

    Two processes that start together end with the same key: the file is made by a link, which only one can win.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    with contextlib.suppress(FileExistsError):
        os.link(own, path)
    own.unlink()
    return path.read_text(encoding="ascii").strip()
