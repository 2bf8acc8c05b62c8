"""Rows written in bulk, at once or behind the back of the thread that makes them."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from customers.models import Customer
from invoices.bulk_rows import RowWriter, writing_behind

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


def test_a_statement_sees_what_was_given_to_be_written_before_it() -> None:
    with transaction.atomic(), writing_behind() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        for number in range(30):
            behind.write(writer, _rows(number))
            assert Customer.objects.count() == number + 1


def test_the_rows_are_written_in_another_thread_in_the_order_of_the_calls() -> None:
    threads: set[str] = set()

    def noting(number: int) -> Iterator[tuple[str, str]]:
        threads.add(threading.current_thread().name)
        yield from _rows(number)

    with transaction.atomic(), writing_behind() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        for number in range(20):
            behind.write(writer, noting(number))

    assert _codes() == [f"C{each}" for each in range(20)]
    assert threading.current_thread().name not in threads


def test_what_the_database_refuses_is_raised_by_the_next_statement() -> None:
    with transaction.atomic(), suppress(_Left), writing_behind() as behind:
        writer = RowWriter(Customer, _COLUMNS)
        behind.write(writer, _rows(1))
        behind.write(writer, _rows(1))
        with pytest.raises(IntegrityError):
            Customer.objects.count()
        transaction.set_rollback(True)
        raise _Left

    assert _codes() == []


def test_what_the_database_refuses_last_is_raised_at_the_end() -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), writing_behind() as behind:
        behind.write(RowWriter(Customer, _COLUMNS), _rows(1, 1))

    assert _codes() == []


def test_an_error_beside_the_writing_is_the_one_that_is_raised_and_nothing_stays() -> None:
    released = threading.Event()

    def slow() -> Iterator[tuple[str, str]]:
        released.wait(10)
        yield from _rows(1, 1)

    def write_and_fail() -> None:
        with transaction.atomic(), writing_behind() as behind:
            behind.write(RowWriter(Customer, _COLUMNS), slow())
            threading.Timer(0.05, released.set).start()
            raise _Left

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
    with transaction.atomic(), writing_behind() as behind:
        behind.write(RowWriter(Customer, _COLUMNS), _rows(1))
    assert usual is None or cache() == usual

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
