"""The file of settings, ``.env``: one ``NAME=value`` a line; what cannot be read as that is one French sentence."""

import io
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from portal.environment import SECRETS, hide_password, wrong

_LINE = re.compile(r"(?P<before>\s*)(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<blank>\s*)=(?P<value>.*)")
_QUOTES = ("'", '"')


def open_settings_file(path: Path) -> io.StringIO:
    """The lines of ``path`` as ``environ.Env.read_env`` understands them; empty where the file is not there.

    Raises ImproperlyConfigured for a file that cannot be read, and for a line that would be skipped or taken for
    something else: neither a key nor a database may be another one because of it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} ne peut être lu ({error.strerror}) : lancez la commande par l’utilisateur du portail, ou rendez "
            f"le fichier lisible. Par exemple : chown root:portail {path} && chmod 640 {path}"
        ) from None
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ImproperlyConfigured(
            f"{path}, ligne {number} : attendu un texte en UTF-8. Par exemple : "
            f"iconv -f windows-1252 -t utf-8 {path.name} > {path.name}.utf8"
        ) from None
    return io.StringIO("\n".join(_read_line(f"{path}, ligne {number}", line) for number, line in enumerate(lines, 1)))


def _read_line(place: str, line: str) -> str:
    if not line.strip() or line.lstrip().startswith("#"):
        return ""
    found = _LINE.fullmatch(line)
    if found is None:
        word = line.split(maxsplit=1)[0]
        shown = f"« {word} » : " if re.fullmatch("[A-Z][A-Z0-9_]*", word) else ""
        raise ImproperlyConfigured(f"{place} : {shown}attendu NOM=valeur. Par exemple : EMAIL_TIMEOUT=30")
    name, value = found["name"], found["value"]
    if found["blank"]:
        value = value.strip()
    if value.startswith(_QUOTES):
        value = value.rstrip()
        is_whole = len(value) > 1 and value.endswith(value[0])
        # Of «'a' # b'», environ would keep the comment.
        is_whole = is_whole and not re.search(rf"{value[0]}\s+#", value)
        if not is_whole:
            raise _wrong_line(name, value, "un seul texte entre guillemets, sans rien derrière")
    elif re.search(r"\s#", value):
        raise _wrong_line(name, value, "une valeur sans commentaire derrière, ou entre guillemets si # en fait partie")
    return f"{name}={value}"


def _wrong_line(name: str, value: str, expected: str) -> ImproperlyConfigured:
    """The sentence for ``value``, with what it may have been meant to be as the example."""
    meant = re.split(r"\s#", value)[0].strip("'\" ")
    if SECRETS.search(name):
        value, meant = "•" * len(value), "…"
    return wrong(name, hide_password(value), expected=expected, example=hide_password(meant))
