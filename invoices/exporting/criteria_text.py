"""The period of a selection in French words."""

import datetime

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.exporting.criteria import Criteria, Period

PERIODS = {
    Period.FIXED: gettext_lazy("Dates de facture (début et fin incluses)"),
    Period.PREVIOUS_MONTH: gettext_lazy("Mois dernier"),
    Period.CURRENT_MONTH: gettext_lazy("Mois en cours"),
    Period.SINCE_LAST_EXPORT: gettext_lazy("Depuis le dernier export"),
}


def write_date(day: datetime.date) -> str:
    """``2025-06-07`` as «07/06/2025»."""
    return date_format(day, "d/m/Y")


def describe_dates(start: datetime.date | None, end: datetime.date | None) -> str:
    """«du 01/06/2025 au 30/06/2025», or what remains of it where one end is open."""
    if start and end:
        if start == end:
            return _("le %(day)s") % {"day": write_date(start)}
        return _("du %(start)s au %(end)s") % {"start": write_date(start), "end": write_date(end)}
    if start:
        return _("à partir du %(start)s") % {"start": write_date(start)}
    if end:
        return _("jusqu’au %(end)s") % {"end": write_date(end)}
    return _("toutes les dates")


def describe_period(criteria: Criteria) -> str:
    """The period: «mois dernier (du 01/10/2026 au 31/10/2026)», or its dates alone where it is fixed."""
    if criteria.period == Period.FIXED:
        return describe_dates(criteria.start, criteria.end)
    label = str(PERIODS[criteria.period])
    name, days = label[:1].lower() + label[1:], describe_days(criteria)
    return f"{name} ({days})" if days else name


def describe_days(criteria: Criteria) -> str:
    """The days of a relative period, as :meth:`Criteria.resolve_period` gave them; empty before."""
    if criteria.period == Period.SINCE_LAST_EXPORT:
        return _("pas encore exportées, quelle que soit leur date")
    return describe_dates(criteria.start, criteria.end) if criteria.start or criteria.end else ""
