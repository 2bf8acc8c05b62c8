"""What a table of an import is read as: itself, or what a kept mapping or the names of its columns make of it."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from invoices.files.tables import Table, UnreadableTable
from invoices.importing.mapping.fields import AMOUNTS, CUSTOMER, CUSTOMER_NAME, LINE, missing
from invoices.importing.mapping.flat import flatten
from invoices.importing.mapping.kept import CustomerSearch, KeptMappings
from invoices.importing.mapping.kinds import says_signs, says_types
from invoices.importing.mapping.layout import Confirmed, layout_of, names_pieces
from invoices.importing.mapping.names import name_key, notions_of
from invoices.importing.mapping.proposal import propose
from invoices.importing.mapping.proposed import Proposal
from invoices.importing.mapping.samples import take_sample
from invoices.importing.report import Rejection, SkippedRow
from invoices.importing.tables.codes import code_key
from invoices.importing.tables.columns import (
    CONTACTS,
    CUSTOMERS,
    INVOICES,
    LINES,
    RecognisedTable,
    UnknownHeader,
    recognise,
)

_ESSENTIAL: Final = frozenset(
    (
        "numero", "date", "code_client", "client.raison_sociale", "total_ht", "total_tva", "total_ttc",
        "ligne.total_ht", "ligne.taux_tva", "ligne.quantite", "ligne.prix_unitaire_ht",
    )
)  # fmt: skip
_IN_THOUSANDS: Final = re.compile(r"\b[kKM] ?(?:€|EUR\b)")
_OTHER_UNITS: Final = frozenset("milliers thousand thousands million millions centimes cents centavos minor".split())  # noqa: SIM905
_FEWEST_COLUMNS: Final = 3
_MOST_UNRECONCILED: Final = 0.02


class NeedsMapping(UnknownHeader):
    """The table can be imported once a person has said in «Importer» what its columns are."""


@dataclass
class UnderstoodTable:
    """The tables to import that a table of the user is, and what was refused or passed over in it."""

    tables: list[RecognisedTable] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    skipped: list[SkippedRow] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Columns that are not used, of a table that was rewritten."""
    asks: bool = False
    """Whether a person can answer in «Importer» for what was refused: whose invoices those of a name are."""


def codes_of_cards(table: Table) -> Iterator[str]:
    """The codes of the cards that ``table`` brings, as :func:`~invoices.importing.tables.codes.code_key` has them."""
    try:
        try:
            recognised = recognise(table)
            place = recognised.positions["code"] if recognised.kind is CUSTOMERS else -1
        except UnknownHeader:
            proposal = propose(table)
            place = _place_of_code(proposal)
        if place >= 0:
            yield from (code_key(row.cells[place]) for row in table.rows() if place < len(row.cells))
    except UnreadableTable:
        return


def _place_of_code(proposal: Proposal | None) -> int:
    if proposal is None or proposal.holds != ["clients"]:
        return -1
    return (proposal.fields.get("client.code") or proposal.fields.get("code_client") or [-1])[0]


def understand(
    table: Table,
    folder: Path,
    kept: KeptMappings,
    *,
    comes_with_code: Callable[[Collection[str]], bool] = lambda _codes: False,
) -> UnderstoodTable:
    """What ``table`` is. Rewritten rows wait in ``folder``.

    ``comes_with_code``: whether one of these codes is that of a card which the same import writes first.

    Raises :class:`~invoices.importing.tables.columns.UnknownHeader` where neither a kept mapping nor the names of its
    columns say everything that is obligatory, or where its amounts do not fit together.
    """
    try:
        recognised = _with_type_by_content(recognise(table))
    except UnknownHeader as unknown:
        return _by_mapping(table, folder, kept, unknown)
    if recognised.kind is CONTACTS:
        return UnderstoodTable([recognised])
    if recognised.kind is INVOICES and (names := _customers_named(recognised)) and not comes_with_code(names):
        return _by_mapping(table, folder, kept, UnknownHeader(_("Les clients y sont nommés, sans code."), 1))
    if not recognised.ignored:
        return UnderstoodTable([recognised])
    # A table of ours that carries columns beside: of another table of ours perhaps, which is then read with it.
    proposal = propose(table)
    if proposal is None or not _carries_more(recognised, proposal):
        return UnderstoodTable([recognised])
    return _by_mapping(table, folder, kept, UnknownHeader(_("Cette table mélange plusieurs sortes de colonnes."), 1))


def _customers_named(recognised: RecognisedTable) -> Collection[str]:
    """What the column «Client» of invoices holds where it is names, none of which is the code of a card."""
    sample = take_sample(recognised.table)
    place = recognised.positions["code_client"]
    if sample is None or place >= len(sample.columns):
        return ()
    column = sample.columns[place]
    if {"code", "number", "ref", "id"} & notions_of(column.name) or not column.is_names:
        return ()
    cards = CustomerSearch()
    return () if any(map(cards.is_known, column.counts)) else list(column.counts)


