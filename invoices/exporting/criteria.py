"""The choices of the selection screen, as one value that a page, a command and the database share."""

import datetime
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from customers.models import Customer
from customers.recipients import ContactRules


class Scope(StrEnum):
    """Whose invoices: those of customers who have credentials, or all."""

    WITH_CREDENTIALS = "with-credentials"
    ALL = "all"


class Period(StrEnum):
    """A period by its relation to the day of the run, kept relative in a saved selection."""

    FIXED = "fixed"
    PREVIOUS_MONTH = "previous_month"
    CURRENT_MONTH = "current_month"
    SINCE_LAST_EXPORT = "since_last_export"  # what is not exported yet, whatever its date


@dataclass(frozen=True, slots=True)
class Criteria:
    """What to export (``start`` to ``end``, both inclusive), to whom, and what goes with it."""

    start: datetime.date | None = None
    end: datetime.date | None = None
    period: Period = Period.FIXED
    kind: str = ""  # a value of Customer.Kind, or empty for both
    scope: Scope = Scope.WITH_CREDENTIALS
    contacts: ContactRules = field(default_factory=ContactRules)
    generate_credentials: bool = False
    notify: bool = False
    attach_pdf: bool = False
    one_mail_per_customer: bool = False
    mail_only_reason: str = ""  # why invoices leave by mail only that the law sends through a platform; else they wait

    def __post_init__(self) -> None:
        """Raises ValueError where the period ends before it starts or the kind is unknown."""
        if self.start and self.end and self.end < self.start:
            raise ValueError("The period ends before it starts.")
        if self.kind and self.kind not in Customer.Kind.values:
            raise ValueError(f"Unknown kind of customer: {self.kind}")

    @property
    def has_all_dates(self) -> bool:
        """Whether every invoice is asked for, also those that have left, whatever its date."""
        return self.start is None and self.end is None and self.period == Period.FIXED

    def to_json(self) -> dict[str, Any]:
        """Plain values, as they are kept in the database."""
        return {
            name: value.isoformat() if isinstance(value, datetime.date) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Criteria":
        """The value that :meth:`to_json` wrote; names that are no longer known are left out."""
        usual = cls()
        known = {item.name: getattr(usual, item.name) for item in fields(cls)}
        return cls(**{name: _read(data[name], usual) for name, usual in known.items() if name in data})

    def resolve_period(self, today: datetime.date, last_export: datetime.date | None) -> "Criteria":
        """The same choices with a relative period made of dates, seen from ``today``.

        «Depuis le dernier export» has none: an invoice imported late is not exported yet either. ``last_export`` (its
        day) is taken for the sake of callers and changes nothing.
        """
        first_of_month = today.replace(day=1)
        match self.period:
            case Period.PREVIOUS_MONTH:
                last = first_of_month - datetime.timedelta(days=1)
                return replace(self, start=last.replace(day=1), end=last)
            case Period.CURRENT_MONTH:
                following = (first_of_month + datetime.timedelta(days=31)).replace(day=1)
                return replace(self, start=first_of_month, end=following - datetime.timedelta(days=1))
            case Period.SINCE_LAST_EXPORT:
                return replace(self, start=None, end=None)
            case Period.FIXED:
                return self


def _read(value: Any, usual: Any) -> Any:
    """A plain value as the type of its usual one; a choice that is not made without is a day."""
    if usual is None:
        return datetime.date.fromisoformat(value) if value else None
    if isinstance(usual, ContactRules):
        return ContactRules(**{item.name: value[item.name] for item in fields(ContactRules) if item.name in value})
    return type(usual)(value)
