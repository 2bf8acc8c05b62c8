"""Settings of gunicorn in production: ``gunicorn --config deploy/gunicorn_settings.py portal.wsgi``.

The access log carries neither queries nor the tokens of links, which would open an account to whoever reads it.
"""

import errno
import os
import re
import socket
from typing import Any
from urllib.parse import quote

from gunicorn.glogging import Logger

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = 3
threads = 8  # half of them at most make archives (ARCHIVES_AT_ONCE)
timeout = 60
# A stop ends the requests in hand; the service manager waits longer than that.
graceful_timeout = 60
# Memory stays flat: each process is replaced after a while, not all at the same moment.
max_requests = 5000
max_requests_jitter = 500
# Heartbeats of the processes, on a file system in memory.
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn makes a file of its own there and unlinks it
control_socket_disable = True
accesslog = "-"
access_log_format = "%({x-forwarded-for}i)s %(s)s %(m)s %(U)s %(B)s %(M)sms"

_FORWARDED = "{x-forwarded-for}i"
_NO_ADDRESS = re.compile(r"[^0-9a-fA-F:., ]")
_LINK = re.compile(r"(/connexion/(?:lien|nouveau-mot-de-passe)/).+")


def without_token(path: str) -> str:
    """The path of a request as a log may keep it: without tokens, and encoded again, so that it forges no line.

    fail2ban reads the same log: words of a visitor must not look like those of a refused sign-in.
    """
    return _LINK.sub(r"\1***", quote(path, safe="/!$&'()*+,;=:@~", encoding="latin-1", errors="replace"))


class TokenFreeLog(Logger):  # type: ignore[misc]
    """gunicorn's log, with paths that open nothing."""

    def atoms(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> dict[str, Any]:
        """What the format may name."""
        found: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        # A visitor writes all but the end of it.
        addresses = _NO_ADDRESS.sub("", found.get(_FORWARDED) or "")
        return {**found, "U": without_token(found["U"] or ""), _FORWARDED: addresses or "-"}


logger_class = TokenFreeLog


def on_starting(server: Any) -> None:
    """Say in one sentence that the address is taken; gunicorn itself tries five times, in English."""
    inherits_sockets = {"GUNICORN_FD", "LISTEN_FDS"} & set(os.environ)
    for address in () if inherits_sockets else server.cfg.address:
        if isinstance(address, tuple):
            with socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    tried.bind(address)
                except OSError as error:
                    if error.errno == errno.EADDRINUSE:
                        raise SystemExit(
                            f"{address[0]}:{address[1]} est déjà pris par un autre programme (ss -ltnp le nomme) : "
                            "arrêtez-le, ou donnez une autre adresse par BIND."
                        ) from None
