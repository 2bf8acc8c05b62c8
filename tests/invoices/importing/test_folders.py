"""A watched folder: when a file is taken, where it goes, what follows, and that a killed watcher loses nothing."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from invoices.importing import folders
from invoices.importing.folders import ReaderEndedError, Watch, WatchedFolder, locked, take
from invoices.importing.run import import_erp
from invoices.management.following import following
from invoices.models import Export, ImportBatch, Invoice
from invoices.workers.trials import Ending, try_in_child
from mailing.models import Message
from mailing.quarantine.models import SetAside
from tests.support.factories import make_company
from tests.support.import_files import CUSTOMERS, INVOICES, as_csv, changed, write_export

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process ends here."""


def watch_once(folder: Path, **options: Any) -> None:
    call_command("watch_folder", str(folder), once=True, stable=0.01, every=0.01, **options)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")}


def test_files_that_came_together_are_imported_together_and_put_aside_with_their_report(tmp_path: Path) -> None:
    write_export(tmp_path)

    watch_once(tmp_path)

    assert Invoice.objects.count() == 2
    assert names_in(tmp_path) == set()
    done = names_in(tmp_path / "traités")
    assert {"factures.csv", "lignes.csv", "clients.csv", "contacts.csv", "factures.csv.rapport.txt"} <= done
    assert "Créés : 2 clients" in (tmp_path / "traités" / "factures.csv.rapport.txt").read_text()
    assert ImportBatch.objects.get().state == ImportBatch.State.IMPORTED


def test_a_file_with_a_refusal_goes_to_the_refused_and_its_good_rows_are_imported(tmp_path: Path) -> None:
    write_export(tmp_path, factures=changed(INVOICES, 0, total_ttc="1,00"))

    with pytest.raises(CommandError):
        watch_once(tmp_path)

    assert list(Invoice.objects.values_list("number", flat=True)) == ["F2"]
    assert names_in(tmp_path / "refusés") == {"factures.csv", "factures.csv.rapport.txt"}
    assert "lignes.csv" in names_in(tmp_path / "traités")


def test_a_file_is_taken_once_it_rests_or_is_marked_and_waits_for_those_still_written(tmp_path: Path) -> None:
    watch = Watch(WatchedFolder(tmp_path, rest=3600))
    heads, lines = tmp_path / "factures.csv", tmp_path / "lignes.csv"
    heads.write_text("a")
    assert watch.look() == []
    heads.with_name("factures.csv.ok").touch()
    lines.write_text("b")
    (tmp_path / "clients.csv.part").write_text("c")
    assert watch.look() == []  # the lines are still being written
    lines.with_suffix(".ok").touch()
    assert watch.look() == [heads, lines]

    resting = Watch(WatchedFolder(tmp_path, rest=0))
    heads.with_name("factures.csv.ok").unlink()
    assert resting.look() == [heads, lines]


