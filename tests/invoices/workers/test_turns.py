"""Children of a pool take turns, whatever becomes of the one whose turn it is."""

import os
import signal
import time
from pathlib import Path

from invoices.workers.pool import ForkedPool, in_turn


def note(path: Path, word: str) -> None:
    with path.open("a") as file:
        file.write(f"{word}\n")


def run_two(work: ForkedPool) -> None:
    work.start_workers(2)
    for child in work.children:
        child.join(20)
        assert not child.is_alive()
    work.shutdown(0)


def test_one_child_at_a_time_is_in_its_turn(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    def work() -> None:
        for _turn in range(5):
            with in_turn():
                note(notes, "in")
                time.sleep(0.01)
                note(notes, "out")

    run_two(ForkedPool(work))

    assert notes.read_text().split() == ["in", "out"] * 10


def test_a_child_that_dies_in_its_turn_lets_the_other_have_its_own(tmp_path: Path) -> None:
    notes = tmp_path / "notes"

    def work() -> None:
        with in_turn():
            note(notes, "in")
            os.kill(os.getpid(), signal.SIGKILL)

    run_two(ForkedPool(work))

    assert notes.read_text().split() == ["in", "in"]


def test_a_process_that_is_no_child_waits_for_none() -> None:
    with in_turn(), in_turn():
        pass
