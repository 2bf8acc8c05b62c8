"""Work that may end its process, tried beforehand in a child with bounds on memory and time."""

import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from django import db

_MEMORY: Final = 2 * 1024**3  # bytes of address space beyond what the process has
_SECONDS: Final = 1800  # of processor time
_OFTEN: Final = 60.0
ENDS_UNTRIED: Final = 3
"""How often a process may end at some work before a child tries it: it also ends for reasons that the work is not to
blame for (a deployment, memory that others took). What ends the child is its fault."""
MOST_ENDS: Final = 24
"""How often it may end at all: what a child survives hardly ever ends a process."""
# A service that is stopped loses all its processes at once: whoever counts a death outlives it by that long.
_SAME_BLOW: Final = 0.2

_inherited: list[Any] = []  # connections of the parent: closing them here would close them for both


class Ending(IntEnum):
    """How the child ended: ``work`` was done, raised an exception, or ended its process."""

    DONE = 0
    RAISED = 3
    DIED = 4


def try_in_child(
    work: Callable[[], object],
    *,
    memory: int = _MEMORY,
    seconds: int = _SECONDS,
    meanwhile: Callable[[], object] = lambda: None,
) -> Ending:
    """How a forked child ends that does ``work``, which must write nothing. It ends with this process at the latest.

    ``memory``: bytes beyond what this process has; ``seconds``: of processor time. More of them, or twice as many on
    the clock, ends the child. ``meanwhile`` is called every minute.
    """
    for connection in db.connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
    their_end, our_life = os.pipe()
    our_end, their_life = os.pipe()
    with warnings.catch_warnings():
        # Threads of this process only wait for its end; a child that hangs all the same has its time.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        status = int(Ending.DIED)
        try:
            os.close(our_life)
            os.close(our_end)
            status = _try(work, their_end, memory, seconds)
        finally:
            os._exit(status)
    os.close(their_end)
    os.close(their_life)
    try:
        until = time.monotonic() + 2 * seconds
        while not select.select([our_end], [], [], min(_OFTEN, max(until - time.monotonic(), 0)))[0]:
            if time.monotonic() >= until:
                os.kill(child, signal.SIGKILL)
                break
            meanwhile()
    finally:
        os.close(our_end)
        os.close(our_life)  # where this process is asked to end, the child ends too
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == -signal.SIGKILL:
        time.sleep(_SAME_BLOW)
    return Ending(status) if status in list(Ending) else Ending.DIED


def _try(work: Callable[[], object], parents_end: int, memory: int, seconds: int) -> int:
    """The child's life; returns its exit code."""
    # POSIX only, and imported here: what only waits may be imported anywhere.
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parents_end,), daemon=True).start()
    for connection in db.connections.all(initialized_only=True):
        if connection.vendor != "sqlite":  # where one is left open, it is in memory
            _inherited.append(connection.connection)
            connection.connection = None
    limit = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        work()
    except MemoryError:
        return Ending.DIED
    except Exception:
        return Ending.RAISED  # said where the work is done
    return Ending.DONE


def _end_with(parents_end: int) -> None:
    os.read(parents_end, 1)
    os._exit(1)


def _address_space() -> int:
    """Bytes that this process has reserved; none where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 64 * 1024**3
