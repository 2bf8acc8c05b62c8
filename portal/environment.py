"""Settings read from the environment: a wrong value is one French sentence that names the variable."""

import importlib.util
import ipaddress
import re
import warnings
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

YES = frozenset({"1", "true", "yes", "y", "on", "ok", "t", "oui", "o", "vrai"})
NO = frozenset({"0", "false", "no", "n", "off", "f", "non", "faux", ""})
MISSING = environ.Env.NOTSET
DATABASES = re.compile(r"(postgres|postgresql|psql|pgsql|sqlite|postgis)://")
SHORTEST_KEY = 32
LONGEST_SHOWN = 200
LARGEST = 2**31 - 1
PROJECT = Path(__file__).resolve().parent.parent
_LABEL = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
_HOST = rf"({_LABEL}(\.{_LABEL})*\.?|\[[0-9a-fA-F:.]+\])"
HOST = re.compile(_HOST)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
SECRETS = re.compile(r"TOKEN|SECRET|PASSWORD|KEY")
ORIGIN = re.compile(rf"https?://(\*\.)?{_HOST}(:[0-9]{{1,5}})?")
MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\\\"()\[\]]+@[^\W_][\w-]*(\.[\w-]+)*")


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
        r"password authentication failed|no password supplied|role .* does not exist|no pg_hba\.conf entry",
        ("La base de données n’admet pas cet utilisateur ou ce mot de passe", "corrigez DATABASE_URL"),
    ),
    (r"database .* does not exist", ("Le serveur n’a pas cette base de données", "créez-la, ou corrigez DATABASE_URL")),
    (
        r"failed to resolve host|could not translate host name",
        ("Le serveur de la base de données est introuvable sous ce nom", "corrigez DATABASE_URL"),
    ),
    (
        r"too many (clients|connections)|remaining connection slots",
        ("La base de données n’a plus de connexion libre", "augmentez max_connections, ou arrêtez des processus"),
    ),
    (r"permission denied", ("La base de données refuse ce droit", "rendez l’utilisateur de DATABASE_URL propriétaire")),
    (
        r"unable to open|could not connect|connection.*(failed|refused|closed|lost)|closed the connection"
        r"|timeout expired|terminating connection|starting up|shutting down",
        ("La base de données ne répond pas", "vérifiez DATABASE_URL et que le serveur est démarré"),
    ),
)


