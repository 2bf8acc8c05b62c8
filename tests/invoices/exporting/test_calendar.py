"""The moments that a calendar names: days of the month and working days, over weekends, holidays and summer time."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from invoices.exporting.calendar import due_until, month_day, next_due, working_day

PARIS = ZoneInfo("Europe/Paris")


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("month", "number", "day"),
    [
        ((2026, 1), 1, 2),  # 1 January is a holiday, a Thursday
        ((2026, 5), 1, 4),  # 1 May is a holiday, a Friday
        ((2026, 5), 5, 11),  # 8 May is a holiday too
        ((2026, 11), 1, 2),  # 1 November is a Sunday
        ((2026, 4), 3, 3),  # before Easter
        ((2026, 4), 4, 7),  # Easter Monday is 6 April
        ((2027, 3), 21, 30),  # and 29 March a year later
        ((2026, 5), 31, 29),  # fewer working days: the last one; 14 May (Ascension) and 25 May (Pentecost) are none
    ],
)
def test_working_days_are_counted_without_weekends_and_the_holidays_of_france(
    month: tuple[int, int], number: int, day: int
) -> None:
    assert working_day(*month, number) == date(*month, day)


@pytest.mark.parametrize(("month", "day"), [((2026, 2), 28), ((2028, 2), 29), ((2026, 4), 30), ((2026, 12), 31)])
def test_a_shorter_month_runs_on_its_last_day(month: tuple[int, int], day: int) -> None:
    assert month_day(*month, 31) == date(*month, day)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        (paris(2026, 11, 4, 23, 59), paris(2026, 11, 5, 6)),
        (paris(2026, 11, 5, 5, 59), paris(2026, 11, 5, 6)),
        (paris(2026, 11, 5, 6), paris(2026, 12, 5, 6)),  # a moment that has come is not the next one
        (paris(2026, 12, 31, 12), paris(2027, 1, 5, 6)),
        (paris(2026, 3, 5, 6), paris(2026, 4, 5, 6)),  # six o'clock stays six o'clock over summer time
    ],
)
def test_the_next_moment_is_the_first_one_after(after: datetime, due: datetime) -> None:
    assert next_due(after, number=5, is_working_day=False, hour=6) == due


def test_the_moments_that_went_by_are_all_named() -> None:
    first, now = paris(2026, 8, 3, 6), paris(2026, 11, 2, 6)

    assert due_until(first, now, number=1, is_working_day=True, hour=6) == [
        first,
        paris(2026, 9, 1, 6),
        paris(2026, 10, 1, 6),
        paris(2026, 11, 2, 6),
    ]
