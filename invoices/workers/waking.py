"""Waking workers up for what waits in the database, not more often than they can come."""

import time
from collections.abc import Callable
from typing import Final

CALL_AGAIN_AFTER_SECONDS: Final = 30.0
_called: dict[str, float] = {}


def wake(name: str, enqueue: Callable[[], object]) -> bool:
    """Call ``enqueue`` unless this process did so for ``name`` a moment ago; returns whether it did."""
    now = time.monotonic()
    if now - _called.get(name, float("-inf")) < CALL_AGAIN_AFTER_SECONDS:
        return False
    _called[name] = now
    enqueue()
    return True
