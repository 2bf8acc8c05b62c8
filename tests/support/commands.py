"""Commands of the project in real processes, forked from one that has loaded the installation they run in."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

SERVER = Path(__file__).with_name("command_server.py")
# What pytest says of the test in hand, and what its browser allows: no installation has them.
NOT_SETTINGS = {"PYTEST_CURRENT_TEST", "DJANGO_ALLOW_ASYNC_UNSAFE"}


class Command:
    """A process at work, as ``subprocess.Popen`` shows one; its output is read at its end."""

    def __init__(self, server: "_Server", *, merged: bool = False, **request: object) -> None:
        self.returncode: int | None = None
        self._output = os.memfd_create("output")
        self._errors = self._output if merged else os.memfd_create("errors")
        self._status = server.ask(request, self._output, self._errors)
        self.pid = _number_from(self._status)

    def poll(self) -> int | None:
        """The exit code, None while the process runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code of the process, once it has ended; minus the signal that killed it."""
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = _number_from(self._status)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What the process wrote on its two outputs, once it has ended; all on the first one where they are merged."""
        self.wait(timeout)
        return _text_of(self._output), "" if self._errors == self._output else _text_of(self._errors)

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        for descriptor in {self._output, self._errors, self._status}:
            os.close(descriptor)


def _text_of(descriptor: int) -> str:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()


def _number_from(descriptor: int) -> int:
    data = os.read(descriptor, 8)
    assert data, "the process that forks has ended"
    return int.from_bytes(data, signed=True)


class _Server:
    """The near end of a process that forks; it ends when this is forgotten and its last command has ended."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel

    def ask(self, request: dict[str, object], *descriptors: int) -> int:
        """Make it fork; the descriptor where the child's number can be read, and later its exit code."""
        status, told = os.pipe()
        socket.send_fds(self.channel, [json.dumps(request).encode()], [told, *descriptors])
        os.close(told)
        return status

    def __del__(self) -> None:
        self.channel.close()


@cache
def _loaded() -> _Server:
    """The server that has loaded the libraries, one for all installations of this process."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([sys.executable, str(SERVER), str(far.fileno())], pass_fds=[far.fileno()])
    far.close()
    atexit.register(_end, near, process)
    return _Server(near)


def _end(channel: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    _server_of.cache_clear()
    channel.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@lru_cache(maxsize=3)
def _server_of(environment: tuple[tuple[str, str], ...]) -> _Server:
    """A server that has loaded the installation of this environment."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    status = _loaded().ask({"job": "serve", "environment": dict(environment)}, far.fileno())
    far.close()
    os.close(status)
    return _Server(near)


def manage(environment: Mapping[str, str], *arguments: str, merged: bool = False) -> Command:
    """``manage.py arguments`` at work in the installation that ``environment`` describes."""
    return Command(_of(environment), job="manage", arguments=arguments, merged=merged)


def execute(environment: Mapping[str, str], source: str) -> Command:
    """Python ``source`` at work in the installation that ``environment`` describes, Django being set up."""
    return Command(_of(environment), job="execute", source=source)


def _of(environment: Mapping[str, str]) -> _Server:
    return _server_of(tuple(sorted((name, value) for name, value in environment.items() if name not in NOT_SETTINGS)))
