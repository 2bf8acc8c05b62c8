"""Who holds a line: the name of a process, and whether that process still exists.

A claim is a lease: what a dead process holds is taken over when the lease ends, at once where the process is known to
be gone.
"""

import os
import secrets
import socket


def name_worker() -> str:
    """A name for this process that says where it runs: ``machine:pid:random``."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(worker: str) -> bool:
    """True where the worker ran on this machine and its process no longer exists."""
    machine, _separator, rest = worker.partition(":")
    pid = rest.partition(":")[0]
    if machine != socket.gethostname()[:60] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
