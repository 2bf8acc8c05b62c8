"""A child process that answers one request after another: how both sides speak, and how the parent holds it.

Frames of a 4-byte big-endian length and that many bytes of JSON go down its standard input and come up its standard
output. Nothing is unpickled: a child taken over by a hostile file can only lie about that file. The child imports this
module too, so it imports nothing that is slow to load.
"""

import contextlib
import json
import os
import select
import selectors
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

_PROJECT_ROOT = Path(__file__).resolve().parents[2]
_HEAD = struct.Struct(">I")


class ChildDiedError(Exception):
    """The child ended, or what it says is no answer."""


class ChildProcess:
    """A child that runs the interpreter with ``arguments``. One request at a time; not shared by threads.

    After a fork it is the parent's: :attr:`is_usable` is then False, and closing it leaves it running.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        search_path = os.pathsep.join(filter(None, (str(_PROJECT_ROOT), os.environ.get("PYTHONPATH"))))
        self._owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": search_path, "PYTHONUTF8": "1"},
        )

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How it ended (negative: the signal), or None while it lives. Only of a child of this process."""
        return self._process.poll()

    @property
    def is_usable(self) -> bool:
        """True while it lives and is this process's own."""
        return self._owner == os.getpid() and self.exit_status is None

    def ask(self, message: Any, *, deadline: float) -> Any:
        """Send ``message`` and return the answer, never beyond ``deadline`` (of :func:`time.monotonic`).

        Raises ``TimeoutError`` where it does not answer in time, and :class:`ChildDiedError`. It is to be closed then.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        to_send, received = memoryview(_frame(message)), bytearray()
        os.set_blocking(stdin.fileno(), False)
        os.set_blocking(stdout.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            while len(received) < _HEAD.size or len(received) < _HEAD.size + _HEAD.unpack_from(received)[0]:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError
                for key, _events in selector.select(remaining):
                    try:
                        if key.fileobj is stdin:
                            to_send = to_send[os.write(key.fd, to_send) :]
                            if not to_send:
                                selector.unregister(stdin)
                            continue
                        part = os.read(key.fd, 1 << 20)
                    except OSError as error:
                        self._wait(deadline)
                        raise ChildDiedError from error
                    if not part:
                        self._wait(deadline)
                        raise ChildDiedError
                    received += part
        try:
            return json.loads(received[_HEAD.size :])
        except ValueError as error:
            raise ChildDiedError from error

    def _wait(self, deadline: float) -> None:
        """Learn how it ended: its pipes are closed before it is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(deadline - time.monotonic(), 0.1))

    def close(self) -> None:
        """End it for good; one inherited over a fork is its parent's and is only let go."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        if self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        else:
            self._process.returncode = 0  # not ours to wait for


def _frame(message: Any) -> bytes:
    body = json.dumps(message).encode()
    return _HEAD.pack(len(body)) + body


def write_frame(stream: BinaryIO, message: Any) -> None:
    """In the child: send one message."""
    stream.write(_frame(message))
    stream.flush()


def read_frame(stream: BinaryIO, idle_seconds: float | None = None) -> Any:
    """In the child: the next message, or None at the end of input or after ``idle_seconds`` of silence.

    ``stream`` is unbuffered: what a buffer holds, silence is not measured on.
    """
    if idle_seconds is not None and not select.select([stream], [], [], idle_seconds)[0]:
        return None
    head = _read_exactly(stream, _HEAD.size)
    body = None if head is None else _read_exactly(stream, _HEAD.unpack(head)[0])
    return None if body is None else json.loads(body)


def _read_exactly(stream: BinaryIO, size: int) -> bytes | None:
    """``size`` bytes, or None where the input ends before."""
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
