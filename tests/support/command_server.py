"""A process that has loaded the project and forks for each command, as multiprocessing's fork server does.

Started by :mod:`tests.support.commands`. What it forks is a real process of its own, with its own connections: only the
two seconds that Python takes to load Django, WeasyPrint and the rest are spent once and not for each command.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# What takes long to import and reads no setting.
PRELOADED = (
    "weasyprint",
    "fontTools.subset",
    "saxonche",
    "pikepdf",
    "pypdfium2",
    "psycopg",
    "python_calamine",
    "cryptography.fernet",
    "dkim",
    "babel.numbers",
    "authlib.integrations.requests_client",
    "flufl.bounce",
    "imapclient",
    "prometheus_client",
    "stdnum.eu.vat",
    "xlsxwriter",
    "environ",
    "django.forms.models",
    "django.contrib.admin",
    "django.core.management",
    "django.core.handlers.base",
)

type Job = Callable[[], "Job | None"]


def serve(channel: socket.socket) -> Job | None:
    """Fork for each request until ``channel`` is closed and the last child has ended.

    A child returns from here with what it has to do. The first descriptor of a request receives the child's number, and
    its exit code at its end.
    """
    children: dict[int, int] = {}
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_signal: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they end this
    gc.collect()
    gc.freeze()
    asked: list[socket.socket | int] = [channel]
    while asked or children:
        ready = select.select([*asked, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _report_ends(children)
        if channel in ready:
            data, descriptors, _flags, _address = socket.recv_fds(channel, 1 << 20, 4)
            if not data:
                asked.clear()
                channel.close()
                continue
            child = os.fork()
            if not child:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                channel.close()
                for descriptor in (woken, waker, descriptors[0], *children.values()):
                    os.close(descriptor)
                return partial(_JOBS[(request := json.loads(data))["job"]], request, *descriptors[1:])
            children[child] = descriptors[0]
            _report(descriptors[0], child)
            for descriptor in descriptors[1:]:
                os.close(descriptor)
    return None


def _report_ends(children: dict[int, int]) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        descriptor = children.pop(child)
        _report(descriptor, os.waitstatus_to_exitcode(status))
        os.close(descriptor)


def _report(descriptor: int, number: int) -> None:
    with suppress(BrokenPipeError):  # no one waits for the end of this one
        os.write(descriptor, number.to_bytes(8, signed=True))


def _serve_installation(request: dict[str, Any], descriptor: int) -> Job | None:
    os.environ.clear()
    os.environ.update(request["environment"], DJANGO_SETTINGS_MODULE="portal.settings")
    if os.environ.get("PYTHONWARNINGS") == "error":
        warnings.simplefilter("error")
    import django

    django.setup()
    importlib.import_module("portal.urls")
    return serve(socket.socket(fileno=descriptor))


def _manage(request: dict[str, Any], output: int, errors: int) -> None:
    _write_to(output, errors)
    sys.argv = ["manage.py", *request["arguments"]]
    runpy.run_path("manage.py", run_name="__main__")


def _execute(request: dict[str, Any], output: int, errors: int) -> None:
    _write_to(output, errors)
    exec(compile(request["source"], "<test>", "exec"), {"__name__": "__main__"})


def _write_to(output: int, errors: int) -> None:
    os.dup2(output, 1)
    os.dup2(errors, 2)


_JOBS: dict[str, Callable[..., Any]] = {"serve": _serve_installation, "manage": _manage, "execute": _execute}


def main() -> None:
    """Load what is slow, then serve the descriptor that the command line names."""
    os.chdir(ROOT)
    sys.path[0] = str(ROOT)
    for name in PRELOADED:
        importlib.import_module(name)
    job: Job | None = partial(serve, socket.socket(fileno=int(sys.argv[1])))
    while job is not None:
        job = job()


if __name__ == "__main__":
    main()
