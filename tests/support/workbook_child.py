"""Reads workbooks as the children of :mod:`invoices.files.tables` do, each in a process that is forked for it.

A path a line comes in, the exit code of its process goes out: 0; below zero, the signal that ended it; 1 (the traceback
is on standard error) where the reader broke.
"""

import contextlib
import io
import json
import os
import sys
import traceback
from pathlib import Path

from invoices.files import tables


def read_whole(path: Path) -> None:
    """What the children for one file do: its sheets, then the rows of each."""
    tables._CHILD_SECONDS = 2  # type: ignore[misc]  # of this process alone
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tables._serve(path, None)
        for answer in [json.loads(line) for line in said.getvalue().splitlines()]:
            if isinstance(answer, list):
                tables._serve(path, answer[0])


if __name__ == "__main__":
    for asked in sys.stdin:
        if (child := os.fork()) == 0:
            try:
                read_whole(Path(asked.rstrip("\n")))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
