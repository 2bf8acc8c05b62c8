"""Settings read from the environment: a wrong value is one French sentence that names the variable."""

import importlib.util
import re
import warnings
import zoneinfo
from collections.abc import Callable
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

YES = frozenset({"1", "true", "yes", "y", "on", "ok", "t", "oui", "o", "vrai"})
NO = frozenset({"0", "false", "no", "n", "off", "f", "non", "faux", ""})
MISSING = environ.Env.NOTSET
DATABASES = re.compile(r"(postgres|postgresql|psql|pgsql|sqlite|postgis)://")
SHORTEST_KEY = 32


_REFUSED = ("La base de données a refusé la commande", "")
# What the driver says: what it means, and what an administrator does.
_DATABASE_ERRORS = (
    (
        r"no such (table|column)|(relation|column) .* does not exist",
        ("La base de données n’a pas les tables de cette version", "lancez « manage.py migrate »"),
    ),
    ("locked", ("La base de données est occupée par un autre processus", "réessayez dans un instant")),
    (
        r"disk is full|No space left|disk full",
        ("Le disque de la base de données est plein", "libérez de la place"),
    ),
    (
        r"readonly|read-only",
        ("La base de données est en lecture seule", "vérifiez les droits sur son fichier ou son rôle"),
    ),
    (
        r"unable to open|could not connect|connection.*(failed|refused|closed|lost)|closed the connection"
        r"|authentication failed|terminating connection|starting up|shutting down",
        ("La base de données ne répond pas", "vérifiez DATABASE_URL et que le serveur est démarré"),
    ),
)


class Environment(environ.Env):  # type: ignore[misc]
    """``environ.Env`` that refuses what it cannot read, instead of taking it for something else."""

    def bool(self, var: str, default: Any = MISSING) -> bool:
        """``var`` as a yes or no; any other word is refused (environ takes it for a no)."""
        text = self.str(var, default="")
        if var not in self.ENVIRON:
            return bool(default)
        if text.strip().lower() not in YES | NO:
            raise wrong(var, text, expected="1 ou 0", example="1")
        return text.strip().lower() in YES

    def int(self, var: str, default: Any = MISSING) -> int:
        """``var`` as a whole number, zero or more."""
        text = self.str(var, default="").strip()
        if not text:
            return int(default)
        if not (text.isascii() and text.isdigit()):
            raise wrong(var, text, expected="un nombre entier, sans unité", example=str(default))
        return int(text)

    def address(
        self, var: str, parse: Callable[[str], dict[str, Any]], *, default: str, example: str
    ) -> dict[str, Any]:
        """``var`` as an address that ``parse`` (``db_url_config``, ``cache_url_config`` of environ) understands."""
        text = self.str(var, default="") or default
        try:
            with warnings.catch_warnings(action="ignore"):  # environ only warns of a scheme it does not know
                found = parse(text)
        except (ValueError, LookupError, TypeError, ImproperlyConfigured):
            found = {}
        if not found or (var == "DATABASE_URL" and not DATABASES.match(text)):
            raise wrong(var, hide_password(text), expected="une adresse", example=example)
        return found

    def link(self, var: str, schemes: tuple[str, ...], *, example: str) -> str:
        """``var`` as an address that begins with one of ``schemes``; empty where it is."""
        text: str = self.str(var, default="").strip()
        if text and not text.startswith(schemes):
            expected = f"une adresse en {', '.join(schemes[:-1])} ou {schemes[-1]}"
            raise wrong(var, hide_password(text), expected=expected, example=example)
        return text

    def time_zone(self, var: str, default: str) -> str:
        """``var`` as the name of a time zone."""
        name = self.str(var, default="") or default
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise wrong(var, name, expected="le nom d’un fuseau horaire", example=default) from None
        return name

    def choice(self, var: str, choices: tuple[str, ...], default: str) -> str:
        """``var`` as one of ``choices``, whatever its case."""
        text = self.str(var, default="") or default
        if text.upper() not in choices:
            raise wrong(var, text, expected=", ".join(choices), example=default)
        return text.upper()

    def key(self, var: str) -> str:
        """``var`` as the key of the installation: empty, or long enough."""
        text: str = self.str(var, default="")
        if text and len(text) < SHORTEST_KEY:
            raise ImproperlyConfigured(
                f"{var} a {len(text)} caractères : il en faut au moins {SHORTEST_KEY}. Pour en tirer une : "
                'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
            )
        return text


def wrong(var: str, given: str, *, expected: str, example: str) -> ImproperlyConfigured:
    """The sentence for a value that cannot be read."""
    return ImproperlyConfigured(f"{var} vaut « {given} » : attendu {expected}. Par exemple : {var}={example}")


def hide_password(address: str) -> str:
    """``address`` without the password it may carry: it goes to a terminal and to logs."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:••••@", address)


def explain_database_error(error: BaseException, *, details: bool = True) -> str:
    """What a database that refuses a command means for whoever started it, in one sentence and the driver's words.

    Without ``details``, for visitors: the sentence alone, which names no command and no setting.
    """
    text = str(error).strip()
    sentence, advice = next((said for pattern, said in _DATABASE_ERRORS if re.search(pattern, text)), _REFUSED)
    if not details:
        return f"{sentence}."
    return f"{sentence}{f' : {advice}' if advice else ''}. ({' '.join(text.split())})"


def require_extra(var: str, extra: str, *modules: str) -> None:
    """Refuse ``var`` where the libraries of the optional ``extra`` of pyproject.toml, ``modules``, are not installed.

    Raises ImproperlyConfigured, in French.
    """
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if absent:
        raise ImproperlyConfigured(
            f"{var} demande des bibliothèques qui ne sont pas installées ({', '.join(absent)}) : "
            f"bin/setup --production {extra}, ou pip install -r requirements-{extra}.txt."
        )
