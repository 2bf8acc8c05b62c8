"""Damaged workbooks: the child that reads them says what is wrong, or ends by one of its bounds."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.drawing import MANY, damaged, damaged_inside
from tests.support.workbooks import ods, workbook

ROWS = [["numero", "date", "total_ht"], ["F1", "31/01/2025", 1034.5], ["F2", "2025-02-01", 1e300]]


def write_rows(book: Any) -> None:
    for row in ROWS:
        book.active.append(row)


WORKBOOKS = {
    "xlsx": workbook(write_rows),
    "ods": ods(
        '<table:table-row><table:table-cell office:value-type="string" table:number-columns-repeated="2">'
        '<text:p>numero</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="3">'
        '<table:table-cell office:value-type="float" office:value="1034.5"><text:p>1 034,50</text:p></table:table-cell>'
        '<table:table-cell office:value-type="date" office:date-value="2025-01-31"/></table:table-row>'
    ),
}


@pytest.mark.parametrize("kind", WORKBOOKS)
@pytest.mark.parametrize("damage", [damaged, damaged_inside])
def test_a_damaged_workbook_breaks_no_child(
    kind: str, damage: Callable[[bytes], st.SearchStrategy[bytes]], tmp_path: Path
) -> None:
    path = tmp_path / f"classeur.{kind}"
    reader = [sys.executable, "-m", "tests.support.workbook_child"]
    with subprocess.Popen(reader, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        ask, answers = child.stdin, child.stdout

        @MANY
        @given(damage(WORKBOOKS[kind]))
        def is_read_or_refused(data: bytes) -> None:
            path.write_bytes(data)
            print(path, file=ask, flush=True)
            exit_code = int(answers.readline())
            assert exit_code <= 0, exit_code

        is_read_or_refused()
        ask.close()
