"""Who acts, and from where: said once by whoever receives a request, read by every act that it leads to."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Actor:
    """The account that acts, if it is known (its key and its login), and the network address that it acts from."""

    account: int | None = None
    login: str = ""
    address: str = ""


NO_ACTOR = Actor()
# Called when something is written, since who is signed in is only looked up then.
_asked: ContextVar[Callable[[], Actor] | None] = ContextVar("acting", default=None)


@contextmanager
def acting(find: Callable[[], Actor]) -> Iterator[None]:
    """What is recorded inside was done by the actor that ``find`` returns then."""
    token = _asked.set(find)
    try:
        yield
    finally:
        _asked.reset(token)


def present_actor() -> Actor:
    """Who acts now; no person where a command or a worker does by itself."""
    find = _asked.get()
    return find() if find is not None else NO_ACTOR


def present_way() -> str:
    """How it is done: ``web`` inside a request, else the name of the command."""
    if _asked.get() is not None:
        return "web"
    program, *arguments = sys.argv or [""]
    name = Path(program).name
    return (arguments[0] if name == "manage.py" and arguments else name)[:40]
