"""Lines of the log: the request that they are of, as text or JSON, and never the token of a link.

Imported by the settings: nothing of Django that needs them.
"""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, override

from pythonjsonlogger.json import JsonFormatter

# What follows opens an account to whoever reads it (portal.urls names these addresses).
_LINK = re.compile(r"(/connexion/(?:lien|nouveau-mot-de-passe)/)[^/\s\"'?]+")
_request_id: ContextVar[str] = ContextVar("request_id", default="")
# What a proxy may give as the name of a request.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")


def hide_tokens(text: str) -> str:
    """``text`` without the tokens of the addresses of links: «/connexion/lien/…/»."""
    return _LINK.sub(r"\1…", text)


def request_name() -> str:
    """The name of the request that is being answered, as the lines of the log have it; empty outside of one."""
    return _request_id.get()


def install() -> None:
    """Have every line of the log, whichever library writes it, made without tokens and with its request."""
    make = logging.getLogRecordFactory()
    if getattr(make, "hides_tokens", False):
        return

    def make_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.request_id = _request_id.get()
        try:
            text = record.getMessage()
        except (TypeError, ValueError, KeyError):  # logging itself says what is wrong with the call
            return record
        if (clean := hide_tokens(text)) != text:
            record.msg, record.args = clean, ()
        return record

    make_record.hides_tokens = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_record)


class _TokenFree(logging.Formatter):
    """A traceback may quote an address too."""

    @override
    def formatException(self, ei: Any) -> str:
        """The traceback without tokens."""
        return hide_tokens(super().formatException(ei))


class LineFormatter(_TokenFree):
    """One line of text, which names the request where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback below it."""
        name = getattr(record, "request_id", "")
        record.of_request = f" [{name}]" if name else ""
        return super().format(record)


class JsonLineFormatter(_TokenFree, JsonFormatter):
    """One JSON object: time, level, logger, message, request_id; exc_info where something failed."""

    def __init__(self) -> None:
        JsonFormatter.__init__(
            self,
            "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            json_ensure_ascii=False,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """What Django adds for its own handlers (the request itself) is left out."""
        kept = ("time", "level", "logger", "message", "request_id", "exc_info")
        return {name: log_data[name] for name in kept if log_data.get(name)}


class RequestIdMiddleware:
    """Names each request in the log, by X-Request-ID where a proxy gives it; the answer then says it again."""

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        """Answer under the name, which stays until the next request: Django logs refusals after the last middleware."""
        given = request.headers.get("X-Request-ID", "")
        is_given = _GIVEN.fullmatch(given) is not None
        _request_id.set(given if is_given else uuid.uuid4().hex)
        response = self.get_response(request)
        if is_given:
            response["X-Request-ID"] = given
        return response


def describe_logging(log_format: str, level: str) -> dict[str, Any]:
    """``LOGGING``: everything to the console from ``level`` on, as lines for people or as JSON."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": "portal.logs.LineFormatter",
                "format": "{asctime} {levelname} {name}{of_request} {message}",
                "style": "{",
            },
            "json": {"()": "portal.logs.JsonLineFormatter"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": log_format}},
        "root": {"handlers": ["console"], "level": level},
        # Django's own handlers know neither the format nor the request.
        "loggers": {
            "django": {"handlers": [], "level": "INFO"},
            "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        },
    }