class Environment(environ.Env):  # type: ignore[misc]
    """``environ.Env`` that refuses what it cannot read, instead of taking it for something else."""

    def get_value(self, var: Any, cast: Any = None, default: Any = MISSING, parse_default: Any = False) -> Any:
        """``var`` as it is written: environ takes «$name», as a drawn key may begin, for the value of another variable.

        With ``cast=list``, its values, separated by commas, without blanks around; ``default`` where there is none.
        """
        if var not in self.ENVIRON or cast not in (None, str, list):
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        text = self.ENVIRON[var]
        if CONTROL.search(text.strip()) and not var.startswith("SECRET_KEY"):
            shown = "•" * len(text) if SECRETS.search(var) else hide_password(text)
            raise wrong(var, shown, expected="une seule ligne de texte", example=str(default or "…"))
        if cast is not list:
            return text
        return [part.strip() for part in text.split(",") if part.strip()] or default

    def bool(self, var: str, default: Any = MISSING) -> bool:
        """``var`` as a yes or no; any other word is refused (environ takes it for a no)."""
        text = self.str(var, default="")
        if var not in self.ENVIRON:
            return bool(default)
        if text.strip().lower() not in YES | NO:
            raise wrong(var, text, expected="1 ou 0", example="1")
        return text.strip().lower() in YES

    def int(self, var: str, default: Any = MISSING, *, least: int = 0, most: int = LARGEST) -> int:
        """``var`` as a whole number from ``least`` to ``most``."""
        text = self.str(var, default="").strip()
        if not text:
            return int(default)
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            expected = "un nombre entier, sans unité"
            expected += f", de {least} à {most}" if text.isascii() and text.lstrip("-").isdigit() else ""
            raise wrong(var, text, expected=expected, example=str(default))
        return int(text)

    def origin(self, var: str, default: str) -> SplitResult:
        """``var`` as the http(s) address of a site: a host in ASCII, a port and a path at most."""
        text = self.str(var, default=default).strip()
        example = "https://factures.exemple.fr"
        try:
            parts: SplitResult = urlsplit(text.rstrip("/"))
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            raise wrong(var, text, expected="une adresse http(s) complète", example=example) from None
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or "@" in parts.netloc:
            raise wrong(var, hide_password(text), expected="une adresse http(s) complète", example=example)
        if not HOST.fullmatch(f"[{host}]" if ":" in host else host):
            raise wrong(
                var,
                text,
                expected="un nom de serveur sans accent (un nom accentué s’écrit xn--…)",
                example=example,
            )
        return parts

    def hosts(self, var: str, default: Any) -> Any:
        """``var`` as names of servers, without scheme and port; a leading dot is all names below, * any."""
        found = self.list(var, default=default)
        for host in found if var in self.ENVIRON else ():
            if host != "*" and not HOST.fullmatch(host.removeprefix(".")):
                raise wrong(
                    var,
                    host,
                    expected="des noms de serveur séparés par des virgules, sans http:// ni port",
                    example="factures.exemple.fr",
                )
        return found

    def origins(self, var: str, default: Any) -> Any:
        """``var`` as origins: scheme, host (``*.`` for all names below) and port."""
        found = self.list(var, default=default)
        for origin in found:
            if not ORIGIN.fullmatch(origin):
                raise wrong(
                    var,
                    origin,
                    expected="des adresses http(s) sans chemin, séparées par des virgules",
                    example="https://factures.exemple.fr",
                )
        return found

    def mail_address(self, var: str, default: str = "", *, example: str) -> str:
        """``var`` as one mail address; empty where it is."""
        text: str = self.str(var, default="").strip()
        if text and not MAIL_ADDRESS.fullmatch(text):
            raise wrong(var, text, expected="une adresse électronique", example=example)
        return text or default

    def sender(self, var: str, default: str, *, example: str) -> str:
        """``var`` as the address of a sender, with a name before it or not (``Nom <adresse>``)."""
        text: str = self.str(var, default="").strip()
        bare = text.rpartition("<")[2].removesuffix(">") if text.endswith(">") else text
        if text and not MAIL_ADDRESS.fullmatch(bare):
            raise wrong(var, text, expected="une adresse électronique", example=example)
        return text or default

    def make_folder_of(self, var: str, file: Path) -> None:
        """Make the folder of the ``file`` that ``var`` names, where it is not there."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise wrong(
                var,
                self.str(var, default=""),
                expected=f"un fichier dont le dossier existe ou peut être créé ({error.strerror})",
                example=f"sqlite:///{PROJECT}/var/portail.sqlite3",
            ) from None

    def name_server(self, var: str) -> str:
        """``var`` as the address of a DNS server, ``192.0.2.1`` or ``192.0.2.1:53``; empty where it is."""
        text: str = self.str(var, default="").strip()
        host, _colon, port = text.partition(":")
        try:
            is_address = not text or (bool(ipaddress.IPv4Address(host)) and 0 < int(port or 53) < 65_536)
        except ValueError:
            is_address = False
        if not is_address:
            raise wrong(
                var, text, expected="l’adresse IP d’un serveur DNS, avec son port au besoin", example="1.1.1.1:53"
            )
        return text

    def host(self, var: str, *, example: str) -> str:
        """``var`` as the name of a host or a part of one, in ASCII; empty where it is."""
        text: str = self.str(var, default="").strip()
        if text and not HOST.fullmatch(text):
            raise wrong(
                var, text, expected="un nom en lettres sans accent, chiffres, points et traits d’union", example=example
            )
        return text

    def token(self, var: str) -> str:
        """``var`` as a secret for a header of HTTP: visible ASCII without blanks; empty where it is."""
        text: str = self.str(var, default="").strip()
        if not all("!" <= char <= "~" for char in text):
            raise wrong(
                var,
                "•" * len(text),
                expected="des lettres sans accent, des chiffres et des signes, sans espace",
                example="mP3kq7RwXz5dT9aL",
            )
        return text

    def spelling(self, var: str, words: tuple[str, ...]) -> str:
        """``var`` as one of ``words``, spelt as there whatever its case; empty where it is."""
        text: str = self.str(var, default="").strip()
        known = {word.lower(): word for word in words}
        if text and text.lower() not in known:
            raise wrong(var, text, expected=" ou ".join(words), example=words[0])
        return known.get(text.lower(), "")

    def absolute_path(self, var: str, *, example: str) -> str:
        """``var`` as a path that begins with a slash; empty where it is."""
        text: str = self.str(var, default="").strip()
        if text and not text.startswith("/"):
            raise wrong(var, text, expected="un chemin qui commence par /", example=example)
        return text

    def folder(self, var: str, default: Path) -> Path:
        """``var`` as the path of a folder or a file; from the folder of the project where it is not a whole one."""
        text = self.str(var, default="").strip()
        if "://" in text:
            raise wrong(
                var, hide_password(text), expected="un dossier de cette machine", example=f"/srv/portail/{default.name}"
            )
        return PROJECT / Path(text).expanduser() if text else default

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
        try:
            parts = urlsplit(text)
            is_address = text.startswith(schemes) and bool(parts.hostname) and parts.port != 0 and " " not in text
        except ValueError:
            is_address = False
        if text and not is_address:
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
        text = self.str(var, default="").strip() or default
        if text.upper() not in choices:
            raise wrong(var, text, expected=" ou ".join(choices), example=default)
        return text.upper()

    def older_keys(self, name: str) -> list[str]:
        """Keys separated by commas. A key may hold a comma itself; a short piece of one is never taken for a key."""
        text = self.str(name, default="").strip()
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if len(parts) > 1 and min(map(len, parts)) < SHORTEST_KEY:
            return [text]
        return parts

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
    """The sentence for a value that cannot be read: one line, whatever was ``given``."""
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in given)
    shown = f"{shown[:LONGEST_SHOWN]}…" if len(shown) > LONGEST_SHOWN else shown
    return ImproperlyConfigured(f"{var} vaut « {shown} » : attendu {expected}. Par exemple : {var}={example}")


def hide_password(address: str) -> str:
    """``address`` without the password it may carry: it goes to a terminal and to logs."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:••••@", address, flags=re.S)


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
