"""What an import did: counts, and every refusal with file, line, column, value and reason."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

type Change = Literal["created", "updated", "unchanged"]
type Thing = Literal["customers", "contacts", "invoices", "lines"]

THINGS: Final[tuple[Thing, ...]] = ("customers", "contacts", "invoices", "lines")
MAX_REJECTIONS: Final = 10_000
"""A file in the wrong columns has as many bad cells as it has rows: the rest is said by number."""

type Progress = Callable[[str, int], None]
"""Called with a stage (a French word for what is in hand) and how many of it are done."""


_TOLD_EVERY: Final = 1000


class Telling:
    """Counts what is done of ``stage`` and tells ``progress``, where there is one, at every thousand."""

    def __init__(self, progress: Progress | None, stage: str) -> None:
        self._progress = progress
        self._stage = stage
        self._done = 0

    def add(self, number: int = 1) -> None:
        """So many more are done."""
        before = self._done
        self._done += number
        if self._progress is not None and self._done // _TOLD_EVERY > before // _TOLD_EVERY:
            self._progress(self._stage, self._done)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a file is refused: ``line`` is the file's own, None where it is the whole file; ``reason`` is French."""

    file: str
    line: int | None
    column: str
    value: str
    reason: str


def _zeros() -> dict[Thing, int]:
    return dict.fromkeys(THINGS, 0)


@dataclass
class ImportReport:
    """The story of one import. ``notices`` are sentences that refuse nothing (a column that was passed over…)."""

    created: dict[Thing, int] = field(default_factory=_zeros)
    updated: dict[Thing, int] = field(default_factory=_zeros)
    unchanged: dict[Thing, int] = field(default_factory=_zeros)
    rejected: list[Rejection] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
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
        self.refuse(*other.rejected)
        self.rejections += other.rejections - len(other.rejected)
        self.notices += other.notices
        self.to_map += other.to_map

    def refuse(self, *rejections: Rejection) -> None:
        """Keep refusals, up to :data:`MAX_REJECTIONS`; count them all."""
        self.rejections += len(rejections)
        self.rejected += rejections[: max(0, MAX_REJECTIONS - len(self.rejected))]

    def refuse_file(self, file: str, reason: str, line: int | None = None) -> None:
        """Refuse a file as a whole."""
        self.refuse(Rejection(file, line, "", "", reason))

    @property
    def is_clean(self) -> bool:
        """True where nothing was refused."""
        return not self.rejections

    def forget_counts(self) -> None:
        """Nothing of this was kept after all: its transaction was rolled back."""
        self.created, self.updated, self.unchanged = _zeros(), _zeros(), _zeros()

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints and that an :class:`~invoices.models.ImportBatch` keeps."""
        rejected = [
            {"file": each.file, "line": each.line, "column": each.column, "value": each.value, "reason": each.reason}
            for each in self.rejected
        ]
        if self.rejections > len(self.rejected):
            hidden = self.rejections - len(self.rejected)
            reason = f"{hidden} autres refus ne sont pas détaillés : corrigez ceux-ci d’abord."
            rejected.append({"file": "", "line": None, "column": "", "value": "", "reason": reason})
        return {
            "created": dict(self.created),
            "updated": dict(self.updated),
            "unchanged": dict(self.unchanged),
            "rejected": rejected,
        }
