"""Rows written in bulk, at once or behind the back of the thread that makes them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from customers.models import Customer
from invoices.importing.tables.bulk import RepeatingRowWriter, RowWriter, background_writer

pytestmark = pytest.mark.django_db

_COLUMNS = ("code", "name")


class _Left(Exception):  # noqa: N818 - no error
    """The way out of a block."""


def _rows(*numbers: int) -> Iterator[tuple[str, str]]:
    return ((f"C{number}", f"Élodie & «fils» {number}") for number in numbers)


def _codes() -> list[str]:
    return list(Customer.objects.order_by("pk").values_list("code", flat=True))


@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 37])
def test_every_row_is_written_once_whatever_their_number(number: int) -> None:
    with transaction.atomic():
        RowWriter(Customer, _COLUMNS, at_once=10).write(_rows(*range(number)))

    assert _codes() == [f"C{each}" for each in range(number)]


def test_columns_that_are_not_given_take_the_defaults_of_their_fields() -> None:
    with transaction.atomic():
        RowWriter(Customer, _COLUMNS, at_once=2).write(_rows(1, 2, 3))

    expected, written = Customer(code="C3", name="Élodie & «fils» 3"), Customer.objects.get(code="C3")
    for field in Customer._meta.concrete_fields:
        if field.name not in ("id", "created_at", "updated_at"):
            assert getattr(written, field.attname) == getattr(expected, field.attname), field.name


def test_more_rows_by_one_statement_than_the_database_takes_are_parted() -> None:
    with transaction.atomic():
        RowWriter(Customer, _COLUMNS, at_once=1_000_000).write(_rows(*range(3000)))

    assert Customer.objects.count() == 3000


def test_rows_with_the_same_last_values_are_written_each_with_its_own_first_ones() -> None:
    names = ["Élodie\tet \\ fils", "deux\nlignes\r\n", "\\N", "Élodie\tet \\ fils", "Dupont", "deux\nlignes\r\n", "\\n"]
    writer = RepeatingRowWriter[str](Customer, _COLUMNS, last=lambda name: (name,), at_once=2)
    with transaction.atomic():
        writer.write(((f"C{number}",), name) for number, name in enumerate(names[:4]))
        writer.write(((f"C{number}",), name) for number, name in enumerate(names[4:], start=4))

    assert list(Customer.objects.order_by("code").values_list("code", "name")) == [
        (f"C{number}", name) for number, name in enumerate(names)
    ]


def test_a_statement_sees_what_was_given_to_be_written_before_it() -> None:
    with transaction.atomic(), background_writer() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        for number in range(30):
            behind.write(writer, _rows(number))
            assert Customer.objects.count() == number + 1


def test_the_rows_of_several_writers_are_written_in_the_order_of_the_calls() -> None:
    with transaction.atomic(), background_writer() as behind:
        writers = [RowWriter(Customer, _COLUMNS, at_once=at_once) for at_once in (1, 2, 10)]
        for number in range(0, 60, 3):
            behind.write(writers[number // 3 % len(writers)], _rows(number, number + 1, number + 2))

    assert _codes() == [f"C{each}" for each in range(60)]


def test_rows_are_made_ready_while_others_are_being_written(monkeypatch: pytest.MonkeyPatch) -> None:
    second_is_ready = threading.Event()
    send = RowWriter.send

    def waiting(writer: RowWriter, ready: Any) -> None:
        assert second_is_ready.wait(10)
        send(writer, ready)

    def second() -> Iterator[tuple[str, str]]:
        yield from _rows(2, 3)
        second_is_ready.set()

    monkeypatch.setattr(RowWriter, "send", waiting)
    with transaction.atomic(), background_writer() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        behind.write(writer, _rows(0, 1))
        behind.write(writer, second())

    assert _codes() == ["C0", "C1", "C2", "C3"]


def test_rows_that_are_kept_are_written_before_the_next_statement_or_the_end() -> None:
    with transaction.atomic(), background_writer() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        behind.keep(writer, _rows(0))
        behind.write(writer, _rows(1))
        behind.keep(writer, _rows(2))
        assert _codes() == ["C0", "C1", "C2"]
        behind.keep(writer, _rows(3))

    assert _codes() == ["C0", "C1", "C2", "C3"]


def test_a_statement_ahead_of_rows_that_are_kept_waits_for_those_that_were_sent_alone() -> None:
    with transaction.atomic(), background_writer() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        behind.write(writer, _rows(0))
        behind.keep(writer, _rows(1))
        behind.keep(writer, _rows(2))
        with behind.ahead_of_kept_rows():
            assert _codes() == ["C0"]
            behind.keep(writer, _rows(3))
        behind.send()
        assert _codes() == ["C0", "C1", "C2", "C3"]


def test_rows_that_are_kept_are_not_written_where_the_block_fails() -> None:
    with transaction.atomic(), suppress(_Left), background_writer() as behind:
        behind.keep(RowWriter(Customer, _COLUMNS), _rows(0))
        raise _Left

    assert _codes() == []


def test_what_the_database_refuses_is_raised_by_the_next_statement() -> None:
    with transaction.atomic(), suppress(_Left), background_writer() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        behind.write(writer, _rows(1))
        behind.write(writer, _rows(1))
        with pytest.raises(IntegrityError):
            Customer.objects.count()
        transaction.set_rollback(True)
        raise _Left

    assert _codes() == []


def test_what_the_database_refuses_last_is_raised_at_the_end() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), background_writer() as behind:
        behind.write(RowWriter(Customer, _COLUMNS), _rows(1, 1))

    assert _codes() == []


def test_an_error_beside_the_writing_is_the_one_that_is_raised_and_nothing_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()
    send = RowWriter.send

    def slow(writer: RowWriter, ready: Any) -> None:
        released.wait(10)
        send(writer, ready)

    def write_and_fail() -> None:
        with transaction.atomic(), background_writer() as behind:
            behind.write(RowWriter(Customer, _COLUMNS), _rows(1, 1))
            threading.Timer(0.05, released.set).start()
            raise _Left

    monkeypatch.setattr(RowWriter, "send", slow)
    with pytest.raises(_Left):
        write_and_fail()

    assert _codes() == []


def test_the_connection_is_afterwards_its_thread_s_own_again_with_its_usual_settings() -> None:
    def cache() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size")
            return cursor.fetchone()

    connection.ensure_connection()
    usual = cache() if connection.vendor == "sqlite" else None
    interval = sys.getswitchinterval()
    with transaction.atomic(), background_writer() as behind:
        assert sys.getswitchinterval() < interval
        behind.write(RowWriter(Customer, _COLUMNS), _rows(1))
    assert usual is None or cache() == usual
    assert sys.getswitchinterval() == interval

    refused: list[Exception] = []

    def use_it(own: BaseDatabaseWrapper) -> None:
        try:
            own.validate_thread_sharing()
        except DatabaseError as error:
            refused.append(error)

    thread = threading.Thread(target=use_it, args=(connections["default"],))
    thread.start()
    thread.join()
    # An SQLite database in memory is shared by the threads of the tests on purpose.
    assert bool(refused) != connections["default"].allow_thread_sharing
