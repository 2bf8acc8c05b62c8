"""What an import did: counts, and every refusal with file, line, column, value and reason."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from invoices.files.tables import Table
from invoices.importing.corrections import correction_of
from invoices.importing.journal import Journal

type Change = Literal["created", "updated", "unchanged"]
type Thing = Literal["customers", "contacts", "invoices", "lines"]

THINGS: Final[tuple[Thing, ...]] = ("customers", "contacts", "invoices", "lines")
MAX_REJECTIONS: Final = 10_000
"""A file in the wrong columns has as many bad cells as it has rows: the rest is said by number."""

type Progress = Callable[[str, int], None]
"""Called with a stage (a French word for what is in hand) and how many of it are done."""


_REPORTED_EVERY: Final = 1000


class ProgressCounter:
    """Counts what is done of ``stage`` and reports to ``progress``, where there is one, at every thousand."""

    def __init__(self, progress: Progress | None, stage: str) -> None:
        self._progress = progress
        self._stage = stage
        self._done = 0

    def add(self, number: int = 1) -> None:
        """So many more are done."""
        before = self._done
        self._done += number
        if self._progress is not None and self._done // _REPORTED_EVERY > before // _REPORTED_EVERY:
            self._progress(self._stage, self._done)


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is refused, or warned of, and why: ``line`` is the file's own, None where it is the whole file.

    ``reason`` and ``correction`` (what would mend it) are French; without one, what mends a cell of its column. An
    invoice that staff may let take the place of another one has that one's :func:`identity` in ``replaces``; a row of
    customers that they may let make a card another company's, its :func:`card_identity`.
    """

    file: str
    line: int | None
    column: str
    value: str
    reason: str
    correction: str = ""
    replaces: str = ""

    @property
    def what_mends_it(self) -> str:
        """The sentence that says what to do, in French."""
        return self.correction or correction_of(self.column, has_line=self.line is not None)

    def as_json(self) -> dict[str, Any]:
        """The object of a report."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "value": self.value,
            "reason": self.reason,
            "correction": self.what_mends_it,
        }


class SkippedRow(NamedTuple):
    """A row, or where ``line`` is None a whole sheet or file, that was read and is not imported, and why."""

    file: str
    line: int | None
    reason: str


class IgnoredColumn(NamedTuple):
    """A column that is not used."""

    file: str
    sheet: str
    column: str


def identity(company: object, number: str) -> str:
    """How an invoice of the database is named to be replaced: ``company`` is its primary key."""
    return f"{company}:{number}"


_CARD: Final = "client"


def card_identity(code: str) -> str:
    """How a customer's card of the database is named to become another company's."""
    return f"{_CARD}:{code}"


def replaced_thing(identity: str) -> tuple[bool, str]:
    """Whether what :func:`identity` or :func:`card_identity` names is a card, and its number or code."""
    of, _, name = identity.partition(":")
    return of == _CARD, name


def _zeros() -> dict[Thing, int]:
    return dict.fromkeys(THINGS, 0)


@dataclass
class ImportReport:
    """The story of one import. ``notices`` are sentences that refuse nothing (a column that was passed over…)."""

    created: dict[Thing, int] = field(default_factory=_zeros)
    updated: dict[Thing, int] = field(default_factory=_zeros)
    unchanged: dict[Thing, int] = field(default_factory=_zeros)
    rejected: list[Rejection] = field(default_factory=list)
    warnings: list[Rejection] = field(default_factory=list)
    """Cells that were left out of something that is imported nonetheless."""
    ignored: list[IgnoredColumn] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    skips: int = 0
    notices: list[str] = field(default_factory=list)
    first_day: datetime.date | None = None
    last_day: datetime.date | None = None
    """The period of the invoices that were taken, those that were there already among them."""
    journal: Journal = field(default_factory=Journal)
    new_addresses: list[dict[str, Any]] = field(default_factory=list)
    """Cards whose mail address the ERP has changed: key, code, name, the former address and the new one."""
    rejections: int = 0
    to_map: list[str] = field(default_factory=list)
    """Tables of which a person is to say in «Importer» what their columns are."""

    def count(self, change: Change, thing: Thing, number: int = 1) -> None:
        """Add ``number`` things."""
        counts: dict[Thing, int] = getattr(self, change)
        counts[thing] += number

    def add(self, other: "ImportReport") -> None:
        """Add what was counted and refused for one file to the whole."""
        for change in ("created", "updated", "unchanged"):
            for thing in THINGS:
                getattr(self, change)[thing] += getattr(other, change)[thing]
        for day in (other.first_day, other.last_day):
            if day is not None:
                self.note_day(day)
        self.journal.add(other.journal)
        self.new_addresses += other.new_addresses
        self.refuse(*other.rejected)
        self.rejections += other.rejections - len(other.rejected)
        self.warnings += other.warnings[: max(0, MAX_REJECTIONS - len(self.warnings))]
        self.ignored += other.ignored
        self.skip(*other.skipped)
        self.skips += other.skips - len(other.skipped)
        self.notices += other.notices
        self.to_map += other.to_map

    def refuse(self, *rejections: Rejection) -> None:
        """Keep refusals, up to :data:`MAX_REJECTIONS`; count them all."""
        self.rejections += len(rejections)
        self.rejected += rejections[: max(0, MAX_REJECTIONS - len(self.rejected))]

    def note_day(self, day: datetime.date) -> None:
        """An invoice of ``day`` was taken."""
        self.first_day = day if self.first_day is None else min(self.first_day, day)
        self.last_day = day if self.last_day is None else max(self.last_day, day)

    def warn(self, *warnings: Rejection) -> None:
        """Keep what is left out of something that is imported, up to :data:`MAX_REJECTIONS`."""
        self.warnings += warnings[: max(0, MAX_REJECTIONS - len(self.warnings))]

    def skip(self, *rows: SkippedRow) -> None:
        """Keep what was read and is not imported, up to :data:`MAX_REJECTIONS`; count it all."""
        self.skips += len(rows)
        self.skipped += rows[: max(0, MAX_REJECTIONS - len(self.skipped))]

    def ignore(self, table: Table, columns: Iterable[str]) -> None:
        """Keep which columns of ``table`` are not used."""
        self.ignored += [IgnoredColumn(table.file, table.sheet or "", column) for column in columns]

    def refuse_file(self, file: str, reason: str, line: int | None = None) -> None:
        """Refuse a file as a whole."""
        self.refuse(Rejection(file, line, "", "", reason))

    @property
    def is_clean(self) -> bool:
        """True where nothing was refused."""
        return not self.rejections

    @property
    def changes(self) -> int:
        """How many things were created or updated."""
        return sum(self.created.values()) + sum(self.updated.values())

    def forget_counts(self) -> None:
        """Nothing of this was kept after all: its transaction was rolled back."""
        self.created, self.updated, self.unchanged = _zeros(), _zeros(), _zeros()
        self.journal, self.new_addresses = Journal(), []

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints and that an :class:`~invoices.models.ImportBatch` keeps."""
        rejected = [each.as_json() for each in self.rejected]
        if self.rejections > len(self.rejected):
            hidden = self.rejections - len(self.rejected)
            reason = f"{hidden} autres refus ne sont pas détaillés : corrigez ceux-ci d’abord."
            rejected.append(Rejection("", None, "", "", reason).as_json())
        return {
            "created": dict(self.created),
            "updated": dict(self.updated),
            "unchanged": dict(self.unchanged),
            "rejected": rejected,
            "warnings": [each.as_json() for each in self.warnings],
            "ignored": [each._asdict() for each in self.ignored],
            "skipped": [each._asdict() for each in self.skipped],
            "journal": self.journal.as_json(),
            "new_addresses": self.new_addresses,
        }
