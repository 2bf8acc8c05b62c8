"""A proposal: which of our columns each column of an unknown table is."""

from collections import defaultdict
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from invoices.importing.mapping.fields import CHECKS, holds, missing
from invoices.importing.mapping.samples import Sample


@dataclass
class ProposedColumn:
    """One of the user's columns; ``field`` is ours or empty, ``ground`` says why in French."""

    index: int
    name: str
    field: str
    ground: str
    samples: list[str] = dataclass_field(default_factory=list)
    is_by_content: bool = False

    @property
    def shown_field(self) -> str | None:
        """Our column as tools get it: amounts that only serve to check are none."""
        return self.field if self.field and self.field not in CHECKS else None


@dataclass
class Proposal:
    """The columns of one table, and what is missing to import it."""

    sample: Sample
    columns: list[ProposedColumn]

    @property
    def fields(self) -> dict[str, list[int]]:
        """The place of each of our columns; taxes and bases by rate may be in several."""
        places: dict[str, list[int]] = defaultdict(list)
        for column in self.columns:
            if column.field:
                places[column.field].append(column.index)
        return dict(places)

    @property
    def holds(self) -> list[str]:
        """What the table holds: factures, lignes, clients."""
        return holds(set(self.fields))

    @property
    def missing(self) -> list[str]:
        """Obligatory columns that are neither there nor follow from others."""
        return missing(set(self.fields))

    def as_json(self) -> dict[str, Any]:
        """The object of ``propose_mapping --json`` for this table."""
        return {
            "sheet": self.sample.table.sheet,
            "holds": self.holds,
            "columns": [
                {"column": column.name, "field": column.shown_field, "ground": column.ground} for column in self.columns
            ],
            "missing": self.missing,
        }


def proposal_of_nothing(sample: Sample, ground: str) -> Proposal:
    """No column of ``sample`` is any of ours, on this ``ground``."""
    columns = (ProposedColumn(each.index, each.name, "", ground, each.filled[:3], False) for each in sample.named())
    return Proposal(sample, list(columns))
