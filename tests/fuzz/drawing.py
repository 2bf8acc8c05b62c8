"""How many hostile inputs are tried (``FUZZ_CASES``), and how they are drawn."""

import json
import os
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("FUZZ_CASES", "300"))
# The same each time in continuous integration; ``make fuzz`` draws others.
MANY = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize="FUZZ_CASES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
PIECES = st.sampled_from(
    (
        *"0 1 9 12 000 2025 31 99 . , ; : / - + ( ) % € $ £ ' \" = @ # ° É Ⅳ ²".split(),  # noqa: SIM905 - read at sight
        *("\u00a0", "\u202f", "\u200b", "\u2212", "\u0663", "\uff11", "\x00", "\n", "\t", " "),
        *("E", "e", "h", "T", "Z", "TVA", "HT", "juin", "août", "mardi", "le", "30 jours", "fin de mois", "net"),
        *("avoir", "facture", "SIREN", "FR", "EUR", "USD", "kr", "FCFA", "nc", "néant", "NULL"),
    )
)
CELLS = st.one_of(
    st.lists(PIECES, max_size=9).map("".join), st.lists(PIECES, max_size=7).map(" ".join), st.text(max_size=40)
)
NUMBERS = st.sampled_from((0, -1, 1, 1.5, 2**63, 10**400, float("inf"), float("nan"), True, False))
_PLAIN = NUMBERS | st.none() | CELLS
VALUES = st.one_of(
    NUMBERS,
    _PLAIN,
    st.lists(_PLAIN, max_size=3),
    st.dictionaries(CELLS, _PLAIN, max_size=3),
    st.lists(st.dictionaries(CELLS, _PLAIN, max_size=2), max_size=2),
)
# Deeper than the reader of JSON goes, and short enough to be shown.
DEEP = "[" * 40_000


@st.composite
def damaged(draw: st.DrawFn, sound: bytes) -> bytes:
    """``sound`` with bytes changed, taken out or put in at some places, or cut short."""
    data = bytearray(sound)
    for _change in range(draw(st.integers(0, 8))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        cut = draw(st.integers(0, 4))
        data[place : place + cut] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.integers(0, 9)) == 0 else data)


@st.composite
def damaged_inside(draw: st.DrawFn, sound: bytes) -> bytes:
    """A ZIP in which one member of ``sound`` is damaged: what a check of the archive alone does not see."""
    out = BytesIO()
    with ZipFile(BytesIO(sound)) as archive, ZipFile(out, "w", ZIP_DEFLATED) as changed:
        victim = draw(st.sampled_from(archive.namelist()))
        for name in archive.namelist():
            content = archive.read(name)
            changed.writestr(name, draw(damaged(content)) if name == victim else content)
    return out.getvalue()


@st.composite
def changed_values(draw: st.DrawFn, sound: dict[str, Any]) -> dict[str, Any]:
    """``sound`` with some of its values, at any depth, replaced by others, left out or added to."""
    found: dict[str, Any] = {}
    for name, value in sound.items():
        match draw(st.integers(0, 9)):
            case 0:
                continue
            case 1 | 2:
                found[name] = draw(VALUES)
            case _:
                found[name] = draw(changed_values(value)) if isinstance(value, dict) else value
    return found | draw(st.dictionaries(CELLS, VALUES, max_size=1))


def changed_json(sound: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """``sound`` as JSON: with other values, damaged as text, of another shape, or nested without an end."""
    return st.one_of(
        changed_values(sound).map(_written),
        damaged(_written(sound)),
        VALUES.map(_written),
    )


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
