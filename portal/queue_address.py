"""``TASKS_BACKEND``: where the tasks of the worker wait."""

from typing import Any
from urllib.parse import urlsplit

from portal.environment import hide_password, require_extra, wrong

_SCHEMES = ("redis", "rediss", "unix")


def read_queue(address: str) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Django's ``TASKS`` and, for a Redis, the ``RQ_QUEUES`` of django-rq (empty otherwise).

    ``address`` is ``database``, ``immediate`` (in the process that asks) or that of a Redis. Raises
    ImproperlyConfigured with a French sentence.
    """
    if address == "database":
        return {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}, {}
    if address == "immediate":
        return {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}, {}
    if not _is_redis(address):
        raise wrong(
            "TASKS_BACKEND",
            hide_password(address),
            expected="database, immediate ou une adresse redis://",
            example="redis://127.0.0.1:6379/0",
        )
    require_extra("TASKS_BACKEND", "redis", "django_tasks_rq", "redis")
    # No limit of time: a task that exports ends by itself, and its lines are leased.
    queues = {"default": {"URL": address, "DEFAULT_TIMEOUT": -1}}
    return {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}, queues


def _is_redis(address: str) -> bool:
    try:
        parts = urlsplit(address)
        has_place = parts.port != 0 and bool(parts.path if parts.scheme == "unix" else parts.hostname)
    except ValueError:
        return False
    return "://" in address and parts.scheme in _SCHEMES and has_place
