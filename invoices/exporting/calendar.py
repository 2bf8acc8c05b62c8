"""When a selection runs by itself: a day of the month or a working day, at an hour of the place of the portal.

Working days are Monday to Friday without the public holidays of France (article L3133-1 of the Code du travail).
"""

import calendar
import datetime
from typing import Final

from django.utils import timezone

SATURDAY: Final = 5


def month_day(year: int, month: int, number: int) -> datetime.date:
    """The day ``number`` of the month; its last day where the month is shorter."""
    return datetime.date(year, month, min(number, calendar.monthrange(year, month)[1]))


def working_day(year: int, month: int, number: int) -> datetime.date:
    """The ``number``-th working day of the month; its last one where it has fewer."""
    # Loaded where it is needed: it knows the holidays of the whole world.
    from holidays import country_holidays

    off = country_holidays("FR", years=year)
    days = [datetime.date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]
    working = [day for day in days if day.weekday() < SATURDAY and day not in off]
    return working[min(number, len(working)) - 1]


def next_due(after: datetime.datetime, *, number: int, is_working_day: bool, hour: int) -> datetime.datetime:
    """The first moment after ``after`` (aware) that the calendar names, aware, in the time zone of the portal."""
    day_of = working_day if is_working_day else month_day
    local = timezone.localtime(after)
    month = local.year * 12 + local.month - 1
    while True:
        day = day_of(month // 12, month % 12 + 1, number)
        due = timezone.make_aware(datetime.datetime.combine(day, datetime.time(hour)))
        if due > after:
            return due
        month += 1


def due_until(
    first: datetime.datetime, now: datetime.datetime, *, number: int, is_working_day: bool, hour: int
) -> list[datetime.datetime]:
    """``first``, and what the calendar names after it up to ``now``: more than one where runs were missed."""
    found = [first]
    while (due := next_due(found[-1], number=number, is_working_day=is_working_day, hour=hour)) <= now:
        found.append(due)
    return found
