"""Child processes of one machine: forked warm, watched, and asked to end together.

Each child holds one end of a pipe whose other end only the parent has. When the parent closes it, or dies, the child
sees it: it ends after what it has in hand, and no orphan goes on working.
"""

import fcntl
import gc
import multiprocessing
import os
import select
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType

from django import db

# Rendering makes and drops many small objects and few cycles: looking for these less often is worth a few megabytes.
GC_THRESHOLD = 20_000
# Rows that know each other (an invoice, its lines) are cycles that outlive the first look: the older ones are looked
# at often enough for a long run of received PDFs to stay as small as a short one.
GC_OLDER = (5, 5)

_stop_pipe: int | None = None
_turns: int | None = None


def stop_requested() -> bool:
    """True in a child that should end after what it has in hand: its parent says so, or is gone."""
    return _stop_pipe is not None and bool(select.select([_stop_pipe], [], [], 0)[0])


def wait_for_stop() -> None:
    """Come back when :func:`stop_requested` becomes true; at once in a process that is no child of a pool."""
    if _stop_pipe is not None:
        select.select([_stop_pipe], [], [])


@contextmanager
def in_turn() -> Iterator[None]:
    """Let one child of the pool at a time past this point, the next at once when it is through; or dead.

    For what SQLite has one writer for: who finds it busy looks again after pauses of up to a tenth of a second. Other
    processes than children never wait here.
    """
    if _turns is None:
        yield
        return
    fcntl.lockf(_turns, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.lockf(_turns, fcntl.LOCK_UN)


class ForkedPool:
    """Children that do ``work`` once each. They share the memory of what the parent has loaded when it hires them."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work
        self.children: list[BaseProcess] = []
        self._theirs, self._ours = os.pipe()
        self._turns, name = tempfile.mkstemp()
        os.unlink(name)
        self._stop_requested = False

    def start_workers(self, count: int) -> None:
        """Start ``count`` children more."""
        if count <= 0:
            return
        # A connection must not be shared by two processes: parent and children open their own.
        db.connections.close_all()
        context = multiprocessing.get_context("fork")
        # What is there now is left alone by the children's collector: it stays in memory that all share.
        gc.freeze()
        try:
            for _number in range(count):
                child = context.Process(target=self._live, daemon=True)
                child.start()
                self.children.append(child)
        finally:
            gc.unfreeze()

    def _live(self) -> None:
        """The life of a child."""
        global _stop_pipe, _turns
        os.close(self._ours)
        _stop_pipe, _turns = self._theirs, self._turns
        # Ctrl-C reaches all processes of the terminal: the parent decides what it means.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        gc.set_threshold(GC_THRESHOLD, *GC_OLDER)
        try:
            self.work()
        finally:
            db.connections.close_all()

    def wait(self, seconds: float) -> list[BaseProcess]:
        """The children that have ended, waited for during ``seconds`` at most; they are no longer in ``children``."""
        ready = set(wait([child.sentinel for child in self.children], timeout=seconds))
        ended = [child for child in self.children if child.sentinel in ready]
        for child in ended:
            child.join()
            self.children.remove(child)
        return ended

    def request_stop(self) -> None:
        """Ask all children to end after what they have in hand."""
        if not self._stop_requested:
            self._stop_requested = True
            os.close(self._ours)

    def shutdown(self, patience: float) -> None:
        """Call the children off, wait for them ``patience`` seconds, and kill those that do not end."""
        self.request_stop()
        for child in self.children:
            child.join(patience)
            if child.is_alive():
                child.kill()
                child.join()
        self.children.clear()
        os.close(self._theirs)
        os.close(self._turns)


@contextmanager
def stop_on_signal(
    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM),
) -> Iterator[Callable[[], bool]]:
    """Give a function that is true once one of ``signals`` came; outside of the main thread nothing is listened to."""
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    previous = {}
    try:
        for number in signals:
            previous[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: whoever runs us decides
        previous.clear()
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
