"""Reading files from strangers in a child process, which a hostile file may crash, fill or hang.

One child serves many files and is started again after a crash; the file that crashed it is refused. A path goes down,
a reading or a refusal comes up, as :mod:`invoices.formats.child_process` carries them.
"""

import atexit
import base64
import logging
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

from invoices.en16931.model import InvoiceContent, from_json, to_json
from invoices.formats.child_process import ChildDiedError, ChildProcess, read_frame, write_frame
from invoices.formats.findings import Finding
from invoices.formats.reading import Reading, read_einvoice
from invoices.formats.refusals import LifecycleMessage, NoEmbeddedInvoice, Order, UnreadableEInvoice

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 20.0  # seconds for one file; the largest sample takes 0.2
DEFAULT_MEMORY_LIMIT = 1024 * 1024 * 1024  # bytes of address space
MAX_FILE_BYTES = 100 * 1024 * 1024
_START_TIMEOUT = 60.0  # seconds for the child to import what it needs, on a busy machine
_FILES_PER_CHILD = 500
_REFUSALS = {kind.__name__: kind for kind in (UnreadableEInvoice, NoEmbeddedInvoice, LifecycleMessage, Order)}


class ReadingChild:
    """A child process that reads e-invoices, one at a time; a context manager that ends it. Not shared by threads."""

    def __init__(self, *, timeout: float = DEFAULT_TIMEOUT, memory_limit: int = DEFAULT_MEMORY_LIMIT) -> None:
        """``timeout`` in seconds for one file, ``memory_limit`` in bytes of address space."""
        self.timeout = timeout
        self.memory_limit = memory_limit
        self._child: ChildProcess | None = None
        self._files_read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, data_or_path: bytes | Path | str) -> Reading:
        """The e-invoice in ``data_or_path`` (bytes of a file, or its path).

        Raises :class:`UnreadableEInvoice` as :func:`read_einvoice` does, and where the file crashes the child,
        takes longer than ``timeout`` or more memory than ``memory_limit``.
        """
        if isinstance(data_or_path, bytes):
            with tempfile.NamedTemporaryFile(prefix="einvoice-") as copy:
                copy.write(data_or_path)
                copy.flush()
                return self._ask(Path(copy.name))
        return self._ask(Path(data_or_path).absolute())

    @property
    def process_id(self) -> int | None:
        """The child's process id, or None before the first file and after a crash."""
        return None if self._child is None else self._child.process_id

    def close(self) -> None:
        """End the child, if there is one and it is ours."""
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _ask(self, path: Path) -> Reading:
        # One that is gone already died for a reason that no file is to blame for (the system lacked memory…).
        if self._child is not None and (self._files_read >= _FILES_PER_CHILD or not self._child.is_usable):
            self.close()
        child = self._child or self._start()
        self._files_read += 1
        try:
            answer = child.ask(os.fsencode(path).hex(), deadline=time.monotonic() + self.timeout)
        except TimeoutError as error:
            self.close()
            raise UnreadableEInvoice(f"La lecture de ce fichier a été interrompue après {self.timeout:g} s.") from error
        except ChildDiedError as error:
            self.close()
            logger.warning("The child process died of the file %s (exit status %s).", path, child.exit_status)
            raise UnreadableEInvoice("Ce fichier fait échouer la lecture : il est endommagé ou hostile.") from error
        if "refused" in answer:
            if answer.get("fatal"):
                self.close()
            raise _REFUSALS.get(answer["kind"], UnreadableEInvoice)(answer["refused"])
        return _reading_from_json(answer["reading"])

    def _start(self) -> ChildProcess:
        self._child, self._files_read = ChildProcess(["-m", __name__]), 0
        try:
            self._child.ask({"memory_limit": self.memory_limit}, deadline=time.monotonic() + _START_TIMEOUT)
        except (TimeoutError, ChildDiedError) as error:
            self.close()
            raise RuntimeError("The child process that reads e-invoices does not start.") from error
        return self._child


_lock = threading.Lock()
_shared = ReadingChild()


def read_in_child(
    data_or_path: bytes | Path | str,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    memory_limit: int = DEFAULT_MEMORY_LIMIT,
) -> Reading:
    """The e-invoice in ``data_or_path`` (bytes of a file, or its path), read by the one child of this process.

    ``timeout`` in seconds, ``memory_limit`` in bytes. Raises :class:`UnreadableEInvoice` with a French sentence where
    there is no invoice, and where the file crashes the child or exceeds a limit. Threads wait for each other.
    """
    with _lock:
        if memory_limit != _shared.memory_limit:
            _shared.close()
        _shared.timeout, _shared.memory_limit = timeout, memory_limit
        return _shared.read(data_or_path)


def close_child() -> None:
    """End the child of :func:`read_in_child`; the next file starts another."""
    with _lock:
        _shared.close()


atexit.register(close_child)
# A fork in the middle of a reading would leave the lock closed in the copy for ever.
os.register_at_fork(after_in_child=lambda: globals().update(_lock=threading.Lock()))


def _reading_to_json(reading: Reading) -> dict[str, Any]:
    return {
        "content": to_json(reading.content),
        "syntax": reading.syntax,
        "container": reading.container,
        "attachment_name": reading.attachment_name,
        "xml": base64.b64encode(reading.xml).decode("ascii"),
        "warnings": reading.warnings,
        "container_findings": to_json(reading.container_findings),
    }


def _reading_from_json(data: dict[str, Any]) -> Reading:
    content = from_json(InvoiceContent, data["content"])
    return Reading(
        content=content,
        syntax=data["syntax"],
        container=data["container"],
        profile=content.profile,
        attachment_name=data["attachment_name"],
        xml=base64.b64decode(data["xml"]),
        warnings=tuple(data["warnings"]),
        container_findings=tuple(from_json(Finding, finding) for finding in data["container_findings"]),
    )


def _answer(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise UnreadableEInvoice("Ce fichier n’existe pas ou n’est pas un fichier ordinaire.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UnreadableEInvoice(f"Ce fichier est trop volumineux (plus de {MAX_FILE_BYTES // 1024 // 1024} Mo).")
        return {"reading": _reading_to_json(read_einvoice(path.read_bytes()))}
    except UnreadableEInvoice as refusal:
        return {"kind": type(refusal).__name__, "refused": refusal.reason}
    except OSError:
        return {"kind": "UnreadableEInvoice", "refused": "Ce fichier ne peut pas être ouvert."}
    except MemoryError:
        reason = "La lecture de ce fichier demande trop de mémoire."
    except RecursionError:
        reason = "Ce fichier est trop imbriqué pour être lu."
    return {"kind": "UnreadableEInvoice", "refused": reason, "fatal": True}


def _serve() -> None:
    """The child's life: limits first, then one answer per request until the parent is gone."""
    # POSIX only, and imported here: what only parses may be imported anywhere.
    import resource

    # A library may print: keep its words out of the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = os.fdopen(0, "rb", buffering=0)
    memory_limit = read_frame(requests)["memory_limit"]
    resource.setrlimit(resource.RLIMIT_AS, (memory_limit, memory_limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    write_frame(answers, {})
    while (request := read_frame(requests)) is not None:
        write_frame(answers, _answer(Path(os.fsdecode(bytes.fromhex(request)))))


if __name__ == "__main__":
    _serve()