def test_one_process_at_a_time_takes_the_files_of_a_folder(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    with locked(folder) as first, locked(folder) as second:
        assert (first, second) == (True, False)


def test_a_good_file_is_imported_once_though_its_watcher_was_killed_twenty_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clients.csv").write_text(as_csv(CUSTOMERS))
    watcher = os.getpid()
    with monkeypatch.context() as killing:

        def die(*args: Any, **options: Any) -> None:
            if os.getpid() == watcher:
                raise Killed

        killing.setattr(folders, "import_erp", die)
        for _kill in range(20):
            with pytest.raises(Killed):
                take(WatchedFolder(tmp_path), [tmp_path / "clients.csv"])

    assert take(WatchedFolder(tmp_path), [tmp_path / "clients.csv"]).is_clean
    assert Customer.objects.count() == 2
    assert "clients.csv" in names_in(tmp_path / "traités")


def test_a_file_that_kills_its_reader_is_refused_after_some_tries_and_kills_a_child_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = write_export(tmp_path / "bons") / "factures.csv"
    files = [heads.with_name("clients.csv"), heads, heads.with_name("lignes.csv")]
    poison = tmp_path / "bons" / "poison.csv"
    poison.write_text("poison")
    watcher, real, ends = os.getpid(), import_erp, []

    def die(paths: Any, **options: Any) -> Any:
        if any(path.name == "poison.csv" for path in paths):
            ends.append(options)
            if os.getpid() != watcher:
                os._exit(70)
            raise Killed
        return real(paths, **options)

    monkeypatch.setattr(folders, "import_erp", die)
    folder = WatchedFolder(tmp_path / "bons")
    while waiting := [file for file in (*files, poison) if file.exists()]:
        with suppress(Killed, ReaderEndedError):
            take(folder, waiting)

    assert len(ends) == 3  # the watcher itself; later ends are those of children
    assert (Customer.objects.count(), Invoice.objects.count()) == (2, 2)
    assert "interrompu 3 fois de suite" in (tmp_path / "bons/refusés/poison.csv.rapport.txt").read_text()
    assert not SetAside.objects.exists()


def test_a_trial_reports_how_its_child_ended_and_bounds_its_memory() -> None:
    def fail() -> None:
        raise ValueError

    assert try_in_child(fail) is Ending.RAISED
    assert try_in_child(lambda: None) is Ending.DONE
    assert try_in_child(lambda: bytearray(64 * 1024**2), memory=32 * 1024**2) is Ending.DIED


@pytest.mark.parametrize("step", ["import_erp", "_note", "_put_aside"])
@pytest.mark.parametrize("after", [False, True])
def test_a_watcher_killed_at_any_step_loses_nothing_and_does_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    make_company()
    folder = WatchedFolder(write_export(tmp_path), follow=following("list"))
    files = sorted(path for path in tmp_path.iterdir() if path.is_file())
    with monkeypatch.context() as killing:
        real = getattr(folders, step)

        def die(*args: Any, **options: Any) -> None:
            if after:
                real(*args, **options)
            raise Killed

        killing.setattr(folders, step, die)
        with pytest.raises(Killed):
            take(folder, files)

    take(folder, [file for file in files if file.exists()])

    assert (Customer.objects.count(), Invoice.objects.count()) == (2, 2)
    assert set(Invoice.objects.values_list("version", flat=True)) == {1}
    assert Export.objects.count() == (2 if (step, after) == ("_put_aside", True) else 1)
    assert names_in(tmp_path) == set()
    assert {file.name for file in files} <= names_in(tmp_path / "traités")


def test_the_same_file_given_again_changes_nothing_and_makes_no_second_list(tmp_path: Path) -> None:
    make_company()
    for _time in range(2):
        write_export(tmp_path)
        watch_once(tmp_path, then="list")

    assert (Invoice.objects.count(), Export.objects.count(), ImportBatch.objects.count()) == (2, 1, 1)
    assert "factures (2).csv" in names_in(tmp_path / "traités")


def test_an_export_that_cannot_take_everything_waits_and_one_mail_names_what_waits(tmp_path: Path) -> None:
    make_company()
    write_export(tmp_path)  # no customer has credentials yet

    watch_once(tmp_path, then="export", mail_to="compta@aquila.example")

    assert Export.objects.get().state == Export.State.DRAFT
    (message,) = Message.objects.filter(kind="folder")
    assert message.recipient == "compta@aquila.example"


def test_a_file_that_no_import_survives_is_refused_and_the_others_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text(as_csv(CUSTOMERS))
    (tmp_path / "b.csv").write_text("poison")
    real = import_erp

    def fail(paths: Any, **options: Any) -> Any:
        if any(path.name == "b.csv" for path in paths):
            raise RuntimeError("unforeseen")
        return real(paths, **options)

    monkeypatch.setattr(folders, "import_erp", fail)
    with pytest.raises(CommandError):
        watch_once(tmp_path)

    assert Customer.objects.count() == 2
    assert "b.csv" in names_in(tmp_path / "refusés")
    assert os.listdir(tmp_path / "traités")


def test_a_folder_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as error:
        watch_once(tmp_path / "nowhere")
    assert error.value.returncode == 2
