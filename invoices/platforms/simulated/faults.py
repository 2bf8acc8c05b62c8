"""What a simulated platform does wrong on demand."""

import threading
from collections import deque
from enum import StrEnum


class Fault(StrEnum):
    """One thing that real platforms do now and then."""

    REJECTED = "rejected"  # taken (202), then rejected for its semantics
    THROTTLED = "throttled"  # 429 with Retry-After
    UNAVAILABLE = "unavailable"  # 503 with Retry-After
    BROKEN = "broken"  # 500 without having taken anything
    NO_ANSWER = "no-answer"  # taken, and the connection is cut before the answer
    DUPLICATE = "duplicate"  # taken, and each status of it comes twice
    LATE_REJECTION = "late-rejection"  # accepted, and rejected afterwards as a double of itself
    BAD_SIGNATURE = "bad-signature"  # the callback is signed with another secret
    WRONG_HASH = "wrong-hash"  # taken, and said to have another fingerprint


class Faults:
    """Which submission meets which fault: those that were asked for, then one of every ``every`` in turn."""

    def __init__(self, kinds: tuple[Fault, ...] = (), every: int = 0) -> None:
        self._kinds = kinds
        self._every = every
        self._seen = 0
        self._asked: deque[Fault] = deque()
        self._lock = threading.Lock()

    def ask_for(self, fault: Fault, count: int = 1) -> None:
        """Let the next ``count`` submissions meet ``fault``."""
        with self._lock:
            self._asked.extend([fault] * count)

    def next(self) -> Fault | None:
        """The fault that this submission meets, if any."""
        with self._lock:
            if self._asked:
                return self._asked.popleft()
            if not self._kinds or not self._every:
                return None
            self._seen += 1
            turn, rest = divmod(self._seen, self._every)
            return self._kinds[(turn - 1) % len(self._kinds)] if not rest else None