def _with_type_by_content(recognised: RecognisedTable) -> RecognisedTable:
    """``recognised`` with the column that says «Avoir» as its type, whatever its name: an unread one costs the sign."""
    if recognised.kind is not INVOICES or "type" in recognised.positions or not recognised.ignored:
        return recognised
    sample = take_sample(recognised.table)
    known = set(recognised.positions.values())
    for column in sample.columns if sample is not None else ():
        if column.index not in known and says_signs(column, sample.columns if sample else ()):
            raise NeedsMapping(_unsure_signs(column.name), recognised.header_line)
        if column.index not in known and column.filled and column.is_text and says_types(column.counts):
            ignored = list(recognised.ignored)
            if column.name in ignored:
                ignored.remove(column.name)
            positions = {**recognised.positions, "type": column.index}
            return replace(recognised, positions=positions, ignored=tuple(ignored))
    return recognised


def _carries_more(recognised: RecognisedTable, proposal: Proposal) -> bool:
    fields = set(proposal.fields)
    lines = fields & {"ligne.designation", "ligne.quantite", "ligne.prix_unitaire_ht", "ligne.total_ht"}
    if recognised.kind is INVOICES:
        return len(lines) >= 2
    if recognised.kind is LINES and any(map(names_pieces, recognised.ignored)):
        return True
    if recognised.kind is LINES:
        return bool(fields & {"date", "total_ttc"}) and bool(fields & {"code_client", "client.raison_sociale"})
    return recognised.kind is CUSTOMERS and "factures" in proposal.holds


def _by_mapping(table: Table, folder: Path, kept: KeptMappings, unknown: UnknownHeader) -> UnderstoodTable:
    proposal = propose(table)
    known = kept.find(proposal.sample) if proposal is not None else None
    if proposal is None or sum(bool(column.name) for column in proposal.columns) < _FEWEST_COLUMNS:
        raise unknown
    if known is None and not proposal.holds:
        raise NeedsMapping(unknown.reason, unknown.line, unknown.columns)
    fields = known.places() if known is not None else proposal.fields
    gone = missing(set(fields))
    if known is None and not gone:
        gone = [column.field for column in proposal.columns if column.field in _ESSENTIAL and column.is_by_content]
    if known is None and (unsure := _unsure_amounts(proposal)):
        raise NeedsMapping(unsure, unknown.line)
    if gone:
        raise NeedsMapping(_asks_for(unknown.reason, gone), unknown.line, unknown.columns)
    layout = layout_of(proposal.sample, fields, Confirmed.from_json(known.confirmed) if known is not None else None)
    if layout.holds == {"clients"}:
        return UnderstoodTable([_customers_alone(table, proposal, fields)])
    found = flatten(table, layout, folder, CustomerSearch(known.customers if known is not None else None))
    if known is None and found.unreconciled > _MOST_UNRECONCILED * found.invoices:
        first = next((each for each in found.rejections), None)
        reason = _("%(refused)s factures sur %(all)s ne s’accordent pas. %(first)s") % {
            "refused": found.unreconciled,
            "all": found.invoices,
            "first": first.reason if first else "",
        }
        raise NeedsMapping(
            _("Les colonnes de ce fichier sont devinées, et %(reason)s Ouvrez-le dans Importer.") % {"reason": reason},
            first.line if first else None,
        )
    if known is not None:
        kept.note_use(known)
    ignored = [column.name for column in proposal.columns if column.name and not _is_used(column.index, fields)]
    asks = any(each.column == CUSTOMER_NAME for each in found.rejections)
    asks = asks or (known is not None and bool(found.unreconciled))
    return UnderstoodTable(found.tables, found.rejections, found.skipped, ignored, asks)


def _unsure_amounts(proposal: Proposal) -> str:
    """Why amounts may be other than they are written: in thousands, or with their sign in a column; empty if not."""
    for column, sampled in zip(proposal.columns, proposal.sample.named(), strict=True):
        if column.field in AMOUNTS and (
            _IN_THOUSANDS.search(column.name) or not _OTHER_UNITS.isdisjoint(name_key(column.name).split())
        ):
            return _(
                "« %(column)s » compte peut-être en milliers ou en centimes : ouvrez ce fichier dans Importer."
            ) % {"column": column.name}
        is_a_side = sampled.is_numeric and not {"debit", "credit"}.isdisjoint(name_key(column.name).split())
        if is_a_side or (not column.field and says_signs(sampled, proposal.sample.columns)):
            return _unsure_signs(column.name)
    return ""


def _unsure_signs(column: str) -> str:
    return _("« %(column)s » donne peut-être le signe des montants : ouvrez ce fichier dans Importer.") % {
        "column": column
    }


def _is_used(index: int, fields: dict[str, list[int]]) -> bool:
    return any(index in places for places in fields.values())


def _asks_for(reason: str, gone: list[str]) -> str:
    names = ", ".join(f"« {name.removeprefix(LINE).removeprefix(CUSTOMER)} »" for name in gone)
    return _(
        "%(reason)s Il manque %(names)s : ouvrez ce fichier dans Importer pour dire ce que contient chaque colonne."
    ) % {
        "reason": reason,
        "names": names,
    }


def _customers_alone(table: Table, proposal: Proposal, fields: dict[str, list[int]]) -> RecognisedTable:
    positions = {name.removeprefix(CUSTOMER): places[0] for name, places in fields.items() if name.startswith(CUSTOMER)}
    ignored = tuple(column.name for column in proposal.columns if column.name and not _is_used(column.index, fields))
    sample = proposal.sample
    return RecognisedTable(table, CUSTOMERS, sample.header_line, len(sample.header), positions, ignored)
